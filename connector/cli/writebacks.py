"""``connector writebacks``: what each CRM is owed, what it refused, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from connector import clock
from connector.cli import NothingFound, output
from connector.cli.hold import writing
from connector.cli.reading import find_contacts, limit_option, reading
from connector.ledger import acts, backlog
from connector.ledger.store import Row, Tx

COLUMNS: Final = ("id", "stands", "since", "tries", "why")
WHAT: Final = {
    "send": "a text",
    "reply": "a reply",
    "outcome": "an outcome",
    "note": "a note",
    "task": "a task",
    "fields": "the fields",
    "call": "a call",
}
SHOWN: Final = 5  #: remedies below the table

F = TypeVar("F", bound=Callable[..., Any])


@click.group(invoke_without_command=True)
@click.pass_context
def writebacks(ctx: click.Context) -> None:
    """Show what each CRM is owed and what it refused; try it again, or let it go.

    \b
    Examples:
      connector writebacks list
      connector writebacks list --parked
      connector writebacks retry --parked --code no_record
      connector writebacks drop hubspot:send:snd_06f3k9pz4c7d2xyh --why "told by hand"
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


def _chosen(command: F) -> F:
    """Add the options that choose what is parked."""
    parked = "All that the CRM refused, or has no record for."
    for option in (
        click.option("--crm", default="", help="Of these, only what this CRM is owed."),
        click.option("--code", default="", help="Of these, only what has this code."),
        click.option("--parked", is_flag=True, help=parked),
        click.argument("ids", nargs=-1),
    ):
        command = option(command)
    return command


@writebacks.command(name="list")
@click.option("--parked", is_flag=True, help="Only what the CRM refused, or has no record for.")
@click.option("--doubtful", is_flag=True, help="Only what the CRM may have made: nobody knows.")
@click.option("--crm", default="", help="Only what this CRM is owed.")
@click.option(
    "--contact", "who", default="", help="Only of this person: id, number, e-mail, user:ID."
)
@click.option("--code", default="", help="Only what has this code.")
@limit_option(50)
@output.json_option
@click.pass_obj
def list_(
    folder: Path,
    parked: bool = False,
    doubtful: bool = False,
    crm: str = "",
    who: str = "",
    code: str = "",
    limit: int = 50,
    as_json: bool = False,
) -> None:
    """List what is owed and what was refused, the oldest first, with the CRM's own words.

    owed: it goes out when it is due. parked: it waits for you. in doubt: the CRM may have made it,
    and is asked before it is told again. Exits with 3 when nothing is owed.

    \b
    Examples:
      connector writebacks list --parked
      connector writebacks list --contact +12025550123 --json
    """
    with reading(folder) as (loaded, tx):
        found = backlog.list_(
            tx,
            state="parked" if parked else "",
            crm=crm,
            contact_ids=find_contacts(tx, who, loaded) if who else (),
            code=code,
            doubtful=doubtful,
            limit=limit,
        )
    if not found:
        raise NothingFound("no CRM is owed any such thing")
    items = [_item(row) for row in found]
    output.rows(items if as_json else map(_shown, items), COLUMNS, as_json=as_json)
    if not as_json:
        _tell_remedies(items)


@writebacks.command()
@_chosen
@click.pass_obj
def retry(folder: Path, ids: tuple[str, ...], parked: bool, code: str, crm: str) -> None:
    """Try again now: single changes by their ids, or all that is parked.

    \b
    Examples:
      connector writebacks retry hubspot:fields:con_06f3k9pz4c7d2xyh
      connector writebacks retry --parked --code PROPERTY_DOESNT_EXIST
    """
    with writing(folder) as (tx, at):
        rows = _found(tx, ids, parked, code, crm)
        count = backlog.retry(tx, rows, at.now)
        told = " ".join(filter(None, (crm, code))) or "by their ids"
        acts.add(
            tx,
            clock.new_id("act"),
            "retry",
            "writebacks",
            who=at.who,
            why=f"{count}, {told}",
            at=at.now,
        )
    output.say(f"{_changes(count)} due now; `connector writebacks list` tells what comes of it.")


@writebacks.command()
@_chosen
@click.option("--why", required=True, help="Why, for those who ask later.")
@click.pass_obj
def drop(folder: Path, ids: tuple[str, ...], parked: bool, code: str, crm: str, why: str) -> None:
    """Let changes go: the CRM is not told of them, nor of what it may have made of them before.

    Only the change as it stands is dropped; when more happens to the same text or person, that is
    owed again. Who dropped what, and why, is kept.

    \b
    Example:
      connector writebacks drop hubspot:send:snd_06f3k9pz4c7d2xyh --why "told by hand"
    """
    with writing(folder) as (tx, at):
        dropped = backlog.drop(tx, _found(tx, ids, parked, code, crm), at.now)
        for one in dropped:
            about, act_id = f"writeback:{one}", clock.new_id("act")
            acts.add(tx, act_id, "drop", about, who=at.who, why=why, at=at.now)
    output.say(f"{_changes(len(dropped))} dropped.")


def _found(tx: Tx, ids: Sequence[str], parked: bool, code: str, crm: str) -> list[Row]:
    if not ids and not parked and not code:
        raise click.UsageError(
            "name ids, or say --parked or --code; see `connector writebacks list`"
        )
    state = "parked" if parked or not ids else ""
    rows = backlog.list_(tx, state=state, code=code, crm=crm)
    wanted = [row for row in rows if not ids or row["id"] in ids]
    missing = set(ids) - {str(row["id"]) for row in wanted}
    if missing or not wanted:
        named = f" {sorted(missing)[0]}" if missing else ""
        raise NothingFound(
            f"no such change is owed or parked{named}; see `connector writebacks list`"
        )
    return wanted


def _changes(count: int) -> str:
    return "1 change is" if count == 1 else f"{count} changes are"


def _item(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "crm": row["crm"],
        "contact": row["contact_id"],
        "what": WHAT.get(str(row["key"]).partition(":")[0], str(row["kind"])),
        "state": row["state"],
        "in_doubt": bool(row["in_doubt"]),
        "send": row["send_id"],
        "since": row["owed_at"],
        "due": row["due_at"] if row["state"] == "owed" else None,
        "tries": row["attempt"],
        "code": row["code"] if row["error"] else "",
        "error": row["error"],
        "remedy": row["remedy"] if row["error"] else "",
        "record": row["record"],
    }


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    doubt = ", in doubt" if item["in_doubt"] else ""
    code = f"{item['code']}: " if item["code"] and item["error"] else ""
    return {
        **item,
        "stands": f"{item['what']}, {item['state']}{doubt}",
        "since": output.when(item["since"]),
        "why": f"{code}{item['error']}",
    }


def _tell_remedies(items: Sequence[dict[str, Any]]) -> None:
    """What to do about it, each thing once."""
    remedies = list(dict.fromkeys(item["remedy"] for item in items if item["remedy"]))
    if remedies:
        output.say()
    for remedy in remedies[:SHOWN]:
        output.say(f"→ {remedy}")
