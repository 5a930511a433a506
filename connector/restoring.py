"""Restoring: a backup becomes the ledger, held still until the gap since then was looked into.

1. Read the whole backup and check it before anything is touched.
2. Refuse while anything runs on the folder, and over a ledger that holds something unless told to.
3. Unpack beside the place; there put what was due by now in doubt, hold everything, and take over
   from the ledger that is replaced what must outlive it: opt-outs, pauses, people forgotten.
4. Move the old files aside, never delete them, and put the new in their place.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.backup import INSIDE, unpack, verify
from connector.config import settings as config
from connector.config.settings import Settings
from connector.errors import BadConfig, ConnectorError, Fault
from connector.ledger import schema
from connector.ledger.restores import Restored
from connector.ledger.sqlite import SqliteStore
from connector.lock import Lock
from connector.runtime import INBOX_FILE, LEDGER_FILE
from connector.steps import carryover
from connector.steps.gap import hold

HOLDS: Final = ("events", "contacts", "sends", "consents")
"""Tables of which one row makes a ledger that is not to be replaced unasked."""
BESIDE: Final = ("", "-wal", "-shm")


@dataclass(slots=True)
class Restoration:
    """What a restore did."""

    backup_at: datetime
    restored_at: datetime
    doubtful: int = 0  #: planned texts that were due by now
    aside: Path | None = None  #: where the files that were replaced are now
    files: list[str] = field(default_factory=list)  #: the folder's own files that were missing
    carried: dict[str, int] = field(default_factory=dict)  #: taken over from what was replaced
    trouble: str = ""  #: why nothing could be taken over
    pending: int = 0  #: upgrade steps that the ledger needs


def restore(file: Path, folder: Path, *, replace: bool) -> Restoration:
    """Make a backup the ledger of a folder; see the module.

    Raises ``ConnectorError`` (with what to do next) and leaves everything as it was.
    """
    manifest = verify(file)
    folder.mkdir(parents=True, exist_ok=True)
    files = _own_files(file, folder, manifest)
    settings = _settings(folder)
    with _alone(settings):
        data = settings.ledger
        if not replace and _holds_something(data / LEDGER_FILE):
            raise ConnectorError(
                f"there is a ledger in {data} that holds something; say --replace to move it aside"
            )
        now = clock_of(settings)()
        found = Restoration(clock.instant(manifest["made_at"]), now, files=files)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as work:
            places = {name: Path(work) / name for name in manifest["rows"]}
            unpack(file, places, manifest)
            _prepare(places[LEDGER_FILE], settings, found, file)
            found.aside = _put(places, data, now)
    return found


def _own_files(file: Path, folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Write what is missing of the folder's own files; nothing that is there is touched."""
    wanted = {
        name: folder / name.removeprefix(INSIDE)
        for name in manifest["files"]
        if name.startswith(INSIDE)
    }
    for name, path in wanted.items():
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ConnectorError(f"{name} in {file} leads out of the folder; it is no backup")
    missing = {name: path for name, path in wanted.items() if not path.exists()}
    unpack(file, missing, manifest)
    return sorted(name.removeprefix(INSIDE) for name in missing)


def _settings(folder: Path) -> Settings:
    faults: list[Fault] = []
    found = config.load(folder / config.FILE, faults, secrets=False)
    if faults:
        raise BadConfig(faults)
    return found


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Nothing else may run on the folder meanwhile; raises ``AlreadyRunning``."""
    taken: list[Lock] = []
    try:
        for name in ("run", "serve", "work"):
            taken.append(Lock(settings.ledger / f"{name}.lock", name).take())
        yield
    finally:
        for lock in taken:
            lock.free()


def _holds_something(ledger: Path) -> bool:
    if not ledger.exists():
        return False
    try:
        with closing(sqlite3.connect(ledger)) as connection:
            for table in HOLDS:
                with suppress(sqlite3.OperationalError):  # no such table: nothing in it
                    if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608
                        return True
    except sqlite3.DatabaseError:
        return True  # what cannot be read is not thrown over either
    return False


def _prepare(ledger: Path, settings: Settings, found: Restoration, file: Path) -> None:
    """Mark the restored ledger, before it is put in its place."""
    store, hand = SqliteStore(ledger), carryover.Hand(settings.crm.use)
    try:
        found.pending = len(set(schema.MIGRATIONS) - set(store.migrations()))
        if found.pending:
            raise ConnectorError(
                "this backup was made by an older release: restore it with that release, then "
                "run `connector upgrade` with this one"
            )
        before, found.trouble = carryover.read(settings.ledger / LEDGER_FILE, found.backup_at)
        with store.write() as tx:
            mark = Restored(found.backup_at, found.restored_at)
            found.doubtful = hold(tx, hand, mark, who=operator(), why=f"from {file.name}")
            if before is not None:
                found.carried = carryover.take(tx, hand, before, found.backup_at, found.restored_at)
    finally:
        store.close()


def _put(places: dict[str, Path], data: Path, now: datetime) -> Path | None:
    """Move what was there aside, and the new files in its place; where the old ones are."""
    there = [
        data / f"{name}{ending}"
        for name in (LEDGER_FILE, INBOX_FILE)
        for ending in BESIDE
        if (data / f"{name}{ending}").exists()
    ]
    aside = data / f"replaced-{now:%Y%m%dT%H%M%SZ}"
    while aside.exists():
        aside = aside.with_name(f"{aside.name}-again")
    if there:
        aside.mkdir(mode=0o700)
        for path in there:
            path.rename(aside / path.name)
    for name, path in places.items():
        path.rename(data / name)
    _sync(data)
    return aside if there else None


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
