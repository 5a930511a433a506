"""``connector template``: how texts are received, and those that are paused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from connector import clock
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.hold import writing
from connector.cli.reading import reading
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.ledger import pauses, template_days
from connector.ledger.store import Tx
from connector.steps import templates

WITHIN = timedelta(days=30)  #: counted where ``[template_alarm]`` says nothing


@click.group()
def template() -> None:
    """Show how texts are received; pause one, or let a paused one go on.

    \b
    Examples:
      connector template list
      connector template resume cart --why "new words"
    """


@template.command(name="list")
@output.json_option
@click.pass_obj
def list_(folder: Path, as_json: bool) -> None:
    """List the texts with their deliveries, how many opted out after, and pauses."""
    with reading(folder) as (loaded, tx):
        items = _lines(tx, loaded)
    columns = ("template", "delivered", "opted_out", "share", "note")
    output.rows(items, columns, as_json=as_json)


@template.command()
@click.argument("name")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def pause(folder: Path, name: str, why: str) -> None:
    """Hold every text of this name: what is planned waits, and expires if it waits too long.

    \b
    Example:   connector template pause cart --why "the link is wrong"
    """
    _check_known(folder, name)
    with writing(folder) as (tx, at):
        templates.pause(tx, clock, name, who=at.who, why=why, now=at.now)
    output.say(f"{name} is paused; `connector template resume {name}` lets it go on.")


@template.command()
@click.argument("name")
@click.option("--why", default="", help="What was changed, for those who ask later.")
@click.pass_obj
def resume(folder: Path, name: str, why: str) -> None:
    """Let a paused text go on: each is decided afresh, and opt-outs are counted anew.

    \b
    Example:   connector template resume cart --why "new words"
    """
    with writing(folder) as (tx, at):
        if not templates.resume(tx, clock, name, who=at.who, why=why, now=at.now):
            raise NothingFound(f"{name} is not paused; see `connector template list`")
    output.say(f"{name} goes on; its deliveries and opt-outs are counted anew.")


def _lines(tx: Tx, loaded: Loaded) -> list[dict[str, Any]]:
    limits = loaded.policy.template_alarm
    since = clock_of(loaded.settings)() - (limits.within if limits else WITHIN)
    counted = {str(row["template"]): row for row in template_days.since(tx, since)}
    held = pauses.all_(tx)
    return [
        _line(name, counted.get(name), held.get(pauses.template(name)))
        for name in sorted({name for name, _ in loaded.templates} | set(counted))
    ]


def _line(name: str, row: Any, held: Any) -> dict[str, Any]:
    delivered, opted_out = (int(row["delivered"]), int(row["opted_out"])) if row else (0, 0)
    return {
        "template": name,
        "delivered": delivered,
        "opted_out": opted_out,
        "share": round(opted_out / delivered, 4) if delivered else None,
        "note": f"paused by {held['who']}: {held['why']}" if held else "",
    }


def _check_known(folder: Path, name: str) -> None:
    known = {each for each, _ in load(folder, secrets=False).templates}
    if name not in known:
        raise NothingFound(f"there is no text {name} in templates/; {nearest(name, known)}")
