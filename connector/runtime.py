"""The runtime: settings, ledger, adapters and files, opened once by a door and passed down."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from connector import actor, clock, cron
from connector.adapters import (
    callback_url,
    clock_of,
    open_crms,
    open_providers,
    open_sources,
)
from connector.config import libraries
from connector.config.loaded import Loaded
from connector.config.plays import revive, segments_text
from connector.config.settings import Settings
from connector.errors import ConnectorError, StorageRefused
from connector.ledger import cursors, files, restores, schema
from connector.ledger.inbox import InboxReader
from connector.ledger.sqlite import SqliteStore, refused
from connector.ledger.store import Store
from connector.providers import Provider
from connector.rules.approvals import STARTED
from connector.rules.policy import Rulebook
from connector.rules.render import version
from connector.steps import approvals
from connector.steps.advance import INBOX
from connector.steps.setup import Says, Setup

log = logging.getLogger("connector")

LEDGER_FILE = "ledger.db"
INBOX_FILE = "inbox.db"
WAKE_FILE = "wake"

T = TypeVar("T")


def patiently(act: Callable[[], T]) -> T:
    """What an act gives, tried again each second for as long as the disk refuses it."""
    told = False
    while True:
        try:
            return act()
        except Exception as error:
            if not (isinstance(error, StorageRefused) or refused(error)):
                raise
            if not told:
                log.error("act=start result=storage_refused %s: it is tried again", error)
            told = True
        threading.Event().wait(1.0)


def open_ledger(settings: Settings) -> SqliteStore:
    """The ledger, brought up to date where it is new.

    Raises ``LedgerTooNew``, or ``ConnectorError`` where an upgrade must be asked for.
    """
    store = SqliteStore(settings.ledger / LEDGER_FILE)
    if store.migrations() == schema.MIGRATIONS:
        return store
    from connector.ledger import migrations

    database = store.database()
    if migrations.is_new(database):
        with store.turn():  # two processes may open a new ledger at once
            migrations.migrate(database)
    if waiting := migrations.pending(database):
        store.close()
        raise ConnectorError(
            f"the ledger needs {len(waiting)} upgrade steps; run `connector upgrade` first "
            "(it makes a verified backup)"
        )
    return store


def open_setup(loaded: Loaded, store: Store) -> Setup:
    """What every step of the worker is handed."""
    settings = loaded.settings
    now = clock_of(settings)
    setup = Setup(
        store=store,
        inbox=InboxReader(settings.ledger / INBOX_FILE),
        clock=now,
        new_id=clock.new_id,
        chance=clock.chance,
        providers=open_providers(settings, calls=True),
        provider=settings.provider.use,
        crms=open_crms(loaded, store, now),
        crm=settings.crm.use,
        callbacks={name: callback_url(settings, name) for name in settings.provider.carriers},
        links_url=settings.web.public_url,
        in_flight=settings.provider.in_flight,
        accounts=settings.provider.accounts,
        routes=settings.provider.active,
        only_routes=settings.provider.only_routes,
        revive=revive,
        next_fire=cron.next_fire,
        **of_files(loaded),
    )
    with store.write() as tx:
        files.keep(tx, contents(loaded), now())
        setup.restored = restores.read(tx)
        why = f"started by {actor.operator()}"
        approvals.note_modes(tx, setup, STARTED, now(), why)
    return setup


def for_asking(
    loaded: Loaded, store: Store, inbox: InboxReader, known: Mapping[str, Provider]
) -> Setup:
    """What the gate's rules are asked with, where nothing is ever sent or written back."""
    settings = loaded.settings
    return Setup(
        store=store,
        inbox=inbox,
        clock=clock_of(settings),
        new_id=clock.new_id,
        chance=clock.chance,
        providers=known,
        provider=settings.provider.use,
        routes=settings.provider.active,
        only_routes=settings.provider.only_routes,
        crms={},
        crm=settings.crm.use,
        revive=revive,
        next_fire=cron.next_fire,
        **of_files(loaded),
    )


def of_files(loaded: Loaded) -> dict[str, Any]:
    """What of a setup comes from the files alone, so that a reload can swap it."""
    settings = loaded.settings
    return {
        "book": Rulebook(loaded.policy, loaded.hours),
        "stages": loaded.stages,
        "plays": loaded.plays,
        "templates": loaded.templates,
        "segments": loaded.segments,
        "things": any(rule.thing for file in loaded.mappings.values() for rule in file.events),
        "says": Says(
            settings.brand,
            settings.help_contact,
            settings.country,
            settings.language,
            settings.link_hosts,
        ),
        "sources": open_sources(loaded),
        "crm_fields": {settings.crm.use: loaded.crm.fields},
        "opt_out_fields": {settings.crm.use: loaded.crm.opt_out},
        "crm_mappings": {settings.crm.use: loaded.crm},
        "flush_after": settings.crm.flush_after,
        "poll_every": settings.crm.poll_every,
        "global_holdout": settings.holdout,
        "holdouts": settings.holdouts,
        "zone": settings.timezone,
        "retention": settings.retention.keep,
        "traffic": settings.traffic,
        "silent_after": {
            name: source.silent_after
            for name, source in settings.sources.items()
            if source.silent_after is None or source.silent_after
        },
        "own_numbers": settings.own_numbers,
        "require_approval": settings.require_approval,
    }


def renew(setup: Setup, loaded: Loaded) -> None:
    """Put the files of a folder in the place of those in use; no step may run meanwhile."""
    known = setup.crm_mappings.get(setup.crm)
    for name, value in of_files(loaded).items():
        setattr(setup, name, value)
    named = setup.crm_mappings.get(setup.crm)  # none where another CRM waits for a restart
    if known is not None and named is not None and known.wanted != named.wanted:
        setup.crms = open_crms(loaded, setup.store, setup.clock)  # it reads other fields now
    setup.index()


def version_of(loaded: Loaded) -> str:
    """One short name for all the files that decisions rest on."""
    return version("\n".join("\t".join(part[:3]) for part in sorted(contents(loaded))))


def contents(loaded: Loaded) -> Iterator[tuple[str, str, str, str]]:
    """(kind, name, version, content) of every file, and every library's data, decisions rest on."""
    for play in loaded.plays.values():
        yield "play", play.name, play.version, play.content
    yield "policy", "policy", loaded.policy.version, loaded.policy.content
    yield "hours", "hours", loaded.hours.version, loaded.hours.content
    if text := segments_text(loaded.segments.values()):
        yield "segments", "segments", version(text), text
    for file in loaded.mappings.values():
        yield "mapping", file.name, file.version, file.content
    if loaded.crm.content:
        yield "mapping", loaded.crm.name, loaded.crm.version, loaded.crm.content
    for library, release in libraries.versions().items():
        yield "library", library, release, ""


class Waker:
    """The web's side of the wake-up call: a named pipe that the worker listens to."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WAKE_FILE
        self._pipe = -1

    def __call__(self) -> None:
        """Wake the worker, if there is one; never block, never fail."""
        with suppress(OSError):
            if self._pipe < 0:
                self._pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(self._pipe, b"!")
            except BlockingIOError:
                return  # the pipe is full of calls it has not heard yet
            except BrokenPipeError:
                os.close(self._pipe)
                self._pipe = -1


def listen(folder: Path) -> int:
    """The worker's side: a file descriptor that has something to read after a wake-up call."""
    path = folder / WAKE_FILE
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR)


def moved(store: Store) -> int:
    """The last inbox number that the worker has moved into the ledger."""
    with store.read() as tx:
        return int(cursors.get(tx, INBOX, "0"))


def work_is_idle(folder: Path) -> bool:
    """Whether no worker holds this folder."""
    from connector.lock import holder

    return holder(folder / "work.lock") is None


@contextmanager
def opened(loaded: Loaded) -> Iterator[SqliteStore]:
    """The ledger for one command."""
    store = open_ledger(loaded.settings)
    try:
        yield store
    finally:
        store.close()
