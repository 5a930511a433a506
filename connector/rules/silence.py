"""Whether a source has been silent for longer than is its habit, told by its own hours of late.

Two looks, of which either is enough. The week: in the same stretch of each of the past weeks it
was heard in several hours, and now in none. The gaps: no silence of its own was ever nearly as
long. One week, and one gap, may be an outage of old, so the most extreme of each is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

HOUR: Final = timedelta(hours=1)
WEEK: Final = timedelta(days=7)
WEEKS: Final = 8  #: looked back on, at the most
LEAST_WEEKS: Final = 3  #: of history before the week tells anything
LEAST_GAPS: Final = 12  #: before the gaps tell anything ...
LEAST_SPAN: Final = 2 * WEEK  #: ... and of history
MISSED_HOURS: Final = 4  #: hours in which it was heard in each past week, and not in this
BUSY_HOURS: Final = 2  #: so few are enough ...
BUSY_EVENTS: Final = 50  #: ... where so much was heard in them each week
LONGER: Final = 1.5  #: times its longest usual gap
MOST_LISTED: Final = WEEKS * 7 * 24 + 24


@dataclass(frozen=True, slots=True)
class Habit:
    """What a source usually tells: events by the hour in which they were heard, in UTC."""

    hours: Mapping[datetime, int]

    @property
    def since(self) -> datetime | None:
        """The first hour of it; None without any."""
        return min(self.hours, default=None)


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that is longer than usual."""

    span: timedelta  #: how long it has lasted
    usual: timedelta | None  #: the longest that is usual; None where the week told
    weeks: int = 0  #: in how many of the past weeks it was heard in this stretch


def judge(
    habit: Habit,
    heard: datetime,
    now: datetime,
    zone: tzinfo = UTC,
    bound: timedelta | None = None,
) -> Silence | None:
    """The silence since ``heard`` where it is beyond the habit; None where it is not, or where
    too little is known of the source.

    ``zone`` is the clock by which its weeks go. With a ``bound`` of the operator's own, that
    alone counts.
    """
    span = now - heard
    if bound is not None:
        return Silence(span, bound) if bound and span > bound else None
    if span < HOUR:
        return None
    return _by_week(habit, heard, now, zone) or _by_gaps(habit, heard, now)


def _by_week(habit: Habit, heard: datetime, now: datetime, zone: tzinfo) -> Silence | None:
    since = habit.since
    if since is None or now - heard >= WEEK:
        return None  # the gaps tell of what is so long
    told = []
    for weeks in range(1, WEEKS + 1):
        start, end = (_back(at, weeks, zone) for at in (heard, now))
        if start < since:
            break
        told.append(_is_busy(habit, start, end))
    few = max(LEAST_WEEKS, len(told) - 1)
    return Silence(now - heard, None, sum(told)) if sum(told) >= few else None


def _back(at: datetime, weeks: int, zone: tzinfo) -> datetime:
    """The same hour of the same weekday on the zone's clock, so many weeks before."""
    return (at.astimezone(zone) - weeks * WEEK).astimezone(UTC)


def _is_busy(habit: Habit, start: datetime, end: datetime) -> bool:
    """Whether much was heard in the hours that lie wholly between two instants."""
    counts = [count for hour in _whole_hours(start, end) if (count := habit.hours.get(hour, 0)) > 0]
    if len(counts) >= MISSED_HOURS:
        return True
    return len(counts) >= BUSY_HOURS and sum(counts) >= BUSY_EVENTS


def _whole_hours(start: datetime, end: datetime) -> Sequence[datetime]:
    first = start.replace(minute=0, second=0, microsecond=0) + HOUR
    count = max(0, int((end - first) / HOUR))
    return [first + number * HOUR for number in range(min(count, MOST_LISTED))]


def _by_gaps(habit: Habit, heard: datetime, now: datetime) -> Silence | None:
    known = sorted(hour for hour in habit.hours if hour <= heard)
    if not known or heard - known[0] < LEAST_SPAN:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(known))
    if len(gaps) < LEAST_GAPS:
        return None
    usual = gaps[-2] + HOUR  # hours are known, not minutes
    return Silence(now - heard, usual) if now - heard > LONGER * usual else None
