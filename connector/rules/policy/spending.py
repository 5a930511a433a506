"""Spending: the operator's budget, and what carriers take of a sender in a day."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy import pots
from connector.rules.policy.limits import Measure, sender_of
from connector.rules.policy.values import Facts, Rulebook


def budget_spent(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The money or the segments of the day or the month are spent."""
    full = _full(facts, book, "budget_spent")
    if full is None:
        return None
    says = f"The {full.unit} of the {full.span} is used up: {full.shown}{_kept_back(full)}."
    return Objection("budget_spent", Verdict.wait, says, full.pot.ends)


def carrier_cap(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Carriers take no more of this sender today."""
    full = _full(facts, book, "carrier_cap")
    if full is None:
        return None
    says = f"Carriers take no more of this sender today: {full.shown}{_kept_back(full)}."
    return Objection("carrier_cap", Verdict.wait, says, full.pot.ends)


def _full(facts: Facts, book: Rulebook, reason: str) -> Measure | None:
    """Of the measures without room for this text the one that is full the longest."""
    sender = sender_of(book.policy.senders, facts.sender)
    measures = pots.measures(book.policy.budget, sender, facts.pots)
    full = [each for each in measures if each.reason == reason and not _has_room(each, facts)]
    return max(full, key=lambda each: each.pot.ends, default=None)


def _has_room(measure: Measure, facts: Facts) -> bool:
    """Whether a text still fits; the last share is for all but marketing."""
    own = facts.cost_micros if measure.unit == "money" else facts.segments
    is_marketing = facts.purpose is Purpose.marketing
    return measure.full + own <= (measure.for_marketing if is_marketing else measure.limit)


def _kept_back(measure: Measure) -> str:
    return f", the last {measure.reserve:.0%} for service alone" if measure.reserve else ""
