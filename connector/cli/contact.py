"""``connector contact``: what is known of a person, and merges that were wrong taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.cli.reading import find_contacts, full_option, limit_option, reading
from connector.cli.rights import export, forget
from connector.config.loaded import load
from connector.ledger import acts, crm_history, listings, merges, reports
from connector.rules.explain import crm_record, masked, number_line, shared_line, shown
from connector.runtime import Waker, opened
from connector.steps import owed

HISTORY: Final = 50  #: changes of deals, meetings and cases that are shown, the newest


@click.group()
def contact() -> None:
    """Show what is known of a person, and take a wrong merge apart.

    \b
    Examples:
      connector contact show +12025550123
      connector contact show user:ann
      connector contact list --limit 20
      connector contact merges
      connector contact export +12025550123 --html ann.html
      connector contact forget +12025550123 --dry-run
    """


contact.add_command(export)
contact.add_command(forget)


@contact.command()
@click.argument("who")
@full_option
@output.json_option
@click.pass_obj
def show(folder: Path, who: str, full: bool, as_json: bool) -> None:
    """Show all that is known of a contact.

    WHO is an id (con_…), a phone number, an e-mail address, or user:ID. A household that shares
    a number or an address is shown person by person.

    \b
    Example:   connector contact show ann@corner.example
    """
    with reading(folder) as (loaded, tx):
        ids = find_contacts(tx, who.strip(), loaded)
        found = [person for contact_id in ids if (person := listings.person(tx, contact_id))]
        for person in found:
            names = person["identities"]
            numbers = [name["value"] for name in names if name["kind"] == "phone"]
            person["numbers"] = [reports.number(tx, number) for number in numbers]
            person["crm_history"] = crm_history.of_person(tx, person["id"], HISTORY)
    for place, person in enumerate(found):
        if as_json:
            output.json_line(_hidden(person, full))
        else:
            if place:
                output.say()
            output.record(_lines(_hidden(person, full)), title=str(person["id"]))
            _history(person["crm_history"])


@contact.command("list")
@limit_option(50)
@full_option
@output.json_option
@click.pass_obj
def list_(folder: Path, limit: int, full: bool, as_json: bool) -> None:
    """List contacts, the newest first.

    \b
    Example:   connector contact list --limit 10
    """
    with reading(folder) as (_, tx):
        found = listings.people(tx, limit)
    if not found:
        raise NothingFound("nobody is known yet; people come with the first events")
    people = (_hidden(person, full) for person in found)
    columns = {"id": "id", "first_name": "name", "phone": "phone", "stage": "stage"}
    if as_json:
        output.rows(people, (), as_json=True)
    else:
        rows = ({**person, "seen": _minute(person["last_seen_at"])} for person in people)
        output.rows(rows, {**columns, "seen": "last seen"})


@contact.command("merges")
@limit_option(50)
@output.json_option
@click.pass_obj
def merges_(folder: Path, limit: int, as_json: bool) -> None:
    """List merges of two contacts into one, the newest first.

    \b
    Example:   connector contact merges
    """
    with reading(folder) as (_, tx):
        found = listings.merges(tx, limit)
    if not found:
        raise NothingFound("no contacts were ever merged")
    if as_json:
        output.rows(found, (), as_json=True)
        return
    for item in found:
        undone = f", undone {_minute(item['undone_at'])}" if item["undone_at"] else ""
        output.say(f"{item['id']}  {_minute(item['at'])}{undone}", style="bold")
        output.say(f"  {item['loser']} became part of {item['winner']}")
        by = item["event_id"] or "an operator"
        output.say(f"  proven by {by}; moved {_moved(item['moved'])}")


@contact.command()
@click.argument("merge_id")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def split(folder: Path, merge_id: str, why: str) -> None:
    """Undo a merge: the contact that was merged away gets back what it had.

    What came after the merge stays where it is, since nobody can say whose it is.

    \b
    Example:   connector contact split mrg_06f3k9q2m8r5t1vw     (see: connector contact merges)
    """
    loaded = load(folder)
    now = clock_of(loaded.settings)()
    with opened(loaded) as store:
        with store.write() as tx:
            found = listings.merge(tx, merge_id)
            if found is None:
                raise NothingFound(f"there is no merge {merge_id}; see `connector contact merges`")
            winner, loser = merges.undo(tx, merge_id, now)
            act, about = clock.new_id("act"), f"merge:{merge_id}"
            acts.add(tx, act, "split", about, who=operator(), why=why, at=now)
            for contact_id in (winner, loser):
                owed.contact_changed(tx, loaded.settings.crm.use, contact_id, now)
        Waker(loaded.settings.ledger)()
    output.say(f"{loser} is a contact of its own again.")
    output.say(f"Moved back: {_moved(found['moved'])}. What came since stays with {winner}.")


def _history(changes: list[dict[str, Any]]) -> None:
    """What became of the deals, meetings and cases that a person stands on, the newest first."""
    if not changes:
        return
    output.say()
    columns = ("when", "what", "record", "field", "before", "after")
    rows = ({**row, "when": _minute(row["occurred_at"]), "what": row["object"]} for row in changes)
    output.rows(rows, columns, title="in the CRM")


def _chosen(names: list[Mapping[str, Any]]) -> str:
    """Which of a person's several records in one CRM is written to, and why; "" for one."""
    records = [str(name["value"]) for name in names if name["kind"] == "crm_id"]
    beside = [each for each in records if each.partition(":")[0] == records[0].partition(":")[0]]
    if len(beside) < 2:
        return ""
    return f"{crm_record(beside[0])}, of {len(beside)} the one that the CRM confirmed last"


def _hidden(item: Mapping[str, Any], full: bool) -> dict[str, Any]:
    """The contact as it may be shown."""
    found: dict[str, Any] = shown(item, full=full)
    if not full and "identities" in found:
        names = item["identities"]
        found["identities"] = [
            {**name, "value": masked(name["kind"], name["value"])} for name in names
        ]
    return found


def _lines(person: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as lines of name and value; empty ones are left out."""
    place = ("timezone", "country", "region", "postal", "language")
    changes = [
        f"{item['from_stage'] or 'none'} → {item['to_stage']} {_minute(item['occurred_at'])}"
        for item in person["stage_changes"]
    ]
    lines: dict[str, Any] = {
        "name": person["first_name"],
        "stage": person["stage"],
        "stage_changes": changes,
        "place": {name: person[name] for name in place if person[name]},
        "traits": {name: value for name, value in person["traits"].items() if value},
        "identities": [f"{name['kind']} {name['value']}" for name in person["identities"]],
    }
    for number in person["numbers"]:
        since = _minute(number["blocked_at"])
        lines[f"number {number['phone']}"] = number_line(number, since)
        lines[f"shared {number['phone']}"] = shared_line(number)
    lines |= {
        "first_visit": person["first_visit"],
        "last_visit": person["last_visit"],
        "first_seen": _minute(person["first_seen_at"]),
        "last_seen": _minute(person["last_seen_at"]),
        "last_activity": _minute(person["last_activity_at"]),
    }
    if chosen := _chosen(person["identities"]):
        lines["written to"] = chosen
    if record := person["crm_record"]:
        lines["crm record"] = record["id"]
        lines |= {f"crm {name}": _plain(value) for name, value in record["fields"].items()}
    return {name: value for name, value in lines.items() if value not in (None, "", [], {})}


def _moved(moved: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in moved.items()) or "-"


def _plain(value: Any) -> Any:
    """A field's value; an instant of the ledger shorter, as everywhere on the screen."""
    is_instant = isinstance(value, str) and len(value) == 27 and value[10] + value[-1] == "TZ"
    return _minute(value) if is_instant else value


def _minute(instant: str | None) -> str:
    return f"{instant[:10]} {instant[11:16]}Z" if instant else ""
