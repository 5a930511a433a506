"""Providers: who carries texts, and what they tell us of them.

One file an adapter, one line in ``ADAPTERS``. An adapter's keyword-only ``__init__`` is its
settings schema; ``connector check`` compares the configuration with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from connector.messages import Accepted, Carried, Found, LookedUp, Message, Receipt, Reply
from connector.model import Hook


class Ability(StrEnum):
    """What not every provider can do; an adapter names what it can in ``does``."""

    finds = "finds"  #: a doubtful text can be looked up
    finds_by_reference = "finds_by_reference"  #: and by our own reference, so that it is certain
    repeats_safely = "repeats_safely"
    """The very same text handed over again within a day goes out once."""
    tells_status = "tells_status"  #: a text's status can be asked for (``TellsStatus``)
    lists_replies = "lists_replies"  #: ``inbound`` lists them
    lists_texts = "lists_texts"  #: ``carried`` lists them


class Provider(Protocol):
    """What the steps ask of a provider."""

    name: str
    channels: frozenset[str]  #: of ``messages.CHANNELS``
    does: frozenset[Ability]

    def send(self, message: Message) -> Accepted:
        """Hand one text over; raise ``Refused``, ``Deferred`` or ``Uncertain`` if not taken."""

    def find(self, message: Message, since: datetime) -> Found:
        """Look a doubtful send up: taken, not taken, or cannot tell; raises no ``SendFailed``."""

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if a callback is proven to come from the provider; raise ``Unverified``."""

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Every reply since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` where not all of them can be listed now, and
        ``Deferred`` where the provider lists none at all (no ``Ability.lists_replies``).
        """

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Every text the provider took since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` where not all of them can be listed now.
        """

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a verified callback; raise ``Unreadable`` when it is neither receipt nor reply."""


@runtime_checkable
class TellsStatus(Protocol):
    """What a provider may do beside: tell how a text that it took stands now."""

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How the text stands; None where the provider knows no such text (any more).

        Raises ``Deferred`` or ``Uncertain`` where it cannot tell now.
        """


@runtime_checkable
class LooksUp(Protocol):
    """What a provider may do beside: tell what kind of number one is."""

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """Look a number up; with ``owner_since``, also whether it has a new owner since that day.

        Raises ``Refused`` where this number cannot be looked up, ``Deferred`` or ``Uncertain``
        where it may be asked again later.
        """


STOCK: Final = "connector.providers.stock:Stock"
"""The adapter of every provider that a file of ``mappings/providers`` describes."""

ADAPTERS: Final[Mapping[str, str]] = {
    "sandbox": "connector.providers.sandbox:Sandbox",
    "twilio": "connector.providers.twilio:Twilio",
    "telnyx": "connector.providers.telnyx:Telnyx",
    "vonage": "connector.providers.vonage:Vonage",
    "plivo": "connector.providers.plivo:Plivo",
    "sinch": "connector.providers.sinch:Sinch",
    "bird": "connector.providers.bird:Bird",
    "aws": "connector.providers.aws:Aws",
}


def adapter_of(name: str) -> str:
    """The adapter of a provider, by the name it has in the configuration."""
    return ADAPTERS.get(name, STOCK)


def who_looks_up(use: str, known: Mapping[str, Provider]) -> tuple[str, LooksUp] | None:
    """Who looks numbers up: the provider in use where it can, else the first other that is here.

    Of real numbers the sandbox tells nothing.
    """
    for name in (use, *(other for other in known if other != "sandbox")):
        provider: object = known.get(name)
        if isinstance(provider, LooksUp):
            return name, provider
    return None
