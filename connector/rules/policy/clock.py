"""Clock: whether this machine knows what time it is."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.values import CHECK_AGAIN, Facts, Rulebook


def clock_off(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The machine's clock is wrong, so nobody knows what hour it is; marketing waits."""
    if not facts.clock_off or facts.purpose is not Purpose.marketing:
        return None
    return Objection("clock_off", Verdict.wait, facts.clock_off, now + CHECK_AGAIN)
