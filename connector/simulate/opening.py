"""Opening: what the steps are handed in a world of its own, made from an operator's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connector import cron
from connector.adapters import crm_source
from connector.clock import CODE_LENGTH, CODE_LETTERS
from connector.config.loaded import Loaded
from connector.config.plays import revive
from connector.ledger.inbox import Delivery
from connector.ledger.store import Store
from connector.model import Hook, Parsed
from connector.runtime import of_files
from connector.simulate.carrier import Carrier
from connector.steps.setup import OpenSource, Setup

CHANCE: Final = 0.5
IN_FLIGHT: Final = 100_000  #: calls to the carrier, which never keeps anybody waiting


class Ids:
    """Identifiers that count up, so that the same inputs make the same ones."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count:020x}"

    def code(self) -> str:
        """The code of a short link."""
        self._count += 1
        left, letters = self._count, []
        for _ in range(CODE_LENGTH):
            left, place = divmod(left, len(CODE_LETTERS))
            letters.append(CODE_LETTERS[place])
        return "".join(reversed(letters))


class NoInbox:
    """An inbox into which nothing comes: what happens is told to the world itself."""

    def after(self, seq: int, limit: int) -> list[Delivery]:
        """Nothing."""
        return []

    def close(self) -> None:
        """Nothing is open."""


class ReadAlready:
    """A source's adapter whose events were read when they came."""

    def verify(self, hook: Hook, now: datetime) -> None:
        """Nobody calls."""

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """Nothing is left to read."""
        return Parsed()


def open_world(
    loaded: Loaded, store: Store, clock: Callable[[], datetime], ids: Ids, carrier: Carrier
) -> Setup:
    """Everything a step may use, by the files of a folder; nothing of it reaches anybody."""
    settings = loaded.settings
    inbox: Any = NoInbox()
    return Setup(
        store=store,
        inbox=inbox,
        clock=clock,
        new_id=ids,
        new_code=ids.code,
        chance=lambda: CHANCE,
        providers=dict.fromkeys(settings.provider.carriers, carrier),
        provider=settings.provider.use,
        crms={},
        crm=settings.crm.use,
        links_url=settings.web.public_url,
        in_flight=IN_FLIGHT,
        routes=settings.provider.active,
        only_routes=settings.provider.only_routes,
        revive=revive,
        next_fire=cron.next_fire,
        **{**of_files(loaded), "sources": sources_of(loaded)},
    )


def sources_of(loaded: Loaded, more: Sequence[OpenSource] = ()) -> dict[str, OpenSource]:
    """The folder's sources by name, without what they are verified with."""
    own = (
        OpenSource(name, source.trust, ReadAlready(), loaded.mappings[source.mapping])
        for name, source in loaded.settings.sources.items()
    )
    crm = crm_source(loaded)
    told = () if crm is None else (replace(crm, adapter=ReadAlready()),)
    return {source.name: source for source in (*told, *own, *more)}
