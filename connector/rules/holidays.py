"""Legal holidays as the hours file writes them: by date, by weekday of a month, or from Easter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

Holiday = Callable[[int], tuple[date, ...]]
"""A year in, the days of it that are kept out (none, one, or two with the observed day)."""

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
    return lambda year: (easter(year) + timedelta(days=offset),)


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leaps, (quarter, part) = century // 4, divmod(rest, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * quarter - epact - part) % 7
    month, day = divmod(
        epact + weekday - 7 * ((golden + 11 * epact + 22 * weekday) // 451) + 114, 31
    )
    return date(year, month, day + 1)
