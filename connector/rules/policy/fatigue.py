"""Fatigue: who does not answer is texted less, then not at all, until they do something."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.frequency import in_words
from connector.rules.policy.values import Facts, Rulebook


def fatigue_stop(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """So many marketing texts in a row led to nothing that there are no more."""
    rule = book.policy.fatigue
    if rule is None or not rule.stop_after or facts.purpose is not Purpose.marketing:
        return None
    if facts.unanswered < rule.stop_after:
        return None
    says = (
        f"The last {facts.unanswered} marketing texts led to no reply, click or visit; after "
        f"{rule.stop_after} there are no more until the person does something."
    )
    return Objection("fatigue_stop", Verdict.stop, says)


def fatigue_slow(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """So many marketing texts in a row led to nothing that the next has to wait longer."""
    rule = book.policy.fatigue
    if rule is None or not rule.slow_after or facts.purpose is not Purpose.marketing:
        return None
    if facts.unanswered < rule.slow_after or facts.unanswered_at is None:
        return None
    until = facts.unanswered_at + rule.gap
    if until <= now:
        return None
    says = (
        f"The last {facts.unanswered} marketing texts led to no reply, click or visit; after "
        f"{rule.slow_after} there are {in_words(rule.gap)} between two."
    )
    return Objection("fatigue_slow", Verdict.wait, says, until)


def inactive(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Nothing was heard of the person for so long that they get no marketing until they return."""
    after = book.policy.inactive_after
    if after is None or facts.purpose is not Purpose.marketing or facts.alive_at is None:
        return None
    if now - facts.alive_at < after:
        return None
    says = (
        f"Nothing was heard of the person since {facts.alive_at:%Y-%m-%d}, over {after.days} days."
    )
    return Objection("inactive", Verdict.stop, says)
