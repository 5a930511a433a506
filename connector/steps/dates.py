"""Dates in fields: a timer for each person's next occurrence, moved when the field moves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from connector import clock
from connector.ledger import crm_facts, cursors, enrolments, sends, timers
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json
from connector.rules.plays import Date, Kind, Mode, Play
from connector.rules.triggers import STALE
from connector.rules.triggers import dates as rules
from connector.rules.triggers.dates import Occurrence
from connector.steps import contexts, gather, timing
from connector.steps.apart import apart
from connector.steps.began import begin
from connector.steps.setup import Setup

SLICE = 32  #: people at a time, where a play is new
DATE = "date"
WHERE_THEY_ARE = frozenset(
    f"contact.{name}" for name in ("timezone", "country", "region", "postal", "phone")
)
"""What moves a person's clock."""


def moved(tx: Tx, rt: Setup, contact_id: str, paths: Iterable[str], now: datetime) -> None:
    """Set the timers of one person anew where a date or their clock has changed."""
    plays, changed = rt.by_kind.get(Kind.date, ()), set(paths)  # one that is off may be on again
    if not plays or not changed:
        return
    clock_moved = bool(changed & WHERE_THEY_ARE)
    contact = gather.person(tx, contact_id)
    for play in plays:
        form = play.start.date
        if form is not None and (clock_moved or form.path in changed):
            if form.path in changed:
                _end_moved(tx, rt, play, form, contact_id, now)
                arm(tx, rt, play, form, contact_id, now, contact)
            elif contact is not None and _has(tx, rt, form, contact):
                arm(tx, rt, play, form, contact_id, now, contact)


def _has(tx: Tx, rt: Setup, form: Date, contact: Contact) -> bool:
    """Whether a date may stand in the field at all; a CRM's is looked up."""
    root, _, name = form.path.partition(".")
    return root != "contact" or bool(contact.traits.get(name))


def merged(tx: Tx, rt: Setup, contact_id: str, now: datetime) -> None:
    """Two turned out to be one: their dates are those of the one."""
    paths = {play.start.date.path for play in rt.by_kind.get(Kind.date, ()) if play.start.date}
    moved(tx, rt, contact_id, paths, now)


def _end_moved(tx: Tx, rt: Setup, play: Play, form: Date, contact_id: str, now: datetime) -> None:
    """End what waits for a date that is no longer the person's."""
    contact = gather.person(tx, contact_id)
    for row in enrolments.waiting(tx, play.name, contact_id):
        since = clock.instant(row["triggered_at"]) - STALE
        found = _next(tx, rt, form, contact, since)
        is_same = found is not None and found.key == row["key"]
        if not is_same and enrolments.end(tx, str(row["id"]), "date_changed", now):
            sends.cancel_planned(tx, str(row["id"]), "date_changed", now)


def arm(
    tx: Tx,
    rt: Setup,
    play: Play,
    form: Date,
    contact_id: str,
    now: datetime,
    contact: Contact | None = None,
) -> None:
    """Set the timer of a person's next occurrence that has not begun, in the place of any other."""
    contact = contact or gather.person(tx, contact_id)
    found = _next(tx, rt, form, contact, now - STALE)
    if found is not None and enrolments.by_key(tx, play.name, contact_id, found.key) is not None:
        found = _next(tx, rt, form, contact, found.at)
    key = found.key if found else ""
    timers.keep_only(tx, DATE, play.name, contact_id, key)
    if found is not None:
        timers.set_(tx, DATE, play.name, contact_id, key, found.at, key)


def due(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """A timer is due: the play starts, unless it is off or the date has moved since; then comes
    the next."""
    timers.drop(tx, row)
    play = rt.plays.get(str(row["name"]))
    form = play.start.date if play is not None else None
    contact = gather.person(tx, str(row["contact_id"]))
    if play is None or form is None or contact is None or play.start.signal:
        return
    at = clock.instant(row["due_at"])
    found = _next(tx, rt, form, contact, at - STALE)
    if found is None or found.key != row["key"] or found.at > now:
        arm(tx, rt, play, form, contact.id, now)
        return
    if play.mode is not Mode.off:
        facts = {"date": found.key, "at": clock.text(found.at)}
        begin(tx, rt, play, contact.id, DATE, facts, occurrence=found.key, at=found.at, now=now)
    after = _next(tx, rt, form, contact, found.at)
    if after is not None:
        timers.set_(tx, DATE, play.name, contact.id, after.key, after.at, after.key)


def set_up(tx: Tx, rt: Setup, now: datetime, *, careful: bool = True) -> int:
    """Set the timers of everybody for plays that are new, some people at a time; how many."""
    done = 0
    for play in rt.by_kind.get(Kind.date, ()):
        form = play.start.date
        if form is None:
            continue
        name = _cursor(play, form)
        mark = cursors.get(tx, name)
        if mark == "done":
            continue
        ids = timers.people(tx, mark, SLICE)
        for contact_id in ids:
            armed = partial(arm, tx, rt, play, form, contact_id, now)
            apart(tx, armed, f"{play.name}:{contact_id}", careful=careful)
        cursors.set_(tx, name, ids[-1] if len(ids) == SLICE else "done")
        done += len(ids)
    return done


def _next(
    tx: Tx, rt: Setup, form: Date, contact: Contact | None, after: datetime
) -> Occurrence | None:
    if contact is None:
        return None
    context: dict[str, Json] = {"contact": contexts.contact_facts(contact)}
    if form.path.startswith("crm."):
        context["crm"] = crm_facts.of(tx, rt.crm, contact.id)
    value = timing.value_at(context, form.path)
    if value in (None, ""):
        return None
    return rules.next_occurrence(form, value, timing.zone_of(rt, contact, after), after)


def _cursor(play: Play, form: Date) -> str:
    offset = int(form.offset.total_seconds())
    return f"dates:{play.name}:{form.path}:{offset}:{form.at}:{form.yearly}:{form.leap_day}"[:200]
