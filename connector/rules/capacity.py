"""Capacity: when a queue is empty by what its sender may send, and what expires before its turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.model import Purpose
from connector.rules.policy.limits import Sender

FURTHEST: Final = timedelta(days=366)  #: nothing is reckoned beyond


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text that waits for its sender."""

    purpose: str
    segments: int
    expires_at: datetime
    counts: bool  #: whether the carriers' day counts it, by the country of its number
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sender may send from now on."""

    per_second: float = 0.0  #: segments; 0: no limit
    sender: Sender | None = None  #: its carriers' day, where it has one
    used: int = 0  #: segments of that day so far
    rests_until: datetime | None = None  #: its provider is left alone until then


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of a queue if nothing is added to it."""

    empty_at: datetime | None  #: when its last text has left; None beyond a year
    expiring: int = 0  #: texts that expire before it is their turn


def forecast(queue: Iterable[Waiting], limits: Limits, now: datetime) -> Forecast:
    """Let a queue leave as fast as it may: our answers, then service, then marketing.

    Lawful hours, caps and whatever else may hold or stop a text are left out of account.
    """
    at = last = max(now, limits.rests_until or now)
    day, used, expiring = _day_ends(limits.sender, at), limits.used, 0
    for text in sorted(queue, key=_turn):
        while not (fits := _fits(limits.sender, text, used)):
            if day is None or day - now > FURTHEST or _never(limits.sender, text):
                return Forecast(None, expiring)
            if day >= text.expires_at:
                break
            at, used, day = max(at, day), 0, _day_ends(limits.sender, day)
        if at >= text.expires_at or not fits:
            expiring += 1
            continue
        used += text.segments if text.counts else 0
        at = last = at + _takes(text.segments, limits.per_second)
        if day is not None and at >= day:
            day, used = _day_ends(limits.sender, at), 0
    return Forecast(last, expiring)


def mean(segments: Sequence[int]) -> int:
    """How many segments a text of such a kind has, about; at least one."""
    return max(1, round(sum(segments) / len(segments))) if segments else 1


def _turn(text: Waiting) -> tuple[int, int, datetime]:
    order = (Purpose.system, Purpose.service, Purpose.marketing)
    return order.index(Purpose(text.purpose)), -text.priority, text.expires_at


def _fits(sender: Sender | None, text: Waiting, used: int) -> bool:
    """Whether the carriers' day has room for a text; our own answers always go."""
    if sender is None or not sender.day_segments or not text.counts:
        return True
    return text.purpose == Purpose.system or used + text.segments <= _most(sender, text)


def _never(sender: Sender | None, text: Waiting) -> bool:
    """Whether a text is larger than a whole day."""
    return sender is not None and text.segments > _most(sender, text)


def _most(sender: Sender, text: Waiting) -> int:
    """Up to where a text may use the day."""
    if text.purpose != Purpose.marketing:
        return sender.day_segments
    return sender.day_segments - round(sender.day_segments * sender.reserve)


def _day_ends(sender: Sender | None, now: datetime) -> datetime | None:
    if sender is None or not sender.day_segments:
        return None
    zone = ZoneInfo(sender.zone)
    later = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(later, time.min, zone).astimezone(now.tzinfo)


def _takes(segments: int, per_second: float) -> timedelta:
    return timedelta(seconds=segments / per_second) if per_second else timedelta(0)
