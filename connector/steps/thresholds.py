"""Thresholds: each reading of a measure is kept, and a crossing starts the play."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from connector.errors import ExpressionFailed
from connector.ledger import enrolments, readings
from connector.ledger.store import Tx
from connector.model import Contact
from connector.rules.plays import Play, Threshold
from connector.rules.triggers import threshold as rules
from connector.steps import timing
from connector.steps.setup import Setup
from connector.steps.starts import Began, heard
from connector.steps.versions import variant

log = logging.getLogger("connector")


def reading(tx: Tx, rt: Setup, play: Play, contact: Contact, began: Began, now: datetime) -> None:
    """Take a reading out of a signal; where it crosses the level, the play starts.

    A signal that does not meet the start's condition bears no reading of it.
    """
    form = play.start.threshold
    if form is None:
        return
    try:
        is_one = play.start.where is None or play.start.where(began.context)
        value = rules.number(form.measure(began.context)) if is_one else None
    except ExpressionFailed as error:
        log.warning("act=reading play=%s result=%s", play.name, error.code)
        return
    if value is None:
        return
    known = readings.newest(tx, play.name, contact.id, began.key)
    before = rules.Reading(*known) if known else None
    kept, fires = rules.read(form, before, value, began.at)
    if kept is None:
        return
    readings.keep(tx, play.name, contact.id, began.key, kept.at, kept.value, kept.armed)
    if fires:
        occurrence = rules.occurrence(began.key, began.at)
        heard(tx, rt, play, contact, replace(began, occurrence=occurrence), now)
    if play.experiment is not None:
        _reached(tx, rt, play, form, contact, began, value, now)


def _reached(
    tx: Tx,
    rt: Setup,
    play: Play,
    form: Threshold,
    contact: Contact,
    began: Began,
    value: float,
    now: datetime,
) -> None:
    """Note which levels of the arms were reached, also by one that has spoken already, so that the
    arms can be compared; whoever waits for their own may speak now."""
    row = enrolments.measured(tx, play.name, contact.id, began.key)
    if row is None:
        return
    arms = [play, *(play.experiment.plays.values() if play.experiment else ())]
    levels = {arm.start.threshold.own for arm in arms if arm.start.threshold}
    for level in sorted(level for level in levels if value >= level):
        readings.reached(tx, str(row["id"]), level, began.at)
    walks = variant(play, str(row["arm"]))
    own = walks.start.threshold
    waits = row["state"] == "waiting" and row["due_at"] is None
    if waits and own is not None and value >= own.own:
        due_at = timing.first_due(tx, rt, walks, contact, began.at, None)
        enrolments.speak(tx, str(row["id"]), due_at)
