"""Telling what was told of numbers beside events and replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from connector.clock import instant
from connector.ledger import numbers as ledger
from connector.ledger import refreshes
from connector.ledger.store import Tx
from connector.simulate.recorded import Line
from connector.simulate.world import World
from connector.steps import numbers
from connector.steps.setup import Setup


def suppress(world: World, line: Line) -> None:
    """Somebody suppressed a number."""
    told = (line["phone"], line["why"], line["scope"])
    world.act(lambda tx, rt, now: numbers.suppress(tx, rt, *told, who=line["who"], now=now))


def unsuppress(world: World, line: Line) -> None:
    """Somebody let texts go to it again."""
    told = (line["phone"], line["why"])
    world.act(lambda tx, rt, now: numbers.release(tx, rt, *told, who=line["who"], now=now))


def reassign(world: World, line: Line) -> None:
    """Somebody said that a number has a new owner, or that it was deactivated."""
    told = ([(line["phone"], instant(line["since"]))], line["why"])
    more = {"who": line["who"], "how": line.get("how", "")}
    world.act(lambda tx, rt, now: numbers.reassign(tx, rt, *told, now=now, **more))


def not_reassigned(world: World, line: Line) -> None:
    """Somebody said that it has none after all."""
    told = (line["phone"], line["why"])
    world.act(lambda tx, rt, now: numbers.not_reassigned(tx, rt, *told, who=line["who"], now=now))


def lookup(world: World, line: Line) -> None:
    """The provider told what kind of number it is; texts that waited for it are due."""

    def told(tx: Tx, rt: Setup, now: datetime) -> None:
        about = (tx, rt.new_id("lkp"), line["phone"], line["provider"], now)
        ledger.looked_up(*about, kind=line["type"], reassigned=line["reassigned"])
        refreshes.done(tx, refreshes.NUMBER, line["phone"], now)

    world.act(told)


NUMBERS: Final[Mapping[str, Callable[[World, Line], None]]] = {
    "suppress": suppress,
    "unsuppress": unsuppress,
    "reassign": reassign,
    "reassign_undone": not_reassigned,
    "lookup": lookup,
}
"""What is done with each kind of these."""
