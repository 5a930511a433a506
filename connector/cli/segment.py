"""``connector segment``: the segments, and who is in one of them now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import track

from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.reading import full_option
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.ledger import contacts, listings
from connector.ledger.store import Store
from connector.rules.explain import shown
from connector.rules.plays import Segment
from connector.runtime import opened
from connector.steps.segments import Judged, people

LISTED: Final = 50
MANY: Final = 2_000  #: people from which on a bar shows how far it is
COLUMNS: Final = {"id": "id", "first_name": "name", "phone": "phone", "stage": "stage"}


@click.command()
@click.argument("name", required=False, default="")
@click.option("--count", "counts", is_flag=True, help="Only tell how many they are.")
@click.option(
    "--list",
    "limit",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help=f"The N newest of them; {LISTED} unless said.",
)
@full_option
@output.json_option
@click.pass_obj
def segment(
    folder: Path, name: str, counts: bool, limit: int | None, full: bool, as_json: bool
) -> None:
    """List who is in a segment now, the newest contacts first; without a NAME, the segments.

    A list ends when it is full; --count goes through everybody. Somebody about whom a fact is
    missing is not in it, and how many they are is told.

    \b
    Examples:
      connector segment
      connector segment high_intent
      connector segment high_intent --count
      connector segment inactive_lead --list 500 --json
    """
    if counts and limit:
        raise click.UsageError("--count lists nobody; leave out --list")
    if not name and (counts or limit):
        raise click.UsageError("name the segment; `connector segment` lists them")
    loaded = load(folder, secrets=False)
    if not loaded.segments:
        raise NothingFound("there are no segments; write them in mappings/segments.toml")
    if not name:
        _show_all(loaded, as_json)
        return
    found = loaded.segments.get(name)
    if found is None:
        raise NothingFound(f"there is no segment {name}; {nearest(name, loaded.segments)}")
    with opened(loaded) as store, closing(_judged(loaded, store, found)) as judged:
        if counts:
            _count(found, judged, as_json)
        else:
            _list(store, found, judged, limit or LISTED, full, as_json)


def _show_all(loaded: Loaded, as_json: bool) -> None:
    items = [
        {
            "segment": item.name,
            "description": item.description,
            "when": " ".join(item.source.split()),
            "reads": sorted(item.paths),
            "signals": sorted(item.signals),
        }
        for item in loaded.segments.values()
    ]
    if as_json:
        output.rows(items, (), as_json=True)
        return
    for item in items:
        output.say(str(item["segment"]), style="bold")
        if item["description"]:
            output.say(f"  {item['description']}")
        output.say(f"  {item['when']}", style="dim")


def _judged(loaded: Loaded, store: Store, found: Segment) -> Generator[Judged, None, None]:
    """Everybody, with a bar on a terminal where they are many."""
    now = clock_of(loaded.settings)()
    each: Iterable[Judged] = people(store, found, loaded.segments, loaded.settings.crm.use, now)
    err = output.console(stderr=True)
    with store.read() as tx:
        total = listings.how_many(tx)
    if total >= MANY and err.is_terminal:
        each = track(each, found.name, total, console=err, transient=True)
    yield from each


def _count(found: Segment, judged: Iterator[Judged], as_json: bool) -> None:
    inside = total = 0
    untold: Counter[str] = Counter()
    for one in judged:
        total += 1
        inside += one.inside is True
        if one.inside is None:
            untold[one.why] += 1
    if as_json:
        counts = {"segment": found.name, "count": inside, "people": total}
        output.json_line({**counts, "untold": untold.total()})
    else:
        output.say(f"{inside:,} of {total:,} people are in {found.name}")
        _tell(untold)


def _list(
    store: Store, found: Segment, judged: Iterator[Judged], limit: int, full: bool, as_json: bool
) -> None:
    ids: list[str] = []
    untold: Counter[str] = Counter()
    for one in judged:
        if one.inside is None:
            untold[one.why] += 1
        elif one.inside:
            ids.append(one.contact_id)
            if len(ids) == limit:
                break
    if not ids:
        _tell(untold)
        raise NothingFound(f"nobody is in {found.name}")
    items = [item for contact_id in ids if (item := _person(store, contact_id))]
    items = items if full else [shown(item) for item in items]
    if as_json:
        output.rows(items, (), as_json=True)
        return
    rows = [{**item, "seen": _minute(item["last_seen_at"])} for item in items]
    output.rows(rows, {**COLUMNS, "seen": "last seen"})
    if len(ids) == limit:
        output.say(f"\nThe newest {limit}; `connector segment {found.name} --count` counts all")
    _tell(untold)


def _person(store: Store, contact_id: str) -> dict[str, Any] | None:
    with store.read() as tx:
        person = contacts.get(tx, contact_id)
    if person is None:
        return None
    return {
        "id": person.id,
        "first_name": person.traits.get("first_name"),
        "phone": person.phone,
        "email": person.email,
        "stage": person.stage,
        "last_seen_at": person.last_seen_at,
    }


def _tell(untold: Counter[str]) -> None:
    """Say of whom it cannot be told: a condition that reads what is often missing is a mistake."""
    if not untold:
        return
    err = output.console(stderr=True)
    why, most = untold.most_common(1)[0]
    err.print(f"of {untold.total():,} it cannot be told; of {most:,} of them: {why}")
    err.print("say what holds where a fact is missing: contact.plan | default('')")


def _minute(instant: Any) -> str:
    return f"{instant:%Y-%m-%d %H:%MZ}" if instant else ""
