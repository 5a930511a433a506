"""What time alone begins: silences, dates, segments, schedules, and facts still to be told."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from connector.ledger import timers
from connector.ledger.store import Tx, is_storage, savepoint
from connector.rules.plays import Kind
from connector.steps import dates, edges, fanout, schedules, silence
from connector.steps.apart import apart
from connector.steps.setup import Setup

log = logging.getLogger("connector")

FAULTY = timedelta(hours=1)  #: after which a timer that could not be served is served again
SLICE = 32  #: timers in one transaction, so that no other writer waits long


def begin(tx: Tx, rt: Setup, now: datetime, *, careful: bool) -> int:
    """What time alone begins, a few people of each: silences, dates, segments, schedules; and
    the next few of whom a fact about a thing is told. How many were looked at."""
    done = 0
    for act in _timed(rt):
        try:
            with savepoint(tx) if careful else nullcontext():
                done += act(tx, rt, now, careful=careful)
        except Exception as error:  # a door: one bad play must not hold up the rest
            if not careful or is_storage(error):
                raise
            log.exception("act=begin what=%s result=failed", act.__module__)
    return done


class Timed(Protocol):
    """Something that time alone begins: a few of it; how many were looked at."""

    __module__: str

    def __call__(self, tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int: ...


def _timed(rt: Setup) -> list[Timed]:
    """What there is to look after, given the plays there are."""
    acts: list[Timed] = []
    if rt.by_kind.get(Kind.silence):
        acts.append(silence.scan)
    if rt.by_kind.get(Kind.schedule):
        acts.append(schedules.run)
    if rt.by_kind.get(Kind.date):
        acts.append(dates.set_up)
    if rt.by_kind.get(Kind.segment):
        acts.append(edges.set_up)
    if rt.by_kind.get(Kind.date) or rt.by_kind.get(Kind.segment):
        acts.append(_due_timers)
    if rt.by_kind.get(Kind.schedule) or rt.by_kind.get(Kind.thing):
        acts.append(fanout.tell)
    return acts


def _due_timers(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    rows = timers.due(tx, now, SLICE)
    for row in rows:
        due = dates.due if row["kind"] == dates.DATE else edges.due
        if not apart(tx, partial(due, tx, rt, row, now), str(row["name"]), careful=careful):
            timers.put_off(tx, row, now + FAULTY)
    return len(rows)
