"""``connector signals``: every event name heard, what it means here, and which plays use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from connector.cli import NothingFound, output
from connector.cli.reading import reading
from connector.config.loaded import Loaded
from connector.ledger import catalogue
from connector.ledger.catalogue import Entry
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.told import folded
from connector.rules.uses import Use, uses

NO_MAPPING = "no mapping"
COLUMNS = {
    "source": "source",
    "event": "event",
    "heard": "heard",
    "last": "last heard",
    "known": "known",
    "means": "signal",
    "used": "plays",
}


@click.command()
@click.option("--source", default="", help="Only events of this source.")
@click.option("--unmapped", is_flag=True, help="Only those that no mapping makes a signal of.")
@click.option("--unheard", is_flag=True, help="Also names that a mapping has and nobody sent.")
@output.json_option
@click.pass_obj
def signals(folder: Path, source: str, unmapped: bool, unheard: bool, as_json: bool) -> None:
    """List every event name heard of each source: how often, when last, and what comes of it.

    known: of those that were a customer's, the share of whom more is known than a device; empty
    where an event means nothing, since nobody looks whose it is. signal: what its mapping makes of
    it. plays: those that use that signal. Robots, your own people and tests are counted apart
    (--json: robots, staff, tests). The counts outlive the events.

    \b
    Examples:
      connector signals
      connector signals --unmapped --source site
      connector signals --unheard --json
    """
    with reading(folder) as (loaded, tx):
        entries = catalogue.entries(tx)
    items = list(_items(loaded, entries))
    if unheard:
        items += _unheard(loaded, items)
    items = [item for item in items if not source or item["source"] == source]
    if unmapped:
        items = [item for item in items if not item["signals"]]
    if not items:
        what = "there are no such events" if source or unmapped else "no event was heard yet"
        raise NothingFound(f"{what}; see `connector source list`")
    items.sort(key=lambda item: (item["source"], -item["heard"], item["event"]))
    output.rows(items if as_json else map(_row, items), COLUMNS, as_json=as_json)


def _items(loaded: Loaded, entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    files, used = _files(loaded), uses(loaded.plays.values())
    for entry in entries:
        file = files.get(entry.source)
        rules = _rules(file, entry.type, entry.name) if file else ()
        customers = entry.heard - entry.apart
        asked = customers if entry.done else 0  # what means nothing is laid at nobody's door
        yield {
            "source": entry.source,
            "event": entry.name or f"({entry.type})",
            "type": entry.type,
            "heard": entry.heard,
            "signals_made": entry.done,
            "failed": entry.failed,
            "robots": entry.robots,
            "staff": entry.staff,
            "tests": entry.tests,
            "known_share": round(entry.known / asked, 4) if asked else None,
            "first_heard": entry.first_at,
            "last_heard": entry.last_at,
            **_meaning(rules, used),
        }


def _unheard(loaded: Loaded, items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Names that a source's mapping has, and that it never sent."""
    used = uses(loaded.plays.values())
    heard = {(item["source"], folded(item["event"])) for item in items}
    for source, file in _files(loaded).items():
        for name, rules in file.by_name.items():
            if (source, name) not in heard:
                told = {"type": "", "heard": 0, "signals_made": 0, "failed": 0}
                apart = {"robots": 0, "staff": 0, "tests": 0, "known_share": None}
                when = {"first_heard": "", "last_heard": ""}
                yield {"source": source, "event": name, **told, **apart, **when} | _meaning(
                    rules, used
                )


def _files(loaded: Loaded) -> dict[str, SourceMapping]:
    """Each source's mapping; the CRM's own among them."""
    found = {
        name: loaded.mappings[chosen.mapping]
        for name, chosen in loaded.settings.sources.items()
        if chosen.mapping in loaded.mappings
    }
    if loaded.crm.source is not None:
        found[loaded.crm.name] = loaded.crm.source
    return found


def _rules(file: SourceMapping, kind: str, name: str) -> tuple[EventRule, ...]:
    """The rules that may make a signal of such an event."""
    if name == catalogue.REST:
        return ()
    named = file.by_name.get(folded(name), ())
    fitting = (*named, *file.by_type.get(kind, ()), *file.by_type.get("", ()))
    return tuple(rule for rule in fitting if not rule.type or rule.type == kind)


def _meaning(rules: Iterable[EventRule], used: Mapping[str, Iterable[Use]]) -> dict[str, Any]:
    names = list(dict.fromkeys(rule.signal for rule in rules))
    found = [use for name in names for use in used.get(name, ())]
    return {
        "signals": names,
        "plays": list(dict.fromkeys(use.play for use in found)),
        "uses": [{"play": use.play, "signal": use.signal, "how": use.how} for use in found],
    }


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    share = item["known_share"]
    apart = item["robots"] + item["staff"] + item["tests"]
    return {
        **item,
        "heard": f"{item['heard']:,}" + (f" ({apart:,} apart)" if apart else ""),
        "last": output.when(item["last_heard"]) or "never",
        "known": "" if share is None else f"{100 * share:.0f} %",
        "means": ", ".join(item["signals"]) or NO_MAPPING,
        "used": ", ".join(item["plays"]),
    }
