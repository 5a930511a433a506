"""Segments' edges: who comes in or goes out, told when something of theirs changes or by time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import contacts, crm_facts, cursors, memberships, timers
from connector.ledger.history import LedgerHistory
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json
from connector.rules.history import sooner
from connector.rules.plays import Kind, Segment
from connector.rules.triggers import STALE
from connector.rules.triggers import edges as rules
from connector.steps import contexts, gather
from connector.steps.apart import apart
from connector.steps.began import begin
from connector.steps.setup import Setup

log = logging.getLogger("connector")

SEGMENT = "segment"
SLICE = 32  #: people at a time, where a segment is new
DONE = "done"
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Before:
    """Who somebody was before what was heard: their row, and the names they bear."""

    row: Row
    names: Callable[[], list[Row]]
    crm: Mapping[str, Json] | None = None  #: None: nothing of the CRM's changed
    is_new: bool = False  #: they were nobody


def touched(
    rt: Setup, signal: str, changed: Collection[str], *, is_new: bool = False
) -> list[Segment]:
    """The segments that a signal or changed values may have moved a person in or out of."""
    return [each for each in rt.watched if is_new or rules.reads(each, signal, changed)]


def ask(
    tx: Tx,
    rt: Setup,
    segments: Iterable[Segment],
    contact: Contact,
    before: Before,
    *,
    at: datetime,
    now: datetime,
    back_fill: bool = False,
) -> None:
    """Ask again whether a person is in these segments."""
    for segment in segments:
        _judge(tx, rt, segment, contact, at, now, before, back_fill)


def due(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Time alone may have moved somebody: ask again."""
    timers.drop(tx, row)
    contact = gather.person(tx, str(row["contact_id"]))
    for segment in rt.watched:
        if segment.name == row["name"] and contact is not None:
            _judge(tx, rt, segment, contact, clock.instant(row["due_at"]), now)


def set_up(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    """Note who is in the segments that are new, some people at a time; how many were asked.

    Nobody comes in by that: they were in before. What a segment of that name meant earlier is let
    go. One that only signals and changes move is asked about as these are heard.
    """
    asked = 0
    for segment in rt.watched:
        if not rules.is_timely(segment):
            continue
        name, meaning = f"segment:{segment.name}", _meaning(rt, segment)
        known, _, after = cursors.get(tx, name).partition("|")
        if known != meaning:
            memberships.forget(tx, segment.name)
            after = ""
        if after == DONE:
            continue
        ids = timers.people(tx, after, SLICE)
        for contact_id in ids:
            noted = partial(_note, tx, rt, segment, contact_id, now)
            apart(tx, noted, f"{segment.name}:{contact_id}", careful=careful)
        cursors.set_(tx, name, f"{meaning}|{ids[-1] if len(ids) == SLICE else DONE}")
        asked += len(ids)
    return asked


def merged(tx: Tx, rt: Setup, contact: Contact, loser: str, at: datetime, now: datetime) -> None:
    """Two turned out to be one: where that puts the person is news only if neither stood there."""
    for segment in rt.watched:
        stood = {
            memberships.inside(tx, segment.name, contact.id),
            memberships.inside(tx, segment.name, loser),
        } - {None}
        if not stood:
            continue
        inside, again = _inside(tx, rt, segment, contact, now)
        if inside is None:
            continue
        memberships.put(tx, segment.name, contact.id, inside, at)
        _look_again(tx, segment, contact.id, again, now)
        if inside not in stood:
            _crossed(tx, rt, segment, contact, not inside, inside, at, now, back_fill=False)


def _note(tx: Tx, rt: Setup, segment: Segment, contact_id: str, now: datetime) -> None:
    contact = gather.person(tx, contact_id)
    if contact is None or memberships.inside(tx, segment.name, contact.id) is not None:
        return
    inside, again = _inside(tx, rt, segment, contact, now)
    if inside is not None:
        memberships.put(tx, segment.name, contact.id, inside, now)
        _look_again(tx, segment, contact.id, again, now)


def _judge(
    tx: Tx,
    rt: Setup,
    segment: Segment,
    contact: Contact,
    at: datetime,
    now: datetime,
    before: Before | None = None,
    back_fill: bool = False,
) -> None:
    """Ask as of what is known last: something heard late puts nobody back where they were."""
    as_of = max(at, contact.last_seen_at or at)
    if now - as_of > STALE:
        as_of = now
    inside, again = _inside(tx, rt, segment, contact, as_of)
    if inside is None:
        return
    was = memberships.inside(tx, segment.name, contact.id)
    is_known = was is not None
    if was is None:
        was = before is not None and not before.is_new and _was(tx, rt, segment, before, at)
    if not is_known or was != inside:
        memberships.put(tx, segment.name, contact.id, inside, at)
    _look_again(tx, segment, contact.id, again, as_of)
    if was != inside and (is_known or before is not None):
        is_late = as_of != at and _inside(tx, rt, segment, contact, at)[0] != inside
        crossed_at = as_of if is_late else at  # by what was heard late, or with something after it
        _crossed(tx, rt, segment, contact, was, inside, crossed_at, now, back_fill=back_fill)


def _was(tx: Tx, rt: Setup, segment: Segment, before: Before, at: datetime) -> bool:
    """Whether they were in it just before; what could not be told was not so."""
    contact = contacts.read(before.row, before.names())
    return bool(_inside(tx, rt, segment, contact, at - JUST_BEFORE, before.crm)[0])


def _look_again(
    tx: Tx, segment: Segment, contact_id: str, again: datetime | None, as_of: datetime
) -> None:
    again = sooner(again, rules.look_again(segment, contact_id, as_of))
    if again is not None:
        timers.set_(tx, SEGMENT, segment.name, contact_id, "", max(again, as_of + JUST_BEFORE))


def _crossed(
    tx: Tx,
    rt: Setup,
    segment: Segment,
    contact: Contact,
    was: bool,
    inside: bool,
    at: datetime,
    now: datetime,
    *,
    back_fill: bool,
) -> None:
    for play in rt.of_kind(Kind.segment):
        edge = play.start.edge
        if edge is not None and rules.crossed(edge, segment.name, was, inside):
            begin(
                tx,
                rt,
                play,
                contact.id,
                SEGMENT,
                {"segment": segment.name},
                occurrence=rules.occurrence(at),
                at=at,
                now=now,
                back_fill=back_fill,
            )


def _inside(
    tx: Tx,
    rt: Setup,
    segment: Segment,
    contact: Contact,
    at: datetime,
    crm: Mapping[str, Json] | None = None,
) -> tuple[bool | None, datetime | None]:
    """Whether the person is in it as of an instant, and when time alone may change that."""
    known = crm_facts.of(tx, rt.crm, contact.id) if crm is None else crm
    context = contexts.of(tx, rt, contact, known, {}, at)
    try:
        inside = bool(segment.when(context))
    except ExpressionFailed as error:
        log.warning("act=segment name=%s result=%s", segment.name, error.code)
        return None, None
    history = context["history"]
    return inside, history.changes_at if isinstance(history, LedgerHistory) else None


def _meaning(rt: Setup, segment: Segment) -> str:
    """What the segment and all that it asks for mean."""
    found, waiting = {segment.name: segment}, [segment]
    while waiting:
        asked = getattr(waiting.pop().when, "segments", ())
        new = [rt.segments[name] for name in asked if name in rt.segments and name not in found]
        found |= {each.name: each for each in new}
        waiting += new
    return rules.meaning(found.values())
