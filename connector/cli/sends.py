"""``connector sends``: texts, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from connector.cli import NothingFound, output
from connector.cli.doubtful import known, settle, show
from connector.cli.reading import full_option, instant, limit_option, reading, since_option
from connector.ledger import listings
from connector.model import SendState
from connector.rules.explain import masked

WIDE: Final = 130  #: columns from which reason, provider id and segments have room of their own
SHORT_ID: Final = 10


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(list(SendState)), help="Only texts in this state.")
@click.option("--play", default="", help="Only texts of this play.")
@click.option(
    "--doubtful", is_flag=True, help="Only texts that perhaps went: nobody knows their fate."
)
@since_option
@limit_option(50)
@full_option
@output.json_option
@click.pass_context
def sends(
    ctx: click.Context,
    state: str | None,
    play: str,
    doubtful: bool,
    since: timedelta | datetime | None,
    limit: int,
    full: bool,
    as_json: bool,
) -> None:
    """List texts, the newest first (planned ones: the next due first).

    Exits with 3 when there are none. `connector explain ID` tells each one's story. Of doubtful
    ones everything known is laid out, and how to settle them.

    \b
    Examples:
      connector sends --since 24h
      connector sends --state cancelled --play cart_abandoned
      connector sends --doubtful --json
    """
    if ctx.invoked_subcommand is not None:
        return
    folder: Path = ctx.obj
    if doubtful and state not in (None, SendState.uncertain):
        raise click.UsageError("--doubtful texts are those in state uncertain; leave out --state")
    wanted = SendState.uncertain.value if doubtful else state or ""
    with reading(folder) as (loaded, tx):
        after = instant(since, loaded)
        found = listings.sends(tx, state=wanted, play=play, since=after, limit=limit)
        if doubtful:
            found = [{**item, "doubt": known(tx, item)} for item in found]
    if not found:
        raise NothingFound(_none(doubtful, is_narrow=bool(state or play or since)))
    if not full:
        found = [{name: masked(name, value) for name, value in item.items()} for item in found]
    if as_json:
        output.rows(found, (), as_json=True)
    elif doubtful:
        show(found)
    else:
        _show(found)


sends.add_command(settle)


def _none(doubtful: bool, *, is_narrow: bool) -> str:
    if doubtful:
        return f"no {'such ' * is_narrow}text is in doubt"
    if is_narrow:
        return "there are no such texts; widen --since, --state or --play"
    return "no text was ever planned; `connector events` lists what was heard"


def _show(found: list[dict[str, Any]]) -> None:
    out = output.console()
    if out.width >= WIDE:
        columns = ("id", "when", "to", "what", "state", "reason", "by", "provider_id", "segments")
        output.rows((_row(item, whole=not out.is_terminal) for item in found), columns)
    else:
        narrow = (
            {**_row(item), "to": _end(item["phone"]), "state": _stands(item)} for item in found
        )
        output.rows(narrow, ("id", "when", "to", "what", "state"))


def _row(item: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
    at = datetime.fromisoformat(_when(item))
    name = item["provider_id"] or ""
    cause = f"{item['cause']}, {item['step'] or item['template']}"
    return {
        "id": item["id"],
        "when": f"{at:%Y-%m-%d %H:%M:%S}" if whole else f"{at:%m-%d %H:%M}",
        "to": item["phone"],
        "what": f"{item['play']}, {item['step']}" if item["play"] else cause,
        "state": item["state"],
        "reason": item["reason"],
        "by": " ".join(filter(None, (item["provider"], item["sender"]))),
        "provider_id": name if whole or len(name) <= SHORT_ID else f"{name[:SHORT_ID]}…",
        "segments": item["segments"],
    }


def _when(item: Mapping[str, Any]) -> str:
    """When it left, else when it ended, else when it is due."""
    return str(item["accepted_at"] or item["begun_at"] or item["settled_at"] or item["due_at"])


def _end(number: str) -> str:
    """The end of a masked number, where there is no room for the rest."""
    return f"…{number[-4:]}" if "*" in number else number


def _stands(item: Mapping[str, Any]) -> str:
    return f"{item['state']}: {item['reason']}" if item["reason"] else str(item["state"])
