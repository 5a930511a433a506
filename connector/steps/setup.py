"""What every step is handed: opened once by a door, passed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.crms import Crm
from connector.expressions import Template
from connector.ledger.inbox import InboxReader
from connector.ledger.store import Store
from connector.model import Mode, Trust
from connector.providers import Provider
from connector.rules.mapping import SourceMapping
from connector.rules.plays import Play
from connector.rules.policy import Rulebook
from connector.rules.stages import Stages
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
    callback_url: str = ""  #: where the provider reports to; "" for none
    sender: str = ""
    in_flight: int = 10
    global_holdout: float = 0.0
    holdouts: bool = True  #: false treats everybody (demo, examples, benchmarks)
    crm_fields: Mapping[str, tuple[CrmField, ...]] = field(default_factory=dict)
    starting: Mapping[str, tuple[Play, ...]] = field(default_factory=dict)

    @property
    def earnest(self) -> Mode:
        """The mode of what is opened now: live, or sandbox where nothing leaves for real."""
        return Mode.sandbox if self.provider == SANDBOX else Mode.live

    def may_leave(self, mode: str) -> bool:
        """Whether a text opened in a mode may be handed to the provider of now."""
        return mode == Mode.live or (mode == Mode.sandbox and self.provider == SANDBOX)

    def __post_init__(self) -> None:
        """Index the plays by the signal that starts them."""
        starting: dict[str, list[Play]] = {}
        for play in self.plays.values():
            starting.setdefault(play.start.signal, []).append(play)
        self.starting = {name: tuple(plays) for name, plays in starting.items()}
