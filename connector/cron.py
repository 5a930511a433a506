"""Cron lines on a zone's clock, by APScheduler's own trigger; bounded and safe on clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MAX_LINE = 100
_TICK = timedelta.resolution


@lru_cache(maxsize=256)
def _trigger(line: str) -> Any:
    """The line on a clock that never changes; the zone's own clock is laid over it after."""
    from apscheduler.triggers.cron import CronTrigger

    if len(line) > MAX_LINE:
        raise ValueError(f"it has over {MAX_LINE} characters")
    return CronTrigger.from_crontab(line, UTC)


def fault(line: str, zone: str) -> str:
    """Why a cron line is no good, or ""."""
    try:
        _trigger(line)
        ZoneInfo(zone)
    except (ValueError, OSError, TypeError, LookupError) as error:
        return str(error) or "five fields are wanted"
    return ""


def next_fire(line: str, zone: str, after: datetime) -> datetime | None:
    """The first instant (UTC) after ``after`` at which the line is due; None where there is none.

    A time that the zone's clock leaps over is the first instant after the leap; one that comes
    twice is the first of the two only.
    """
    place = ZoneInfo(zone)
    shown = after.astimezone(place).replace(tzinfo=UTC, fold=0)
    while (found := _trigger(line).get_next_fire_time(None, shown + _TICK)) is not None:
        at = _first(found.replace(tzinfo=None), place)
        if at > after:
            return at
        shown = found
    return None


def _first(shown: datetime, place: ZoneInfo) -> datetime:
    """The first instant at which a zone's clock shows a time, or has leapt over it."""
    at = shown.replace(tzinfo=place).astimezone(UTC)
    if at.astimezone(place).replace(tzinfo=None) == shown:
        return at
    early, late = shown.replace(tzinfo=place, fold=1).astimezone(UTC), at
    before = early.astimezone(place).utcoffset()
    while late - early > _TICK:
        half = early + (late - early) // 2
        if half.astimezone(place).utcoffset() == before:
            early = half
        else:
            late = half
    return late
