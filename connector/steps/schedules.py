"""Schedules: a cron line comes due and its play turns to everybody in a segment."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from connector import clock
from connector.ledger import acts, cursors, fanouts
from connector.ledger.store import Tx
from connector.rules.plays import Kind, Mode, Play, Schedule
from connector.rules.triggers import STALE
from connector.rules.triggers import schedules as rules
from connector.steps.apart import apart
from connector.steps.began import keep
from connector.steps.setup import Setup

log = logging.getLogger("connector")

SCHEDULE = "schedule"
NEVER = "never"
FAULTY = timedelta(hours=1)  #: after which one that could not be begun is begun again
BACK = (timedelta(hours=1), timedelta(days=1), STALE)
"""How far back is looked, step by step, for the last of several times that passed."""


def run(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    """Begin what is due; how many were. One that is new, or was off, begins with its next time."""
    done = 0
    for play in rt.by_kind.get(Kind.schedule, ()):
        form = play.start.schedule
        if form is None:
            continue
        mark, at = _mark(tx, play, form)
        if play.mode is Mode.off:
            if mark:
                cursors.set_(tx, _cursor(play, form), "")
        elif not mark:
            _set_next(tx, rt, play, form, now)
        elif at is not None and at <= now:
            begun = partial(_come_due, tx, rt, play, form, clock.instant(mark), now)
            if not apart(tx, begun, play.name, careful=careful):
                cursors.set_(tx, _cursor(play, form), f"{mark}|{clock.text(now + FAULTY)}")
            done += 1
    return done


def next_due(tx: Tx, rt: Setup) -> datetime | None:
    """When the next schedule is due."""
    marks = []
    for play in rt.of_kind(Kind.schedule):
        form = play.start.schedule
        at = _mark(tx, play, form)[1] if form is not None else None
        if at is not None:
            marks.append(at)
    return min(marks, default=None)


def _mark(tx: Tx, play: Play, form: Schedule) -> tuple[str, datetime | None]:
    """The next time as text, "" where none is set yet, and when it is to be begun."""
    mark, _, again = cursors.get(tx, _cursor(play, form)).partition("|")
    if mark == NEVER:
        return mark, None
    return mark, clock.instant(again or mark or "1970-01-01T00:00:00Z")


def _come_due(
    tx: Tx, rt: Setup, play: Play, form: Schedule, first: datetime, now: datetime
) -> None:
    """Of several times that passed while nobody worked people hear once, at the last of them."""
    last = _last(rt, form, first, now)
    if rules.is_missed(first, now) and last != first:
        _turn_to_people(tx, rt, play, form, first, now)
    _turn_to_people(tx, rt, play, form, last, now)
    _set_next(tx, rt, play, form, max(last, now))


def _last(rt: Setup, form: Schedule, first: datetime, now: datetime) -> datetime:
    for back in BACK:
        found = rt.next_fire(form.cron, form.zone, max(first, now - back))
        if found is not None and found <= now:
            while (later := rt.next_fire(form.cron, form.zone, found)) and later <= now:
                found = later
            return found
    return first


def _turn_to_people(
    tx: Tx, rt: Setup, play: Play, form: Schedule, at: datetime, now: datetime
) -> None:
    key = rules.occurrence(at)
    if rules.is_missed(at, now):
        acts.add(
            tx,
            rt.new_id("act"),
            "schedule_missed",
            f"play:{play.name}",
            who="connector",
            at=now,
            why=f"nobody was working at {key}",
            version=play.version,
        )
        log.warning("act=schedule play=%s result=missed at=%s", play.name, key)
        return
    facts = {"at": clock.text(at), "segment": form.segment}
    signal_id = keep(tx, rt, None, SCHEDULE, facts, key, at, now)
    fanouts.open_(tx, rt.new_id("fan"), play.name, play.version, signal_id, key, at, now)


def _set_next(tx: Tx, rt: Setup, play: Play, form: Schedule, after: datetime) -> None:
    found = rt.next_fire(form.cron, form.zone, after)
    cursors.set_(tx, _cursor(play, form), clock.text(found) if found else NEVER)


def _cursor(play: Play, form: Schedule) -> str:
    return f"schedule:{play.name}:{form.cron}:{form.zone}"[:200]
