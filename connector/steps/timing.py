"""Timing: when a step speaks to this person, on their own clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connector.ledger import assignments, besthours
from connector.ledger.store import Tx
from connector.model import Contact, Json, Objection, Verdict
from connector.rules import moments, places, signs, triggers
from connector.rules.plays import Play, Step
from connector.rules.triggers import dates
from connector.steps.setup import Setup


def first_due(
    tx: Tx, rt: Setup, play: Play, contact: Contact, at: datetime, due_at: datetime | None
) -> datetime:
    """When the first step of a play that began at an instant is due.

    ``due_at`` where the form of the start tells when it speaks; else ``after`` the start.
    """
    base = (due_at if due_at is not None else at + play.start.after) + play.steps[0].wait
    return on_their_clock(tx, rt, play, play.steps[0], contact, base)


def on_their_clock(
    tx: Tx, rt: Setup, play: Play, step: Step, contact: Contact, base: datetime
) -> datetime:
    """The instant from ``base`` on at which a step may act, by its moment."""
    moment = step.moment
    if moment == moments.PLAIN:
        return base
    zone = zone_of(rt, contact, base)
    best = None
    if moment.best_hour:
        best = _best_hour(tx, play, contact, zone)
    place = 0.0
    if moment.spread:
        place = triggers.share(assignments.salt(tx), f"spread:{play.name}:{step.name}", contact.id)
    return moments.adjust(moment, base, zone, best=best, place=place)


def zone_of(rt: Setup, contact: Contact, at: datetime) -> str:
    """The zone whose clock a person's steps go by."""
    if places.is_zone(contact.timezone):
        return contact.timezone
    others = signs.addresses(rt.book.hours.signs, contact, {})
    where = places.places(contact, contact.phone, others)
    return moments.zone_of("", where.zones, rt.zone, at)


def date_of(
    rt: Setup, play: Play, contact: Contact, context: Mapping[str, Json], at: datetime
) -> tuple[datetime | None, tuple[Objection, ...]]:
    """When a date that the start signal bears is due, or the objection that it bears none."""
    wanted = play.start.date
    if wanted is None:
        return None, ()
    value = value_at(context, wanted.path)
    found = dates.instant(wanted, value, zone_of(rt, contact, at))
    if found is None:
        says = f"{wanted.path} is no day or instant."
        return None, (Objection("no_date", Verdict.stop, says),)
    return found + play.start.after, ()


def value_at(context: Mapping[str, Json], path: str) -> Json:
    """The value at a dotted path of a context, None where there is none."""
    value: Json = context
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _best_hour(tx: Tx, play: Play, contact: Contact, zone: str) -> int | None:
    """The person's own best hour, else that of the segment whose edge starts the play, else that
    of the play's people, else none."""
    own = _most(besthours.of_contact(tx, contact.id), zone)
    edge = play.start.edge
    if own is None and edge is not None and edge.entering:
        own = _most(besthours.of_segment(tx, edge.segment), zone)
    return own if own is not None else _most(besthours.of_play(tx, play.name), zone)


def _most(times: besthours.Times, zone: str) -> int | None:
    """The hour with most; what somebody states that is no zone is not believed."""
    told = [(at, own if places.is_zone(own) else "") for at, own in times]
    return moments.best_hour(told, zone)
