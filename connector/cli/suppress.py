"""``connector suppress``: numbers that a hand keeps texts from, and the lists that name people."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.reading import full_option, limit_option, read_number, reading
from connector.config.loaded import load
from connector.ledger import numbers
from connector.phone import mask
from connector.runtime import Waker, opened
from connector.steps import numbers as by_hand

SCOPES: Final = ("all", "marketing")
COLUMNS: Final = ("phone", "scope", "since", "why")


@click.group()
def suppress() -> None:
    """Keep texts from single numbers by hand; whole lists are files in mappings/suppression.

    \b
    Examples:
      connector suppress add +12025550123 --why "asked by letter, 12 March"
      connector suppress list
      connector suppress remove +12025550123 --why "asked to hear from us again"
    """


@suppress.command()
@click.argument("number")
@click.option("--why", required=True, help="Kept with your name; told wherever a text is not sent.")
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default=SCOPES[0],
    show_default=True,
    help="What is kept back: every text, or marketing.",
)
@click.pass_obj
def add(folder: Path, number: str, why: str, scope: str) -> None:
    """Keep texts from a number. A STOP, or consent withdrawn, is `connector consent revoke`.

    \b
    Example:   connector suppress add +12025550123 --why "court order" --scope all
    """
    loaded = load(folder, secrets=False)
    phone = read_number(number, loaded).e164
    with opened(loaded) as store, store.write() as tx:
        now = clock_of(loaded.settings)()
        new = by_hand.suppress(tx, clock, phone, why, scope, who=operator(), now=now)
    Waker(loaded.settings.ledger)()
    what = "no text" if scope == "all" else "no marketing"
    output.say(f"{mask(phone)}: {what} goes to it{'' if new else ', as before'}.")


@suppress.command()
@click.argument("number")
@click.option("--why", required=True, help="Kept with your name.")
@click.pass_obj
def remove(folder: Path, number: str, why: str) -> None:
    """Let texts go to a number that a hand had suppressed, as far as its consents allow.

    \b
    Example:   connector suppress remove +12025550123 --why "typed the wrong number"
    """
    loaded = load(folder, secrets=False)
    phone = read_number(number, loaded).e164
    with opened(loaded) as store, store.write() as tx:
        now = clock_of(loaded.settings)()
        if not by_hand.release(tx, clock, phone, why, who=operator(), now=now):
            raise NothingFound("no hand suppressed this number; `connector suppress list` has all")
    Waker(loaded.settings.ledger)()
    output.say(f"{mask(phone)}: texts go to it again, as far as its consents allow.")


@suppress.command(name="list")
@limit_option(100)
@full_option
@output.json_option
@click.pass_obj
def list_(folder: Path, limit: int, full: bool, as_json: bool) -> None:
    """List the numbers that a hand suppressed, and the lists with how many entries each has.

    \b
    Example:   connector suppress list --full --json
    """
    with reading(folder) as (loaded, tx):
        rows = numbers.suppressed(tx, limit)
    lists = [
        {
            "list": each.name,
            "entries": len(each.reading.entries),
            "faults": len(each.reading.faults),
        }
        for each in loaded.policy.lists.lists
    ]
    if not rows and not lists:
        raise NothingFound("no number is suppressed by hand, and there is no list")
    items: list[dict[str, Any]] = [
        {
            "phone": row["phone"] if full else mask(row["phone"]),
            "scope": row["suppressed_scope"],
            "since": row["suppressed_at"],
            "why": row["suppressed_why"],
        }
        for row in rows
    ]
    if as_json:
        for item in (*items, *lists):
            output.json_line(item)
        return
    if items:
        output.rows(({**item, "since": output.when(item["since"])} for item in items), COLUMNS)
    if lists:
        output.rows(lists, ("list", "entries", "faults"))
