"""Sources: who may tell us of events, how their requests are proven and read.

One file an adapter, one line here. A webhook whose only oddity is its header, its HMAC and its
field names is a mapping file for ``standard``, not code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from connector.model import Hook, Parsed


class Source(Protocol):
    """What the web and the worker ask of a source."""

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request is proven to come from the source; raise ``Unverified`` if not."""

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """Read the events out of a verified request; raise ``Unreadable`` if it has none."""


ADAPTERS: Final[Mapping[str, str]] = {
    "segment": "connector.sources.segment:Segment",
    "standard": "connector.sources.standard:Standard",
}
"""Every adapter by the name a mapping file gives it."""
