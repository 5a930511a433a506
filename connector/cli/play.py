"""``connector play``: plays listed, made from the library, paused, approved and started by hand."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from connector import clock, library
from connector.cli import Faulty, NothingFound, output
from connector.cli.reading import find_contacts, reading
from connector.config import settings
from connector.config.loaded import Loaded, load
from connector.config.supply import nearest
from connector.errors import BadConfig, Fault
from connector.ledger import acts, pauses
from connector.ledger.store import Tx
from connector.rules.plays import OnPause, Play
from connector.runtime import Waker, clock_of, open_ledger, open_setup, opened
from connector.steps import byhand

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
    with _acting(folder, name, everything) as at:
        pauses.set_(at.tx, at.about, verdict, who=at.who, why=why, at=at.now)
        at.note("pause", why)
    what = "every play" if everything else name
    held = "waits, and expires if it waits too long" if verdict == "hold" else "ends"
    output.say(f"{what} is paused: what was on the way {held}.")


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
    with _acting(folder, name, everything) as at:
        if not pauses.lift(at.tx, at.about):
            raise NothingFound(f"{'nothing' if everything else name} is not paused")
        at.note("resume", why)
    output.say(f"{'everything' if everything else name} goes on.")


@play.command()
@click.argument("name")
@click.option("--who", default="", help="In whose name; the user of this machine unless said.")
@click.option("--why", default="", help="What was looked at.")
@click.pass_obj
def approve(folder: Path, name: str, who: str, why: str) -> None:
    """Approve the present version of a play, where config.toml asks for a second person.

    It goes live with the next `connector reload`, if somebody else put it live.

    \b
    Example:   connector play approve win_back --who bea --why "read the texts, ran the tests"
    """
    version = _known(load(folder, secrets=False), name).version
    with _acting(folder, name, False) as at:
        if who:
            at.who = f"operator:{who}"
        at.note("approve", why, version)
    output.say(f"{name}: version {version} is approved by {at.who}.")
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
                tx, rt, name, contact_id, told, who=_who(), why=why, key=key, now=rt.clock()
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


def _who() -> str:
    return f"operator:{getpass.getuser()}"


@dataclass(slots=True)
class _Acting:
    """One write by an operator."""

    tx: Tx
    about: str
    who: str
    now: datetime

    def note(self, act: str, why: str, version: str = "") -> None:
        """Keep what was done, by whom and why."""
        act_id, about = clock.new_id("act"), f"play:{self.about}"
        acts.add(self.tx, act_id, act, about, who=self.who, at=self.now, why=why, version=version)


@contextmanager
def _acting(folder: Path, name: str, everything: bool) -> Iterator[_Acting]:
    """A write to the ledger that needs no more than config.toml, so that it always works."""
    _check_named(name, everything)
    faults: list[Fault] = []
    found = settings.load(folder / settings.FILE, faults, secrets=False)
    store = open_ledger(found)
    try:
        with store.write() as tx:
            yield _Acting(tx, name or pauses.EVERYTHING, _who(), clock_of(found)())
    finally:
        store.close()
    Waker(found.ledger)()


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
