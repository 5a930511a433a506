"""``connector alerts``: the alarms that stand, cleared by a person, and where they are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from connector import clock
from connector.adapters import clock_of
from connector.cli import Failure, Faulty, NothingFound, output
from connector.cli.hold import writing
from connector.cli.reading import reading
from connector.config.loaded import load
from connector.config.settings import Settings
from connector.ledger import acts, alarms, pauses, schema
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row
from connector.rules.alerts import Notice
from connector.runtime import LEDGER_FILE
from connector.steps.alerting import failing, tell
from connector.targets import targets

COLUMNS = ("kind", "about", "count", "last", "says")  #: JSON has since and told beside them


@click.group(invoke_without_command=True)
@click.pass_context
def alerts(ctx: click.Context) -> None:
    """Show the alarms that stand, clear them, and try where they are told.

    \b
    Examples:
      connector alerts list
      connector alerts clear writeback_parked --why "the field is there again"
      connector alerts test
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@alerts.command(name="list")
@output.json_option
@click.pass_obj
def list_(folder: Path, as_json: bool = False) -> None:
    """List the alarms that stand, the oldest first."""
    with reading(folder) as (_, tx):
        items = [_item(row) for row in alarms.open_(tx, 1_000)]
    if not items and not as_json:
        output.say("No alarm stands.")
        return
    if not as_json:
        items = [{**item, "last": output.when(item["last"])} for item in items]
    output.rows(items, COLUMNS, as_json=as_json)


@alerts.command()
@click.argument("kind", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="Every alarm that stands.")
@click.option("--why", default="", help="What was done about it.")
@click.pass_obj
def clear(folder: Path, kind: str, everything: bool, why: str) -> None:
    """Say that alarms of a kind (or all) were seen to. What happens again is a new alarm.

    \b
    Example:   connector alerts clear writeback_parked --why "the field is there again"
    """
    if bool(kind) == everything:
        raise Faulty("name a kind of alarm, or say --all; `connector alerts list` shows them")
    with writing(folder) as (tx, at):
        count = alarms.clear_all(tx, at.now, kind)
        if not count:
            raise NothingFound(f"no alarm {f'of the kind {kind} ' if kind else ''}stands")
        about = f"alarms:{kind or '*'}"
        acts.add(tx, clock.new_id("act"), "clear", about, who=at.who, why=why, at=at.now)
    output.say(f"{count} {'alarm is' if count == 1 else 'alarms are'} cleared.")


@alerts.command()
@output.json_option
@click.pass_obj
def test(folder: Path, as_json: bool) -> None:
    """Send one message to each target of [alerts], and tell what happened.

    \b
    Example:   connector alerts test
    """
    settings = load(folder).settings
    known = targets(settings)
    if not known:
        raise Faulty("[alerts] in config.toml names no target: set webhook, email or command")
    notice = _trial(settings.brand, clock.text(clock_of(settings)()))
    items = [_tried(name, tell(target, notice)) for name, target in known.items()]
    output.rows(items, ("target", "result", "why"), as_json=as_json)
    if failed := [item["target"] for item in items if item["result"] == "failed"]:
        raise Failure(f"{', '.join(failed)} did not hear it")


def as_they_stand(settings: Settings) -> dict[str, dict[str, Any]]:
    """The alarms that stand, by kind, the targets that hear nothing, and what holds marketing.

    For `connector check`.
    """
    path = settings.ledger / LEDGER_FILE
    found: dict[str, dict[str, Any]] = {"open": {}, "failing": {}, "held": {}}
    if not path.exists():
        return found
    store = SqliteStore(path)
    try:
        if store.migrations() == schema.MIGRATIONS:  # else `connector upgrade` is for it
            with store.read() as tx:
                found["open"] = alarms.counts(tx)
                found["failing"] = failing(tx, settings.alerts.targets)
                found["held"] = pauses.of_marketing(tx)
    finally:
        store.close()
    return found


def _tried(name: str, error: str) -> dict[str, str]:
    return {"target": name, "result": "failed" if error else "told", "why": error}


def _trial(brand: str, at: str) -> Notice:
    says = "This is a test of `connector alerts test`; nothing is wrong."
    row = {"id": "", "kind": "test", "about": "", "says": says, "count": 1, "at": at}
    return Notice(f"[{brand}] test", says, ({**row, "last_at": at, "cleared_at": None},))


def _item(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "kind", "about", "says", "count")},
        "since": row["at"],
        "last": row["last_at"],
        "told": row["told_at"],
    }
