"""Thresholds: a measure passing from below a level to at or above it, once for each crossing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from connector.model import Json
from connector.rules.plays import Threshold


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest reading of a measure; ``armed``: the next one at or above the level fires."""

    at: datetime
    value: float
    armed: bool


def number(value: Json) -> float | None:
    """A reading as a number; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def read(
    threshold: Threshold, known: Reading | None, value: Json, at: datetime
) -> tuple[Reading | None, bool]:
    """The reading to keep (None: it is no news) and whether it fires.

    A first reading at or above the level fires. After firing it is armed again by a reading below
    ``rearm_below``. One that is not newer than the newest known is ignored, and so is no number.
    """
    told = number(value)
    if told is None or (known is not None and at <= known.at):
        return None, False
    armed = known is None or known.armed or known.value < threshold.rearm_below
    fires = armed and told >= threshold.level
    still = armed and not fires
    return Reading(at, told, still or told < threshold.rearm_below), fires


def reached(threshold: Threshold, value: Json) -> bool:
    """Whether a reading is at or above the arm's own level, at which its people are spoken to."""
    told = number(value)
    return told is not None and told >= threshold.own


def occurrence(key: str, at: datetime) -> str:
    """The key of one crossing: what is measured, and when it crossed."""
    return f"{key[:150]}@{at:%Y-%m-%dT%H:%M:%S.%fZ}"
