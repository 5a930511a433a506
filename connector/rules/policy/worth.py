"""Worth: whether the text is whole, and still of use."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Verdict
from connector.rules.policy.values import Facts, Rulebook


def already_said(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The occurrence has had all the texts it may have."""
    limit = facts.max_texts_per_key
    if limit is None or facts.texts_for_key < limit:
        return None
    return Objection(
        "already_said",
        Verdict.stop,
        f"{facts.texts_for_key} of at most {limit} texts about {facts.key or 'this'} went already.",
    )


def expired(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """It is too late to be of use."""
    if now < facts.expires_at:
        return None
    late = f"{facts.expires_at:%Y-%m-%d %H:%M} UTC"
    return Objection("expired", Verdict.stop, f"The text was worth sending until {late}.")


def value_missing(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text has a hole: a value that the template wants is missing."""
    if not facts.text_fault:
        return None
    return Objection("value_missing", Verdict.stop, facts.text_fault)


def no_longer_valid(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The last day of the play or of the text is over."""
    if not facts.not_valid:
        return None
    return Objection("no_longer_valid", Verdict.stop, facts.not_valid)


def too_long(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text has more segments than its step allows."""
    if not facts.too_long:
        return None
    return Objection("too_long", Verdict.stop, facts.too_long)
