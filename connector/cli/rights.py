"""``connector contact export`` and ``forget``: what a person may ask of whoever texts them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import Failure, NothingFound, output
from connector.cli.export_page import page
from connector.cli.reading import find_contacts, read_number, reading
from connector.config.loaded import Loaded, load
from connector.ledger import acts, people
from connector.ledger.people import Person
from connector.ledger.store import Tx
from connector.runtime import Waker, opened
from connector.steps import forget as forgetting
from connector.steps.carryover import Hand


@click.command()
@click.argument("who")
@click.option(
    "--html",
    "html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page to give to the person.",
)
@output.json_option
@click.pass_obj
def export(folder: Path, who: str, html: Path | None, as_json: bool) -> None:
    """Write down everything that is held about a person.

    WHO is a number, an e-mail address, user:ID or an id (con_…). A number that several people
    share needs the person's id. JSON has every row of every table that tells of them. An act
    keeps that it was done, without whom it was about.

    \b
    Examples:
      connector contact export +12025550123 --json > ann.json
      connector contact export con_06f3k9q2m8r5t1vw --html ann.html
    """
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)()
    with opened(loaded) as store:
        with store.read() as tx:
            person = _person(tx, who, loaded)
            held = people.held(tx, person)
        with store.write() as tx:
            why = f"{sum(map(len, held.values()))} rows"
            acts.add(
                tx, clock.new_id("act"), "exported", "contact", who=operator(), why=why, at=now
            )
    told = {"made_at": now, "by": loaded.settings.brand, "held": held}
    if html is not None:
        _write(html, page(told, brand=loaded.settings.brand))
        output.say(f"wrote {html}")
    if as_json or html is None:
        output.json_line(told)


@click.command()
@click.argument("who")
@click.option("--why", default="", help="The request; it stays, so it must name nobody.")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@output.json_option
@click.pass_obj
def forget(folder: Path, who: str, why: str, dry_run: bool, as_json: bool) -> None:
    """Forget a person: what names them goes everywhere, and their number stays blocked.

    Kept without a name are the proof of consents and decisions, and the message log. A number
    that others bear too stays theirs. It cannot be undone. Not reached from here: the provider's
    log, a CRM elsewhere, and backups made before (restored ones forget again).

    \b
    Examples:
      connector contact forget +12025550123 --dry-run
      connector contact forget +12025550123 --why "asked by e-mail on 3 May"
    """
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)()
    if dry_run:
        with reading(folder) as (_, tx):
            gone = forgetting.preview(tx, _person(tx, who, loaded))
    else:
        if not why.strip():
            raise click.UsageError('say --why "the request", or --dry-run to look first')
        with opened(loaded) as store, store.write() as tx:
            person = _person(tx, who, loaded)
            _check_words(why, person)
            hand = Hand(loaded.settings.crm.use)
            gone = forgetting.forget(tx, hand, person, who=operator(), why=why, now=now)
        Waker(loaded.settings.ledger)()
    told = {"dry_run": dry_run, "rows": gone.rows, "shared_numbers": gone.shared}
    if as_json:
        output.json_line(told)
        return
    output.record(gone.rows, title="Would go:" if dry_run else "Gone:")
    if gone.shared:
        output.say(f"{gone.shared} numbers are others' too: what is theirs stays.")
    if not dry_run:
        output.say("Ask your provider, your CRM and whoever else has a copy to forget them too.")


def _person(tx: Tx, who: str, loaded: Loaded) -> Person:
    """The one person that is meant; raises ``NothingFound``, or ``Failure`` where it is several."""
    try:
        ids = find_contacts(tx, who.strip(), loaded)
    except NothingFound:
        if not who.strip().startswith("+"):
            raise
        person = people.number(tx, read_number(who, loaded).e164)
        if not people.held(tx, person):
            raise
        return person
    if len(ids) > 1:
        raise Failure(f"{len(ids)} people bear it: name one of them: {_several(ids)}")
    return people.find(tx, ids[0])


def _several(ids: Sequence[str]) -> str:
    return ", ".join(ids)


def _check_words(why: str, person: Person) -> None:
    if any(word in why for word in person.words):
        raise Failure("--why stays when the person is gone, so it must not name them")


def _write(path: Path, text: str) -> None:
    """A file that only its owner may read."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error
