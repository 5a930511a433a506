"""``connector crm sync``: contacts and history are fetched from the CRM, page by page."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from connector.actor import operator
from connector.cli import Failure, Faulty, output
from connector.cli.progress import counted
from connector.cli.reading import read_since
from connector.config.loaded import Loaded, load
from connector.errors import CrmUnavailable
from connector.ledger import acts
from connector.lock import Lock
from connector.runtime import Waker, open_setup, opened
from connector.steps import crmbulk, crmsync, crmwrite
from connector.steps.crmsync import Way
from connector.steps.setup import Setup

LOCK: Final = "crm_sync.lock"
WORDS: Final = 12  #: width of what is said before the bar
SAYS: Final[Mapping[str, str]] = {
    "new": "new here",
    "linked": "linked to somebody known",
    "merged": "merged",
    "apart": "kept apart",
    "unlinked": "without anybody here",
    "opted_out": "opted out there",
    "changed": "changed",
    "same": "as we had them",
    "skipped": "older than --since",
    "left": "changed since the CRM is polled: `connector run` takes them as news",
    "failed": "at fault",
}
Pause = Callable[[float], None]


@click.command()
@click.option(
    "--objects", default="", help="Only these, e.g. contact,deal,meeting. Default: all mapped."
)
@click.option(
    "--since", callback=read_since, metavar="SPAN", help="Only what changed since: 90d, 2026-01-01."
)
@click.option("--write", is_flag=True, help="The other way too: owe the CRM what it was not told.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--restart", is_flag=True, help="Begin anew where one was broken off.")
@output.json_option
@click.pass_obj
def sync(
    folder: Path,
    objects: str,
    since: timedelta | datetime | None,
    write: bool,
    dry_run: bool,
    restart: bool,
    as_json: bool,
) -> None:
    """Fetch contacts and what became of deals and meetings, as far back as the CRM tells.

    It starts no play and grants no consent; an opt-out that it finds is obeyed. It may run beside
    `connector run`. Ctrl-C breaks it off, and the next one goes on there. With --write the CRM is
    owed every known contact's fields anew, and texts, replies and outcomes that it was never told.

    \b
    Examples:
      connector crm sync --dry-run
      connector crm sync --objects contact --since 365d
      connector crm sync --write
    """
    loaded = load(folder)
    with opened(loaded) as store:
        lock = Lock(loaded.settings.ledger / LOCK, "crm sync").take()
        try:
            rt = open_setup(loaded, store)
            names = _objects(rt, loaded, objects)
            begins = rt.clock() - since if isinstance(since, timedelta) else since
            if not dry_run:
                _begin(rt, names, restart=restart)
            ways = fetch(rt, names, begins, dry=dry_run, quiet=as_json)
            owes = _write(rt, dry=dry_run, quiet=as_json) if write else None
        finally:
            lock.free()
        if not dry_run:
            Waker(loaded.settings.ledger)()
    _tell(ways, owes, dry_run, as_json)


def fetch(
    rt: Setup,
    names: Sequence[str],
    since: datetime | None = None,
    *,
    dry: bool = False,
    quiet: bool = False,
    pause: Pause = time.sleep,
) -> dict[str, Way]:
    """Back-fill these objects, waiting where the CRM asks for it; how each then stands.

    Raises ``Failure`` where it is broken off, with what to do next.
    """
    ways: dict[str, Way] = {}
    try:
        with counted(WORDS, quiet=quiet) as shows:
            for told in crmsync.run(rt, names, since, dry=dry):
                if isinstance(told, Way):
                    ways[told.object] = told
                    shows(told.object, told.counts.get("read", 0))
                    continue
                seconds, known = told.span / timedelta(seconds=1), ways.get(told.object)
                waits = f"{told.object} waits {round(seconds)} s: {told.why}"
                shows(waits, known.counts.get("read", 0) if known else 0)
                pause(seconds)
    except CrmUnavailable as error:
        remedy = f" {error.remedy}." if error.remedy else ""
        raise Failure(f"{error}{remedy} {_next(dry)}") from error
    except KeyboardInterrupt as error:
        raise Failure(f"broken off. {_next(dry)}") from error
    return ways


def _next(dry: bool) -> str:
    again = "nothing was changed" if dry else "the same command goes on where it stopped"
    return f"{again[0].upper()}{again[1:]}."


def _objects(rt: Setup, loaded: Loaded, wanted: str) -> list[str]:
    """The objects to fetch, people first; raises ``Faulty`` for one that is not mapped."""
    known = [name for name in rt.crms[rt.crm].objects if name in loaded.crm.wanted.fields]
    if not known:
        raise Faulty(f"the CRM {rt.crm!r} has nothing to fetch; choose another by [crm] use")
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise Faulty(f"{name!r:.60} is not read from {rt.crm}; choose from {', '.join(known)}")
    return [name for name in known if name in names or not names]


def _begin(rt: Setup, names: Sequence[str], *, restart: bool) -> None:
    with rt.store.write() as tx:
        if restart:
            crmsync.forget(tx, rt.crm, names)
            crmwrite.forget(tx, rt.crm)
        act, why = rt.new_id("act"), ", ".join(names)
        acts.add(tx, act, "crm_synced", f"crm:{rt.crm}", who=operator(), why=why, at=rt.clock())


def _write(rt: Setup, *, dry: bool, quiet: bool) -> Counter[str]:
    counts = Counter[str]()
    try:
        with counted(WORDS, quiet=quiet) as shows:
            for counts in crmwrite.run(rt, dry=dry):
                shows("people owed", counts["people"])
            written = 0
            for some in () if dry else crmbulk.run(rt):
                written += some
                shows("written", written)
    except KeyboardInterrupt as error:
        raise Failure(f"broken off. {_next(dry)}") from error
    return counts


def _tell(
    ways: Mapping[str, Way], owes: Mapping[str, int] | None, dry: bool, as_json: bool
) -> None:
    if as_json:
        found = [
            {"object": way.object, **_counts(way), "look_at": way.samples} for way in ways.values()
        ]
        for line in (*found, *([{"object": "written", **owes}] if owes is not None else [])):
            output.json_line({**line, "dry_run": dry})
        return
    for way in ways.values():
        output.say(_line(way))
        for record, why in way.samples:
            output.say(f"  {way.object} {record}: {why}")
        hidden = way.counts.get("apart", 0) + way.counts.get("failed", 0) - len(way.samples)
        if hidden > 0:
            output.say(f"  … and {hidden:,} more")
    if owes is not None:
        parts = ", ".join(f"{count:,} {name}" for name, count in owes.items())
        output.say(f"{'It would be' if dry else 'The CRM is'} owed: {parts or 'nothing'}.")
    if dry:
        output.say("Nothing was changed; without --dry-run it is.")


def _counts(way: Way) -> dict[str, int]:
    return {name: way.counts.get(name, 0) for name in ("read", *SAYS)}


def _line(way: Way) -> str:
    counts = _counts(way)
    parts = [f"{counts[name]:,} {says}" for name, says in SAYS.items() if counts[name]]
    return f"{way.object}: {counts['read']:,} read; {', '.join(parts) or 'nothing to take'}"
