"""PostHog's capture protocol, which every PostHog library speaks.

Documents: posthog.com/docs/api/capture; the libraries' own code (posthog-python 7.91,
posthog-node 5.70: ``/batch/`` and ``/i/v1/analytics/events``; posthog-js: ``/i/v0/e/``).

An event is kept in the shape of Segment's, so that one mapping may read both; its ``properties``
stay whole, PostHog's own with their ``$``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from connector.errors import Unreadable, Unverified
from connector.model import Event, Hook, Json, Parsed, Trust
from connector.sources import signatures
from connector.sources.reading import believable, read_json
from connector.sources.segment import Envelope, Rejected, Segment, bounded, piece_of
from connector.sources.signatures import is_any

SENT_AT: Final = "x-sent-at"
"""Of the headers that are kept with a request: when its sender says that it was sent."""

TYPES: Final = {
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$pageview": "page",
    "$screen": "screen",
    "$create_alias": "alias",
    "$groupidentify": "group",
}
"""What PostHog's own events are called here; all others are things that somebody did."""

PAGE: Final = {
    "url": "$current_url",
    "path": "$pathname",
    "referrer": "$referrer",
    "title": "title",
}
CAMPAIGN: Final = {
    "name": "utm_campaign",
    "source": "utm_source",
    "medium": "utm_medium",
    "term": "utm_term",
    "content": "utm_content",
}
SIGNATURE: Final = "userHash"
"""The property, registered once in a page, by which a server proves the user (rules/identity)."""
MILLISECOND: Final = timedelta(milliseconds=1)
MAX_OFFSET: Final = timedelta(days=30)  #: since the event, as old page libraries count


class PostHog:
    """A source that speaks PostHog's capture protocol; its events are named by ``uuid``.

    With ``verify`` it is told by PostHog's webhooks, ``{"event": …, "person": …}``, which are
    proven by ``secrets`` in that scheme.
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
        self._segment = Segment(source=source, trust=trust, secrets=secrets, verify=verify)
        self._is_webhook = verify is not None
        self._trust = trust
        self._keys = tuple(keys)

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request bears one of this source's keys, or is proven as its webhooks are;
        else ``Unverified``."""
        if self._is_webhook:
            return self._segment.verify(hook, now)
        if not is_any(project_key(read_json(hook.body), hook.headers), self._keys):
            raise Unverified("the project key is not this source's: compare it with the sender's")

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """The events of one request."""
        body = _handed_on(read_json(hook.body))
        items = bounded(read_items(body))
        envelope = _envelope(body, hook, received_at)
        if self._trust is Trust.browser and not self._is_webhook:  # else it is PostHog that asks
            envelope.seen_by(hook.headers)
        events: list[Event] = []
        rejected: list[tuple[str, bytes]] = []
        for item in items:
            try:
                events.append(self._ago(self._segment.take(_translated(item), envelope)))
            except Rejected as fault:
                rejected.append((str(fault), piece_of(_keyless(item))))
        return Parsed(tuple(events), tuple(rejected))

    def _ago(self, event: Event) -> Event:
        """The event, when it is one of which an old page library says only how long ago it was."""
        offset = event.payload.get("offset")
        if offset is None or not math.isfinite(offset):
            return event
        ago = timedelta(milliseconds=min(max(offset, 0), MAX_OFFSET / MILLISECOND))
        at = event.received_at - ago
        return replace(event, occurred_at=believable(at, event.received_at, self._trust))


def read_items(body: Json) -> list[Json]:
    """The events a body holds, unread: a batch, a list, or one event.

    Raises ``Unreadable`` when it holds none as a whole.
    """
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise Unreadable("the body is neither an event nor a list of events")
    if "batch" not in body:
        return [body]
    if not isinstance(body["batch"], list):
        raise Unreadable("the body has no list named batch")
    return body["batch"]


def _handed_on(body: Json) -> Json:
    """A webhook's one event, with what PostHog knows of the person beside it."""
    if not isinstance(body, dict) or not isinstance(body.get("event"), dict):
        return body
    return {**body["event"], "person": _table(_table(body.get("person")).get("properties"))}


def project_key(body: Json, headers: Mapping[str, str]) -> bytes:
    """The project key of a request: in its header, in its body, or in its first event."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        return bearer.strip().encode(errors="replace")
    first = body[0] if isinstance(body, list) and body else body
    for place in (first, first.get("properties") if isinstance(first, dict) else None):
        for name in ("api_key", "token"):
            key = place.get(name) if isinstance(place, dict) else None
            if isinstance(key, str) and key:
                return key.encode(errors="replace")
    return b""


def _envelope(body: Json, hook: Hook, received_at: datetime) -> Envelope:
    """What the request says of all its events: when it was sent, and whether they are old news."""
    table: Mapping[str, Any] = body if isinstance(body, dict) else {}
    sent_at = table.get("sent_at") or table.get("sentAt") or hook.headers.get(SENT_AT)
    is_old = table.get("historical_migration") is True
    told: dict[str, Any] = {"batch": [], "sentAt": sent_at}
    return Envelope(told, "import" if is_old else "batch", received_at)


def _keyless(item: Json) -> Json:
    """The event without the key that let it in."""
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name not in ("api_key", "token")}
    properties = kept.get("properties")
    if isinstance(properties, dict):
        kept["properties"] = {name: each for name, each in properties.items() if name != "token"}
    return kept


def _translated(item: Json) -> Json:
    """One of PostHog's events as Segment would tell it."""
    item = _keyless(item)
    if not isinstance(item, dict):
        return item
    name = item.get("event")
    if not isinstance(name, str) or not name:
        raise Rejected("event_name_missing")
    told = dict(_table(item.get("properties")))
    signature = told.pop(SIGNATURE, None)
    kind = TYPES.get(name, "track")
    return {
        "type": kind,
        **({"event": name} if kind == "track" else {"name": _page_name(kind, told)}),
        "messageId": item.get("uuid") or told.get("$insert_id"),
        **_who(item, told, kind),
        "properties": told,
        "traits": _traits(item, told, kind),
        "context": _context(item, told),
        **({} if signature is None else {SIGNATURE: signature}),
        **_when(item, told),
    }


def _who(item: Mapping[str, Any], told: Mapping[str, Any], kind: str) -> dict[str, Json]:
    """Whom it speaks of. PostHog has one namespace of ids. A user's id is never taken for an
    anonymous one as well: those are a browser's own, that nobody else knows, and whoever wrote a
    known user's id there would be that user, signed or not."""
    own = _text(item.get("distinct_id")) or _text(told.get("distinct_id"))
    if kind == "alias":
        return {
            "userId": _text(told.get("distinct_id")) or own,
            "anonymousId": None,
            "previousId": _text(told.get("alias")),
        }
    if kind == "group":
        return {"userId": None, "anonymousId": None, "groupId": _text(told.get("$group_key"))}
    if kind != "identify" and _is_anonymous(item, told, own):
        return {"userId": None, "anonymousId": own}
    before = _text(told.get("$anon_distinct_id")) if kind == "identify" else ""
    return {"userId": own, "anonymousId": before if before not in ("", own) else None}


def _is_anonymous(item: Mapping[str, Any], told: Mapping[str, Any], own: str) -> bool:
    """Whether the id is one that a library made up, by what the library says of it."""
    options = _table(item.get("options"))
    if False in (told.get("$process_person_profile"), options.get("process_person_profile")):
        return True
    if isinstance(told.get("$is_identified"), bool):
        return told["$is_identified"] is False
    return bool(own) and own == _text(told.get("$device_id")) and not told.get("$user_id")


def _traits(item: Mapping[str, Any], told: Mapping[str, Any], kind: str) -> dict[str, Json]:
    """What is said of the person; what is said once yields to what is set."""
    if kind == "group":
        return _table(told.get("$group_set"))
    found: dict[str, Json] = {}
    for name in ("$set_once", "$set"):
        found |= {**_table(told.get(name)), **_table(item.get(name))}
    return found


def _context(item: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Json]:
    """Where it comes from, under Segment's names."""
    found = {
        "ip": told.get("$ip"),
        "userAgent": told.get("$raw_user_agent") or told.get("$useragent"),
        "locale": told.get("$browser_language"),
        "sessionId": told.get("$session_id") or item.get("session_id"),
        "page": _renamed(told, PAGE),
        "campaign": _renamed(told, CAMPAIGN),
        "device": _renamed(told, {"type": "$device_type", "id": "$device_id"}),
        "library": _renamed(told, {"name": "$lib", "version": "$lib_version"}),
        "traits": _table(item.get("person")),
    }
    return {name: value for name, value in found.items() if value not in (None, "", {})}


def _when(item: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Json]:
    """When it happened. Old page libraries say only how long ago, by a clock that needs no
    correction; others may ask that theirs is not corrected."""
    stamp, offset = item.get("timestamp"), item.get("offset")
    if stamp is None and isinstance(offset, int | float) and not isinstance(offset, bool):
        return {"offset": offset, **_UNSENT}
    options = _table(item.get("options"))
    if True in (told.get("$ignore_sent_at"), options.get("disable_skew_correction")):
        return {"timestamp": stamp, **_UNSENT}
    return {"timestamp": stamp}


_UNSENT: Final[dict[str, Json]] = {"sentAt": ""}  #: so that the request's own is not taken


def _page_name(kind: str, told: Mapping[str, Any]) -> str:
    return _text(told.get("$screen_name" if kind == "screen" else "title"))


def _renamed(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Json]:
    return {ours: told[theirs] for ours, theirs in names.items() if told.get(theirs)}


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    """An id as text; a number is written out, as PostHog does."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
