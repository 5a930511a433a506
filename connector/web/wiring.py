"""What the web asks of the runtime: settings, sources, providers, the inbox and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connector.config.forms import Form
from connector.ledger.inbox import Delivery
from connector.ledger.store import Tx
from connector.providers import Provider
from connector.rules.plays import Play
from connector.rules.traffic import Traffic
from connector.sources import Source
from connector.sources.signatures import Scheme
from connector.steps.setup import Setup


class WebSettings(Protocol):
    """The ``[web]`` table, as far as requests are concerned."""

    @property
    def public_url(self) -> str:
        """How the world reaches this server; "" takes the Host header's word for it."""

    @property
    def trusted_proxies(self) -> int:
        """How many proxies stand before this server and add forwarding headers."""

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins whose pages may send events; ``*`` for all."""

    @property
    def country_header(self) -> str:
        """The header in which a CDN tells the country of who asks; "" for none."""


class Key(Protocol):
    """A key of the operator's own programs."""

    @property
    def name(self) -> str:
        """What its acts are kept under."""

    @property
    def secret(self) -> bytes:
        """What a request bears."""

    @property
    def scopes(self) -> frozenset[str]:
        """What it is for: read, send, consent, operate."""


class Ledger(Protocol):
    """The ledger, whose turn to write the web waits for with a bound."""

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only reads."""

    def write(self, patience: float = -1.0) -> AbstractContextManager[Tx]:
        """A transaction that may write; raises ``LedgerBusy`` after ``patience`` seconds."""


class Settings(Protocol):
    """The configuration."""

    @property
    def country(self) -> str:
        """Of numbers written without a + in front."""

    @property
    def timezone(self) -> str:
        """The operator's own clock."""

    @property
    def language(self) -> str:
        """Of the pages that people see who sent a form."""

    @property
    def forms(self) -> Mapping[str, Form]:
        """The forms that are taken, by the name in their address."""

    @property
    def traffic(self) -> Traffic:
        """The ``[traffic]`` table."""

    @property
    def web(self) -> WebSettings:
        """The ``[web]`` table."""


class SourceMapping(Protocol):
    """A source's mapping file, as far as requests are concerned."""

    @property
    def verify(self) -> Scheme | None:
        """How it signs; None where write keys prove its requests."""


class OpenSource(Protocol):
    """A configured source with its adapter."""

    @property
    def adapter(self) -> Source:
        """Proves and reads its requests."""

    @property
    def mapping(self) -> SourceMapping:
        """Its mapping file."""


class Appends(Protocol):
    """The inbox's one verb."""

    def append(self, delivery: Delivery) -> None:
        """Return once it is on disk; raise ``Overloaded`` or ``StorageRefused`` if it is not."""


class WebRuntime(Protocol):
    """What the doors are given."""

    @property
    def settings(self) -> Settings:
        """The configuration."""

    @property
    def sources(self) -> Mapping[str, OpenSource]:
        """Configured name → source."""

    @property
    def write_keys(self) -> Mapping[bytes, str]:
        """Write key → name of its source."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Name → provider."""

    @property
    def inbox(self) -> Appends:
        """Where accepted requests go."""

    @property
    def ledger_folder(self) -> Path | None:
        """Beside the ledger, where captures are kept; None where nothing can be."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present instant."""

    @property
    def plays(self) -> Mapping[str, Play]:
        """Name → play, of those in use."""

    @property
    def api_keys(self) -> Sequence[Key]:
        """Keys of the operator's own programs; none turns the API off."""

    @property
    def store(self) -> Ledger:
        """The ledger, for the few acts that must be in effect when they are answered."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""

    @property
    def crm(self) -> str:
        """The name of the CRM that is written to."""

    @property
    def wake(self) -> Callable[[], None]:
        """Wakes the worker."""

    def is_idle(self) -> bool:
        """Whether no worker runs on this folder."""

    def asking(self) -> Setup:
        """What the gate's rules are asked with."""

    def reload(self, who: str) -> dict[str, str]:
        """Ask the worker to take over changed files; what it answered."""

    def leads_to(self, code: str) -> str:
        """The address behind the code of a short link; "" where there is no such link."""

    def ready(self) -> dict[str, str]:
        """What keeps this server from working: problem → remedy; empty when it is ready."""

    def metrics(self) -> str:
        """Figures in Prometheus' text format."""
