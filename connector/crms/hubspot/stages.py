"""The lifecycle stage moves forward only, whatever HubSpot would let us do.

https://knowledge.hubspot.com/records/use-lifecycle-stages
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.clock import Clock

DEFAULT: Final = (
    *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
    *("opportunity", "customer", "evangelist", "other"),
)
"""HubSpot's own stages in their order, where those of the account may not be read."""

FRESH: Final = timedelta(hours=1)  #: that what was read of a record is believed
MOST: Final = 20_000  #: records that are remembered


class Stages:
    """The stage that each record held when it was last seen, for an hour; shared by threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[datetime, str]] = OrderedDict()
        self._lock = threading.Lock()

    def see(self, record: str, stage: str) -> None:
        """Remember what a record holds; "" for no stage."""
        with self._lock:
            self._seen[record] = (self._clock(), stage)
            self._seen.move_to_end(record)
            while len(self._seen) > MOST:
                self._seen.popitem(last=False)

    def of(self, record: str) -> str | None:
        """What a record held; None where that is not known, or too long ago."""
        with self._lock:
            at, stage = self._seen.get(record, (None, ""))
        return stage if at is not None and self._clock() - at < FRESH else None


def is_forward(order: Sequence[str], before: str, after: str) -> bool:
    """Whether a stage is later than the one that stands; from one that is unknown none is."""
    if not before or not after:
        return bool(after)
    order = order or DEFAULT
    if before not in order:
        return False
    return after not in order or order.index(after) > order.index(before)
