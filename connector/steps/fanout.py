"""Fanning out: a fact about a thing, or a schedule, is told to its people, a few at a time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial

import orjson

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import crm_facts, events, fanouts, things, timers
from connector.ledger.store import Row, Tx
from connector.model import Event, Json, Signal
from connector.rules.plays import Kind, Mode, Play
from connector.rules.triggers import STALE
from connector.rules.triggers import things as rules
from connector.steps import contexts, gather
from connector.steps.apart import apart
from connector.steps.began import asked
from connector.steps.setup import Setup
from connector.steps.starts import Began, start

log = logging.getLogger("connector")

SLICE = 24  #: people in one transaction, so that nobody else's event waits long
LOOKED_AT = 100  #: people of whom it is asked whether they are in a segment, in one transaction


def take_thing(tx: Tx, rt: Setup, event: Event, signal: Signal, now: datetime) -> None:
    """What is told of a thing is kept; plays that it starts are fanned out."""
    before, is_news = things.learn(tx, signal.thing, signal.key, signal.facts, event.occurred_at)
    signal_id = rt.new_id("sig")
    events.add_signal(tx, signal, event, "", signal_id)
    if not is_news or event.back_fill or now - event.occurred_at > STALE:
        return
    context = {
        "signal": {**signal.facts, "name": signal.name, "key": signal.key},
        "thing": {**before, **signal.facts},
        "before": before,
        "now": clock.text(event.occurred_at),
    }
    for play in rt.starting.get(signal.name, ()):
        if play.start.kind is Kind.thing and _is_met(play, context):
            key = rules.occurrence(signal.key, signal_id)
            fanout_id = rt.new_id("fan")
            about = (play.name, play.version, signal_id, key)
            fanouts.open_(tx, fanout_id, *about, event.occurred_at, now)


def _is_met(play: Play, context: Mapping[str, Json]) -> bool:
    if play.mode is Mode.off:
        return False
    try:
        return play.start.where is None or bool(play.start.where(context))
    except ExpressionFailed as error:
        log.warning("act=fanout play=%s result=%s", play.name, error.code)
        return False


def tell(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    """Tell the next few people of the oldest fan-out; how many were looked at."""
    row = fanouts.next_open(tx)
    if row is None:
        return 0
    play = rt.plays.get(str(row["play"]))
    if play is None or play.mode is Mode.off:
        fanouts.close(tx, str(row["id"]), "done", now)
        return 1
    people, last, is_end = _next_people(tx, rt, play, row)
    limit = _limit(play)
    room = max(0, limit - int(row["taken"]))
    for contact_id in people[:room]:
        told = partial(_start, tx, rt, play, row, contact_id, now)
        apart(tx, told, f"{play.name}:{contact_id}", careful=careful)
    fanouts.move(tx, str(row["id"]), last, min(len(people), room))
    if is_end or len(people) >= room:
        state = "full" if len(people) > room or not is_end else "done"
        fanouts.close(tx, str(row["id"]), state, now)
        level = logging.WARNING if state == "full" else logging.INFO
        log.log(level, "act=fanout play=%s result=%s", play.name, state)
    return max(1, len(people))


def _limit(play: Play) -> int:
    form = play.start.fan_out or play.start.schedule
    return form.limit if form is not None else 0


def _next_people(tx: Tx, rt: Setup, play: Play, row: Row) -> tuple[list[str], str, bool]:
    """(ids of people to tell, where to go on, whether these were the last)."""
    form, after = play.start.fan_out, str(row["cursor"])
    at = clock.instant(row["occurred_at"])
    if form is not None and form.cares:
        since = rules.since(form, at)
        key = str(row["signal_key"])
        found = fanouts.caring(tx, form.cares, key, after, since, at, SLICE)
        return found, found[-1] if found else after, len(found) < SLICE
    segment = form.segment if form is not None else ""
    if play.start.schedule is not None:
        segment = play.start.schedule.segment
    looked = timers.people(tx, after, LOOKED_AT)
    inside = []
    for contact_id in looked:
        if _is_in(tx, rt, segment, contact_id, at):
            inside.append(contact_id)
        if len(inside) == SLICE:
            return inside, contact_id, False
    return inside, looked[-1] if looked else after, len(looked) < LOOKED_AT


def _is_in(tx: Tx, rt: Setup, segment: str, contact_id: str, at: datetime) -> bool:
    contact = gather.person(tx, contact_id)
    if contact is None:
        return False
    crm = crm_facts.of(tx, rt.crm, contact_id)
    context = contexts.of(tx, rt, contact, crm, {}, at)
    try:
        return bool(context["history"].in_segment(segment))
    except ExpressionFailed as error:
        log.warning("act=segment name=%s result=%s", segment, error.code)
        return False


def _start(tx: Tx, rt: Setup, play: Play, row: Row, contact_id: str, now: datetime) -> None:
    contact = gather.person(tx, contact_id)
    if contact is None:
        return
    facts = {
        **orjson.loads(row["signal_facts"]),
        "name": row["signal_name"],
        "key": row["signal_key"],
    }
    at = clock.instant(row["occurred_at"])
    crm = crm_facts.of(tx, rt.crm, contact.id)
    context = contexts.of(tx, rt, contact, crm, facts, now, at)
    against = asked(play, context) if play.start.schedule is not None else ()
    if against is None:  # of a fact about a thing it was asked before, of the thing
        return
    began = Began(
        str(row["signal_id"]),
        str(row["signal_name"]),
        str(row["signal_key"]),
        at,
        context,
        event_id=str(row["event_id"]),
        occurrence=str(row["key"]),
        against=against,
    )
    start(tx, rt, play, contact, began, now)
