"""``connector conversation``: numbers that a person is talking with, so that plays wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.reading import full_option, read_number, reading
from connector.config.loaded import load
from connector.ledger import conversations
from connector.phone import mask
from connector.runtime import Waker, opened
from connector.steps import hand

OPEN: Final = timedelta(hours=24)


@click.group()
def conversation() -> None:
    """List and close conversations with people, during which plays to a number wait.

    One opens when somebody answers a reply (`connector send --reply-to`) and is over 24 hours
    after its last message, or when it is closed.

    \b
    Examples:
      connector conversation list
      connector conversation close +12025550123
    """


@conversation.command(name="list")
@full_option
@output.json_option
@click.pass_obj
def list_(folder: Path, full: bool, as_json: bool) -> None:
    """List the conversations that are open now, the newest first."""
    with reading(folder) as (loaded, tx):
        rows = conversations.going(tx, clock_of(loaded.settings)() - OPEN)
    if not rows:
        raise NothingFound("no conversation is open")
    items = [
        {
            "phone": row["phone"] if full else mask(row["phone"]),
            "opened_at": row["opened_at"],
            "last_at": row["last_at"],
            "who": row["who"],
        }
        for row in rows
    ]
    output.rows(items, ("phone", "opened_at", "last_at", "who"), as_json=as_json)


@conversation.command()
@click.argument("number")
@click.option("--why", default="", help="Kept with your name.")
@click.pass_obj
def close(folder: Path, number: str, why: str) -> None:
    """Close the conversation with a number: what waited is decided afresh.

    \b
    Example:   connector conversation close +12025550123
    """
    loaded = load(folder, secrets=False)
    phone = read_number(number, loaded).e164
    with opened(loaded) as store, store.write() as tx:
        now = clock_of(loaded.settings)()
        if not hand.close(tx, clock, phone, who=operator(), now=now, why=why):
            raise NothingFound("no conversation with this number is open")
    Waker(loaded.settings.ledger)()
    output.say(f"{mask(phone)}: the conversation is closed; plays may speak again.")
