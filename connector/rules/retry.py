"""When to try again: exponential backoff with jitter, a floor and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MAX_WAIT: Final = timedelta(hours=24)  #: however long the other side asks for


@dataclass(frozen=True, slots=True)
class Pace:
    """How patiently one kind of work is tried again: the first wait, doubling up to the longest."""

    first: timedelta
    longest: timedelta
    attempts: int  #: in all; after the last there is none
    first_by_reason: Mapping[str, timedelta] = field(default_factory=dict)


#: Texts expire by themselves, mostly within a day, so giving up early would only lose some.
SENDS: Final = Pace(
    first=timedelta(seconds=2),
    longest=timedelta(minutes=10),
    attempts=200,
    first_by_reason={
        "rate_limited": timedelta(seconds=1),
        "configuration": timedelta(minutes=1),  # somebody has to mend something first
    },
)

#: What a CRM is owed is never given up: after the last of these it is tried each ``longest``.
WRITEBACKS: Final = Pace(
    first=timedelta(seconds=5),
    longest=timedelta(hours=1),
    attempts=100,
    first_by_reason={
        "configuration": timedelta(minutes=1),
        "unauthorized": timedelta(minutes=1),
        "forbidden": timedelta(minutes=1),
        "rate_limited": timedelta(seconds=10),
        "daily_limit": timedelta(minutes=30),
        "locked": timedelta(seconds=3),
    },
)


def next_attempt(
    attempt: int,
    now: datetime,
    reason: str,
    retry_after: float | None,
    chance: float,
    *,
    pace: Pace = SENDS,
) -> datetime | None:
    """When attempt ``attempt + 1`` is due; None when ``attempt`` (from 1) was the last.

    The wait doubles with each attempt and is spread by ``chance``, a number in [0, 1), over its
    upper half, so that what failed together does not come back together. ``retry_after``, in
    seconds, is what the other side asked for: never sooner, at most a tenth later.
    """
    if attempt >= pace.attempts:
        return None
    first = pace.first_by_reason.get(reason, pace.first)
    times: int = 2 ** min(max(attempt - 1, 0), 30)
    wait = min(first * times, max(pace.longest, first)) * (0.5 + chance / 2)
    if retry_after is not None and retry_after > 0:
        asked = timedelta(seconds=min(retry_after, MAX_WAIT.total_seconds()))
        wait = max(wait, asked * (1 + chance / 10))
    return now + wait
