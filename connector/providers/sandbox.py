"""The sandbox: a provider on this machine that writes texts to a file and plays what follows.

Nothing leaves the machine. Every text is a line of the outbox, appended in one write, so any
process may read it at any time; receipts and replies come back over real HTTP, by script.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from connector.clock import Clock, instant, now, text
from connector.errors import Deferred, Refused, SendFailed, Uncertain, Unreadable, Unverified
from connector.messages import (
    CHANNELS,
    Accepted,
    Carried,
    Found,
    LookedUp,
    Message,
    Receipt,
    Reply,
)
from connector.model import Hook, Json, Status
from connector.providers import Ability
from connector.providers.sandbox_script import BAD, scenes
from connector.text import count

if TYPE_CHECKING:
    from connector.providers.sandbox_player import Player

SIGNATURE: Final = "x-sandbox-signature"
FAILURES: Final[Mapping[str, tuple[type[SendFailed], str]]] = {
    "refused": (Refused, "blocked"),
    "deferred": (Deferred, "unavailable"),
    "uncertain": (Uncertain, "timeout"),
}


class Sandbox:
    """A provider for trying things out, and the default.

    ``script`` says what becomes of which text (see ``Scene``); without it every text is delivered
    after a moment. Receipts and replies go to ``callback_url``, a loopback address; without it
    nothing is played. They are signed with ``secret``, or else with a key of the sandbox's own
    that is kept beside the outbox. ``latency`` is how many seconds an answer takes. ``http`` is a
    ``requests.Session``.
    """

    name = "sandbox"
    channels = frozenset(CHANNELS)
    does = frozenset(Ability) - {Ability.repeats_safely}

    def __init__(
        self,
        *,
        outbox: Path,
        callback_url: str = "",
        secret: str = "",
        script: Sequence[Mapping[str, Any]] = (),
        latency: float = 0.0,
        http: Any = None,
        clock: Clock = now,
    ) -> None:
        if callback_url and not _is_loopback(callback_url):
            raise ValueError("callback_url of the sandbox must be an http address on this machine")
        self._outbox = Path(outbox)
        self._callback_url = callback_url
        self._secret = secret
        self._scenes = scenes(script)
        self._latency = latency
        self._http = http
        self._clock = clock

    @cached_property
    def _key(self) -> bytes:
        return self._secret.encode() or _own_key(self._outbox.with_suffix(".key"))

    @cached_property
    def _player(self) -> Player:
        from connector.providers.sandbox_player import Player  # here: the web does without requests

        sign = partial(_signature, self._key)
        return Player(self._callback_url, sign, self._clock, self._http, self._keep)

    @property
    def _replies(self) -> Path:
        return self._outbox.with_suffix(".replies.jsonl")

    def _keep(self, reply: Mapping[str, Any]) -> None:
        """Remember a reply, as a provider does, whether or not anybody hears of it."""
        with suppress(OSError):
            _append(self._replies, orjson.dumps(reply, option=orjson.OPT_APPEND_NEWLINE))

    def send(self, message: Message) -> Accepted:
        """Append the text to the outbox; the script may have it fail instead.

        The id follows from ``send_id``: the same send handed over twice is two lines of the
        outbox under one id, so that a repetition shows.
        """
        scene = next(scene for scene in self._scenes if scene.fits(message))
        accepted = Accepted(_id(message.send_id), segments=count(message.text).segments)
        if not scene.fails or (scene.fails == "uncertain" and scene.taken):
            player = self._player if self._callback_url else None
            self._append(message, accepted.provider_id)
            if player:
                player.play(message, accepted.provider_id, scene)
        if self._latency:
            time.sleep(self._latency)
        if scene.fails:
            failure, reason = FAILURES[scene.fails]
            reason = scene.reason or reason
            raise failure("the sandbox's script says so", reason=reason, code=scene.error_code)
        return accepted

    def _append(self, message: Message, provider_id: str) -> None:
        entry = {
            "send_id": message.send_id,
            "to": message.to,
            "text": message.text,
            "at": text(self._clock()),
            "provider_id": provider_id,
        }
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._outbox.parent.mkdir(parents=True, exist_ok=True)
            written = _append(self._outbox, line)
        except OSError as error:
            raise Deferred(f"the outbox cannot be written: {error.strerror}") from None
        if written < len(line):
            raise Deferred("the outbox cannot be written: no space left on the disk")

    def texts(self) -> Iterator[Mapping[str, Json]]:
        """The outbox, oldest first; a line torn by a full disk is skipped."""
        return _lines(self._outbox)

    def find(self, message: Message, since: datetime) -> Found:
        """Look the send up in the outbox, which always knows."""
        for entry in self.texts():
            if entry.get("send_id") == message.send_id:
                return Found(True, entry["provider_id"], by_reference=True)
        return Found(False)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands: the newest of its scene's receipts whose moment has come."""
        entry = next((e for e in self.texts() if e.get("provider_id") == provider_id), None)
        if entry is None:
            return None
        text = Message(send_id=entry["send_id"], to=entry["to"], text=entry["text"])
        scene = next(scene for scene in self._scenes if scene.fits(text))
        elapsed = (self._clock() - instant(str(entry["at"]))).total_seconds()
        status = scene.standing(elapsed)
        bad = status in BAD
        return Receipt(
            provider=self.name,
            provider_id=provider_id,
            status=Status(status),
            raw_status=status,
            error_code=scene.error_code if bad else "",
            reason=(scene.reason or "unknown") if bad else "",
            send_id=text.send_id,
        )

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """What the script tells of the number; a scene that ``fails`` fails here too."""
        scene = next(scene for scene in self._scenes if scene.is_of(e164))
        if scene.fails:
            failure, reason = FAILURES[scene.fails]
            raise failure("the sandbox's script says so", reason=reason, code=scene.error_code)
        reassigned = scene.reassigned if owner_since is not None else None
        return LookedUp(scene.number_type or "mobile", reassigned)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """The replies that it played since an instant, oldest first."""
        for entry in _lines(self._replies):
            if instant(str(entry["at"])) >= since:
                yield _read(entry)  # type: ignore[misc]  # only replies are kept there

    def carried(self, since: datetime) -> Iterator[Carried]:
        """The outbox since an instant, oldest first, each text once.

        Raises ``Deferred`` where there is no outbox: it would tell of nothing as if all were well.
        """
        if not self._outbox.exists():
            raise Deferred("the outbox is not there: put the old folder's beside the ledger")
        seen = set()
        for entry in self.texts():
            at = instant(str(entry["at"]))
            if at < since or entry["provider_id"] in seen:
                continue
            seen.add(entry["provider_id"])
            yield Carried(
                self.name, entry["provider_id"], entry["to"], entry["text"], at, entry["send_id"]
            )

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check the HMAC-SHA256 over the raw body."""
        given = hook.headers.get(SIGNATURE, "").encode(errors="replace")
        if not hmac.compare_digest(_signature(self._key, hook.body).encode(), given):
            raise Unverified("X-Sandbox-Signature does not fit the sandbox's own secret")

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a list of receipts and replies as the player posts them."""
        try:
            return [_read(item) for item in _listed(hook.body)]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreadable("a sandbox callback is a list of receipts and replies") from None


def _lines(path: Path) -> Iterator[Mapping[str, Json]]:
    """The objects of a file of JSON lines; a line torn by a full disk is skipped."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue


def _listed(body: bytes) -> Sequence[Mapping[str, Json]]:
    found = orjson.loads(body)
    if not isinstance(found, list):
        raise TypeError("no list")
    return found


def _signature(key: bytes, body: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def _id(send_id: str) -> str:
    return f"SB{hashlib.sha256(send_id.encode()).hexdigest()[:32]}"


def _append(path: Path, line: bytes) -> int:
    """Append in one write, which other processes' writes cannot split; the bytes written."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(file, line)
        if written < len(line):
            os.write(file, b"\n")
        return written
    finally:
        os.close(file)


def _own_key(path: Path) -> bytes:
    """The key that all processes with one outbox share; the first to need it makes it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        file, fresh = tempfile.mkstemp(dir=path.parent)
        try:
            os.write(file, secrets.token_hex(32).encode())
            with suppress(FileExistsError):
                os.link(fresh, path)  # whole or not at all, and never over another's
        finally:
            os.close(file)
            Path(fresh).unlink()
    return path.read_bytes()


def _read(item: Mapping[str, Json]) -> Receipt | Reply:
    kind, at = item["kind"], instant(item["at"])
    if at.tzinfo is None:
        raise ValueError("an instant must be aware")
    if kind == "reply":
        return Reply(
            provider=Sandbox.name,
            provider_id=item["provider_id"],
            sender=item["from"],
            to=item["to"],
            text=item["text"],
            occurred_at=at,
        )
    if kind != "receipt":
        raise ValueError("neither receipt nor reply")
    status = item["status"]
    return Receipt(
        provider=Sandbox.name,
        provider_id=item["provider_id"],
        status=Status(status) if status in Status.__members__ else Status.unknown,
        raw_status=status,
        error_code=item["error_code"],
        reason=item["reason"],
        occurred_at=at,
        stamp=item["at"],
        send_id=item["send_id"],
    )


def _is_loopback(url: str) -> bool:
    try:
        address = urlsplit(url)
        host = address.hostname or ""
        return address.scheme == "http" and (
            host == "localhost" or ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False
