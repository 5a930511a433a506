"""Events as they were told, once each, and the signals they were mapped to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import orjson

from connector import clock
from connector.ledger import cursors
from connector.ledger.store import Row, Tx
from connector.model import Event, Json, Signal

RECORD = """INSERT INTO events (id, source, source_event_id, type, name, occurred_at, received_at,
        payload, body_hash, state, reason, back_fill, contact_id, mapping, taken_at)
    VALUES (:id, :source, :key, :type, :name, :occurred, :received, :payload, :hash, :state,
        :reason, :back, :contact, :mapping, :at)
    ON CONFLICT (source, source_event_id) DO NOTHING"""
KNOWN = "SELECT 1 FROM events WHERE source = :source AND source_event_id = :key"
REPEAT = """UPDATE events SET repeats = repeats + 1,
        conflicts = conflicts + CASE WHEN body_hash = :hash THEN 0 ELSE 1 END
    WHERE source = :source AND source_event_id = :key"""
SETTLE = """UPDATE events SET state = :state, reason = :reason, contact_id = :contact,
        mapping = :mapping, taken_at = coalesce(:at, taken_at) WHERE id = :id"""
NEW_EACH_TRY = ("sentAt", "_metadata")
"""Of an event: when it was sent, and analytics.js's own count of the tries."""
BLANK = "UPDATE events SET payload = '{}', body_hash = '' WHERE id = :id"
GET = "SELECT * FROM events WHERE id = :id"
SIGNAL = """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts,
        sensitive)
    VALUES (:id, :event, :name, :contact, :key, :occurred, :activity, :facts, :sensitive)"""
SINCE = """SELECT * FROM events WHERE contact_id = :contact AND occurred_at > :at
    AND state = 'done' ORDER BY occurred_at LIMIT :limit"""
HEARD = """SELECT id, event_id, name, key, occurred_at, facts FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at > :since
    ORDER BY occurred_at LIMIT :limit"""
BEFORE = """SELECT id, name, key, occurred_at, facts FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at < :until
    ORDER BY occurred_at LIMIT :limit"""
UNREADABLE = """INSERT INTO unreadable (id, source, reason, url, headers, body, bytes, received_at)
    VALUES (:id, :source, :reason, :url, :headers, :body, :bytes, :received)"""
KEPT = """SELECT CAST(count(*) AS BIGINT) AS n, CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
    FROM unreadable WHERE source = :source"""
OLDEST = "SELECT id, bytes FROM unreadable WHERE source = :source ORDER BY received_at, id LIMIT 20"
UNREADABLE_ROWS = 1_000
UNREADABLE_BYTES = 50_000_000


def is_repeat(tx: Tx, event: Event) -> bool:
    """Whether an event of this key was kept before; that it was told again is then counted.

    The first body under a key stands; another body under the same key is counted as a conflict.
    """
    if tx.one(KNOWN, source=event.source, key=event.source_event_id) is None:
        return False
    _count_repeat(tx, event, _digest(event.payload, orjson.dumps(dict(event.payload))))
    return True


def record(
    tx: Tx,
    event: Event,
    state: str = "done",
    reason: str = "",
    contact_id: str = "",
    mapping: str = "",
    *,
    at: datetime | None = None,
) -> bool:
    """Keep an event, what became of it and when it was taken; False when its key is known already
    (counted, as by :func:`is_repeat`, and nothing else done)."""
    payload = orjson.dumps(dict(event.payload))
    digest = _digest(event.payload, payload)
    new = tx.run(
        RECORD,
        id=event.id,
        source=event.source,
        key=event.source_event_id,
        type=event.type,
        name=event.name,
        occurred=clock.text(event.occurred_at),
        received=clock.text(event.received_at),
        payload=payload.decode(),
        hash=digest,
        state=state,
        reason=reason[:500],
        back=int(event.back_fill),
        contact=contact_id or None,
        mapping=mapping,
        at=clock.text(at) if at else None,
    )
    if not new:
        _count_repeat(tx, event, digest)
    return bool(new)


def _count_repeat(tx: Tx, event: Event, digest: str) -> None:
    tx.run(REPEAT, hash=digest, source=event.source, key=event.source_event_id)


def _digest(payload: Mapping[str, Json], body: bytes) -> str:
    """What makes two tellings of an event the same: all but what is new at each try to send it."""
    if "sentAt" in payload:
        told = {name: value for name, value in payload.items() if name not in NEW_EACH_TRY}
        body = orjson.dumps(told)
    return hashlib.sha256(body).hexdigest()[:32]


def settle(
    tx: Tx,
    event_id: str,
    state: str,
    reason: str = "",
    contact_id: str = "",
    mapping: str = "",
    *,
    at: datetime | None = None,
) -> None:
    """Say what became of an event, and when it was taken: done, unmapped or failed, and why."""
    tx.run(
        SETTLE,
        id=event_id,
        state=state,
        reason=reason[:500],
        contact=contact_id or None,
        mapping=mapping,
        at=clock.text(at) if at else None,
    )


def blank(tx: Tx, event_id: str) -> None:
    """Keep of an event that it was told and what came of it, and nothing of what it said."""
    tx.run(BLANK, id=event_id)


def get(tx: Tx, event_id: str) -> Event | None:
    """The event as it was told."""
    row = tx.one(GET, id=event_id)
    return read(row) if row else None


def read(row: Row) -> Event:
    """An event from its row."""
    return Event(
        id=row["id"],
        source=row["source"],
        source_event_id=row["source_event_id"],
        type=row["type"],
        name=row["name"],
        occurred_at=clock.instant(row["occurred_at"]),
        received_at=clock.instant(row["received_at"]),
        payload=orjson.loads(row["payload"]),
        back_fill=bool(row["back_fill"]),
    )


def since(tx: Tx, contact_id: str, at: datetime, limit: int) -> list[Event]:
    """What was told of a contact and occurred after an instant, in its order."""
    rows = tx.all(SINCE, contact=contact_id, at=clock.text(at), limit=limit)
    return [read(row) for row in rows]


def add_signal(tx: Tx, signal: Signal, event: Event, contact_id: str, signal_id: str) -> None:
    """Keep what an event means here."""
    tx.run(
        SIGNAL,
        id=signal_id,
        event=event.id,
        name=signal.name,
        contact=contact_id,
        key=signal.key,
        occurred=clock.text(event.occurred_at),
        activity=int(signal.activity),
        facts=orjson.dumps(dict(signal.facts)).decode(),
        sensitive=",".join(sorted(signal.sensitive)),
    )


def before(tx: Tx, contact_id: str, name: str, until: datetime, limit: int = 100) -> list[Row]:
    """Signals of a name that occurred before an instant, the oldest first."""
    return tx.all(BEFORE, contact=contact_id, name=name, until=clock.text(until), limit=limit)


def heard(tx: Tx, contact_id: str, name: str, since: datetime, limit: int = 1_000) -> list[Row]:
    """Signals of a name that a contact gave after an instant, oldest first."""
    return tx.all(HEARD, contact=contact_id, name=name, since=clock.text(since), limit=limit)


def signal_facts(row: Row) -> Mapping[str, Json]:
    """The facts of a signal row that may be shown: without the sensitive ones."""
    facts: dict[str, Json] = orjson.loads(row["facts"])
    hidden = set(row["sensitive"].split(",")) if row["sensitive"] else set()
    return {name: value for name, value in facts.items() if name not in hidden}


def keep_unreadable(
    tx: Tx,
    unreadable_id: str,
    source: str,
    reason: str,
    body: bytes,
    received_at: datetime,
    url: str = "",
    headers: Mapping[str, str] | None = None,
) -> None:
    """Keep what could not be read, for a replay; the oldest beyond the bound is dropped, counted.

    At most 1,000 rows and 50 MB a source.
    """
    tx.run(
        UNREADABLE,
        id=unreadable_id,
        source=source,
        reason=reason[:500],
        url=url,
        headers=orjson.dumps(dict(headers or {})).decode(),
        body=body.decode(errors="replace"),
        bytes=len(body),
        received=clock.text(received_at),
    )
    kept = tx.one(KEPT, source=source)
    rows, size = (int(kept["n"]), int(kept["bytes"])) if kept else (0, 0)
    for old in tx.all(OLDEST, source=source):
        if rows <= UNREADABLE_ROWS and size <= UNREADABLE_BYTES:
            break
        tx.run("DELETE FROM unreadable WHERE id = :id", id=old["id"])
        cursors.count(tx, f"unreadable_dropped.{source}")
        rows, size = rows - 1, size - int(old["bytes"])
