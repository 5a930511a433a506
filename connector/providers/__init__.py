"""Providers: who carries texts, and what they tell us of them.

One file an adapter, one line in ``ADAPTERS``. An adapter's keyword-only ``__init__`` is its
settings schema; ``connector check`` compares the configuration with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from connector.model import Accepted, Found, Hook, Message, Receipt, Reply
from connector.providers.sandbox import Sandbox
from connector.providers.twilio import Twilio


class Provider(Protocol):
    """What the steps ask of a provider."""

    name: str

    def send(self, message: Message) -> Accepted:
        """Hand one text over; raise ``Refused``, ``Deferred`` or ``Uncertain`` if not taken."""

    def find(self, message: Message, since: datetime) -> Found:
        """Look a doubtful send up: taken, not taken, or cannot tell."""

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if a callback is proven to come from the provider; raise ``Unverified``."""

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Replies since an instant, where the provider can list them; else nothing."""

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a verified callback; raise ``Unreadable`` when it is neither receipt nor reply."""


ADAPTERS: Final[Mapping[str, Callable[..., Provider]]] = {
    "sandbox": Sandbox,
    "twilio": Twilio,
}
