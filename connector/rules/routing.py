"""Routing: by which provider and from which sender a text goes, and where it goes if that fails.

A text changes its provider only while it is certain that none has taken it. After an answer that
leaves that open it stays with the provider that gave it, whatever a look-up told since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from connector.messages import SMS, channel_of

NO_ROUTE: Final = "no_route"
DEFERRED: Final = "deferred"
GIVEN_BACK: Final = "given_back"
PROVIDERS_OWN: Final = frozenset({"unavailable", "configuration", "timeout", "unknown"})
"""Reasons of a deferred try that another provider may not have. ``rate_limited`` is not among
them: that is a question of patience."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One provider with the senders to choose from; none leaves the choice to its settings."""

    provider: str
    senders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A ``[[routes]]`` table: for which texts, and by whom, the first that can."""

    name: str
    hops: tuple[Hop, ...]
    countries: tuple[str, ...] = ()  #: of the number, ISO 3166; () for all
    purposes: tuple[str, ...] = ()  #: () for all
    channel: str = SMS

    def takes(self, country: str, purpose: str) -> bool:
        """Whether it is for texts of a purpose to numbers of a country ("" where none is known)."""
        return (not self.countries or country in self.countries) and (
            not self.purposes or purpose in self.purposes
        )


@dataclass(frozen=True, slots=True)
class Try:
    """One try at handing a text over, as ``attempts`` keeps it."""

    provider: str
    sender: str
    result: str
    reason: str


@dataclass(frozen=True, slots=True)
class Way:
    """By whom a text goes now. Without a provider it goes nowhere: ``why`` says the reason."""

    provider: str
    sender: str = ""
    route: str = ""
    why: str = ""  #: why it is not the first hop, or why nobody takes it
    has_more: bool = False  #: whether another hop may be tried at once, should this one not take it
    is_pooled: bool = False  #: whether the sender was chosen among several
    until: datetime | None = None  #: the provider is left alone until then, so the text waits

    @property
    def channel(self) -> str:
        """What it speaks on."""
        return channel_of(self.sender)


NOWHERE: Final = Way("")


def route_of(routes: Sequence[Route], country: str, purpose: str) -> Route | None:
    """The first route, in the order of the file, that takes such a text."""
    return next((route for route in routes if route.takes(country, purpose)), None)


def hops(
    routes: Sequence[Route], country: str, purpose: str, usual: Hop, *, only: bool = False
) -> tuple[Hop, ...]:
    """By whom such a text may go, in order; none where only routes count and none takes it.

    ``usual`` is the provider in use: it takes what no route names.
    """
    found = route_of(routes, country, purpose)
    if found is not None:
        return found.hops
    return () if only and routes else (usual,)


def senders_of(routes: Sequence[Route], provider: str) -> frozenset[str]:
    """Every sender that routes name at a provider."""
    named = (hop.senders for route in routes for hop in route.hops if hop.provider == provider)
    return frozenset().union(*named)


def spread(senders: Sequence[str], phone: str) -> str:
    """The sender of a pool that a number begins with: always the same, evenly over all numbers.

    By the highest of one hash for each pair (rendezvous hashing), so that a sender that joins or
    leaves the pool moves only those numbers that come to it or were at it. "" for no sender.
    """
    return max(senders, key=lambda sender: _weight(sender, phone), default="")


def choose(
    offered: Sequence[Hop], tries: Sequence[Try], rests: Callable[[str], bool]
) -> tuple[int, bool] | None:
    """(place of the hop to try now, whether another may follow at once); None where all rest.

    ``tries`` are those of this text, oldest first; ``rests`` says whether a provider is left alone
    just now. A try whose fate is or was in doubt binds the text to its provider.
    """
    made = [each for each in tries if each.result != GIVEN_BACK]
    bound = next((each for each in made if each.result != DEFERRED), None)
    if bound is not None:
        place = _place(offered, bound)
        return None if place is None or rests(bound.provider) else (place, False)
    order = _order(offered, made)
    awake = [place for place in order if not rests(offered[place].provider)]
    if not awake:
        return None
    failed = sum(each.reason in PROVIDERS_OWN for each in made)
    return awake[0], (failed + 1) % len(awake) != 0


def goes_on(reason: str, asked_until: datetime, expires_at: datetime) -> bool:
    """Whether a text that was certainly not taken should try the next hop at once.

    Where the provider only asks for patience (until ``asked_until``) it waits, unless that would
    outlast its use.
    """
    return reason in PROVIDERS_OWN or asked_until >= expires_at


def _order(offered: Sequence[Hop], made: Sequence[Try]) -> list[int]:
    """Places of hops, the one to try first in front: after a failure that is the next one."""
    places = list(range(len(offered)))
    last = _place(offered, made[-1]) if made else None
    if last is None:
        return places
    begin = last + 1 if made[-1].reason in PROVIDERS_OWN else last
    return places[begin:] + places[:begin]


def _place(offered: Sequence[Hop], made: Try) -> int | None:
    """The hop that a try went by: its very pool, else any pool at the same provider."""
    same = [place for place, hop in enumerate(offered) if hop.provider == made.provider]
    exact = (place for place in same if made.sender in (offered[place].senders or (made.sender,)))
    return next(exact, same[0] if same else None)


def _weight(sender: str, phone: str) -> bytes:
    return sha256(f"{phone}\n{sender}".encode()).digest()
