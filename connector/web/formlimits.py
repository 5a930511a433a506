"""How many forms are taken: from one address, and of a form from all of them together."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from connector.config.forms import Form
from connector.web.attempts import group

WINDOW: Final = 3_600.0  #: seconds in which forms count
ADDRESSES: Final = 8_192  #: remembered at most; the one that sent longest ago is forgotten


class FormLimits:
    """Counts forms in a sliding hour, in memory: a restart forgets, the ledger's own bound on
    requests does not."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._of: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._all: dict[str, deque[float]] = {}

    def take(self, form: Form, address: str) -> int:
        """Count one more; 0 where it may be taken, else the seconds to stay away."""
        now, who = self._now(), (form.name, group(address))
        with self._lock:
            own = self._of.setdefault(who, deque())
            self._of.move_to_end(who)
            while len(self._of) > ADDRESSES:
                self._of.popitem(last=False)
            everybody = self._all.setdefault(form.name, deque())
            left = max(_left(own, form.per_address, now), _left(everybody, form.per_form, now))
            if not left:
                own.append(now)
                everybody.append(now)
            return math.ceil(left)


def _left(times: deque[float], most: int, now: float) -> float:
    """Seconds until one more fits into the window; 0 where it does."""
    while times and times[0] <= now - WINDOW:
        times.popleft()
    return max(0.0, times[len(times) - most] + WINDOW - now) if len(times) >= most else 0.0
