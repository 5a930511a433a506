"""``connector check``: every file read, and every fault named with its place and remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from connector import clock
from connector.cli import FAULTY, output
from connector.config import loaded
from connector.config.loaded import Loaded
from connector.errors import BadConfig, Fault
from connector.rules.plays import Play


@click.command()
@output.json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Read config, mappings, plays, policy and templates, and name every fault at once.

    Exits with 0 when all is well and with 2 when anything is at fault. Nothing is changed.

    \b
    Examples:
      connector check
      connector -C shop check --json
    """
    folder: Path = ctx.obj
    try:
        found = loaded.load(folder, clock.now().date())
    except BadConfig as error:
        _show_faults(folder, error.faults, as_json)
        ctx.exit(FAULTY)
    if as_json:
        output.json_line({"ok": True, "faults": [], **_summary(found)})
    else:
        _show(found)


def _show_faults(folder: Path, faults: Sequence[Fault], as_json: bool) -> None:
    if as_json:
        output.json_line({"ok": False, "faults": [asdict(fault) for fault in faults]})
        return
    for fault in faults:
        place = f"{fault.file}:{fault.line}" if fault.line else fault.file
        field = f"{fault.field} " if fault.field else ""
        output.say(place, style="bold")
        output.say(f"  {field}{fault.message}", style="red")
        if fault.remedy:
            output.say(f"  {fault.remedy}")
    count = len(faults)
    output.say(f"\n{folder}: {count} {'fault' if count == 1 else 'faults'}; nothing starts on it.")


def _show(found: Loaded) -> None:
    summary = _summary(found)
    output.say(f"{found.settings.folder}: no faults.\n")
    output.rows(summary["sources"], ("source", "mapping", "trust", "keys", "secrets"))
    output.rows(summary["plays"], ("play", "purpose", "mode", "starts_on", "texts", "tasks"))
    for line in _holdouts(found):
        output.say(line)
    output.say()
    rest = {key: summary[key] for key in ("templates", "stages", "provider", "crm", "sqlite")}
    output.record(rest)


def holdout_line(play: Play) -> str:
    """One sentence on who does not get a play, so that a missing text surprises nobody."""
    if not play.holdout:
        return f"{play.name}: nobody is held out"
    return f"{play.name}: {_share(play.holdout)} of people are held out, to measure what it brings"


def _holdouts(found: Loaded) -> Iterator[str]:
    if not found.settings.holdouts:
        yield "nobody is held out: [holdout] enabled is false"
        return
    yield from (holdout_line(play) for play in found.plays.values())
    if share := found.settings.holdout:
        yield f"all plays: {_share(share)} of people get no marketing at all (global holdout)"


def _share(share: float) -> str:
    return f"{100 * share:g} %"


def _summary(found: Loaded) -> dict[str, Any]:
    return {
        "sources": [
            {
                "source": source.name,
                "mapping": source.mapping,
                "trust": source.trust.value,
                "keys": len(source.keys),
                "secrets": len(source.secrets),
            }
            for source in found.settings.sources.values()
        ],
        "plays": [_play(play) for play in found.plays.values()],
        "templates": [f"{name}.{language}" for name, language in sorted(found.templates)],
        "stages": list(found.stages.order),
        "provider": found.settings.provider.use,
        "crm": found.settings.crm.use,
        "holdout": found.settings.holdout,
        "sqlite": sqlite3.sqlite_version,
    }


def _play(play: Play) -> dict[str, Any]:
    return {
        "play": play.name,
        "version": play.version,
        "purpose": play.purpose.value,
        "mode": play.mode.value,
        "starts_on": play.start.signal,
        "texts": sum(1 for step in play.steps if step.template),
        "tasks": sum(1 for step in play.steps if step.task),
        "holdout": play.holdout,
    }
