"""Failed attempts at a key, counted: whoever guesses is soon told to come back later."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

WINDOW: Final = 60.0  #: seconds in which failures count
EACH: Final = 10  #: failures of one address in the window
ALL: Final = 200  #: failures of all addresses together in the window
ADDRESSES: Final = 4_096  #: remembered at most; the one that failed longest ago is forgotten


class Attempts:
    """Counts failures by address, and all together, in a sliding window.

    Only what failed is counted and only what fails is refused: a right key is never kept out by
    what others do behind the same address. With keys of 24 characters nobody can guess one; the
    bound spares the machine and its log, and makes guessing be seen.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._of: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=ALL)

    def failed(self, address: str) -> int:
        """Count a failure; 0 while it is within bounds, else the seconds to stay away."""
        now, where = self._now(), group(address)
        with self._lock:
            own = self._of.setdefault(where, deque(maxlen=EACH))
            self._of.move_to_end(where)
            while len(self._of) > ADDRESSES:
                self._of.popitem(last=False)
            left = max(_left(own, EACH, now), _left(self._all, ALL, now))
            if not left:  # a refused attempt prolongs nothing, or a loop would never be let in
                own.append(now)
                self._all.append(now)
            return math.ceil(left)


def group(address: str) -> str:
    """Whose failures are counted together: an address, or a /64 of IPv6, which is one line."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network(f"{found}/64", strict=False))
    return str(found)


def _left(times: deque[float], most: int, now: float) -> float:
    """Seconds until one more fits into the window; 0 where it does.

    Of so many times only the newest are kept, so the first is the one that has to leave.
    """
    return max(0.0, times[0] + WINDOW - now) if len(times) >= most else 0.0
