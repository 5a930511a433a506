"""A source that tells nothing over the network: a CRM that is only asked."""

from __future__ import annotations

from datetime import datetime

from connector.errors import Unverified
from connector.model import Hook, Parsed


class Silent:
    """Its records come by asking the CRM, so that whoever calls in its name is a stranger."""

    def __init__(self, *, source: str) -> None:
        self._name = source

    def verify(self, hook: Hook, now: datetime) -> None:
        """Nobody is believed."""
        raise Unverified(f"{self._name} tells nothing by itself; it is asked")

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """There is nothing to read."""
        return Parsed()
