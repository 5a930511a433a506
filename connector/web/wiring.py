"""What the web asks of the runtime: settings, sources, providers, the inbox and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from connector.ledger.inbox import Delivery
from connector.providers import Provider
from connector.sources import Source
from connector.sources.signatures import Scheme


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


class Settings(Protocol):
    """The configuration."""

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
    def clock(self) -> Callable[[], datetime]:
        """The present instant."""

    @property
    def plays(self) -> Mapping[str, object]:
        """Name → play, of those in use."""

    @property
    def api_keys(self) -> tuple[bytes, ...]:
        """Keys of the operator's own programs."""

    def reload(self, who: str) -> dict[str, str]:
        """Ask the worker to take over changed files; what it answered."""

    def leads_to(self, code: str) -> str:
        """The address behind the code of a short link; "" where there is no such link."""

    def ready(self) -> dict[str, str]:
        """What keeps this server from working: problem → remedy; empty when it is ready."""

    def metrics(self) -> str:
        """Figures in Prometheus' text format."""
