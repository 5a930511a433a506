"""What every step is handed: opened once by a door, passed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from connector.clock import new_code as unguessable_code
from connector.crms import Crm
from connector.expressions import Template
from connector.ledger.inbox import InboxReader
from connector.ledger.restores import Restored
from connector.ledger.store import Store
from connector.model import Mode, Purpose, Trust
from connector.providers import Provider
from connector.rules.crm import CrmMapping
from connector.rules.mapping import SourceMapping
from connector.rules.plays import Kind, Play, Segment
from connector.rules.plays import Mode as PlayMode
from connector.rules.policy import Rulebook
from connector.rules.routing import Route
from connector.rules.stages import Stages
from connector.rules.traffic import Traffic
from connector.rules.writeback import Field as CrmField
from connector.sources import Source

SANDBOX = "sandbox"  #: the provider that keeps what it is given


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A configured source, ready to read: its adapter, how far it is believed, its mapping."""

    name: str
    trust: Trust
    adapter: Source
    mapping: SourceMapping
    signed: tuple[bytes, ...] | None = field(default=None, repr=False)
    #: secrets that user ids must be signed with (rules/identity); None: they are believed


class Account(Protocol):
    """What a provider's account allows, as the configuration has it."""

    @property
    def in_flight(self) -> int:
        """Calls at one time."""

    @property
    def per_second(self) -> float:
        """Segments, by all of its senders together; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Says:
    """The operator's words and defaults that texts and numbers need."""

    brand: str
    help_contact: str = ""
    country: str = "US"
    language: str = "en"
    link_hosts: tuple[str, ...] = ()


@dataclass(slots=True)
class Setup:
    """Everything a step may use; tests build one with their own clock, chance and adapters."""

    store: Store
    inbox: InboxReader
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    chance: Callable[[], float]
    book: Rulebook
    stages: Stages
    plays: Mapping[str, Play]
    templates: Mapping[tuple[str, str], Template]  #: by (name, language)
    says: Says
    sources: Mapping[str, OpenSource]
    providers: Mapping[str, Provider]
    provider: str  #: the name of the provider that sends
    crms: Mapping[str, Crm]
    crm: str  #: the name of the CRM that is written to
    callbacks: Mapping[str, str] = field(default_factory=dict)  #: provider → where it reports to
    routes: tuple[Route, ...] = ()  #: none: everything goes by the provider in use
    only_routes: bool = False  #: what no route names goes nowhere
    accounts: Mapping[str, Account] = field(default_factory=dict)  #: what each provider allows
    segments: Mapping[str, Segment] = field(default_factory=dict)
    revive: Callable[[str, str], Play | None] = lambda name, content: None  #: an older version
    next_fire: Callable[[str, str, datetime], datetime | None] = lambda cron, zone, after: None
    things: bool = False  #: whether any mapping speaks of things, so that texts may read them
    zone: str = "UTC"  #: the operator's; of people about whose clock nothing is known
    own_numbers: tuple[str, ...] = ()  #: what a test text may go to
    require_approval: bool = False
    links_url: str = ""  #: where short links lead, without /l/; "" leaves links as they are
    new_code: Callable[[], str] = unguessable_code  #: makes the codes of short links
    retention: Mapping[str, timedelta] = field(default_factory=dict)  #: kind → how long it is kept
    traffic: Traffic = field(default_factory=Traffic)  #: whose events are no customer's
    silent_after: Mapping[str, timedelta | None] = field(default_factory=dict)
    #: sources whose silence is an alarm, by name; None goes by the source's own habit
    restored: Restored | None = None  #: that this ledger was a backup, where it was
    sender: str = ""
    in_flight: int = 10  #: calls at one time to a provider of which nothing else is said
    global_holdout: float = 0.0
    holdouts: bool = True  #: false treats everybody (demo, examples, benchmarks)
    arm: str | None = None  #: of every experiment, where examples say it; None draws
    crm_fields: Mapping[str, tuple[CrmField, ...]] = field(default_factory=dict)
    opt_out_fields: Mapping[str, str] = field(default_factory=dict)  #: by CRM: what opts out there
    crm_mappings: Mapping[str, CrmMapping] = field(default_factory=dict)
    flush_after: timedelta = timedelta(0)  #: a write-back waits so long for others to go along
    poll_every: timedelta = timedelta(minutes=1)  #: between two looks at what changed in a CRM
    starting: Mapping[str, tuple[Play, ...]] = field(default_factory=dict)
    by_kind: Mapping[Kind, tuple[Play, ...]] = field(default_factory=dict)
    top_priority: int = 0  #: the highest of any marketing play
    _watched: tuple[object, object, list[Segment]] = field(default=(None, None, []), repr=False)

    @property
    def earnest(self) -> Mode:
        """The mode of what is opened now: live, or sandbox where nothing leaves for real."""
        return Mode.sandbox if self.provider == SANDBOX else Mode.live

    def may_leave(self, mode: str) -> bool:
        """Whether a text opened in a mode may be handed to the provider of now."""
        return mode == Mode.live or (mode == Mode.sandbox and self.provider == SANDBOX)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Every provider that texts may go by: the one in use, then those of routes."""
        named = (hop.provider for route in self.routes for hop in route.hops)
        return tuple(dict.fromkeys((self.provider, *named)))

    def room_at(self, provider: str) -> int:
        """How many calls to a provider may be under way at one time."""
        account = self.accounts.get(provider)
        return account.in_flight if account is not None else self.in_flight

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Lay out the plays by what may start them; again after the files were changed."""
        starting: dict[str, list[Play]] = {}
        kinds: dict[Kind, list[Play]] = {}
        for play in self.plays.values():
            if play.start.signal:
                starting.setdefault(play.start.signal, []).append(play)
            kinds.setdefault(play.start.kind, []).append(play)
        self.starting = {name: tuple(plays) for name, plays in starting.items()}
        self.by_kind = {kind: tuple(plays) for kind, plays in kinds.items()}
        marketing = [play for play in self.plays.values() if play.purpose is Purpose.marketing]
        self.top_priority = max((play.priority for play in marketing), default=0)

    @property
    def watched(self) -> list[Segment]:
        """The segments at whose edges plays start, also those that are off just now."""
        kinds, segments, found = self._watched
        if kinds is not self.by_kind or segments is not self.segments:
            edges = [play.start.edge for play in self.by_kind.get(Kind.segment, ())]
            names = dict.fromkeys(edge.segment for edge in edges if edge is not None)
            found = [self.segments[name] for name in names if name in self.segments]
            self._watched = (self.by_kind, self.segments, found)
        return found

    def of_kind(self, kind: Kind) -> tuple[Play, ...]:
        """The plays of a kind that are not off."""
        return tuple(play for play in self.by_kind.get(kind, ()) if play.mode is not PlayMode.off)
