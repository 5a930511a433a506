"""Silence: nothing heard of a person for a span, started anew by whatever they do."""

from __future__ import annotations

from datetime import datetime

from connector.rules.plays import Silence


def since(
    last_activity: datetime | None, first_seen: datetime | None, silence: Silence
) -> datetime | None:
    """From when the silence counts; None where it has not begun.

    It needs a first activity, unless the play counts from when the person was first seen.
    """
    if last_activity is not None:
        return last_activity
    return first_seen if silence.since == "first_seen" else None


def fires_at(
    last_activity: datetime | None, first_seen: datetime | None, silence: Silence
) -> datetime | None:
    """When the silence is long enough, in real elapsed time; None where it has not begun."""
    began = since(last_activity, first_seen, silence)
    return began + silence.span if began is not None else None


def occurrence(began: datetime) -> str:
    """The key of one silence: the instant it counts from."""
    return f"{began:%Y-%m-%dT%H:%M:%S.%fZ}"


def is_broken(began: datetime, activity_at: datetime) -> bool:
    """Whether an activity, however late it is heard, ends a silence that counts from ``began``."""
    return activity_at > began
