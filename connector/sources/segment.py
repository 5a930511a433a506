"""Segment's HTTP tracking API, which every Segment and RudderStack library speaks, and the webhooks
by which both hand on single events of the same shape.

Documents: segment.com/docs/connections/sources/catalog/libraries/server/http-api,
…/connections/destinations/catalog/actions-webhook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from connector.clock import new_id
from connector.errors import Unreadable, Unverified
from connector.model import Event, Hook, Json, Parsed, Trust
from connector.sources import signatures
from connector.sources.reading import believable, is_too_deep, read_instant, read_json
from connector.sources.signatures import basic_credentials, is_any

MAX_EVENT_BYTES: Final = 32 * 1024
MAX_EVENTS: Final = 5_000  #: of one request, whichever way it comes
MAX_ID_LENGTH: Final = 300
TYPES: Final = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}
BATCHES: Final = frozenset({"batch", "b", "import"})
IP_COUNTRY: Final = "x-ip-country"
"""Of the headers that are kept with a request: the country that a CDN told of who asked."""
IP_NETWORK: Final = "x-ip-network"
"""Likewise: ``staff`` where the address is in one of the networks of ``[traffic]``."""
BACK_FILL_MARKS: Final = ("back_fill", "backfill", "historical")


class Segment:
    """A source that speaks Segment's API; its events are named by ``messageId``.

    With ``verify`` it is told by webhooks, each one event or a list of them, which are proven by
    ``secrets`` in that scheme. Raises ``ValueError`` when a secret cannot be one of it.
    """

    def __init__(
        self,
        *,
        source: str,
        trust: Trust,
        keys: Sequence[bytes] = (),
        secrets: Sequence[bytes] = (),
        verify: signatures.Scheme | None = None,
    ) -> None:
        self._source = source
        self._trust = trust
        self._keys = tuple(keys)
        self._scheme = verify
        self._secrets = signatures.read_keys(verify, secrets) if verify else ()

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request bears one of this source's write keys, or is signed as its
        webhooks are; else ``Unverified``."""
        if self._scheme is not None:
            return signatures.verify(self._scheme, self._secrets, hook, now)
        user = basic_credentials(hook.headers.get("authorization", "")).partition(b":")[0]
        if not is_any(user or written_key(read_json(hook.body)), self._keys):
            raise Unverified("the write key is not this source's: compare it with the sender's")

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """The events of one request; ``hook.url`` ends in the path it came by, ``/v1/track``."""
        before, _, door = hook.url.partition("?")[0].rpartition("/")
        body = read_json(hook.body)
        is_webhook = before.endswith("/in")  # then the address ends in the source's name
        if is_webhook:
            body, door = {"batch": body} if isinstance(body, list) else body, ""
        items = bounded(read_items(body, door))
        envelope = Envelope(body, door, received_at)
        envelope.is_handed_on = is_webhook
        if self._trust is Trust.browser and not is_webhook:
            envelope.seen_by(hook.headers)
        events: list[Event] = []
        rejected: list[tuple[str, bytes]] = []
        for item in items:
            try:
                events.append(self.take(item, envelope))
            except Rejected as fault:
                rejected.append((str(fault), piece_of(item)))
        return Parsed(tuple(events), tuple(rejected))

    def take(self, item: Json, envelope: Envelope) -> Event:
        """One event of a request; raises ``Rejected``."""
        _check(item)
        item = envelope.completed(item)
        event_id = new_id("evt")
        occurred_at = _occurred_at(item, envelope)
        return Event(
            id=event_id,
            source=self._source,
            source_event_id=_message_id(item) or event_id,
            type=_type(item),
            name=_name(item),
            occurred_at=believable(occurred_at, envelope.received_at, self._trust),
            received_at=envelope.received_at,
            payload=item,
            back_fill=envelope.is_import or _is_back_fill(item),
        )


def read_items(body: Json, door: str) -> list[Json]:
    """The events a body holds, unread; raises ``Unreadable`` when it holds none as a whole.

    ``door`` is the last part of the path: ``track``, ``t``, ``batch``, ``import`` and so on.
    """
    if not isinstance(body, dict):
        raise Unreadable("the body is not a JSON object")
    if door not in BATCHES and "batch" not in body:
        return [body]
    items = body.get("batch")
    if not isinstance(items, list):
        raise Unreadable("the body has no list named batch")
    return items


def bounded(items: list[Json]) -> list[Json]:
    """The events of a request; raises ``Unreadable`` where they are too many, since one byte
    would be enough to make each a piece of work."""
    if len(items) > MAX_EVENTS:
        raise Unreadable(f"the body has {len(items)} events; at most {MAX_EVENTS} are taken")
    return items


def written_key(body: Json) -> bytes:
    """The ``writeKey`` written in a body; b"" when there is none."""
    key = body.get("writeKey") if isinstance(body, dict) else None
    return key.encode() if isinstance(key, str) else b""


class Rejected(Exception):
    """One event that cannot be taken, for a stable reason."""


class Envelope:
    """What a request says of all its events."""

    def __init__(self, body: dict[str, Any], door: str, received_at: datetime) -> None:
        context = body.get("context")
        self.received_at = received_at
        self.is_handed_on = False  #: by a server, which has corrected the client's clock
        self.is_import = door == "import"
        self._type = TYPES.get(door, "")
        self._is_batch = "batch" in body
        self._context = context if isinstance(context, dict) else {}
        self._sent_at = body.get("sentAt")
        self._seen: dict[str, str] = {}

    def seen_by(self, headers: Mapping[str, str]) -> None:
        """What is kept with the request of the person's address stands, whatever their browser
        says of it."""
        if IP_COUNTRY in headers or IP_NETWORK in headers:
            told = {"ip_country": headers.get(IP_COUNTRY), "network": headers.get(IP_NETWORK)}
            self._seen = {name: value for name, value in told.items() if value}

    def completed(self, item: dict[str, Any]) -> dict[str, Any]:
        """The event with what the request says of it: type, sentAt and shared context."""
        own = item.get("context")
        if self._seen and (own is None or isinstance(own, dict)):
            item["context"] = {**(own or {}), **self._seen}
        if not self._is_batch:
            item["type"] = self._type or item.get("type")
            return item
        if self._sent_at is not None:
            item.setdefault("sentAt", self._sent_at)
        own = item.get("context")
        if self._context and (own is None or isinstance(own, dict)):
            item["context"] = {**self._context, **(own or {})}
        return item


def _check(item: Json) -> None:
    """Drop the write key; refuse what is no object, too large or too deep."""
    if not isinstance(item, dict):
        raise Rejected("not_an_object")
    item.pop("writeKey", None)
    try:
        raw = orjson.dumps(item)
    except TypeError:
        raise Rejected("too_deep") from None
    if len(raw) > MAX_EVENT_BYTES:
        raise Rejected("too_large")
    if is_too_deep(item, raw):
        raise Rejected("too_deep")


def piece_of(item: Json) -> bytes:
    """The event as JSON; of one that is too much to keep, its short texts."""
    try:
        raw = orjson.dumps(item)
    except TypeError:
        raw = b""
    if 0 < len(raw) <= MAX_EVENT_BYTES:
        return raw
    fields = item.items() if isinstance(item, dict) else ()
    short = [(name, value) for name, value in fields if isinstance(value, str | int | float)]
    return orjson.dumps({name: value for name, value in short[:20] if len(str(value)) < 300})


def _message_id(item: Mapping[str, Any]) -> str:
    value = item.get("messageId")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Rejected("message_id_unreadable")
    if len(str(value)) > MAX_ID_LENGTH:
        raise Rejected("message_id_too_long")
    return str(value)


def _type(item: Mapping[str, Any]) -> str:
    kind = item.get("type")
    if not isinstance(kind, str) or TYPES.get(kind) != kind:
        raise Rejected("type_unknown")
    return kind


def _name(item: Mapping[str, Any]) -> str:
    """A track event's name, which it must have; a page's or screen's name; else ""."""
    is_track = item.get("type") == "track"
    name = item.get("event" if is_track else "name")
    if is_track and (not isinstance(name, str) or not name):
        raise Rejected("event_name_missing")
    return name if isinstance(name, str) else ""


def _occurred_at(item: Mapping[str, Any], envelope: Envelope) -> datetime:
    """When it happened, by a clock corrected as Segment does: receipt − (sentAt − timestamp);
    of what was handed on, ``timestamp`` is corrected already."""
    first, second = "originalTimestamp", "timestamp"
    if envelope.is_handed_on:
        first, second = second, first
    try:
        stamp = read_instant(item.get(first)) or read_instant(item.get(second))
    except ValueError:
        raise Rejected("timestamp_unreadable") from None
    try:
        sent_at = None if envelope.is_handed_on else read_instant(item.get("sentAt"))
    except ValueError:
        sent_at = None
    if stamp is None or sent_at is None:
        return stamp or envelope.received_at
    try:
        return envelope.received_at - (sent_at - stamp)
    except OverflowError:
        raise Rejected("timestamp_unreadable") from None


def _is_back_fill(item: Mapping[str, Any]) -> bool:
    context = item.get("context")
    return isinstance(context, dict) and any(context.get(mark) is True for mark in BACK_FILL_MARKS)
