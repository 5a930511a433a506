"""``connector pause`` and ``connector resume``: the kill switch, and the same for one play."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from connector import clock
from connector.actor import operator
from connector.adapters import clock_of
from connector.cli import NothingFound, output
from connector.config import settings
from connector.errors import Fault
from connector.ledger import pauses
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.runtime import Waker, open_ledger, work_is_idle
from connector.steps import holds

PATIENCE: Final = 15.0  #: seconds that calls to a provider that had begun are waited for


@click.command()
@click.option("--why", default="", help="Why, for those who ask later.")
@click.pass_obj
def pause(folder: Path, why: str) -> None:
    """Hold everything: no text leaves any more, of whatever play, answer or hand.

    The kill switch. It is in effect before the next call to the provider, also for texts that
    had passed every check and waited for their call. Events are taken and judged all the same;
    what waits expires in its time. It needs no more than config.toml. To hold one play:
    `connector play pause NAME`.

    \b
    Example:   connector pause --why "the shop is down"
    """
    hold(folder, pauses.EVERYTHING, "hold", why)


@click.command()
@click.option("--why", required=True, help="Why, for those who ask later.")
@click.pass_obj
def resume(folder: Path, why: str) -> None:
    """Let everything go on: each text that still has time is decided afresh.

    \b
    Example:   connector resume --why "the shop is back"
    """
    let_go(folder, pauses.EVERYTHING, why)


def hold(folder: Path, about: str, verdict: str, why: str) -> None:
    """Pause a play or everything, and wait until nothing of it is under way any more."""
    with acting(folder) as at:
        with at.store.write() as tx:
            holds.pause(tx, clock, about, verdict, who=at.who, why=why, now=at.now)
        what = "every play" if about == pauses.EVERYTHING else about
        waits = "waits, and expires if it waits too long" if verdict == "hold" else "ends"
        output.say(f"{what} is paused: what was on the way {waits}.")
        play = "" if about == pauses.EVERYTHING else about
        left = holds.await_stillness(at.store, PATIENCE, play=play, idle=at.is_idle)
    if left:
        texts = "1 call" if left == 1 else f"{left} calls"
        output.say(f"{texts} to the provider had begun before and are not answered yet.")


def let_go(folder: Path, about: str, why: str) -> None:
    """End a pause; raises ``NothingFound`` where there is none."""
    is_all = about == pauses.EVERYTHING
    with acting(folder) as at, at.store.write() as tx:
        if not holds.resume(tx, clock, about, who=at.who, why=why, now=at.now):
            raise NothingFound("nothing is paused" if is_all else f"{about} is not paused")
    output.say(f"{'everything' if is_all else about} goes on.")


@dataclass(slots=True)
class Acting:
    """An operator at the ledger."""

    store: SqliteStore
    found: settings.Settings
    who: str
    now: datetime

    def is_idle(self) -> bool:
        """Whether no worker runs on the folder."""
        return work_is_idle(self.found.ledger)


@contextmanager
def acting(folder: Path) -> Iterator[Acting]:
    """The ledger, opened with no more than config.toml, so that it always works."""
    faults: list[Fault] = []
    found = settings.load(folder / settings.FILE, faults, secrets=False)
    store = open_ledger(found)
    try:
        yield Acting(store, found, operator(), clock_of(found)())
    finally:
        store.close()
    Waker(found.ledger)()


@contextmanager
def writing(folder: Path) -> Iterator[tuple[Tx, Acting]]:
    """One write by an operator."""
    with acting(folder) as at, at.store.write() as tx:
        yield tx, at
