"""Cron lines on a zone's clock, by APScheduler's own trigger; bounded and safe on clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MAX_LINE = 100


@lru_cache(maxsize=256)
def _trigger(line: str, zone: str) -> Any:
    from apscheduler.triggers.cron import CronTrigger

    if len(line) > MAX_LINE:
        raise ValueError(f"it has over {MAX_LINE} characters")
    return CronTrigger.from_crontab(line, ZoneInfo(zone))


def fault(line: str, zone: str) -> str:
    """Why a cron line is no good, or ""."""
    try:
        _trigger(line, zone)
    except (ValueError, OSError, TypeError) as error:
        return str(error) or "five fields are wanted"
    return ""


def next_fire(line: str, zone: str, after: datetime) -> datetime | None:
    """The first instant after ``after`` at which the line is due; None where there is none."""
    found: datetime | None = _trigger(line, zone).get_next_fire_time(
        None, after + timedelta(microseconds=1)
    )
    return found
