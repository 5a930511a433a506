"""Things: a fact about a product or place, told to those who cared for it."""

from __future__ import annotations

from datetime import datetime

from connector.rules.plays import FanOut


def since(fan_out: FanOut, at: datetime) -> datetime:
    """From when on a signal shows that somebody cares for the thing."""
    return at - fan_out.within


def occurrence(key: str, signal_id: str) -> str:
    """The key of one fact about one thing: a second price drop is another."""
    return f"{key[:150]}@{signal_id}"
