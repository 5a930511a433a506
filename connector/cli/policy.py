"""``connector policy``: versions of policy and hours, and what another one would have altered."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from connector import clock
from connector.adapters import clock_of
from connector.cli import Failure, NothingFound, output, policy_page, progress
from connector.cli.reading import full_option, instant, reading, since_option
from connector.config.loaded import Loaded, load
from connector.ledger import rulebooks
from connector.ledger.store import Tx
from connector.runtime import contents, opened, work_is_idle
from connector.simulate import policies, sides
from connector.simulate.altered import Change
from connector.simulate.policies import Tell
from connector.simulate.simulation import text_of

COLUMNS: Final = ("version", "kind", "seen", "decisions", "first", "last", "now")
SETTLED: Final = timedelta(minutes=1)  #: what came due before that is surely done
_NEW: Final = click.Path(dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """Show the policies that were in use, and what another one would have altered.

    \b
    Examples:
      connector policy versions
      connector policy show 3f2a91
      connector policy diff now draft.toml --since 90d
    """


@policy.command()
@output.json_option
@click.pass_obj
def versions(folder: Path, as_json: bool) -> None:
    """List each version of policy.toml and hours.toml that ever decided, the newest last.

    \b
    Example:   connector policy versions
    """
    with reading(folder) as (loaded, tx):
        found = _versions(loaded, tx)
    if not found:
        raise NothingFound("no version is kept yet; the connector keeps them when it first runs")
    output.rows(found, COLUMNS, as_json=as_json)


@policy.command()
@click.argument("version", default=sides.NOW)
@click.option("--hours", is_flag=True, help="Of hours.toml, not of policy.toml.")
@output.json_option
@click.pass_obj
def show(folder: Path, version: str, hours: bool, as_json: bool) -> None:
    """Print a version of the policy as it was written; `now` is the folder's.

    \b
    Examples:
      connector policy show
      connector policy show 3f2a91 > then.toml
    """
    kind = "hours" if hours else "policy"
    with reading(folder) as (loaded, tx):
        if version == sides.NOW:
            mine = next(part for part in contents(loaded) if part[0] == kind)
            kept = sides.Kept(kind, mine[2], mine[3], "")
        else:
            kept = _kept(sides.kept(rulebooks.versions(tx)), kind, version)
    if as_json:
        names = ("kind", "version", "seen_at", "text", "lists")
        output.json_line({name: getattr(kept, name) for name in names})
    else:
        click.echo(kept.text, nl=False)


@policy.command()
@click.argument("a")
@click.argument("b")
@since_option
@click.option("--hours", nargs=2, metavar="A B", help="Other hours for each side, named alike.")
@click.option("--play", default="", help="Only what comes of one play.")
@click.option("--csv", "table", type=_NEW, help="Write each change as a row.")
@full_option
@output.json_option
@click.pass_obj
def diff(
    folder: Path,
    a: str,
    b: str,
    since: timedelta | datetime | None,
    hours: tuple[str, str] | None,
    play: str,
    table: Path | None,
    full: bool,
    as_json: bool,
) -> None:
    """Run the recorded past under policy A and again under B, and tell what B alters.

    A and B are each a version (`connector policy versions`), a path to a policy.toml, or `now`.
    Each decision of one is laid beside that of the other: a text that goes earlier fills a cap
    for a later one. Nothing is sent or written. Until --since both sides are under the policies
    that were in force then. --hours takes other hours than the folder's, too.

    \b
    Examples:
      connector policy diff now draft.toml --since 90d
      connector policy diff 3f2a91 now --since 2026-11-01T00:00 --csv changes.csv
      connector policy diff now now --hours now mappings/hours-next.toml
    """
    loaded = load(folder, secrets=False)
    if play and play not in loaded.plays:
        raise NothingFound(f"there is no play {play}; see `connector play list`")
    begins = text_of(instant(since, loaded))
    mine, theirs = hours or (sides.NOW, sides.NOW)
    with opened(loaded) as store:
        with store.read() as tx:
            kept = sides.kept(rulebooks.versions(tx))
        both = (_side(folder, loaded, kept, a, mine), _side(folder, loaded, kept, b, theirs))
        known = policies.past(store, kept, begins)
        with _watched(as_json) as tell, _rows(table) as each:
            found = policies.diff(
                store,
                folder,
                loaded,
                both,
                known,
                begins,
                play=play,
                until=_until(loaded),
                tell=tell,
                each=each,
            )
    told = policy_page.told(found, full=full)
    if as_json:
        output.json_line(told)
    else:
        policy_page.show(told)


def _until(loaded: Loaded) -> str:
    """How far both sides go: to where a worker that is running must have done all there is."""
    if work_is_idle(loaded.settings.ledger):
        return ""
    return clock.text(clock_of(loaded.settings)() - SETTLED)


def _versions(loaded: Loaded, tx: Tx) -> list[dict[str, Any]]:
    """Each version with what it decided."""
    own = {loaded.policy.version, loaded.hours.version}
    decided = list(rulebooks.decided(tx))
    found = []
    for kept in sides.kept(rulebooks.versions(tx)):
        place = 0 if kept.kind == "policy" else 1
        mine = [row for row in decided if row["version"].split("+")[place] == kept.version]
        found.append(
            {
                "version": kept.version,
                "kind": kept.kind,
                "seen": _day(kept.seen_at),
                "seen_at": kept.seen_at,
                "decisions": sum(row["decisions"] for row in mine),
                "first": _day(min((row["first_at"] for row in mine), default="")),
                "last": _day(max((row["last_at"] for row in mine), default="")),
                "now": kept.version in own,
            }
        )
    return found


def _side(
    folder: Path, loaded: Loaded, kept: list[sides.Kept], policy: str, hours: str
) -> sides.Side:
    try:
        return sides.side(folder, loaded, kept, policy, hours)
    except sides.NoSuchVersion as error:
        raise NothingFound(str(error)) from error


def _kept(known: list[sides.Kept], kind: str, version: str) -> sides.Kept:
    try:
        return sides.find(known, kind, version)
    except sides.NoSuchVersion as error:
        raise NothingFound(str(error)) from error


def _day(at: str) -> str:
    return f"{at[:10]} {at[11:16]}Z" if at else ""


@contextmanager
def _watched(quiet: bool) -> Iterator[Tell]:
    """What shows how far it is, and under whose policy."""
    with progress.counted(26, quiet=quiet) as tell:
        yield lambda side, at, count: tell(
            f"under {side.upper()}: {at[:16].replace('T', ' ')}", count
        )


@contextmanager
def _rows(path: Path | None) -> Iterator[Callable[[Change], None]]:
    """What writes each change as a row, where a file is wanted."""
    if path is None:
        yield lambda change: None
        return
    try:
        path.touch(mode=0o600)
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, policy_page.CSV)
            writer.writeheader()
            yield lambda change: writer.writerow(policy_page.row(change))
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error
