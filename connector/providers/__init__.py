"""Providers: who carries texts, and what they tell us of them.

One file an adapter, one line in ``ADAPTERS``. An adapter's keyword-only ``__init__`` is its
settings schema; ``connector check`` compares the configuration with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol, runtime_checkable

from connector.messages import Accepted, Carried, Found, LookedUp, Message, Receipt, Reply
from connector.model import Hook
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
        """Every reply since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` where not all of them can be listed now.
        """

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Every text the provider took since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` where not all of them can be listed now.
        """

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a verified callback; raise ``Unreadable`` when it is neither receipt nor reply."""


@runtime_checkable
class LooksUp(Protocol):
    """What a provider may do beside: tell what kind of number one is."""

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """Look a number up; with ``owner_since``, also whether it has a new owner since that day.

        Raises ``Refused`` where this number cannot be looked up, ``Deferred`` or ``Uncertain``
        where it may be asked again later.
        """


ADAPTERS: Final[Mapping[str, Callable[..., Provider]]] = {
    "sandbox": Sandbox,
    "twilio": Twilio,
}
