"""The request of a double opt-in: our own text, and yet one that keeps hours and lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.clock import clock_off
from connector.rules.policy.opening import quiet_hours
from connector.rules.policy.unheard import replies_unheard
from connector.rules.policy.values import Facts, Rulebook


def provider_blocks(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A block at the provider is of everything; a STOP by text is what a yes may lift."""
    if facts.blocked != "provider":
        return None
    return Objection("opted_out", Verdict.stop, "The provider blocks this number.")


def request_hours(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """It keeps the hours of service texts."""
    return quiet_hours(replace(facts, purpose=Purpose.service), book, now)


def request_clock(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """While nobody knows what hour it is, it waits as marketing does."""
    return clock_off(replace(facts, purpose=Purpose.marketing), book, now)


def request_unheard(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """While somebody may have said stop unheard, it waits as marketing does."""
    return replies_unheard(replace(facts, purpose=Purpose.marketing), book, now)
