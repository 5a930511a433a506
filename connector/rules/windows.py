"""Windows of a local day made into spans of time, exact through every change of clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

Window = tuple[int, int]
"""From a minute of the local day, included, to another, not included."""
Week = tuple[Window | None, ...]
"""Seven windows from Monday on; None is a day without texts."""
Span = tuple[float, float]
"""From an instant, included, to another, not included; seconds since 1970."""

ALL_DAY: Final[Window] = (0, 24 * 60)
ALWAYS: Final[Span] = (float("-inf"), float("inf"))


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The zone of a name, kept (``ZoneInfo`` itself keeps only the last eight)."""
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def span(name: str, day: date, window: Window) -> Span:
    """The instants of a local window; where a change of clocks leaves a choice, the shorter."""
    midnight = datetime.combine(day, time())
    start, end = (midnight + timedelta(minutes=minute) for minute in window)
    return max(_readings(start, zone(name))), min(_readings(end, zone(name)))


def _readings(wall: datetime, clock: ZoneInfo) -> tuple[float, float]:
    """The two instants that a wall clock's time may mean on the night when clocks change."""
    early, late = (wall.replace(tzinfo=clock, fold=fold).timestamp() for fold in (0, 1))
    return early, late


def joined(spans: list[Span]) -> list[Span]:
    """Spans in order, those that touch made one (until midnight, and from midnight on)."""
    whole: list[Span] = []
    for start, end in spans:
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        elif start < end:
            whole.append((start, end))
    return whole


def common(ones: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What two lists of spans, each in order, have in common."""
    both, one, other = [], 0, 0
    while one < len(ones) and other < len(others):
        start = max(ones[one][0], others[other][0])
        end = min(ones[one][1], others[other][1])
        if start < end:
            both.append((start, end))
        if ones[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return both


def holds(window: Window | None, local: datetime) -> bool:
    """Whether a wall clock's time lies in the window."""
    return window is not None and window[0] <= local.hour * 60 + local.minute < window[1]


def shown(window: Window | None) -> str:
    """``08:00–20:00``, or that there are none."""
    if window is None:
        return "no texts"
    return "–".join(f"{minute // 60:02}:{minute % 60:02}" for minute in window)
