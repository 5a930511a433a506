"""The daily allocation of calls: slow near its end, and a rest is always left for others.

Salesforce counts the calls of the last 24 hours of everyone who uses the org, and tells the
count with each answer (``Sforce-Limit-Info``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from connector.errors import CrmUnavailable

SLOW_FROM: Final = 0.8  #: of the allocation; from here on calls are spread over the day
LEAST_REST: Final = 0.05  #: of the allocation is left where the operator names nothing …
MOST_REST: Final = 1_000  #: … but not more than so many calls
LONGEST_PAUSE: Final = timedelta(minutes=10)  #: between two calls while they are spread
PROBE_AFTER: Final = timedelta(hours=1)  #: at its end one call an hour finds out how it stands
DAY: Final = timedelta(days=1)

T = TypeVar("T")

REMEDY: Final = (
    "others in the org use the same allocation: see Setup, Company Information, API Requests; "
    "lower `reserve` in [crms.salesforce] or buy more calls. It goes on by itself"
)
_USED: Final = re.compile(r"api-usage=(\d{1,12})/(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the allocation was used, as of an instant."""

    used: int
    total: int
    at: datetime


def read(header: str, now: datetime) -> Usage | None:
    """What the header says of the org's allocation; None where it says nothing."""
    found = _USED.match(header.strip())
    if found is None or int(found[2]) == 0:
        return None
    return Usage(int(found[1]), int(found[2]), now)


def reserve_of(usage: Usage, reserve: int | None) -> int:
    """The calls that are left for others: what the operator says, else 5 % and at most 1,000."""
    return min(MOST_REST, int(usage.total * LEAST_REST)) if reserve is None else reserve


def is_spent(usage: Usage, reserve: int | None) -> bool:
    """Whether only the reserve is left."""
    return usage.total - usage.used <= reserve_of(usage, reserve)


def pause(usage: Usage, reserve: int | None) -> timedelta:
    """How long to wait between two calls: nothing up to 80 %, then what is left over a day."""
    left = usage.total - usage.used - reserve_of(usage, reserve)
    if usage.used < usage.total * SLOW_FROM:
        return timedelta()
    return min(LONGEST_PAUSE, DAY / max(left, 1))


class Allowance:
    """The count as it was last told, and when we last called; threads share it."""

    def __init__(self, clock: Callable[[], datetime], reserve: int | None) -> None:
        self.usage: Usage | None = None
        self._clock, self._reserve = clock, reserve
        self._called_at: dict[str, datetime] = {}  # kind of work → when it last began
        self._lock = threading.Lock()

    def note(self, header: str | None) -> None:
        """Take over what an answer's header says."""
        usage = read(header or "", self._clock())
        if usage is not None:
            self.usage = usage

    def admit(self, kind: str = "") -> None:
        """Let a piece of work begin, or say how long it has to wait.

        ``kind`` names work that may wait; each kind has its turn, so that none keeps another
        from ever beginning. Raises ``CrmUnavailable``: ``daily_limit`` where only the reserve is
        left, ``rate_limited`` where calls are being spread over the day.
        """
        with self._lock:
            now, usage = self._clock(), self.usage
            if usage is not None:
                self._refuse_where_spent(usage, now)
                self._refuse_where_slow(usage, now, kind)
            self._called_at[kind] = now

    def _refuse_where_spent(self, usage: Usage, now: datetime) -> None:
        since = max((usage.at, *self._called_at.values()))
        left = since + PROBE_AFTER - now
        if left > timedelta() and is_spent(usage, self._reserve):
            kept = reserve_of(usage, self._reserve)
            raise CrmUnavailable(
                f"{usage.used:,} of {usage.total:,} daily API calls of the Salesforce org are "
                f"used, and {kept:,} are kept for others",
                code="daily_limit",
                retry_after=left.total_seconds(),
                remedy=REMEDY,
            )

    def _refuse_where_slow(self, usage: Usage, now: datetime, kind: str) -> None:
        if not kind or kind not in self._called_at:
            return
        kinds = sum(bool(each) for each in self._called_at)
        left = self._called_at[kind] + pause(usage, self._reserve) * kinds - now
        if left > timedelta():
            raise CrmUnavailable(
                f"{usage.used:,} of {usage.total:,} daily API calls of the Salesforce org are "
                "used, so the connector calls less often",
                code="rate_limited",
                retry_after=left.total_seconds(),
                remedy=REMEDY,
            )


def in_chunks(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """The items in order, at most so many at a time."""
    return [items[begin : begin + most] for begin in range(0, len(items), most)]
