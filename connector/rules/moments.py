"""Moments: when on the person's own clock a step may act.

All of it is calendar arithmetic on one zone's clock: an hour that the clock leaps over is the
first instant after the leap, one that comes twice is the first of the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.rules.plays import Moment
from connector.rules.triggers.dates import local

HORIZON: Final = 15  #: days in which any weekday and window comes up twice
LEAST: Final = 3  #: replies and clicks from which an hour may be told
MIDNIGHT: Final = time(0)
PLAIN: Final = Moment()


def adjust(
    moment: Moment, base: datetime, zone: str, *, best: int | None = None, place: float = 0.0
) -> datetime:
    """The first instant from ``base`` on that suits the step.

    ``best`` is the person's best hour where it is known, ``place`` their fixed place in [0, 1)
    within a spread.
    """
    if moment == PLAIN:
        return base
    hour = _hour(moment, best)
    found = _first(moment, hour, base, zone)
    if not moment.spread:
        return found
    late = found + moment.spread * place
    return late if _suits(moment, late, zone) else _first(moment, hour, late, zone)


def zone_of(stated: str, candidates: Iterable[str], fallback: str, at: datetime) -> str:
    """The zone whose clock a step goes by: the stated one, else the candidate that is furthest
    behind, so that nothing comes before its hour anywhere the person may be."""
    if stated:
        return stated
    known = sorted(candidates)
    if not known:
        return fallback
    return min(known, key=lambda zone: (at.astimezone(ZoneInfo(zone)).utcoffset(), zone))


def best_hour(times: Iterable[tuple[datetime, str]], zone: str) -> int | None:
    """The hour of the day at which most of some instants lie; None where they are too few.

    Each counts on the clock of its own zone, or of ``zone`` where none is told. Of hours with as
    many, the earliest.
    """
    hours = Counter(at.astimezone(ZoneInfo(own or zone)).hour for at, own in times)
    if hours.total() < LEAST:
        return None
    return min(hours, key=lambda hour: (-hours[hour], hour))


def _hour(moment: Moment, best: int | None) -> time | None:
    """The hour of the day that is wanted; one outside the window is not."""
    for hour in (time(best) if moment.best_hour and best is not None else None, moment.at):
        if hour is not None and (moment.window is None or _is_in(moment.window, hour)):
            return hour
    return None


def _is_in(window: tuple[time, time], hour: time) -> bool:
    start, end = window
    return start <= hour < end


def _first(moment: Moment, hour: time | None, base: datetime, zone: str) -> datetime:
    place = ZoneInfo(zone)
    today = base.astimezone(place).date()
    for ahead in range(HORIZON):
        day = today + timedelta(days=ahead)
        if moment.days and day.weekday() not in moment.days:
            continue
        start, end = moment.window or (MIDNIGHT, None)
        opens = local(day, hour or start, zone) if hour or moment.window else None
        found = max(base, opens) if opens else max(base, local(day, MIDNIGHT, zone))
        closes = local(day, end, zone) if end else local(day + timedelta(days=1), MIDNIGHT, zone)
        is_late = hour is not None and opens is not None and base > opens
        if found < closes and not is_late:
            return found.astimezone(UTC)
    return base


def _suits(moment: Moment, at: datetime, zone: str) -> bool:
    here = at.astimezone(ZoneInfo(zone))
    if moment.days and here.weekday() not in moment.days:
        return False
    return moment.window is None or _is_in(moment.window, here.time())
