"""One ``[[examples]]`` table of a play, read: a little history, a clock, what must happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from connector.errors import ConnectorError
from connector.model import Json
from connector.rules.plays import Kind, Play
from connector.simulate import spans

ZONE: Final = "America/New_York"
START: Final = "2026-11-17T12:00:00-05:00"  #: a Tuesday noon in New York
PHONE: Final = "+12125550123"

KEYS: Final = ("name", "now", "contact", "crm", "history", "events", "until", "expect", "arm")
DOINGS: Final = (
    *("signal", "thing", "reply", "click", "delivered", "traits", "stage", "crm"),
    *("grant", "revoke", "start", "pause", "resume"),
)
"""What may happen; the first of them that a table has is what does."""
DETAILS: Final = ("at", "key", "facts", "trust", "activity")
EXPECTED: Final = (
    *("at", "step", "contains", "lacks", "text", "template", "language", "segments"),
    *("task", "webhook", "answer", "held", "stopped", "ended", "none"),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens at an instant; ``doing`` as the file has it."""

    at: datetime
    doing: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A small story about one person and one play."""

    name: str
    start: datetime
    zone: tzinfo
    contact: Mapping[str, Json]
    consents: tuple[str, ...]
    crm: Mapping[str, Json] = field(default_factory=dict)
    history: tuple[Happening, ...] = ()
    events: tuple[Happening, ...] = ()
    until: datetime | None = None
    expect: tuple[Mapping[str, Any], ...] = ()
    arm: str = ""


class BadExample(ConnectorError):
    """An example that cannot be understood; says which and why."""


def read(play: Play, raw: Mapping[str, Any]) -> Example:
    """An example from its table; raises ``BadExample``."""
    try:
        return _read(play, raw)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise BadExample(f"it cannot be understood: {error}") from error


def _read(play: Play, raw: Mapping[str, Any]) -> Example:
    _known(raw, KEYS, "an example")
    contact = dict(raw.get("contact", {}))
    consents = contact.pop("consents", (play.purpose.value, *play.scopes))
    zone = ZoneInfo(str(contact.get("timezone") or ZONE))
    start = spans.instant(raw.get("now", START), spans.instant(START, _EPOCH, zone), zone)
    expect = tuple(raw.get("expect", ()))
    if not expect:
        raise ValueError("it expects nothing; write expect = [{ none = true }] where nothing goes")
    for item in expect:
        _known(item, EXPECTED, "what is expected")
        spans.instant(item.get("at", "0m"), start, zone)
    until = raw.get("until")
    return Example(
        name=str(raw.get("name", "")),
        start=start,
        zone=zone,
        contact={"phone": PHONE, "timezone": ZONE, **contact},
        consents=tuple(map(str, consents)),
        crm=raw.get("crm", {}),
        history=_happenings(raw.get("history", ()), start, zone),
        events=_happenings(raw.get("events", ()), start, zone),
        until=None if until is None else spans.instant(until, start, zone),
        expect=expect,
        arm=str(raw.get("arm", "")),
    )


_EPOCH: Final = datetime.fromisoformat(START)


def _happenings(
    raw: Sequence[Mapping[str, Any]], start: datetime, zone: tzinfo
) -> tuple[Happening, ...]:
    found = []
    for item in raw:
        _known(item, (*DOINGS, *DETAILS), "an event")
        if not set(DOINGS) & set(item):
            raise ValueError(f"an event says nothing that happens: one of {_list(DOINGS)}")
        found.append(Happening(spans.instant(item.get("at", "0m"), start, zone), item))
    return tuple(sorted(found, key=lambda item: item.at))


def _known(item: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    if strange := sorted(set(item) - set(known)):
        raise ValueError(f"{what} has no {strange[0]!r}; it may have {_list(known)}")


def _list(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def ends(play: Play, example: Example) -> datetime:
    """When the story is over: as it says, or surely after the last that could come of it."""
    if example.until is not None:
        return example.until
    known = [example.start, *(item.at for item in example.events)]
    named = [item["at"] for item in example.expect if "at" in item]
    known += [spans.instant(at, example.start, example.zone) for at in named]
    return max(known) + _reach(play, bool(named))


def _reach(play: Play, is_named: bool) -> timedelta:
    """How long one walk of a play may take, and how long it may be until it starts."""
    start, way = play.start, timedelta(days=1)
    for step in play.steps:
        waits = step.wait_for.timeout if step.wait_for else timedelta(0)
        way += step.wait + waits + step.expires + step.moment.spread
        way += timedelta(days=7) if step.moment.days else timedelta(0)
    if is_named:
        return way
    if start.silence is not None:
        way += start.silence.span
    if start.kind in (Kind.date, Kind.schedule) or start.date is not None:
        way += timedelta(days=8)
    return way + start.after
