"""Consent: what the number asked for, and what it asked us to leave."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.values import CHECK_AGAIN, Facts, Rulebook


def opted_out(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The number said STOP, or the provider or an operator blocked it."""
    if not facts.blocked:
        return None
    if facts.blocked_scope == "marketing" and facts.purpose is Purpose.service:
        return None
    return Objection("opted_out", Verdict.stop, f"The number has opted out ({facts.blocked}).")


def no_consent(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """No live consent for the purpose, or for a scope that the play wants."""
    missing = [want for want in (facts.purpose.value, *facts.scopes) if want not in facts.consents]
    if not missing or facts.reassigned:  # which says why
        return None
    return Objection(
        "no_consent", Verdict.stop, f"The number has no live consent for {' and '.join(missing)}."
    )


def reassigned(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The number has a new owner, and the consents are of the one before."""
    if not facts.reassigned:
        return None
    wanted = {facts.purpose.value, *facts.scopes}
    if wanted <= facts.consents:
        return None
    return Objection("reassigned", Verdict.stop, facts.reassigned)


def held(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """An unclear reply waits for a person to read it; only marketing is held."""
    if not facts.hold or facts.purpose is not Purpose.marketing:
        return None
    return Objection("reply_unread", Verdict.wait, facts.hold, now + CHECK_AGAIN)
