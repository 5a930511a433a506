"""HubSpot's limits: calls in ten seconds, searches in one, and when its day ends.

https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

BURST: Final = 100  #: calls in an interval of the smallest plan, until HubSpot tells
INTERVAL: Final = 10.0  #: seconds
SHARE: Final = 0.9  #: of the burst that we use: others may call with the same token
SPARE: Final = 0.05  #: of the burst that must remain, whoever used it
SEARCHES: Final = 5  #: a second, shared by all searches of a token
BURST_WAIT: Final = 10.0  #: seconds to wait where HubSpot says that it is too much just now
LONGEST_DAY: Final = 25  #: hours


class Pace:
    """Holds calls back so that HubSpot need not refuse them; shared by threads."""

    def __init__(
        self,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds, self.sleep = seconds, sleep
        self.most, self.interval = BURST, INTERVAL
        self.left_today: int | None = None  #: calls, as HubSpot told last
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._quiet_until = 0.0

    def wait(self, *, is_search: bool) -> None:
        """Wait until one more call may be made; at most as long as one interval."""
        with self._lock:
            now = self.seconds()
            until = max(now, min(self._quiet_until, now + self.interval))
            until = max(until, _free_at(self._calls, self._allowed(), self.interval, now))
            if is_search:
                until = max(until, _free_at(self._searches, SEARCHES, 1.0, now))
                self._searches.append(until)
            self._calls.append(until)
        if until > now:
            self.sleep(until - now)

    def note(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer tells of the limits; a search's answer tells nothing."""
        told = {name: _whole(headers, name) for name in ("Max", "Remaining")}
        interval = _whole(headers, "Interval-Milliseconds")
        today = _whole(headers, "Daily-Remaining")
        with self._lock:
            self.most = told["Max"] or self.most
            self.interval = min(interval / 1_000, 60.0) if interval else self.interval
            self.left_today = self.left_today if today is None else today
            left = told["Remaining"]
            if left is not None and left <= self.most * SPARE:
                self._quiet_until = self.seconds() + self.interval

    def _allowed(self) -> int:
        return max(1, int(self.most * SHARE))


def until_midnight(now: datetime, zone: str) -> float:
    """Seconds until the account's day ends; in UTC where its time zone is not known."""
    try:
        here = now.astimezone(ZoneInfo(zone or "UTC"))
    except (KeyError, ValueError, OSError):
        here = now.astimezone(UTC)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = (midnight.astimezone(UTC) - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_DAY * 3_600.0)


def _free_at(made: deque[float], most: int, interval: float, now: float) -> float:
    while made and made[0] <= now - interval:
        made.popleft()
    return now if len(made) < most else made[-most] + interval


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(f"X-HubSpot-RateLimit-{name}") or ""
    return int(value) if value.isdecimal() else None
