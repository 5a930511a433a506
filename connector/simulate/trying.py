"""Trying events: what the folder's files make of them, in a world of their own that is thrown away.

The very steps of the worker are walked, so that nothing is judged twice in two places; nobody is
held out, and nothing reaches anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from connector import clock
from connector.config.loaded import Loaded
from connector.ledger.store import Row
from connector.model import Event, Signal
from connector.rules.mapping import Unmapped
from connector.rules.triggers.judge import STALE
from connector.simulate.faults import listening
from connector.simulate.opening import ReadAlready
from connector.simulate.world import World
from connector.steps.advance import map_event
from connector.steps.setup import OpenSource, Setup

DECIDED: Final = """SELECT * FROM decisions WHERE moment = 'trigger' AND event_id = :event
    ORDER BY seq"""
ENROLMENT: Final = "SELECT mode, due_at FROM enrolments WHERE id = :id"
BECAME: Final = "SELECT state, reason, contact_id FROM events WHERE id = :id"
SOON: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """One play that listens for a signal, and what came of it."""

    play: str
    starts: bool
    why: tuple[tuple[str, str], ...] = ()  #: (reason, sentence) of each objection
    key: str = ""
    mode: str = ""
    due_at: datetime | None = None  #: when its first step is due


@dataclass(frozen=True, slots=True)
class Tried:
    """What the files make of one event.

    ``mapped`` is its signal, why it has none, or (a string) the fault of its mapping.
    """

    event: Event
    mapped: Signal | Unmapped | str
    state: str = ""  #: done, unmapped or failed
    reason: str = ""
    judged: tuple[Judged, ...] = ()
    silent: tuple[str, ...] = ()  #: plays that listen for it, and whose condition it does not meet
    as_if_at: datetime | None = None  #: judged as if heard then, since it occurred long ago


def try_out(
    loaded: Loaded, source: OpenSource, events: Sequence[Event], now: datetime
) -> list[Tried]:
    """Hear some events of a source, one after the other, as the files of a folder stand.

    One that occurred so long ago that nothing would start is judged as if it had been heard then.
    """
    begins = min([_heard_at(event, now) for event in events], default=now)
    with listening(), World(loaded, begins, change=_with(source)) as world:
        return [_try(world, source, event, now) for event in events]


def _with(source: OpenSource) -> Callable[[Setup], None]:
    def change(rt: Setup) -> None:
        bare = OpenSource(source.name, source.trust, ReadAlready(), source.mapping)
        rt.sources = {**rt.sources, source.name: bare}
        rt.holdouts, rt.global_holdout = False, 0.0
        rt.index()

    return change


def _heard_at(event: Event, now: datetime) -> datetime:
    return now if now - event.occurred_at <= STALE else event.occurred_at + SOON


def _try(world: World, source: OpenSource, event: Event, now: datetime) -> Tried:
    at = _heard_at(event, now)
    world.clock.at = max(world.clock.at, at)
    mapped = map_event(world.rt, source, event)
    world.event(event, mapped)
    tx = world.store.tx
    row = tx.one(BECAME, id=event.id)
    judged = tuple(_judged(world, each) for each in tx.all(DECIDED, event=event.id))
    name = mapped.name if isinstance(mapped, Signal) else ""
    listening = [play.name for play in world.rt.starting.get(name, ())]
    heard = {each.play for each in judged}
    return Tried(
        event,
        mapped,
        state=str(row["state"]) if row else "repeat",
        reason=str(row["reason"]) if row else "an event of this id came before it in the payload",
        judged=judged,
        silent=tuple(play for play in listening if play not in heard),
        as_if_at=at if at < now else None,
    )


def _judged(world: World, row: Row) -> Judged:
    enrolment = world.store.tx.one(ENROLMENT, id=row["enrolment_id"] or "")
    due = enrolment["due_at"] if enrolment else None
    return Judged(
        play=str(row["play"]),
        starts=row["verdict"] == "send",
        why=tuple((each["reason"], each["says"]) for each in orjson.loads(row["objections"])),
        key=str(row["key"]),
        mode=str(enrolment["mode"]) if enrolment else "",
        due_at=clock.instant(due) if due else None,
    )
