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
YEARS: Final = range(1800, 3000)
"""Others stand for nothing known or for never: 0001-01-01, 9999-12-31."""
NOON: Final = time(12)
"""Of a day without an hour: nobody is woken by a birthday."""
_BIRTHDAY: Final = re.compile(r"--?([0-9]{2})-?([0-9]{2})")
_UNIX: Final = re.compile(r"-?[0-9]{9,13}")  # eight digits are a day: 20261117
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
    """A day, an instant (UTC where no zone is written) or a day of every year; None for neither.

    A number, and text of nine digits or more, is unix seconds or milliseconds.
    """
    moment: date | datetime | Yearly | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        moment = _from_unix(value)
    elif isinstance(value, str):
        moment = _from_text(value.strip())
    return moment if isinstance(moment, Yearly) or (moment and moment.year in YEARS) else None


def next_occurrence(wanted: Date, value: Json, zone: str, after: datetime) -> Occurrence | None:
    """The first occurrence of a field's date that is due after an instant; None where none is.

    Whole days of the offset are days of the calendar on the person's clock; what is shorter is
    elapsed time. Where an hour is wanted, it is that hour of the day on which it then falls.
    """
    moment = parse(value)
    if moment is None:
        return None
    found = _every_year(wanted, moment, zone, after)
    if not wanted.yearly and not isinstance(moment, Yearly):
        found = iter((Occurrence(_key(moment), _due(wanted, moment, zone)),))
    return next((each for each in found if each.at > after), None)


def instant(wanted: Date, value: Json, zone: str) -> datetime | None:
    """When a signal's own date is due: one instant, in whatever year; None where it has none.

    24 hours before an appointment are 24 elapsed hours, also where the clock changes in between;
    with an hour wanted, or from a day, they are the day before.
    """
    moment = parse(value)
    if moment is None or isinstance(moment, Yearly):
        return None
    if isinstance(moment, datetime) and wanted.at is None:
        return (moment + wanted.offset).astimezone(UTC)
    return _due(wanted, moment, zone)


def local(day: date, hour: time, zone: str) -> datetime:
    """An hour of a day on a zone's clock as an instant in UTC.

    Where the clock leaps over it, the first instant after the leap; where it comes twice, the
    first time.
    """
    place = ZoneInfo(zone)
    wanted = datetime.combine(day, hour, place).replace(fold=0)
    moment = wanted.astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return moment
    return _after_leap(wanted)


def _after_leap(wanted: datetime) -> datetime:
    """The first instant after the gap in which a local time lies, found by halving.

    Read with the offset from after the leap it is before the leap, and the other way round.
    """
    early, late = (wanted.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    before = early.astimezone(wanted.tzinfo).utcoffset()
    while late - early > timedelta.resolution:
        half = early + (late - early) // 2
        if half.astimezone(wanted.tzinfo).utcoffset() == before:
            early = half
        else:
            late = half
    return late


def _every_year(
    wanted: Date, moment: date | datetime | Yearly, zone: str, after: datetime
) -> Iterator[Occurrence]:
    """Its occurrences from shortly before an instant on, or from its first one on."""
    here = (after - wanted.offset).astimezone(ZoneInfo(zone)).year
    first = here - 1 if isinstance(moment, Yearly) else max(moment.year, here - 1)
    for year in range(first, first + 4):
        day = _in_year(moment, year, wanted.leap_day)
        if isinstance(moment, datetime):
            key = _key(datetime.combine(day, moment.timetz()))
            again = _again(moment, year - moment.year, zone, wanted.leap_day)
            yield Occurrence(key, _due(wanted, again, zone))
        else:
            yield Occurrence(_key(day), _due(wanted, day, zone))


def _again(moment: datetime, years: int, zone: str, leap_day: str) -> datetime:
    """An instant some years later, by the person's clock."""
    if years == 0:
        return moment
    here = moment.astimezone(ZoneInfo(zone))
    return local(_in_year(here, here.year + years, leap_day), here.time(), zone)


def _in_year(moment: date | datetime | Yearly, year: int, leap_day: str) -> date:
    month, day = moment.month, moment.day
    if (month, day) == (2, 29) and not calendar.isleap(year):
        month, day = (2, 28) if leap_day == "02-28" else (3, 1)
    return date(year, month, day)


def _due(wanted: Date, moment: date | datetime, zone: str) -> datetime:
    days = int(wanted.offset / _DAY) * _DAY  # towards zero: -36 h are a day and twelve hours
    rest = wanted.offset - days
    if not isinstance(moment, datetime):
        return local(moment + days, wanted.at or NOON, zone) + rest
    if wanted.at is not None:
        return local((moment + rest).astimezone(ZoneInfo(zone)).date() + days, wanted.at, zone)
    if days:
        here = moment.astimezone(ZoneInfo(zone))
        moment = local(here.date() + days, here.time(), zone)
    return (moment + rest).astimezone(UTC)


def _key(moment: date | datetime) -> str:
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return moment.isoformat()


def _from_text(text: str) -> date | datetime | Yearly | None:
    if not 4 <= len(text) <= 40:
        return None
    if found := _BIRTHDAY.fullmatch(text):
        return _yearly(int(found[1]), int(found[2]))
    if _UNIX.fullmatch(text):
        return _from_unix(int(text))
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _from_unix(value: float) -> datetime | None:
    try:
        seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _yearly(month: int, day: int) -> Yearly | None:
    try:
        date(2000, month, day)
    except ValueError:
        return None
    return Yearly(month, day)
