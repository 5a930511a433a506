"""The hours in which a text is lawful, judged on every clock and by every rule that may apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from connector.model import Purpose, light
from connector.rules import windows
from connector.rules.holidays import Holiday, falls_on
from connector.rules.places import UNKNOWN_STATE, Where, name_of, places
from connector.rules.signs import SignRule
from connector.rules.windows import ALL_DAY, ALWAYS, Span, Week, Window

__all__ = [
    "Hours",
    "HoursRule",
    "Opening",
    "Where",
    "in_force",
    "is_holiday",
    "judge",
    "learn_holidays",
    "legal_cap",
    "places",
]

IsHoliday = Callable[[str, date], bool]
"""Whether a day is a legal holiday of a place such as ``US-PA``."""

HORIZON: Final = timedelta(days=8)


@dataclass(frozen=True, slots=True, eq=False)
class HoursRule:
    """One row: when texts may go to people of one place, from one day on."""

    place: str  #: US, US-FL, US-unknown, DE
    marketing: Week
    service: Week | None  #: None in a state's row: its country's serve
    holidays: bool  #: whether marketing may go on the place's legal holidays
    max_24h: int | None  #: marketing texts to one number in any 24 hours
    clock: str  #: "" or a zone whose clock the rule names; it counts beside the person's own
    zones: tuple[str, ...]  #: assumed where nothing tells the person's zone (US-unknown)
    presume_area_code: bool  #: the law presumes residence by area code (kept for the record)
    source: str
    valid_from: date
    confidence: str  #: primary | secondary | doubtful | choice


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """``mappings/hours.toml`` as values; compared by identity, so that spans can be kept."""

    rules: Mapping[str, tuple[HoursRule, ...]]  #: by place, the newest first
    holidays: Mapping[str, tuple[Holiday, ...]]
    version: str  #: sha256 of the file, 12 hex digits
    reviewed: date  #: when a person last compared the file with the law
    content: str = ""
    signs: tuple[SignRule, ...] = ()  #: what else tells where somebody is


@light
@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a text may go now.

    ``until``: when it next may, where it may not now and such an instant lies in the next eight
    days. ``closes``: the end of the present window, for the provider's time limit. ``closed``: a
    country without a row; nothing goes there at all.
    """

    open: bool
    until: datetime | None = None
    says: str = ""
    closed: bool = False
    closes: datetime | None = None


@light
@dataclass(frozen=True, slots=True)
class _Case:
    """All that decides the spans, whatever the hour; the key under which they are kept."""

    zones: tuple[str, ...]
    rules: tuple[str, ...]
    service: bool
    hours: Hours
    more_holidays: IsHoliday | None


def judge(
    where: Where,
    hours: Hours,
    purpose: str,
    now: datetime,
    margin: timedelta,
    holidays: IsHoliday | None = None,
) -> Opening:
    """Whether a text is lawful now in all zones and by all rules, with ``margin`` to spare.

    ``holidays`` may name more days than the file lists. Our own answers keep no hours: a system
    text is always in time.
    """
    if purpose == Purpose.system:
        return Opening(True, says="An answer to the person's own text keeps no hours.")
    if missing := _missing(where.rules, hours):
        return Opening(False, says=missing, closed=True)
    case = _Case(_zones(where, hours), where.rules, purpose == Purpose.service, hours, holidays)
    at, spare = now.timestamp(), margin.total_seconds()
    for start, end in _spans(case, int(at // 86400)):
        if end <= at or end - max(start, at) < spare:
            continue
        if start <= at:
            return Opening(True, None, _inside(where.rules), False, _instant(end))
        return _shut(case, now, _instant(start))
    return _shut(case, now, None)


def legal_cap(where: Where, hours: Hours, on: date | None = None) -> int | None:
    """The fewest marketing texts in any 24 hours that a rule allows; None where none counts them.

    ``on`` picks the rows in force that day; without it every row of the places counts.
    """
    limits = []
    for place in _layers(where.rules):
        rows = hours.rules.get(place, ())
        in_force = rows if on is None else [row for row in [_row(place, hours, on)] if row]
        limits += [row.max_24h for row in in_force if row.max_24h is not None]
    return min(limits, default=None)


def in_force(where: Where, hours: Hours, on: date) -> tuple[HoursRule, ...]:
    """The rows that have a say on a day: the states', then their countries'."""
    rows = (_row(place, hours, on) for place in _layers(where.rules))
    return tuple(row for row in rows if row is not None)


def is_holiday(place: str, day: date, hours: Hours, more: IsHoliday | None = None) -> bool:
    """Whether a day is a legal holiday of the place or of its country."""
    country = place.partition("-")[0]
    if any(falls_on(hours.holidays.get(name, ()), day) for name in {place, country}):
        return True
    return more is not None and more(place, day)


def learn_holidays(hours: Hours, today: date) -> None:
    """Load the library and the holidays about ``today``, so that no text waits for it (150 ms)."""
    for place in hours.holidays:
        with suppress(NotImplementedError):  # a country that nobody knows: its texts wait
            is_holiday(place, today, hours)


@lru_cache(maxsize=1024)
def _missing(rules: tuple[str, ...], hours: Hours) -> str:
    """Why texts cannot go there at all; "" where every country has a row."""
    if not rules:
        return "Nothing tells in which country the person is."
    for place in rules:
        country = place.partition("-")[0]
        if country not in hours.rules:
            return (
                f"{country or place} has no row in mappings/hours.toml, so no text goes there; "
                "add a [[hours]] table for it to open it."
            )
    return ""


def _zones(where: Where, hours: Hours) -> tuple[str, ...]:
    if not where.unplaced:
        return where.zones
    assumed = (zone for row in hours.rules.get(UNKNOWN_STATE, ()) for zone in row.zones)
    return tuple(sorted({*where.zones, *assumed}))


@lru_cache(maxsize=1024)
def _spans(case: _Case, day: int) -> tuple[Span, ...]:
    """The spans lawful everywhere, from the day before ``day`` (since 1970) to the horizon.

    1. For each place and each clock that counts, the window of each local day becomes a span.
    2. Windows that touch become one.
    3. What all places and clocks have in common is what is left.
    """
    first = date(1970, 1, 1) + timedelta(days=day - 1)
    days = [first + timedelta(days=number) for number in range(HORIZON.days + 3)]
    lawful = [ALWAYS] if case.zones else []
    for place, name in _pairs(case):
        found = ((each, _window(case, place, name, each)) for each in days)
        local = [windows.span(name, each, window) for each, window in found if window]
        lawful = windows.common(lawful, windows.joined(local))
    return tuple(lawful)


def _pairs(case: _Case) -> Iterator[tuple[str, str]]:
    """Each place that has a say with each zone in which it is asked."""
    for place in _layers(case.rules):
        named = {row.clock for row in case.hours.rules.get(place, ()) if row.clock}
        for zone in sorted({*case.zones, *named}):
            yield place, zone


@lru_cache(maxsize=1024)
def _layers(rules: tuple[str, ...]) -> tuple[str, ...]:
    """The places that have a say: the states, then their countries."""
    countries = {place.partition("-")[0] for place in rules}
    return (*sorted(set(rules) - countries), *sorted(countries))


def _window(case: _Case, place: str, zone: str, day: date) -> Window | None:
    """What a place allows on a local day by one clock; None where it allows nothing."""
    row = _row(place, case.hours, day)
    if row is None:  # a state may be silent, a country may not
        return ALL_DAY if "-" in place else None
    if zone not in case.zones and row.clock != zone:
        return ALL_DAY
    if case.service:
        return row.service[day.weekday()] if row.service else ALL_DAY
    if not row.holidays and is_holiday(place, day, case.hours, case.more_holidays):
        return None
    return row.marketing[day.weekday()]


def _row(place: str, hours: Hours, day: date) -> HoursRule | None:
    """The row in force on a day."""
    return next((row for row in hours.rules.get(place, ()) if row.valid_from <= day), None)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=1024)
def _inside(rules: tuple[str, ...]) -> str:
    return f"Inside the hours of {', '.join(map(name_of, rules))}."


def _shut(case: _Case, now: datetime, until: datetime | None) -> Opening:
    """Not now: the first place and clock that object, and when a text may go.

    The hour it is now is left out, so that waiting on is not told as something new.
    """
    zone, why = "", "Too little of the hours is left" if case.zones else "No clock is known"
    for place, zone in _pairs(case):
        local = now.astimezone(windows.zone(zone))
        window = _window(case, place, zone, local.date())
        if not windows.holds(window, local):
            allows = f"{name_of(place)} allows {windows.shown(window)} on {local:%a %d %b}"
            why = f"Outside the hours in {zone}: {allows}"
            break
    if until is None or until - now > HORIZON:
        return Opening(
            False, None, f"{why}; no instant of the next {HORIZON.days} days suits everywhere."
        )
    return Opening(
        False, until, f"{why}; next {until.astimezone(windows.zone(zone)):%a %d %b %H:%M} there."
    )
