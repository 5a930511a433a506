"""``connector events``: what was heard, and a second try for what was kept aside."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import track

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.reading import instant, limit_option, reading, since_option
from connector.config.loaded import load
from connector.ledger import acts, listings
from connector.ledger.sqlite import SqliteStore
from connector.runtime import Waker, open_setup, opened
from connector.steps.replay import AT_ONCE, Became, replay_events, replay_piece
from connector.steps.setup import Setup

STATES: Final = ("failed", "unmapped", "unreadable")
MANY: Final = 200  #: from so many on a bar shows how far it has come
REASONS_TOLD: Final = 10


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Only what was kept aside, and why.")
@click.option("--source", default="", help="Only events of this source.")
@since_option
@limit_option(50)
@output.json_option
@click.pass_context
def events(
    ctx: click.Context,
    state: str | None,
    source: str,
    since: timedelta | datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List events, the newest first; `events replay` tries anew what was kept aside.

    failed: its mapping or a step raised. unmapped: no mapping makes a signal of it.
    unreadable: it could not even be taken apart. Exits with 3 when there is nothing to list.

    \b
    Examples:
      connector events --since 1h
      connector events --state unmapped --source backend
      connector events replay --failed
    """
    if ctx.invoked_subcommand is not None:
        return
    with reading(ctx.obj) as (loaded, tx):
        bounds: dict[str, Any] = {"since": instant(since, loaded), "limit": limit}
        if state == "unreadable":
            found = listings.unreadable(tx, source=source, **bounds)
        else:
            found = listings.events(tx, state=state or "", source=source, **bounds)
    if not found:
        raise NothingFound("there are no such events; widen --since, --state or --source")
    if as_json:
        output.rows(found, (), as_json=True)
    else:
        output.rows(map(_row, found), ("id", "heard", "source", "name", "became"))


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(item["received_at"])
    state = item.get("state", "unreadable")
    return {
        **item,
        "heard": f"{at:%m-%d %H:%M}",
        "name": item.get("name") or item.get("type") or item.get("url"),
        "became": f"{state}: {item['reason']}" if item["reason"] else state,
    }


@events.command()
@click.argument("ids", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed.")
@click.option("--unmapped", is_flag=True, help="All that no mapping made a signal of.")
@click.option("--unreadable", is_flag=True, help="All that could not be read.")
@click.option("--source", default="", help="Of these, only what came from this source.")
@output.json_option
@click.pass_obj
def replay(
    folder: Path,
    ids: tuple[str, ...],
    failed: bool,
    unmapped: bool,
    unreadable: bool,
    source: str,
    as_json: bool,
) -> None:
    """Read and map anew what was kept aside, with the files as they are now.

    Nothing that has come of an event happens twice: what is done is left alone. A signal older
    than 48 hours is recorded but starts no play. It may run beside `connector run`.

    \b
    Examples:
      connector events replay evt_06f3k9pz4c7d2xyh
      connector events replay --unmapped --source backend
      connector events replay --failed --unreadable
    """
    states = [name for name, on in zip(STATES, (failed, unmapped, unreadable), strict=True) if on]
    if not ids and not states:
        raise click.UsageError("name ids, or say --failed, --unmapped or --unreadable")
    loaded = load(folder)
    with opened(loaded) as store, _quiet():
        chosen = _chosen(store, ids, states, source)
        became = list(_replay(open_setup(loaded, store), chosen)) if chosen else []
        if became:
            _note(store, [source, *states], len(became), clock_of(loaded.settings)())
        Waker(loaded.settings.ledger)()
    if not became:
        raise NothingFound("there is nothing to replay: no such id, or it is done already")
    if as_json:
        output.rows(
            ({"id": item.id, "state": item.state, "reason": item.reason} for item in became),
            (),
            as_json=True,
        )
    else:
        _tell(became)


def _chosen(
    store: SqliteStore, ids: Sequence[str], states: Sequence[str], source: str
) -> list[str]:
    """What to replay, each once: the ids named, then all of the states asked for."""
    with store.read() as tx:
        found = list(ids)
        for state in states:
            if state == "unreadable":
                rows = listings.unreadable(tx, source=source, limit=1_000_000)
                found += [str(row["id"]) for row in reversed(rows)]
            else:
                found += listings.aside(tx, state, source)
    return list(dict.fromkeys(found))


def _note(store: SqliteStore, what: Sequence[str], count: int, now: datetime) -> None:
    """Keep who had events replayed, and which."""
    told = " ".join(filter(None, what)) or "by their ids"
    with store.write() as tx:
        act = clock.new_id("act")
        acts.add(tx, act, "replay", "events", who=operator(), why=f"{count}, {told}", at=now)


def _replay(rt: Setup, ids: Sequence[str]) -> Iterator[Became]:
    kept = [id_ for id_ in ids if not id_.startswith("unr_")]
    pieces = [id_ for id_ in ids if id_.startswith("unr_")]
    slices = [kept[place : place + AT_ONCE] for place in range(0, len(kept), AT_ONCE)]
    for part in _shown(slices, "mapping", len(kept)):
        yield from replay_events(rt, part)
    for piece in _shown(pieces, "reading", len(pieces)):
        if became := replay_piece(rt, piece):
            yield became


def _shown(parts: Sequence[Any], doing: str, count: int) -> Iterable[Any]:
    """The parts, with a bar on a terminal where there are many."""
    err = output.console(stderr=True)
    if count < MANY or not err.is_terminal:
        return parts
    return track(parts, description=doing, console=err, transient=True)


def _tell(became: Sequence[Became]) -> None:
    counts = Counter(item.state for item in became)
    told = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    output.say(f"{len(became)} replayed: {told}")
    reasons = Counter((item.state, item.reason) for item in became if item.state != "done")
    for (state, reason), count in reasons.most_common(REASONS_TOLD):
        output.say(f"  {count} {state}: {reason}")
    if len(reasons) > REASONS_TOLD:
        output.say(f"  and {len(reasons) - REASONS_TOLD} other reasons; see --json")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the log's line for each event: what became of them is told at the end."""
    log = logging.getLogger("connector")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
