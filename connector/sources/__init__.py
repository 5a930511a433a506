"""Sources: who may tell us of events, how their requests are proven and read.

One file an adapter, one line here. A webhook whose only oddity is its header, its HMAC and its
field names is a mapping file for ``standard``, not code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from connector.model import Hook, Parsed


class Source(Protocol):
    """What the web and the worker ask of a source."""

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request is proven to come from the source; raise ``Unverified`` if not."""

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """Read the events out of a verified request; raise ``Unreadable`` if it has none."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a sender wants to hear, word for word."""

    body: bytes
    content_type: str = "application/json"


@runtime_checkable
class CrmSource(Source, Protocol):
    """A CRM that tells of itself: at addresses of its own, and answered in its own words."""

    def takes(self, below: str) -> bool:
        """Whether there is a door at ``/in/<name>/<below>``; "" is ``/in/<name>`` itself."""

    def kept(self, hook: Hook) -> Hook:
        """The request as it may be kept: without whatever lets somebody in."""

    def answer(self, hook: Hook) -> Said:
        """What a verified request is answered once it is kept.

        Raises ``Unreadable`` where nothing can be made of it and the sender should know.
        """


ADAPTERS: Final[Mapping[str, str]] = {
    "form": "connector.sources.form:Form",
    "posthog": "connector.sources.posthog:PostHog",
    "segment": "connector.sources.segment:Segment",
    "standard": "connector.sources.standard:Standard",
}
"""Every adapter by the name a mapping file gives it."""

OF_CRMS: Final[Mapping[str, str]] = {
    "hubspot": "connector.sources.hubspot:HubSpot",
    "salesforce": "connector.sources.salesforce:Salesforce",
}
"""What a CRM in use tells us by itself, by the CRM's name; its settings are the CRM's own."""
