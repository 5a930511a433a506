"""``connector upgrade``: back the ledger up, check the copy, and bring the ledger up to date."""

from __future__ import annotations

from pathlib import Path

import click

from connector import clock
from connector.config.loaded import load
from connector.ledger import migrations
from connector.ledger.sqlite import SqliteStore
from connector.lock import Lock
from connector.runtime import LEDGER_FILE


@click.command()
@click.pass_obj
def upgrade(folder: Path) -> None:
    """Bring the ledger to this release, after a backup that was checked.

    Nothing else may run on the folder meanwhile. A ledger written by a newer release is refused.

    \b
    Example:   connector -C shop upgrade
    """
    settings = load(folder).settings
    locks = [Lock(settings.ledger / f"{name}.lock", name) for name in ("run", "serve", "work")]
    for lock in locks:
        lock.take()
    store = SqliteStore(settings.ledger / LEDGER_FILE)
    try:
        database = store.database()
        waiting = migrations.pending(database)
        if not waiting:
            click.echo("The ledger is up to date; nothing was changed.")
            return
        if not migrations.is_new(database):
            copy = migrations.backup(database, settings.ledger / "backups", clock.now())
            click.echo(f"Backed up and checked: {copy}")
        for name in migrations.migrate(database):
            click.echo(f"Applied {name}")
    finally:
        store.close()
        for lock in locks:
            lock.free()
