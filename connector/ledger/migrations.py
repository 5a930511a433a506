"""Forward-only migrations, applied under a lock; a ledger from a newer release is refused."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database, Migrations

from connector import clock
from connector.errors import ConnectorError, LedgerTooNew
from connector.ledger import schema

migrations = Migrations("connector")


@migrations()
def m0001_first(db: Database) -> None:
    """The tables of the first release."""
    for statement in schema.FIRST:
        db.execute(statement)


def pending(db: Database) -> list[str]:
    """Names of the migrations this ledger still needs; raises ``LedgerTooNew``."""
    own = schema.MIGRATIONS
    applied: set[str] = set()
    if "_sqlite_migrations" in db.table_names():
        rows = db.query("SELECT name FROM _sqlite_migrations WHERE migration_set = 'connector'")
        applied = {str(row["name"]) for row in rows}
    if unknown := sorted(applied - set(own)):
        raise LedgerTooNew(
            f"the ledger has {', '.join(unknown)}, which this release does not know; "
            "install the newer release or restore a backup"
        )
    return [name for name in own if name not in applied]


def is_new(db: Database) -> bool:
    """Whether nothing was ever written here."""
    return "events" not in db.table_names()


def migrate(db: Database) -> list[str]:
    """Apply what is pending and return the names. The caller holds the folder's lock."""
    names = pending(db)
    if names:
        migrations.apply(db)
    return names


def backup(db: Database, folder: Path, at: datetime) -> Path:
    """Copy the ledger while it is open, check the copy, and return its path.

    Raises ``ConnectorError`` when the copy does not pass SQLite's integrity check.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = clock.text(at).replace(":", "").replace("-", "").split(".")[0]
    path = folder / f"ledger-{stamp}.db"
    copy = Database(path, execute_plugins=False)
    try:
        db.conn.backup(copy.conn)
        verdict = str(next(iter(copy.execute("PRAGMA integrity_check").fetchone())))
        counts = [
            list(side.execute("SELECT count(*) FROM events").fetchone())
            for side in (db, copy)
            if not is_new(side)
        ]
    except sqlite3.DatabaseError as error:
        verdict, counts = str(error), []
    finally:
        copy.close()
    if verdict != "ok" or (len(counts) == 2 and counts[0] != counts[1]):
        path.unlink(missing_ok=True)
        raise ConnectorError(f"the backup failed its check ({verdict}); nothing was migrated")
    return path
