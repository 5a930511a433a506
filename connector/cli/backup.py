"""``connector backup``: ledger, inbox and files in one checked file, while everything runs."""

from __future__ import annotations

from pathlib import Path

import click

from connector import backup as backups
from connector.adapters import clock_of
from connector.cli import Faulty, output
from connector.cli.progress import Bar
from connector.config.loaded import load
from connector.runtime import opened


@click.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--keep", type=click.IntRange(1), help="Then remove all but the newest so many in the folder."
)
@output.json_option
@click.pass_obj
def backup(folder: Path, target: Path | None, keep: int | None, as_json: bool) -> None:
    """Back up ledger, inbox, configuration, mappings and templates into one file.

    TARGET is a file, or a folder in which a file is named after the time; without it the folder
    of [backup] in config.toml, or data/backups. Nothing has to stop for it. The copy is checked and
    read back before it gets its name. Secrets are not in it: keep them elsewhere.

    \b
    Examples:
      connector backup /mnt/safe
      connector backup before-the-sale.backup
      connector backup /mnt/safe --keep 14
    """
    loaded = load(folder, secrets=False)
    place = target or loaded.settings.backup.folder or loaded.settings.ledger / "backups"
    if target is None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with opened(loaded) as store, Bar(quiet=as_json) as bar:
        now = clock_of(loaded.settings)()
        path, manifest = backups.make(loaded.settings, store, place, now=now, progress=bar)
    removed = _prune(place, keep)
    told = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "made_at": manifest["made_at"],
        "rows": manifest["rows"],
        "removed": [str(item) for item in removed],
    }
    if as_json:
        output.json_line(told)
        return
    rows = sum(sum(tables.values()) for tables in manifest["rows"].values())
    output.say(f"Backed up and checked: {path} ({rows:,} rows, {_size(told['bytes'])}).")
    for item in removed:
        output.say(f"Removed {item}")
    output.say(f"To restore it, with everything stopped: connector restore {path}")


def _prune(place: Path, keep: int | None) -> list[Path]:
    if keep is None:
        return []
    if not place.is_dir():
        raise Faulty("--keep counts the backups of a folder: name a folder, not a file")
    return backups.prune(place, keep)


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1_000:,.1f} kB"
