"""Segments' edges: who comes in or goes out, told when something of theirs changes or by time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import crm_facts, memberships, timers
from connector.ledger.history import LedgerHistory
from connector.ledger.store import Row, Tx
from connector.model import Contact
from connector.rules.history import sooner
from connector.rules.plays import Kind, Segment
from connector.rules.triggers import edges as rules
from connector.steps import gather
from connector.steps.began import begin
from connector.steps.setup import Setup

log = logging.getLogger("connector")

SEGMENT = "segment"
LOOK_AGAIN = timedelta(hours=6)
"""Where a segment reads the time itself (``days_since``), how often it is asked again."""
TIMELY = frozenset({"now", "first_seen", "last_seen"})
JUST_BEFORE = timedelta(microseconds=1)


def touched(
    tx: Tx,
    rt: Setup,
    contact: Contact,
    signal: str,
    *,
    has_changed: bool,
    is_new: bool,
    at: datetime,
    now: datetime,
    before: Contact | None,
    back_fill: bool = False,
) -> None:
    """Ask again about the segments that a signal or a change of the person may have moved."""
    for segment in _watched(rt):
        if is_new or has_changed or signal in _signals(rt, segment):
            _judge(tx, rt, segment, contact, at, now, before, is_new, back_fill)


def due(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Time alone may have moved somebody: ask again."""
    timers.drop(tx, row)
    segment = rt.segments.get(str(row["name"]))
    contact = gather.person(tx, str(row["contact_id"]))
    if segment is None or contact is None or segment not in _watched(rt):
        return
    _judge(tx, rt, segment, contact, clock.instant(row["due_at"]), now, None, False, False)


def _judge(
    tx: Tx,
    rt: Setup,
    segment: Segment,
    contact: Contact,
    at: datetime,
    now: datetime,
    before: Contact | None,
    is_new: bool,
    back_fill: bool,
) -> None:
    was = memberships.inside(tx, segment.name, contact.id)
    inside, again = _inside(tx, rt, segment, contact, at)
    if inside is None:
        return
    if was is None:
        was = False
        if not is_new:
            was = bool(_inside(tx, rt, segment, before or contact, at - JUST_BEFORE)[0])
        memberships.put(tx, segment.name, contact.id, inside, at)
    elif was != inside:
        memberships.put(tx, segment.name, contact.id, inside, at)
    if again is not None:
        timers.set_(tx, SEGMENT, segment.name, contact.id, "", max(again, at + JUST_BEFORE))
    if was != inside:
        _crossed(tx, rt, segment, contact, was, inside, at, now, back_fill)


def _crossed(
    tx: Tx,
    rt: Setup,
    segment: Segment,
    contact: Contact,
    was: bool,
    inside: bool,
    at: datetime,
    now: datetime,
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
    tx: Tx, rt: Setup, segment: Segment, contact: Contact, at: datetime
) -> tuple[bool | None, datetime | None]:
    """Whether the person is in it as of an instant, and when time alone may change that."""
    crm = crm_facts.of(tx, rt.crm, contact.id)
    context = gather.context(tx, rt, contact, crm, {}, at)
    try:
        inside = bool(segment.when(context))
    except ExpressionFailed as error:
        log.warning("act=segment name=%s result=%s", segment.name, error.code)
        return None, None
    history = context["history"]
    again = history.changes_at if isinstance(history, LedgerHistory) else None
    if segment.paths & TIMELY:
        again = sooner(again, at + LOOK_AGAIN)
    return inside, again


def _watched(rt: Setup) -> Iterable[Segment]:
    """The segments that some play starts at the edge of."""
    names = dict.fromkeys(
        play.start.edge.segment for play in rt.of_kind(Kind.segment) if play.start.edge
    )
    return [rt.segments[name] for name in names if name in rt.segments]


def _signals(rt: Setup, segment: Segment) -> frozenset[str]:
    """The signals whose history a segment reads, also by way of other segments."""
    found, waiting, seen = frozenset[str](), [segment], {segment.name}
    while waiting:
        each = waiting.pop()
        found |= each.signals
        for name in getattr(each.when, "segments", ()):
            if name in rt.segments and name not in seen:
                seen.add(name)
                waiting.append(rt.segments[name])
    return found
