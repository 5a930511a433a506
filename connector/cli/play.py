"""``connector play``: plays listed, made from the library, paused, approved and started by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from connector import clock, library
from connector.actor import operator
from connector.cli import Faulty, NothingFound, output
from connector.cli.hold import hold, let_go, writing
from connector.cli.reading import find_contacts, reading
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.errors import BadConfig
from connector.ledger import acts, pauses
from connector.ledger.store import Tx
from connector.rules.plays import OnPause, Play
from connector.runtime import Waker, open_setup, opened
from connector.steps import byhand
from connector.steps.approvals import APPROVED, lacks

COUNTS = """SELECT state, CAST(count(*) AS BIGINT) AS n FROM enrolments
    WHERE play = :play AND (state = 'waiting' OR state = 'walking') GROUP BY state"""


@click.group()
def play() -> None:
    """List plays, copy one from the library, pause, resume, approve, start one by hand.

    \b
    Examples:
      connector play list
      connector play library
      connector play new win_back --from win_back_7d
      connector play pause win_back --why "wrong link"
      connector play start welcome user:u-7
    """


@play.command(name="list")
@output.json_option
@click.pass_obj
def list_(folder: Path, as_json: bool) -> None:
    """List the plays: what starts them, how they stand, and who is on the way."""
    with reading(folder) as (loaded, tx):
        held = pauses.all_(tx)
        items = [_line(tx, item, held) for item in loaded.plays.values()]
    if not items:
        raise NothingFound("there is no play in mappings/plays; see `connector play library`")
    columns = ("play", "role", "starts_on", "mode", "waiting", "walking", "version", "note")
    output.rows(items, columns, as_json=as_json)


@play.command(name="library")
@output.json_option
def library_(as_json: bool) -> None:
    """List the ready plays that `connector play new` copies."""
    items = [
        {
            "play": found.name,
            "role": found.role,
            "next_step": found.next_step,
            "description": found.description,
            "not_for": found.not_for,
        }
        for found in library.plays()
    ]
    output.rows(items, ("play", "role", "next_step", "description"), as_json=as_json)


@play.command()
@click.argument("name")
@click.option("--from", "source", required=True, help="A play of the library.")
@click.pass_obj
def new(folder: Path, name: str, source: str) -> None:
    """Copy a play of the library, with its texts and segments, in shadow mode.

    In shadow it decides and records everything and sends nothing: look at what it would have
    done, then set mode = "live" and run `connector reload`.

    \b
    Example:   connector play new win_back --from win_back_7d
    """
    known = {found.name for found in library.plays()}
    if source not in known:
        raise NothingFound(f"the library has no play {source}; {nearest(source, known)}")
    if not library.is_name(name):
        raise Faulty(f"{name!r} is no name for a play: use small letters, digits and _")
    written, kept = library.copy(source, name, folder)
    for path in written:
        output.say(f"  wrote {path}")
    for path in kept:
        output.say(f"  kept  {path} (it was there)")
    try:
        load(folder, secrets=False)
    except BadConfig as error:
        output.say("\nThe folder needs a little more before it starts:\n", style="bold")
        output.say(str(error))
        return
    output.say(f"\nIt is in shadow mode. Next: connector preview {name}; connector test {name}")


@play.command()
@click.argument("name", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="The kill switch: every play holds.")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def pause(folder: Path, name: str, everything: bool, why: str) -> None:
    """Pause a play (or all): nothing of it goes out from the next text on.

    What waits holds and expires, or ends, as the play's on_pause says; --all always holds.

    \b
    Examples:
      connector play pause win_back --why "wrong link"
      connector play pause --all --why "the shop is down"
    """
    _check_named(name, everything)
    verdict = "hold" if everything else _on_pause(folder, name)
    hold(folder, name or pauses.EVERYTHING, verdict, why)


@play.command()
@click.argument("name", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="Lift the kill switch.")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def resume(folder: Path, name: str, everything: bool, why: str) -> None:
    """Let a paused play (or all) go on: each text is decided afresh.

    \b
    Example:   connector play resume win_back
    """
    _check_named(name, everything)
    let_go(folder, name or pauses.EVERYTHING, why)


@play.command()
@click.argument("name")
@click.option("--why", default="", help="What was looked at.")
@click.pass_obj
def approve(folder: Path, name: str, why: str) -> None:
    """Approve the present version of a play, where config.toml asks for a second person.

    Two different people must stand behind it: whoever put it live by `connector reload` (or the
    API) and one who approves, or two who approve. You are who you are logged in as. It goes live
    with the next reload.

    \b
    Example:   connector play approve win_back --why "read the texts, ran the tests"
    """
    version = _known(load(folder, secrets=False), name).version
    with writing(folder) as (tx, at):
        about = f"play:{name}"
        act_id = clock.new_id("act")
        acts.add(tx, act_id, APPROVED, about, who=at.who, at=at.now, why=why, version=version)
        lacking = lacks(tx, name, version)
    output.say(f"{name}: version {version} is approved by {at.who}.")
    if lacking and at.found.require_approval:
        other = "another person" if lacking == 1 else "two other people"
        output.say(f"It takes {other} to approve it: whoever put it live does not count.")
        return
    output.say("Run `connector reload` to take it over.")


@play.command()
@click.argument("name")
@click.argument("who")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A fact for the texts.")
@click.option("--key", default="", help="What it is about; a start of its own unless said.")
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def start(folder: Path, name: str, who: str, facts: tuple[str, ...], key: str, why: str) -> None:
    """Start a play for one contact by hand; it is judged and governed like any other start.

    \b
    Examples:
      connector play start welcome user:u-7
      connector play start call_back +12025550123 --fact topic=prices
    """
    told = dict(_fact(item) for item in facts)
    loaded = load(folder)
    _known(loaded, name)
    with opened(loaded) as store:
        rt = open_setup(loaded, store)
        with store.write() as tx:
            contact_id = find_contacts(tx, who, loaded)[0]
            decision = byhand.start(
                tx, rt, name, contact_id, told, who=operator(), why=why, key=key, now=rt.clock()
            )
    Waker(loaded.settings.ledger)()
    if decision.objections:
        output.say(f"{name} was not started: {decision.objections[0].says}")
        raise SystemExit(1)
    output.say(f"{name} has begun for {contact_id}; see `connector explain {contact_id}`.")


def _fact(item: str) -> tuple[str, Any]:
    name, found, value = item.partition("=")
    if not found or not name.isidentifier():
        raise Faulty(f"{item!r:.60} is no fact: write name=value")
    return name, value


def _known(loaded: Loaded, name: str) -> Play:
    if name not in loaded.plays:
        raise NothingFound(f"there is no play {name}; {nearest(name, loaded.plays)}")
    return loaded.plays[name]


def _check_named(name: str, everything: bool) -> None:
    if bool(name) == everything:
        raise Faulty("name a play, or say --all")


def _on_pause(folder: Path, name: str) -> str:
    """What a pause of this play does. Files that are at fault must not keep it from pausing."""
    try:
        return _known(load(folder, secrets=False), name).on_pause.value
    except BadConfig:
        output.say("The folder has faults, so what the play says of pauses is not known: it holds.")
        return OnPause.hold.value


def _line(tx: Tx, item: Play, held: dict[str, Any]) -> dict[str, Any]:
    counts = {row["state"]: row["n"] for row in tx.all(COUNTS, play=item.name)}
    paused = held.get(item.name) or held.get("*")
    return {
        "play": item.name,
        "role": item.role.value,
        "starts_on": item.start.signal or item.start.kind.value,
        "mode": "paused" if paused else item.mode.value,
        "waiting": counts.get("waiting", 0),
        "walking": counts.get("walking", 0),
        "version": item.version,
        "note": paused["why"] if paused else "",
    }
