"""Things: a fact about a product or place, told to those who cared for it."""

from __future__ import annotations

from datetime import datetime

from connector.rules.plays import FanOut


def since(fan_out: FanOut, at: datetime) -> datetime:
    """From when on a signal shows that somebody cares for the thing."""
    return at - fan_out.within


def cares(fan_out: FanOut, signal: str, occurred_at: datetime, at: datetime) -> bool:
    """Whether a person's signal about the thing shows that they care when it is told of it.

    One of the same instant counts; one that occurred after it, or just as the span began, does not.
    """
    return signal in fan_out.cares and since(fan_out, at) < occurred_at <= at


def occurrence(key: str, signal_id: str) -> str:
    """The key of one fact about one thing: a second price drop is another."""
    return f"{key[:150]}@{signal_id}"
