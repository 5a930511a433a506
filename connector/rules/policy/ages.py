"""Age: whether what a text rests on was learnt lately enough."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Verdict
from connector.rules.policy.values import Facts, Rulebook, ask_again


def facts_old(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """What the CRM told, and a rule or the play reads, is older than it may be."""
    if not facts.facts_old:
        return None
    return Objection("facts_old", Verdict.wait, facts.facts_old, ask_again(facts, now))


def number_unchecked(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The number was not looked up, or too long ago."""
    if not facts.number_unchecked:
        return None
    says, until = facts.number_unchecked, ask_again(facts, now)
    return Objection("number_unchecked", Verdict.wait, says, until)
