"""Snapshots: copies of ledger and inbox as they were at one instant, while both are written to.

1. In the write turn (no longer than it takes to begin two reads) the inbox is read first, then the
   ledger: the worker can have moved nothing in between, so that each delivery is in at least one.
2. Outside it the pages are copied a few at a time. The reads stand still, writers do not: they
   write on into the log, which grows by what is written meanwhile and is tidied afterwards.
3. Each copy is made a file of its own (no log beside it) and checked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError
from connector.ledger.sqlite import BUSY_MS, SqliteStore

PAGES: Final = 2_000  #: copied at a time, 8 MB
Progress = Callable[[str, int, int], None]
"""Told the file, the pages copied, and how many there are."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One copy that passed its checks."""

    path: Path
    rows: dict[str, int]  #: table → how many


@contextmanager
def standing_still(
    store: SqliteStore, inbox: Path, clock: Callable[[], datetime]
) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection | None, datetime]]:
    """(ledger, inbox, when) as readers of one instant, until the block ends."""
    ledger = _reader(store.path)
    with closing(ledger):
        waiting = _reader(inbox) if inbox.exists() else None
        try:
            with store.turn():
                at = clock()
                for connection in (waiting, ledger):
                    if connection is not None:
                        connection.execute("BEGIN")
                        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield ledger, waiting, at
        finally:
            if waiting is not None:
                waiting.close()


def copy(source: sqlite3.Connection, target: Path, progress: Progress) -> Copied:
    """Copy a standing reader's state into a new file of its own, and check it.

    Raises ``ConnectorError`` where the copy does not pass SQLite's integrity check or lacks rows.
    """
    target.touch(mode=0o600)
    with closing(sqlite3.connect(target, isolation_level=None)) as made:
        made.execute("PRAGMA synchronous = OFF")  # synced once, when it is whole
        source.backup(
            made,
            pages=PAGES,
            progress=lambda _, left, total: progress(target.name, total - left, total),
            sleep=0,
        )
        made.execute("PRAGMA journal_mode = DELETE").fetchone()
        rows = check(made, target.name)
        if rows != counts(source):
            raise ConnectorError(f"the copy of {target.name} lacks rows; nothing was kept")
    return Copied(target, rows)


def check(made: sqlite3.Connection, name: str) -> dict[str, int]:
    """How many rows each table of a copy has; raises ``ConnectorError`` where it is not whole."""
    try:
        verdict = str(made.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise ConnectorError(f"{name} did not pass SQLite's integrity check: {verdict}")
    return counts(made)


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {
        str(name): int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608
        for (name,) in names
    }


def _reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA query_only = ON")
    return connection
