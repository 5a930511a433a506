"""Counts: the Nth such signal inside a window, and the first ever, by when they occurred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from connector.rules.plays import Play


def counted(play: Play, times: Sequence[datetime], occurred_at: datetime) -> bool:
    """Whether this is at least the Nth such signal inside the rolling window, by occurred_at.

    ``times`` are the instants of all such signals heard, this one included.
    """
    if play.start.count <= 1:
        return True
    since = occurred_at - play.start.within if play.start.within else None
    inside = [at for at in times if at <= occurred_at and (since is None or at > since)]
    return len(inside) >= play.start.count


def first(times: Iterable[datetime], occurred_at: datetime) -> bool:
    """Whether no such signal that was heard, in whatever order, occurred before this one."""
    return all(at >= occurred_at for at in times)
