"""When an account's day of calls ends: at midnight in its own time zone, which is asked for once.

https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from connector.clock import Clock
from connector.crms.hubspot.limits import until_midnight
from connector.crms.hubspot.names import path
from connector.errors import CrmUnavailable
from connector.model import Json

DETAILS: Final = path("account-info", "details")
LOW: Final = 500  #: calls left today, at which the time zone is asked for: later none may be left
AGAIN: Final = timedelta(hours=1)
"""Until the time zone is asked for again where it could not be had, and the day is tried."""


class Day:
    """The account's day; ``ask`` calls an address and gives what it says."""

    def __init__(self, ask: Callable[[str], Json], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._zone = ""
        self._asked_at: datetime | None = None
        self._lock = threading.Lock()

    def note(self, left: int | None) -> None:
        """Take over how many calls are left today."""
        if left is not None and left < LOW:
            self._learn()

    def ends_in(self) -> float:
        """Seconds until it ends; where its time zone is not known, an hour at most."""
        self._learn()
        seconds = until_midnight(self._clock(), self._zone)
        return seconds if self._zone else min(seconds, AGAIN.total_seconds())

    def _learn(self) -> None:
        now = self._clock()
        with self._lock:
            is_known = self._zone or (self._asked_at and now - self._asked_at < AGAIN)
            self._asked_at = self._asked_at if is_known else now
        if is_known:
            return
        try:
            body = self._ask(DETAILS)
            self._zone = str(body.get("timeZone") or "") if isinstance(body, Mapping) else ""
        except CrmUnavailable:
            self._zone = ""
