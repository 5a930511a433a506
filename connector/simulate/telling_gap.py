"""Telling what was found out about texts whose fate nobody knew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector.clock import instant
from connector.ledger import restores
from connector.ledger.restores import Restored
from connector.ledger.store import Row, Tx
from connector.messages import Carried
from connector.simulate.faithful import FaithfulTx
from connector.simulate.recorded import Line, stripped
from connector.simulate.world import World
from connector.steps import fetch, gap, inquest
from connector.steps.restored import settled
from connector.steps.setup import Setup

DOUBTFUL: Final = """SELECT * FROM sends WHERE cause = :cause AND contact_id = :contact
    AND play = :play AND step = :step AND state = 'uncertain' ORDER BY id"""
MERGED: Final = "SELECT merged_into FROM contacts WHERE id = :id AND merged_into IS NOT NULL"


def restored(world: World, line: Line) -> None:
    """The ledger was a backup from here on."""

    def hold(tx: Tx, rt: Setup, now: datetime) -> None:
        rt.restored = Restored(instant(line["backup_at"]), now)
        if isinstance(tx, FaithfulTx):
            tx.doubted = line["at"]
        gap.hold(tx, rt, rt.restored, who=line["who"], why=line["why"])

    world.act(hold)


def carried(world: World, line: Line) -> None:
    """The provider lists a text of the gap; what it told of it later is a receipt."""
    told = Carried(
        line["provider"],
        line["provider_id"],
        line["to"],
        line["text"],
        instant(line["taken_at"]),
        segments=line["segments"],
        cost_micros=line["cost_micros"],
        currency=line["currency"],
    )
    world.act(lambda tx, rt, now: fetch.text(tx, rt, told, fetch.Fetched(), now))


def fetched(world: World, line: Line) -> None:
    """Provider and CRM have told all of the gap: what is in doubt is settled, then all goes on."""
    rt = world.rt
    if rt.restored is None:
        return
    rt.restored = replace(rt.restored, fetched_at=world.clock())
    settled(rt)
    world.act(lambda tx, rt, now: _end(tx, rt, fetched_at=now))


def confirmed(world: World, line: Line) -> None:
    """A person answered for the gap instead."""
    world.act(lambda tx, rt, now: _end(tx, rt, confirmed_at=now))


def _end(tx: Tx, rt: Setup, **how: datetime) -> None:
    if rt.restored is not None:
        rt.restored = restores.end(tx, rt.restored, **how)


def by_hand(world: World, line: Line) -> None:
    """A person found out whether a doubtful text went."""

    def settle(tx: Tx, rt: Setup, now: datetime) -> None:
        row = _doubtful(tx, line)
        if row is not None:
            told = {"went": line["went"], "who": line["who"], "why": line["why"]}
            inquest.by_hand(tx, rt, str(row["id"]), **told, now=now)

    world.act(settle)


def _doubtful(tx: Tx, line: Line) -> Row | None:
    """The text in this world that the line is about, which has another identifier here."""
    contact_id = str(line["contact_id"])
    while row := tx.one(MERGED, id=contact_id):
        contact_id = str(row["merged_into"])
    names = {name: line[name] for name in ("cause", "play", "step")}
    key = stripped(str(line["key"]))
    found = tx.all(DOUBTFUL, contact=contact_id, **names)
    return next((row for row in found if stripped(str(row["key"])) == key), None)


GAP: Final[Mapping[str, Callable[[World, Line], None]]] = {
    "restored": restored,
    "carried": carried,
    "restore_fetched": fetched,
    "restore_confirmed": confirmed,
    "settled": by_hand,
}
"""What is done with each kind of these."""
