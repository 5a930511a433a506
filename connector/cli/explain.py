"""``connector explain``: the chain from an event to the CRM, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from connector.cli import Faulty, NothingFound, output
from connector.cli.reading import (
    find_contacts,
    full_option,
    limit_option,
    read_number,
    reading,
)
from connector.config.loaded import Loaded
from connector.ledger import reports
from connector.ledger.reports import Chain
from connector.ledger.store import Tx
from connector.rules import explain as rules

WIDEST: Final = 100  #: columns; longer lines are hard to read on any terminal
BY_PREFIX: Final[dict[str, tuple[str, Callable[[Tx, str], Chain | None]]]] = {
    "snd": ("text", reports.of_send),
    "enr": ("enrolment", reports.of_enrolment),
    "evt": ("event", reports.of_event),
    "rpl": ("reply", reports.of_reply),
}


@click.command()
@click.argument("thing")
@limit_option(5)
@full_option
@output.json_option
@click.pass_obj
def explain(folder: Path, thing: str, limit: int, full: bool, as_json: bool) -> None:
    """Tell why a text was sent or was not: event, signal, play, decisions, text, outcome, CRM.

    THING is the id of a text (snd_…), event (evt_…), enrolment (enr_…), reply (rpl_…) or
    contact (con_…), or a phone number, an e-mail address or user:ID. Of a person, the newest
    stories are told, as many as --limit says. Times are UTC, and in brackets the person's own.

    \b
    Examples:
      connector explain snd_06f3k9q2m8r5t1vw
      connector explain +12025550123 --limit 20
      connector explain evt_06f3k9pz4c7d2xyh --json
    """
    with reading(folder) as (loaded, tx):
        chain = _chain(tx, thing.strip(), limit, loaded)
    chain = rules.shown(chain, full=full)
    if as_json:
        output.json_line(chain)
        return
    out = output.console()
    width = min(out.width, WIDEST) if out.is_terminal else out.width
    output.say("\n".join(rules.tell(chain, width, full=full)))


def _chain(tx: Tx, thing: str, limit: int, loaded: Loaded) -> Chain:
    prefix, mark, _ = thing.partition("_")
    if mark and prefix in BY_PREFIX:
        kind, read = BY_PREFIX[prefix]
        if chain := read(tx, thing):
            return chain
        raise NothingFound(f"the ledger has no {kind} {thing}; see `connector sends` or `events`")
    if mark and prefix != "con" and len(prefix) == 3:
        raise Faulty(f"{thing} is no text, event, enrolment, reply or contact; see --help")
    if prefix == "con" or thing.startswith("user:") or "@" in thing:
        return _person(tx, thing, limit, loaded)
    chain = reports.of_number(tx, read_number(thing, loaded).e164, limit)
    known = chain["contact"] or chain["stories"] or chain["bearers"]
    if not known and not chain["numbers"][0]["consents"]:
        raise NothingFound("nothing is known of this number; see `connector contact list`")
    return chain


def _person(tx: Tx, thing: str, limit: int, loaded: Loaded) -> Chain:
    found = find_contacts(tx, thing, loaded)
    if len(found) > 1:
        raise NothingFound(f"{len(found)} contacts bear it: name one of {', '.join(found)}")
    chain = reports.of_contact(tx, found[0], limit)
    if chain is None:
        raise NothingFound(f"the ledger has no contact {found[0]}")
    return chain
