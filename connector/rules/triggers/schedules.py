"""Schedules: an instant at which a play turns to everybody in a segment."""

from __future__ import annotations

from datetime import datetime

from connector.rules.triggers.judge import STALE


def occurrence(at: datetime) -> str:
    """The key of one time."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def is_missed(at: datetime, now: datetime) -> bool:
    """Whether a time has passed so long ago that it is skipped."""
    return now - at > STALE
