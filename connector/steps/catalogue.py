"""Cataloguing: what was heard is counted by its names, so that the counts outlive the events."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import catalogue, cursors
from connector.steps.setup import Setup

SLICES: Final = 50  #: in one round; what is left then comes with the next
TIDIED: Final = "catalogue_hours_at"  #: the cursor that says when old hours were dropped last
DAY: Final = 10  #: letters of an instant that tell its day


def count(rt: Setup) -> int:
    """Count what was heard since the last time; in how many slices.

    The events are read beside the writers, and only their sums are written.
    """
    now = rt.clock()
    for done in range(SLICES):
        with rt.store.read() as tx:
            after, until = catalogue.span(tx, now - catalogue.LATE)
            found = catalogue.counted(tx, after, until) if until else None
        if found is None:
            _drop_old_hours(rt, now)
            return done
        with rt.store.write() as tx:
            if cursors.get(tx, catalogue.CURSOR) == after:  # nobody else has counted it
                catalogue.add(tx, *found, until)
    return SLICES


def _drop_old_hours(rt: Setup, now: datetime) -> None:
    """Once a day, forget the hours of which no habit is told."""
    today = clock.text(now)[:DAY]
    with rt.store.read() as tx:
        last = cursors.get(tx, TIDIED)
    if last == today:
        return
    with rt.store.write() as tx:
        catalogue.forget_hours(tx, now)
        cursors.set_(tx, TIDIED, today)
