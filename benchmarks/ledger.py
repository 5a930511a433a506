"""Looks into a ledger from outside, as another process would."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.processes import until


def one(folder: Path, sql: str) -> Any:
    """The first column of the first row; 0 while there is no ledger yet."""
    place = folder / "data" / "ledger.db"
    if not place.exists():
        return 0
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=10)) as ledger:
        row = ledger.execute(sql).fetchone()
    return row[0] if row else None


def wait_for_events(folder: Path, count: int) -> None:
    """Wait until the worker has taken as many events into the ledger."""
    sql = "SELECT count(*) FROM events"
    until(lambda: one(folder, sql) >= count, 600, "the worker has not come so far", 0.25)


def wait_for_sends(folder: Path, count: int) -> None:
    """Wait until as many texts were handed over and their answers settled."""
    sql = "SELECT count(*) FROM sends WHERE accepted_at IS NOT NULL"
    until(lambda: one(folder, sql) >= count, 600, "not every text was sent", 0.1)


def wait_for_writebacks(folder: Path) -> None:
    """Wait until the CRM is owed nothing."""
    sql = "SELECT count(*) FROM writebacks WHERE state = 'owed'"
    until(lambda: not one(folder, sql), 600, "not everything was written to the CRM", 0.1)


def backlog(folder: Path) -> int:
    """Deliveries in the inbox that the worker has not moved yet."""
    moved = int(one(folder, "SELECT value FROM cursors WHERE name = 'inbox'") or 0)
    with closing(sqlite3.connect(f"file:{folder}/data/inbox.db?mode=ro", uri=True)) as inbox:
        last = inbox.execute("SELECT max(seq) FROM inbox").fetchone()[0]
    return int(last or 0) - moved
