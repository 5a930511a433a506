"""The web's side of the house: what its doors are handed, opened after forking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connector import runtime
from connector.adapters import clock_of, open_providers, open_sources
from connector.clock import new_id, now
from connector.config.loaded import Loaded, load
from connector.config.settings import Settings
from connector.ledger import links
from connector.ledger.inbox import Inbox, InboxReader
from connector.ledger.sqlite import SqliteStore
from connector.providers import Provider
from connector.rules.plays import Play
from connector.runtime import INBOX_FILE, Waker, moved, work_is_idle
from connector.steps import hearing
from connector.steps.alerting import raise_all
from connector.steps.faultlog import FaultLog
from connector.steps.setup import OpenSource, Setup

BRIEFLY = 0.5  #: seconds that the ledger is waited for to raise an alarm


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the operator's own programs, in the clear."""

    name: str
    secret: bytes
    scopes: frozenset[str]

    def __repr__(self) -> str:
        return f"Key({self.name})"


@dataclass(slots=True)
class WebSide:
    """What the web is handed: it records, and reads just enough to say how things stand.

    The few acts of the API that must be in effect when they are answered (an opt-out, a pause)
    it writes to the ledger itself.
    """

    loaded: Loaded
    store: SqliteStore
    sources: Mapping[str, OpenSource]
    write_keys: Mapping[bytes, str]
    providers: Mapping[str, Provider]
    inbox: Inbox
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    api_keys: tuple[Key, ...] = ()
    new_id: Callable[[str], str] = new_id
    faults: FaultLog = field(default_factory=FaultLog, repr=False)
    _asking: Setup | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.loaded.settings

    @property
    def ledger_folder(self) -> Path:
        """Beside the ledger, where captures are kept."""
        return self.settings.ledger

    @property
    def crm(self) -> str:
        """The name of the CRM that is written to."""
        return self.settings.crm.use

    @property
    def plays(self) -> Mapping[str, Play]:
        """The plays in use."""
        return self.loaded.plays

    def renew(self, loaded: Loaded) -> None:
        """Take over the files that the worker has taken over."""
        self.loaded, self._asking = loaded, None
        self.sources = open_sources(loaded)
        self.write_keys, self.api_keys = write_keys(loaded.settings), api_keys(loaded.settings)

    def asking(self) -> Setup:
        """What the gate's rules are asked with, made when somebody first asks."""
        if self._asking is None:
            reader = InboxReader(self.settings.ledger / INBOX_FILE)
            self._asking = runtime.for_asking(self.loaded, self.store, reader, self.providers)
        return self._asking

    def raise_faults(self) -> None:
        """Raise what the web logged as errors as alarms; the worker tells them."""
        if faults := self.faults.take():
            with self.store.write(BRIEFLY) as tx:
                raise_all(tx, self.new_id, faults, self.clock())

    def note_alive(self) -> None:
        """Note that callbacks are heard; where they were not for long, marketing is held."""
        with self.store.write(BRIEFLY) as tx:
            hearing.note(tx, self, hearing.WEB, now(), self.clock())

    def reload(self, who: str) -> dict[str, str]:
        """Ask the worker to take over the folder's files; what it answered."""
        from connector.reloading import ask

        done = ask(self.settings, self.store, who)
        if done["act"] == "reloaded":
            self.renew(load(self.settings.folder))
        return {"result": done["act"], "version": done["version"], "why": done["why"]}

    def leads_to(self, code: str) -> str:
        """The address behind the code of a short link; "" where there is no such link."""
        with self.store.read() as tx:
            found = links.get(tx, code)
        return str(found["url"]) if found else ""

    def ready(self) -> dict[str, str]:
        """What keeps requests from being taken: problem → remedy."""
        problems = {}
        try:
            moved(self.store)
        except Exception as error:  # a door: whatever is wrong, the answer is "not ready"
            problems[f"the ledger cannot be read ({type(error).__name__})"] = (
                "look at the disk and run `connector check`"
            )
        if self.inbox.is_low:
            problems["the disk is all but full"] = "make room on it; only callbacks are taken"
        if self.is_idle():
            problems["no worker runs on this folder"] = "start `connector run` or `connector work`"
        return problems

    def is_idle(self) -> bool:
        """Whether no worker runs on this folder."""
        return work_is_idle(self.settings.ledger)

    def metrics(self) -> str:
        """Figures in Prometheus' text format, from indexes and counters only."""
        from connector.metrics import render

        with self.store.read() as tx:
            return render(tx, self.inbox)


def open_web(loaded: Loaded) -> WebSide:
    """Everything the web needs; opened after forking."""
    settings = loaded.settings
    store = runtime.open_ledger(settings)
    wake = Waker(settings.ledger)
    inbox = Inbox(
        settings.ledger / INBOX_FILE,
        moved=lambda: moved(store),
        wake=wake,
        share=_share(settings),
        max_pages=settings.web.inbox_mb * 256,
    )
    return WebSide(
        loaded,
        store,
        open_sources(loaded),
        write_keys(settings),
        open_providers(settings, calls=False),
        inbox,
        clock_of(settings),
        wake,
        api_keys(settings),
    )


def write_keys(settings: Settings) -> dict[bytes, str]:
    """Write key → the name of its source."""
    return {
        key.reveal().encode(): name
        for name, source in settings.sources.items()
        for key in source.keys
    }


def api_keys(settings: Settings) -> tuple[Key, ...]:
    """The keys that the operator's own programs bear."""
    return tuple(
        Key(item.name, item.key.reveal().encode(), item.scopes) for item in settings.api_keys
    )


def _share(settings: Settings) -> int:
    """How much of one source may wait: of the inbox's room a quarter is kept for callbacks."""
    room = settings.web.inbox_mb * 1024 * 3 // 4
    return min(settings.web.backlog, room // max(1, len(settings.sources)))
