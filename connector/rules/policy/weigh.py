"""Weighing: what all objections together come to."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from connector.model import Decision, Objection, Purpose, Verdict
from connector.rules.policy.checks import CHECKS, REQUEST_CHECKS, SYSTEM_CHECKS
from connector.rules.policy.values import CHECK_AGAIN, Check, Facts, Rulebook, ask_again

FAULT: Final = "act=decide check=%s result=failed error=%s"

log = logging.getLogger("connector")


def decide(facts: Facts, book: Rulebook, now: datetime) -> Decision:
    """Send, wait until an instant, or stop: every check is asked and every objection is kept.

    The gravest objection decides: any *stop* stops, else the latest *wait* holds. A wait that
    would not end before ``expires_at`` is a stop. A check that raises waits (it may clear).
    """
    objections = []
    for check in checks_of(facts):
        try:
            objection = check(facts, book, now)
        except Exception as error:
            log.error(FAULT, check.__name__, type(error).__name__)
            objection = failed(check, error, facts, now)
        if objection is not None:
            objections.append(objection)
    return weighed(objections, facts, book.version, now)


def checks_of(facts: Facts) -> tuple[Check, ...]:
    """The checks that a text must pass, gravest first."""
    if facts.asks:
        return REQUEST_CHECKS
    return SYSTEM_CHECKS if facts.purpose is Purpose.system else CHECKS


def weighed(objections: list[Objection], facts: Facts, version: str, now: datetime) -> Decision:
    """What all objections together come to (see :func:`decide`)."""
    if not objections:
        return Decision(Verdict.send, policy_version=version)
    stops = [item for item in objections if item.verdict is Verdict.stop]
    if stops:
        rest = [item for item in objections if item.verdict is not Verdict.stop]
        return Decision(Verdict.stop, (*stops, *rest), None, version)
    until = max(item.until or now + CHECK_AGAIN for item in objections)
    waits = tuple(sorted(objections, key=lambda item: item.until or now, reverse=True))
    if until >= facts.expires_at:
        late = Objection(
            waits[0].reason,
            Verdict.stop,
            f"{waits[0].says} That is not before the text expires, so it is dropped.",
        )
        return Decision(Verdict.stop, (late, *waits[1:]), None, version)
    return Decision(Verdict.wait, waits, until, version)


def failed(check: Check, error: Exception, facts: Facts, now: datetime) -> Objection:
    """What a check that raised objects: wait, since its cause may clear."""
    name = check.__name__
    code = getattr(error, "code", "")
    reason = code if code == "fact_missing" else "check_failed"
    says = f"The check {name} could not be made ({type(error).__name__}: {error})."
    return Objection(reason, Verdict.wait, says, ask_again(facts, now))
