"""Routes: ``[[routes]]`` of ``config.toml``, and what each provider's account allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connector.config.adapters import load_class
from connector.config.toml import Table
from connector.messages import CHANNELS, SMS, channel_of
from connector.model import Purpose
from connector.rules.routing import Hop, Route, route_of

SANDBOX: Final = "sandbox"  #: sends nothing, and may go by a test clock
MOST_IN_FLIGHT: Final = 500
MOST_SENDERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Account:
    """What a provider's account allows, beside what its senders do."""

    in_flight: int  #: calls at one time
    per_second: float = 0  #: segments, by all of its senders together; 0: no limit


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """``[provider]`` and the ``[providers.<name>]`` tables, the latter keyed by name."""

    use: str
    in_flight: int  #: calls to each provider at one time
    tables: Mapping[str, Mapping[str, Any]]
    accounts: Mapping[str, Account] = field(default_factory=dict)  #: of those that have a table
    routes: tuple[Route, ...] = ()
    only_routes: bool = False  #: what no route names goes nowhere

    @property
    def active(self) -> tuple[Route, ...]:
        """The routes that texts go by: in the sandbox everything stays there."""
        return () if self.use == SANDBOX else self.routes

    @property
    def carriers(self) -> tuple[str, ...]:
        """Every provider that texts may go by: the one in use, then those of routes."""
        named = (hop.provider for route in self.active for hop in route.hops)
        return tuple(dict.fromkeys((self.use, *named)))


def account(table: Table, usual: int) -> Account:
    """Of a ``[providers.<name>]`` table, what is no setting of the adapter's own."""
    return Account(
        in_flight=table.whole("in_flight", usual, low=1, high=MOST_IN_FLIGHT),
        per_second=table.number("segments_a_second", 0.0, high=100_000),
    )


def routes(
    top: Table, known: Mapping[str, Any], configured: Collection[str], countries: Collection[str]
) -> tuple[Route, ...]:
    """Every ``[[routes]]`` table, in its order.

    ``known`` are the adapters there are, ``configured`` the providers that have settings.
    """
    found: list[Route] = []
    for number, table in enumerate(top.tables("routes"), 1):
        route = _route(table, f"route {number}", known, configured, countries)
        if any(route.name == other.name for other in found):
            table.fault("name", f"is {route.name!r} again", "give each route its own name")
        if cover := next((other for other in found if _covers(other, route)), None):
            says = f"is never asked: {cover.name!r} before it takes all that it names"
            table.fault("", says, "put it before that one, or take it away")
        found.append(route)
    return tuple(found)


def only_routes(
    table: Table, found: Sequence[Route], country: str, countries: Collection[str]
) -> bool:
    """``only_routes`` of ``[provider]``: what no route names goes nowhere.

    A fault where that leaves nobody for the operator's own ``country``.
    """
    if not table.flag("only_routes", False):
        return False
    if not found:
        table.fault("only_routes", "is set, and there is no route", "add [[routes]]")
    missing = [str(purpose) for purpose in Purpose if route_of(found, country, purpose) is None]
    if found and missing and country in countries:
        says = f"leaves nobody for {country} ({', '.join(missing)})"
        table.fault("only_routes", says, f'add a route with countries = ["{country}"]')
    return True


def _route(
    table: Table,
    usual: str,
    known: Mapping[str, Any],
    configured: Collection[str],
    countries: Collection[str],
) -> Route:
    named = table.words("countries", ())
    for country in named:
        if country not in countries:
            table.fault("countries", f"holds {country!r:.20}", 'two capitals each: ["GB", "IE"]')
    channel = table.text("channel", SMS, choices=CHANNELS)
    route = Route(
        name=table.text("name", usual, max_length=60),
        hops=tuple(_hops(table, channel, known, configured)),
        countries=named,
        purposes=table.words("purposes", (), choices=Purpose),
        channel=channel,
    )
    table.done()
    return route


def _hops(
    table: Table, channel: str, known: Mapping[str, Any], configured: Collection[str]
) -> Iterator[Hop]:
    tables = table.tables("hops")
    if not tables:
        table.fault("hops", "names nobody", 'add hops = [{ provider = "twilio" }]')
    taken: dict[tuple[str, str], str] = {}
    alone: set[str] = set()
    for hop in tables:
        provider = hop.text("provider", choices=known)
        senders = hop.words("senders", ())
        _check_provider(hop, provider, channel, known, configured)
        _check_senders(hop, senders, channel)
        for sender in senders:
            if taken.setdefault((provider, sender), hop.path) != hop.path:
                says = f"holds {sender!r:.40}, which a hop before it has too"
                hop.fault("senders", says, "name each sender once in a route")
        if provider in alone or (not senders and any(name == provider for name, _ in taken)):
            says = f"is {provider} again, which has a hop before it"
            hop.fault("provider", says, "name a provider twice only with senders of its own each")
        alone |= set() if senders else {provider}
        hop.done()
        yield Hop(provider, senders)


def _check_provider(
    hop: Table, provider: str, channel: str, known: Mapping[str, Any], configured: Collection[str]
) -> None:
    if hop.values.get("provider") != provider:
        return  # told already: it is none of those that are known
    if provider == SANDBOX:
        says = "is the sandbox, which sends nothing; [provider] use = the sandbox holds all there"
        hop.fault("provider", says, "name a provider that sends")
    elif provider not in configured:
        remedy = f"add [providers.{provider}] with its settings"
        hop.fault("provider", f"is {provider}, which has no settings", remedy)
    carried = getattr(load_class(known[provider]), "channels", None)
    if isinstance(carried, frozenset) and channel not in carried:
        says = f"is {provider}, which carries {', '.join(sorted(carried))} and no {channel}"
        hop.fault("provider", says, f"name one that carries {channel}")


def _check_senders(hop: Table, senders: Sequence[str], channel: str) -> None:
    if len(senders) > MOST_SENDERS:
        hop.fault("senders", f"holds {len(senders)} senders", f"at most {MOST_SENDERS}")
    if len(set(senders)) < len(senders):
        twice = next(each for each in senders if senders.count(each) > 1)
        hop.fault("senders", f"holds {twice!r:.40} twice", "name each sender once")
    if channel != SMS and not senders:
        hop.fault("senders", "is missing", f'add senders = ["{channel}:+12025550123"]')
    for sender in senders:
        if not sender.strip():
            hop.fault("senders", "holds an empty one", "leave senders out for the provider's own")
        elif channel_of(sender) != channel:
            says = f"holds {sender!r:.40}, which speaks on {channel_of(sender)}"
            hop.fault("senders", says, f"the route is for {channel}; write {_as(channel)}")


def _as(channel: str) -> str:
    return "a number or a messaging service" if channel == SMS else f'"{channel}:…"'


def _covers(other: Route, route: Route) -> bool:
    """Whether a route takes every text that another, after it, would take."""
    places = not other.countries or (route.countries and set(route.countries) <= {*other.countries})
    whats = not other.purposes or (route.purposes and set(route.purposes) <= {*other.purposes})
    return bool(places and whats)
