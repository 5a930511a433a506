"""A running connector that strangers try their luck on, and what it must look like afterwards."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import BadStatusLine, HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.running import SHOP_SECRET, SITE_KEY, Running, api_keys, folder, free_port

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
HOOK_SECRET = b"of twenty-four bytes, ok"
SANDBOX_SECRET = "sandbox-secret"
FLOOD_KEY = "flood-key"
API_KEY = "api-key-of-twenty-four-or-more"

MANY = """
[source]
adapter = "standard"
[verify]
scheme = "bearer"
[event]
for_each = "body.events"
id = "item.id"
name = "item.name"
occurred_at = "item.at"
[subject]
user_id = "item.user"
[[events]]
name = "seen"
signal = "seen"
key = "item.key"
[events.facts]
long = "item.first ~ item.second"
sum = "item.sum + 1"
"""
TIMED = """
[source]
adapter = "standard"
[verify]
scheme = "timestamped"
header = "X-Signed"
encoding = "hex"
[event]
id = "body.id"
name = "body.name"
[subject]
user_id = "body.user"
[[events]]
name = "seen"
signal = "seen"
"""


@dataclass
class Answer:
    """What came back; ``status`` 0 where the connection was closed without a word."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable word of an error; "" where there is none."""
        try:
            read = json.loads(self.body)
        except ValueError:
            return ""
        return str(read.get("code", "")) if isinstance(read, dict) else ""


@dataclass
class House:
    """The connector, and what of all that was tried must be in its ledger."""

    running: Running
    kept: Counter[str] = field(default_factory=Counter)  #: table and state → rows

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        key: str = "",
    ) -> Answer:
        """One request on a connection of its own; ``key`` is a write key."""
        door = HTTPConnection("127.0.0.1", self.running.port, timeout=10)
        sent = {**({"Authorization": basic(key)} if key else {}), **(headers or {})}
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
                door.request(method, path, body or None, sent)
            found = door.getresponse()
            return Answer(found.status, lowered(found.getheaders()), found.read())
        finally:
            door.close()

    def raw(self, data: bytes, *, ends: bool = False) -> Answer:
        """Bytes as they are; ``ends`` says that no more will come."""
        with socket.create_connection(("127.0.0.1", self.running.port), timeout=5) as door:
            with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
                door.sendall(data)
            if ends:
                door.shutdown(socket.SHUT_WR)
            found = HTTPResponse(door)
            try:
                found.begin()
            except BadStatusLine:
                return Answer(0, {}, b"")
            return Answer(found.status, lowered(found.getheaders()), found.read())

    def event(self, event_id: str) -> dict[str, Any] | None:
        """An event's row by its sender's own id."""
        found = self.running.rows("SELECT * FROM events WHERE source_event_id = ?", event_id)
        assert len(found) < 2
        return found[0] if found else None

    def aside(self, mark: str) -> dict[str, Any] | None:
        """What was kept unread with ``mark`` in its body."""
        found = self.running.rows("SELECT * FROM unreadable WHERE instr(body, ?) > 0", mark)
        assert len(found) < 2
        return found[0] if found else None

    def settled(self) -> bool:
        """Whether the worker has moved all that was accepted."""
        path = self.running.path / "data" / "inbox.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as inbox:
            last = inbox.execute("SELECT coalesce(max(seq), 0) FROM inbox").fetchone()[0]
        inbox.close()
        moved = self.running.one("SELECT value FROM cursors WHERE name = 'inbox'") or 0
        return int(moved) >= int(last)

    def settle(self) -> None:
        """Wait until the worker has moved all that was accepted."""
        self.running.until(self.settled)

    def counts(self) -> Counter[str]:
        """How many rows there are of what strangers can bring about, by state."""
        found: Counter[str] = Counter()
        for row in self.running.rows("SELECT state, count(*) AS n FROM events GROUP BY state"):
            found[row["state"]] = row["n"]
        found["unreadable"] = self.running.one("SELECT count(*) FROM unreadable")
        return found


def build(path: Path, **more: str) -> House:
    """A folder with every kind of source, on a test clock at noon in New York; not started."""
    port = free_port()
    path.mkdir(parents=True, exist_ok=True)
    secrets = {
        "hook-secret": "whsec_" + base64.b64encode(HOOK_SECRET).decode(),
        "many-secret": "many",
        "timed-secret": "timed",
        FLOOD_KEY: FLOOD_KEY,
        API_KEY: API_KEY,
    }
    for name, value in secrets.items():
        (path / name).write_text(value)
    trusted = 'trust = "trusted"\nsecrets = ["file:{}-secret"]'
    sources = {
        "sources__hook": 'mapping = "standard"\n' + trusted.format("hook"),
        "sources__many": 'mapping = "many"\n' + trusted.format("many"),
        "sources__timed": 'mapping = "timed"\n' + trusted.format("timed"),
        "sources__flood": f'mapping = "segment"\ntrust = "browser"\nkeys = ["file:{FLOOD_KEY}"]',
    }
    folder(path, port, **{"api": api_keys(crm=(API_KEY, ["send", "operate"])), **sources, **more})
    (path / "mappings/sources/many.toml").write_text(MANY)
    (path / "mappings/sources/timed.toml").write_text(TIMED)
    house = House(Running(path, port))
    house.running.set_clock(NOON)
    return house


def lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in small letters."""
    return {name.lower(): value for name, value in headers}


def basic(key: str) -> str:
    """A write key as the header of every tracking client."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def shopify(body: bytes, event_id: str, topic: str = "orders/create") -> dict[str, str]:
    """The headers of a webhook that Shopify signed."""
    digest = hmac.digest(SHOP_SECRET.encode(), body, hashlib.sha256)
    return {
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-Topic": topic,
    }


def webhook(body: bytes, event_id: str, at: datetime = NOON) -> dict[str, str]:
    """The headers of a Standard Webhook."""
    stamp = str(int(at.timestamp()))
    signed = b".".join([event_id.encode(), stamp.encode(), body])
    digest = hmac.digest(HOOK_SECRET, signed, hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": event_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def timed(body: bytes, at: datetime = NOON) -> dict[str, str]:
    """The header of a timestamped signature."""
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(b"timed", stamp.encode() + b"." + body, hashlib.sha256)
    return {"X-Signed": f"t={stamp},v1={digest.hex()}"}


def sandbox(body: bytes) -> dict[str, str]:
    """The headers of a callback that the sandbox signed."""
    signature = hmac.new(SANDBOX_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Sandbox-Signature": signature, "Content-Type": "application/json"}


def bomb(size: int) -> bytes:
    """Gzip that unpacks to so many bytes."""
    return gzip.compress(b" " * size, 9)


def half(port: int, size: int = 1_000) -> socket.socket:
    """A client that sends the head and the first bytes of a body, and then no more."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = (
        f"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(SITE_KEY)}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    client.sendall(head.encode() + b'{"event":')
    return client


REFERENCES = (
    ("signals", "event_id", "events"),
    ("signals", "contact_id", "contacts"),
    ("identities", "contact_id", "contacts"),
    ("identities", "event_id", "events"),
    ("identity_links", "contact_id", "contacts"),
    ("stage_changes", "contact_id", "contacts"),
    ("stage_changes", "event_id", "events"),
    ("consents", "event_id", "events"),
    ("enrolments", "contact_id", "contacts"),
    ("enrolments", "signal_id", "signals"),
    ("decisions", "contact_id", "contacts"),
    ("decisions", "enrolment_id", "enrolments"),
    ("decisions", "send_id", "sends"),
    ("decisions", "event_id", "events"),
    ("sends", "contact_id", "contacts"),
    ("sends", "enrolment_id", "enrolments"),
    ("receipts", "send_id", "sends"),
    ("outcomes", "contact_id", "contacts"),
    ("outcomes", "event_id", "events"),
    ("writebacks", "contact_id", "contacts"),
)
"""What refers to what, which the tables themselves do not enforce."""


def audit(running: Running) -> None:
    """Both files are whole, and nothing in the ledger refers to what is not there."""
    for name in ("ledger.db", "inbox.db"):
        place = f"file:{running.path}/data/{name}?mode=ro"
        with sqlite3.connect(place, uri=True, timeout=10) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], name
        database.close()
    for table, column, other in REFERENCES:
        sql = f"""SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {column} <> ''
            AND NOT EXISTS (SELECT 1 FROM {other} WHERE id = {table}.{column})"""
        assert running.one(sql) == 0, f"{table}.{column} refers to no {other}"
    doubled = "SELECT cause_id FROM sends GROUP BY cause, cause_id, step HAVING count(*) > 1"
    assert running.rows(doubled) == []
    ids = [line["send_id"] for line in running.outbox()]
    assert len(ids) == len(set(ids)), "a text went twice"
