"""Dates: a day or an instant in a field, how far from it, and on whose clock."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.model import Json
from connector.rules.plays import Date

MILLISECONDS_FROM: Final = 100_000_000_000  #: as seconds this would be the year 5138
NOON: Final = time(12)
"""Of a day without an hour: nobody is woken by a birthday."""
_BIRTHDAY: Final = re.compile(r"--?(\d\d)-?(\d\d)")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a date comes: its key (the day or instant itself) and when the play is due."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Yearly:
    """A day without a year, as some keep birthdays."""

    month: int
    day: int


def parse(value: Json) -> date | datetime | Yearly | None:
    """A day, an instant (UTC where no zone is written) or a day of every year; None for neither."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_unix(float(value))
    if not isinstance(value, str) or not 4 <= len(value.strip()) <= 40:
        return None
    text = value.strip()
    if found := _BIRTHDAY.fullmatch(text):
        return _yearly(int(found[1]), int(found[2]))
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def next_occurrence(wanted: Date, value: Json, zone: str, after: datetime) -> Occurrence | None:
    """The first occurrence of a field's date that is due after an instant; None where none is.

    Whole days of the offset are days of the calendar on the person's clock; what is shorter is
    elapsed time.
    """
    return next(
        (found for found in _all(wanted, parse(value), zone, after) if found.at > after), None
    )


def instant(wanted: Date, value: Json, zone: str) -> datetime | None:
    """When a signal's own date is due: one instant, in whatever year; None where it has none."""
    moment = parse(value)
    if moment is None or isinstance(moment, Yearly):
        return None
    return _due(wanted, moment, zone)


def local(day: date, hour: time, zone: str) -> datetime:
    """An hour of a day on a zone's clock as an instant in UTC.

    Where the clock leaps over it, the first instant after the leap; where it comes twice, the
    first time.
    """
    place = ZoneInfo(zone)
    wanted = datetime.combine(day, hour, place)
    moment = wanted.astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return moment
    return _after_leap(wanted, place)


def _after_leap(wanted: datetime, place: ZoneInfo) -> datetime:
    """The first instant after the gap in which a local time lies, found by halving."""
    offset = wanted.utcoffset() or timedelta(0)
    middle = (wanted.replace(tzinfo=None) - offset).replace(tzinfo=UTC)
    early, late = middle - timedelta(hours=26), middle + timedelta(hours=26)
    naive = wanted.replace(tzinfo=None)
    while late - early > timedelta(microseconds=1):
        half = early + (late - early) / 2
        if half.astimezone(place).replace(tzinfo=None) < naive:
            early = half
        else:
            late = half
    return late.replace(microsecond=0) if late.microsecond < 2 else late


def _all(
    wanted: Date, moment: date | datetime | Yearly | None, zone: str, after: datetime
) -> Iterator[Occurrence]:
    if moment is None:
        return
    if not wanted.yearly and not isinstance(moment, Yearly):
        yield Occurrence(_key(moment), _due(wanted, moment, zone))
        return
    first = moment.year if not isinstance(moment, Yearly) else 1
    here = (after - wanted.offset).astimezone(ZoneInfo(zone)).year
    for year in range(max(first, here - 1), here + 3):
        day = _in_year(moment, year, wanted.leap_day)
        yield Occurrence(_key(day), _due(wanted, day, zone))


def _in_year(moment: date | datetime | Yearly, year: int, leap_day: str) -> date | datetime:
    month, day = moment.month, moment.day
    if (month, day) == (2, 29) and not calendar.isleap(year):
        month, day = (2, 28) if leap_day == "02-28" else (3, 1)
    if isinstance(moment, datetime):
        return moment.replace(year=year, month=month, day=day)
    return date(year, month, day)


def _due(wanted: Date, moment: date | datetime, zone: str) -> datetime:
    whole, rest = divmod(wanted.offset, _DAY)
    if isinstance(moment, datetime):
        return _of_instant(wanted, moment, zone)
    day = moment + whole * _DAY
    return local(day, wanted.at or NOON, zone) + rest


def _of_instant(wanted: Date, moment: datetime, zone: str) -> datetime:
    """From an instant: elapsed time; with an hour, that hour of the day it then is."""
    if wanted.at is None:
        return (moment + wanted.offset).astimezone(UTC)
    whole, rest = divmod(wanted.offset, _DAY)
    day = moment.astimezone(ZoneInfo(zone)).date() + whole * _DAY
    return local(day, wanted.at, zone) + rest


def _key(moment: date | datetime) -> str:
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return moment.isoformat()


def _from_unix(value: float) -> datetime | None:
    seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _yearly(month: int, day: int) -> Yearly | None:
    try:
        date(2000, month, day)
    except ValueError:
        return None
    return Yearly(month, day)
