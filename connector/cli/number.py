"""``connector number``: what is known of a number itself, looked up anew or told by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of, open_providers
from connector.cli import Failure, Faulty, NothingFound, output
from connector.cli.days import Day
from connector.cli.number_import import import_
from connector.cli.number_page import known, past
from connector.cli.reading import full_option, read_number, reading
from connector.config.lists import listed
from connector.config.loaded import Loaded, load
from connector.errors import ConnectorError, Fault
from connector.ledger import numbers
from connector.ledger.store import Store
from connector.messages import LookedUp
from connector.phone import mask
from connector.providers import LooksUp, who_looks_up
from connector.runtime import Waker, opened
from connector.steps import numbers as by_hand
from connector.steps.consent import By, tell_crm
from connector.steps.numberimport import CHUNK

OWNER: Final = {True: "yes", False: "no", None: ""}  #: whether there is a new one, as it is kept


@click.group()
def number() -> None:
    """Show what kind of number one is, look it up, or say that it has a new owner.

    \b
    Examples:
      connector number show +12025550123
      connector number check +12025550123
      connector number reassigned +12025550123 --since 2026-03-01 --why "FCC database"
      connector number import deact-2026-11-20.csv --kind deactivated --dry-run
    """


number.add_command(import_)


@number.command()
@click.argument("number")
@full_option
@output.json_option
@click.pass_obj
def show(folder: Path, number: str, full: bool, as_json: bool) -> None:
    """Show its kind, place and look-ups, a new owner, what keeps texts from it, and its history.

    \b
    Example:   connector number show +12025550123 --json
    """
    with reading(folder) as (loaded, tx):
        asked = read_number(number, loaded)
        found = known(tx, asked, full=full)
        history = past(tx, asked.e164)
    today = clock_of(loaded.settings)().date()
    found["on_list"] = loaded.policy.lists.find(asked.e164, "", today)
    if as_json:
        output.json_line({**found, "history": history})
        return
    output.record(found)
    if history:
        output.say()
        output.rows(history, ("at", "what", "says", "who"))


@number.command()
@click.argument("number")
@output.json_option
@click.pass_obj
def check(folder: Path, number: str, as_json: bool) -> None:
    """Look a number up now: at the provider in use, or another here that does. They charge for it.

    \b
    Example:   connector number check +12025550123
    """
    loaded = load(folder)
    phone = read_number(number, loaded).e164
    use = loaded.settings.provider.use
    by = who_looks_up(use, open_providers(loaded.settings, calls=True))
    if by is None:
        raise Failure(f"{use} looks no number up; add a provider that does, such as twilio")
    with opened(loaded) as store:
        told = _look_up(loaded, store, *by, phone)
    owner = OWNER[told.reassigned]
    found = {"phone": mask(phone), "type": told.type or "unknown", "new_owner": owner or "not told"}
    if as_json:
        output.json_line(found)
    else:
        output.record(found)


def _look_up(loaded: Loaded, store: Store, name: str, provider: LooksUp, phone: str) -> LookedUp:
    """Ask the provider, and keep what it told."""
    with store.read() as tx:
        owner_since = numbers.newest_grant(tx, phone)
    since = owner_since.date() if owner_since and loaded.policy.numbers.reassigned else None
    try:
        told = provider.lookup(phone, since)
    except ConnectorError as error:
        raise Failure(f"the number could not be looked up: {error}") from error
    with store.write() as tx:
        now = clock_of(loaded.settings)()
        about = (tx, clock.new_id("lkp"), phone, name, now)
        numbers.looked_up(*about, kind=told.type, reassigned=OWNER[told.reassigned])
        by_hand.looked_up(tx, clock, phone, told.type, who=operator(), now=now)
        if told.reassigned:
            tell_crm(tx, loaded.settings.crm.use, phone, now)
    return told


@number.command()
@click.argument("number", required=False)
@click.option("--file", "file", type=click.Path(dir_okay=False, path_type=Path), help="Many.")
@click.option("--since", type=Day(), help="The day on which it changed hands; today unless said.")
@click.option("--why", required=True, help="How you know; kept with your name.")
@click.option("--not", "undo", is_flag=True, help="It was wrong: the number has no new owner.")
@click.pass_obj
def reassigned(
    folder: Path,
    number: str | None,
    file: Path | None,
    since: datetime | None,
    why: str,
    undo: bool,
) -> None:
    """Say that a number has a new owner: its older consents count as none from then on.

    \b
    Examples:
      connector number reassigned +12025550123 --since 2026-03-01 --why "FCC database"
      connector number reassigned --file reassigned.csv --why "FCC database, October"
      connector number reassigned +12025550123 --not --why "mixed up with another"
    """
    if bool(number) == bool(file) or (undo and not number):
        raise Faulty("name one NUMBER, or --file FILE with a number a line")
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)()
    if since and since > now:
        raise Faulty("--since is a day to come; name the day on which the number changed hands")
    if number and undo:
        _undo(loaded, read_number(number, loaded).e164, why, now)
        return
    one = [(read_number(number, loaded).e164, since or now)] if number else []
    many = list(_listed(file, loaded, since or now)) if file else []
    told, rt = iter((*one, *many)), _by(loaded)
    count = 0
    with opened(loaded) as store:
        while chunk := list(islice(told, CHUNK)):
            with store.write() as tx:
                count += by_hand.reassign(tx, rt, chunk, why, who=operator(), now=now)
    Waker(loaded.settings.ledger)()
    output.say(f"{count} of {len(one) + len(many)} noted; consents of before count for nothing.")


def _by(loaded: Loaded) -> By:
    return By(clock.new_id, loaded.settings.crm.use)


def _undo(loaded: Loaded, phone: str, why: str, now: datetime) -> None:
    with opened(loaded) as store, store.write() as tx:
        about = (tx, _by(loaded), phone, why)
        if not by_hand.not_reassigned(*about, who=operator(), now=now):
            raise NothingFound("nobody had said that this number has a new owner")
    Waker(loaded.settings.ledger)()
    output.say(f"{mask(phone)}: its consents count again.")


def _listed(file: Path, loaded: Loaded, since: datetime) -> Iterator[tuple[str, datetime]]:
    """The numbers of a file; raises ``Faulty`` with every fault, so that none is left out."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Faulty(f"{file} cannot be read: {error.strerror}") from error
    faults: list[Fault] = []
    entries = list(listed(file, content, loaded.settings.country, faults))
    for entry in entries:
        if not entry.value.startswith("+"):
            faults.append(Fault(str(file), 0, "", f"lists {entry.value!r:.60}", "numbers only"))
    if faults:
        raise Faulty("\n".join(("no number was noted.", *map(str, faults))))
    return ((entry.value, since) for entry in entries)
