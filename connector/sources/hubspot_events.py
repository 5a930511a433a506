"""What HubSpot's webhook subscriptions tell, as hints: which record may have changed.

Document: developers.hubspot.com, webhooks. Values in them are not believed: deliveries come in
any order, twice and late, so the record itself is read afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from connector.errors import Unreadable
from connector.model import Fate, Hint, Json, Parsed
from connector.sources.reading import EARLIEST, read_instant

MOST: Final = 1_000  #: events in one delivery; HubSpot says at most 100
OBJECTS: Final = {
    "contact": "contact",
    "company": "company",
    "deal": "deal",
    "ticket": "case",
    "meeting": "meeting",
    "meeting_event": "meeting",
}
TYPE_IDS: Final = {
    "0-1": "contact",
    "0-2": "company",
    "0-3": "deal",
    "0-5": "case",
    "0-47": "meeting",
}
CHANGED: Final = frozenset({"creation", "propertyChange", "restore"})
OURS: Final = frozenset({"creation", "propertyChange"})  #: what a write of our own makes


@dataclass(frozen=True, slots=True)
class Account:
    """Whose events they must be; "" believes any that is signed."""

    crm: str
    portal_id: str = ""
    app_id: str = ""


class Odd(Exception):
    """One event that cannot be taken, for a stable reason."""


@dataclass(slots=True)
class _Heard:
    """The hints of one delivery, each once, and what was left."""

    hints: dict[tuple[str, str, Fate | None], Hint] = field(default_factory=dict)
    rejected: list[tuple[str, bytes]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def read(account: Account, body: Json, received_at: datetime) -> Parsed:
    """The hints of one delivery, by when each thing occurred; raises ``Unreadable``."""
    if not isinstance(body, list) or not body:
        raise Unreadable("the body is not a list of events")
    if len(body) > MOST:
        raise Unreadable(f"the body has {len(body)} events; at most {MOST} are taken")
    heard = _Heard()
    for event in body:
        try:
            _hear(account, event, received_at, heard)
        except Odd as fault:
            heard.rejected.append((str(fault), orjson.dumps(event)))
    hints = sorted(heard.hints.values(), key=lambda hint: hint.occurred_at)
    return Parsed((), tuple(heard.rejected), tuple(hints), (), tuple(heard.ignored))


def _hear(account: Account, event: Json, received_at: datetime, heard: _Heard) -> None:
    if not isinstance(event, dict):
        raise Odd("not_an_object")
    if why := _stranger(account, event):
        heard.ignored.append(why)
        return
    at = _occurred_at(event, received_at)
    hints = list(_hints(account.crm, event, at))
    if not hints:
        heard.ignored.append("unknown_type")
    elif _is_ours(account, event):
        heard.ignored.append("own_write")
        return
    for hint in hints:
        key = (hint.object, hint.record, hint.fate)
        known = heard.hints.get(key)
        if known is None or known.occurred_at <= hint.occurred_at:
            heard.hints[key] = hint


def _stranger(account: Account, event: Mapping[str, Any]) -> str:
    """Whether it is of another account or for another app; "" where it is for us."""
    for name, wanted, why in (
        ("portalId", account.portal_id, "other_portal"),
        ("appId", account.app_id, "other_app"),
    ):
        if wanted and event.get(name) is not None and str(event[name]) != wanted:
            return why
    return "" if event.get("portalId") is not None or not account.portal_id else "other_portal"


def _is_ours(account: Account, event: Mapping[str, Any]) -> bool:
    """Whether what it tells of is a write of our own: reading it back would teach us nothing."""
    verb = str(event.get("subscriptionType", "")).rpartition(".")[2]
    if not account.app_id or verb not in OURS or event.get("changeSource") != "INTEGRATION":
        return False
    return str(event.get("sourceId", "")).rpartition(":")[2] == account.app_id


def _hints(crm: str, event: Mapping[str, Any], at: datetime) -> Iterator[Hint]:
    kind, _, verb = str(event.get("subscriptionType", "")).partition(".")
    type_id = str(event.get("objectTypeId", ""))
    about = TYPE_IDS.get(type_id) if kind == "object" else OBJECTS.get(kind)
    if about is None:
        return
    if verb in CHANGED:
        yield Hint(crm, about, record_id(event.get("objectId")), at)
    elif verb == "deletion":
        yield Hint(crm, about, record_id(event.get("objectId")), at, Fate.deleted)
    elif verb == "privacyDeletion":
        yield Hint(crm, about, record_id(event.get("objectId")), at, Fate.erased)
    elif verb == "merge":
        yield from _merged(crm, about, event, at)
    elif verb == "associationChange":
        yield from _associated(crm, about, event, at)


def _merged(crm: str, about: str, event: Mapping[str, Any], at: datetime) -> Iterator[Hint]:
    """Every record that went into another; the one that is left is read anew."""
    named = (event.get(name) for name in ("newObjectId", "primaryObjectId", "objectId"))
    primary = [record_id(value) for value in named if value]
    if not primary:
        raise Odd("no_record_id")
    winner, merged = primary[0], event.get("mergedObjectIds") or []
    if not isinstance(merged, list):
        raise Odd("no_record_id")
    losers = dict.fromkeys([*primary[1:], *map(record_id, merged)])
    for loser in losers:
        if loser != winner:
            yield Hint(crm, about, loser, at, Fate.merged, winner)
    yield Hint(crm, about, winner, at)


def _associated(crm: str, about: str, event: Mapping[str, Any], at: datetime) -> Iterator[Hint]:
    """Both ends: a deal that came to be about a person is news of the deal and of the person."""
    first, _, second = str(event.get("associationType", "")).lower().partition("_to_")
    ends = ((OBJECTS.get(first, about), "fromObjectId"), (OBJECTS.get(second), "toObjectId"))
    for end, name in ends:
        if end is not None and event.get(name):
            yield Hint(crm, end, record_id(event[name]), at)


def _occurred_at(event: Mapping[str, Any], received_at: datetime) -> datetime:
    try:
        at = read_instant(event.get("occurredAt"))
    except ValueError:
        at = None
    return max(min(at or received_at, received_at), EARLIEST)


def record_id(value: Json) -> str:
    """A record's id as HubSpot writes them: up to 20 digits; raises ``Odd`` for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Odd("no_record_id")
    return text
