"""Legal holidays: the calendars of the ``holidays`` library, and days that the hours file writes.

The library (MIT) knows the holidays of some 250 countries and their parts, days kept on a Friday
or Monday among them. It costs 20 MB and 150 ms, so it is loaded when a day is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

Holiday = Callable[[int], tuple[date, ...]]
"""A year in, the days of it that are kept out (those of a neighbouring year may be among them)."""

FORMS: Final = (
    '"12-25", "12-25 observed", "2026-12-24", "4th thursday of november", '
    '"last monday of may", "1st monday of november + 1" or "easter - 2"'
)

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_PLACES = {"1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4, "last": -1}

_FIXED = re.compile(r"(\d\d)-(\d\d)( observed)?")
_ONCE = re.compile(r"\d{4}-\d\d-\d\d")
_NTH = re.compile(rf"({'|'.join(_PLACES)}) (\w+) of (\w+)(?: \+ (\d{{1,2}}))?")
_EASTER = re.compile(r"easter(?: ([+-]) (\d{1,2}))?")


@lru_cache(maxsize=512)
def calendar(place: str, required: bool = True) -> Holiday:
    """The library's public holidays of a place such as ``US-LA`` or ``FR``.

    A part of a country that the library does not know apart keeps the country's. Of a country
    that it does not know at all, asking for a year raises ``NotImplementedError``, so that the
    text waits; unless others tell the days, so that it is not ``required``.
    """
    country, _, part = place.partition("-")

    def days(year: int) -> tuple[date, ...]:
        import holidays

        if not required and not is_known(country):
            return ()
        apart = part if is_known(place) else ""
        return tuple(sorted(holidays.country_holidays(country, subdiv=apart or None, years=year)))

    return lru_cache(maxsize=16)(days)


@lru_cache(maxsize=512)
def is_known(place: str) -> bool:
    """Whether the library has a calendar for the very place; asking loads the library."""
    import holidays

    country, _, part = place.partition("-")
    try:
        holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        return False
    return True


def read(text: str) -> Holiday:
    """Read one holiday in one of the ``FORMS``; raises ``ValueError`` where it is in none."""
    if found := _FIXED.fullmatch(text):
        return _fixed(int(found[1]), int(found[2]), bool(found[3]))
    if _ONCE.fullmatch(text):
        return _once(date.fromisoformat(text))
    if (found := _NTH.fullmatch(text)) and found[2] in _WEEKDAYS and found[3] in _MONTHS:
        nth, weekday = _PLACES[found[1]], _WEEKDAYS.index(found[2])
        return _nth(nth, weekday, _MONTHS.index(found[3]) + 1, int(found[4] or 0))
    if found := _EASTER.fullmatch(text):
        return _from_easter(int(f"{found[1] or '+'}{found[2] or 0}"))
    raise ValueError(f"{text!r:.60} is no holiday; write {FORMS}")


def falls_on(holidays: tuple[Holiday, ...], day: date) -> bool:
    """Whether one of the holidays is that day."""
    return day in _days(holidays, day.year)


@lru_cache(maxsize=256)
def _days(holidays: tuple[Holiday, ...], year: int) -> frozenset[date]:
    """All days of a year, with those its neighbours observe in it (1 January on 31 December)."""
    years = (year - 1, year, year + 1)
    return frozenset(day for holiday in holidays for each in years for day in holiday(each))


def _fixed(month: int, day: int, observed: bool) -> Holiday:
    date(2000, month, day)  # raises ValueError for a day that never comes

    def days(year: int) -> tuple[date, ...]:
        try:
            kept = date(year, month, day)
        except ValueError:  # 29 February
            return ()
        shift = {5: -1, 6: 1}.get(kept.weekday(), 0) if observed else 0
        return (kept, kept + timedelta(days=shift))

    return days


def _once(day: date) -> Holiday:
    return lambda year: (day,) if day.year == year else ()


def _nth(place: int, weekday: int, month: int, later: int) -> Holiday:
    def days(year: int) -> tuple[date, ...]:
        first = date(year, month, 1)
        first += timedelta(days=(weekday - first.weekday()) % 7)
        weeks = [first + timedelta(weeks=week) for week in range(5)]
        inside = [day for day in weeks if day.month == month]
        if place >= len(inside):
            return ()
        return (inside[place] + timedelta(days=later),)

    return days


def _from_easter(offset: int) -> Holiday:
    from dateutil.easter import easter

    return lambda year: (easter(year) + timedelta(days=offset),)
