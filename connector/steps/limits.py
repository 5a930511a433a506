"""Limits as they stand: what a decision about a text weighs of fatigue, rivals and budgets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from connector import clock, phone
from connector.ledger import frequency, spending, touches
from connector.ledger.store import Tx
from connector.model import ConsentRow, Contact, Purpose, Said
from connector.rules.plays import Play
from connector.rules.policy import Policy, pots
from connector.rules.policy.limits import SMS, Pot, Rival, sender_of
from connector.steps.setup import Setup
from connector.text import count

PASSING = frozenset(
    {
        *("", "quiet_hours", "cap_full", "minimum_gap", "fatigue_slow"),
        *("budget_spent", "carrier_cap", "pacing"),
    }
)
"""Reasons for which a text waits that pass by themselves; for others it may wait on a person."""


def of_past(
    tx: Tx, rt: Setup, contact: Contact, said: tuple[tuple[Said, ...], ...], since: datetime
) -> dict[str, Any]:
    """What other tools said, and how many texts led to nothing.

    ``said`` is what the person was told, and what the number was, back to ``since``.
    """
    policy = rt.book.policy
    found: dict[str, Any] = {}
    if any(channel != SMS for cap in policy.caps for channel in cap.channels):
        found["touched"] = touches.since(tx, contact.id, since)
    if policy.fatigue is not None:
        found["unanswered"], found["unanswered_at"] = _unanswered(tx, policy, contact, said, since)
    return found


def _unanswered(
    tx: Tx, policy: Policy, contact: Contact, said: tuple[tuple[Said, ...], ...], since: datetime
) -> tuple[int, datetime | None]:
    """(marketing texts since the person last did something, when the newest of them went).

    Those to the person, or those to the number where they are more: others may share it.
    """
    active, fatigue = contact.last_activity_at, policy.fatigue
    if fatigue is None or not contact.id:
        return 0, None
    if active is not None and active >= since:
        found = [
            [item.at for item in to if item.purpose is Purpose.marketing and item.at > active]
            for to in said
        ]
    else:
        most = max(fatigue.slow_after, fatigue.stop_after)
        found = [*frequency.unanswered(tx, contact.id, contact.phone, active, most)]
    return max(map(len, found)), max((at for times in found for at in times), default=None)


def alive_at(contact: Contact, rows: Iterable[ConsentRow]) -> datetime | None:
    """The last sign of life: what the person did, a consent they gave, else when first seen."""
    agreed = [row.occurred_at for row in rows if row.granted]
    known = (contact.last_activity_at or contact.first_seen_at, *agreed)
    return max((at for at in known if at is not None), default=None)


def rivals(
    tx: Tx, rt: Setup, contact: Contact, play: Play | None, send_id: str, now: datetime
) -> tuple[Rival, ...]:
    """Planned marketing texts to the person, of plays of a higher priority, that will be asked of
    by themselves and may leave; asked only where some play has a higher priority."""
    if play is None or not send_id or not contact.id or play.priority >= rt.top_priority:
        return ()
    policy = rt.book.policy
    if not (policy.caps or policy.gap):
        return ()
    rows = frequency.rivals(tx, contact.id, play.priority, send_id, now)
    return tuple(
        Rival(clock.instant(row["due_at"]), row["play"], int(row["priority"]))
        for row in rows
        if rt.may_leave(row["mode"]) and row["reason"] in PASSING
    )


def of_pots(
    tx: Tx, rt: Setup, contact: Contact, text: str, sender: str, now: datetime, *, hold: bool
) -> dict[str, Any]:
    """The pots that a text counts in, with what is in them, and what it would add.

    With ``hold`` nobody else adds to them until the transaction is over.
    """
    policy = rt.book.policy
    if policy.budget is None and not policy.senders:
        return {}
    limits = sender_of(policy.senders, sender)
    country = country_of(contact.phone) if limits is not None else ""
    read = spending.hold if hold else spending.read
    filled = tuple(
        _filled(pot, *read(tx, pot.name))
        for pot in pots.names(policy.budget, limits, country, rt.zone, now)
    )
    segments = count(text).segments
    cost = policy.budget.cost(segments, None, "") if policy.budget is not None else 0
    return {"sender": sender, "segments": segments, "cost_micros": cost, "pots": filled}


def _filled(pot: Pot, segments: int, micros: int) -> Pot:
    return replace(pot, segments=segments, micros=micros)


@lru_cache(maxsize=4_096)
def country_of(e164: str) -> str:
    """The country of a number, "" where it has none."""
    try:
        return phone.parse(e164, "").country if e164 else ""
    except phone.NotANumber:
        return ""
