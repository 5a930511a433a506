"""Unheard: whether somebody may have said stop while nobody listened."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.values import CHECK_AGAIN, Facts, Rulebook


def replies_unheard(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Replies may have been missed, and were not asked for yet; marketing waits."""
    if not facts.unheard or facts.purpose is not Purpose.marketing:
        return None
    return Objection("replies_unheard", Verdict.wait, facts.unheard, now + CHECK_AGAIN)
