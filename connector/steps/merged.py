"""Merged: two turned out to be one, and what either did counts for what both had begun."""

from __future__ import annotations

from datetime import datetime

import orjson

from connector import clock
from connector.ledger import crm_facts, enrolments, events, quiet
from connector.ledger.store import Row, Tx
from connector.model import Contact, Event, Signal, Subject
from connector.rules.plays import Play
from connector.steps import contexts, dates, edges, ends
from connector.steps.setup import Setup
from connector.steps.versions import play_of

MOST = 100  #: signals of a name that are told again


def merged(tx: Tx, rt: Setup, contact: Contact, other: str, *, at: datetime, now: datetime) -> None:
    """Another contact turned out to be this one: judge anew what that may end, move or begin."""
    _end(tx, rt, contact, now)
    dates.merged(tx, rt, contact.id, now)
    edges.merged(tx, rt, contact, other, at, now)


def _end(tx: Tx, rt: Setup, contact: Contact, now: datetime) -> None:
    """What one of them did after the other had begun a play ends it, as if told just now."""
    going = enrolments.going(tx, contact.id, now)
    if not going:
        return
    since = clock.instant(min(str(row["triggered_at"]) for row in going))
    plays = [play for row in going if (play := play_of(tx, rt, row)) is not None]
    names = dict.fromkeys(name for play in plays for name in _ending(play))
    found = [row for name in names for row in events.heard(tx, contact.id, name, since, MOST)]
    for row in sorted(found, key=lambda row: str(row["occurred_at"])):
        _tell(tx, rt, contact, row, now)
    if any(play.start.silence is not None for play in plays):
        _tell_activity(tx, rt, contact, now)


def _ending(play: Play) -> tuple[str, ...]:
    goal = (play.goal.signal,) if play.goal is not None else ()
    waited = [step.wait_for.signals for step in play.steps if step.wait_for is not None]
    return (*play.start.unless, *play.exits, *goal, *(name for names in waited for name in names))


def _tell(tx: Tx, rt: Setup, contact: Contact, row: Row, now: datetime) -> None:
    at, facts = clock.instant(row["occurred_at"]), orjson.loads(row["facts"])
    event = Event(row["event_id"], "", "", "own", row["name"], at, now, {})
    signal = Signal(row["name"], Subject(), facts, {}, key=row["key"], activity=False)
    crm = crm_facts.of(tx, rt.crm, contact.id)
    shown = {**facts, "name": signal.name, "key": signal.key}
    context = contexts.of(tx, rt, contact, crm, shown, now, at)
    going = enrolments.going(tx, contact.id, at)
    ends.end_for(tx, rt, going, contact, signal, event, context, now)


def _tell_activity(tx: Tx, rt: Setup, contact: Contact, now: datetime) -> None:
    """A silence that was none."""
    row = quiet.one(tx, contact.id)
    if row is None or not row["since"]:
        return
    event = Event("", "", "", "own", "", clock.instant(row["since"]), now, {})
    going = enrolments.going(tx, contact.id, event.occurred_at)
    ends.end_for(tx, rt, going, contact, Signal("", Subject(), {}, {}), event, {}, now)
