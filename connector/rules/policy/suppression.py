"""Suppression: the rules of the policy file, and the lists, that keep a text back."""

from __future__ import annotations

from datetime import datetime

from connector.errors import ExpressionFailed
from connector.model import Objection, Verdict
from connector.rules.policy.values import CHECK_AGAIN, Facts, Rulebook, Suppression, ask_again


def on_list(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A suppression list names the person, or a hand suppressed the number."""
    if not facts.on_list:
        return None
    return Objection("on_list", Verdict.stop, f"On a suppression list: {facts.on_list}.")


def list_unreadable(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A suppression list has faults, so that nobody knows who else is on it."""
    if not facts.list_fault:
        return None
    says = f"A suppression list cannot be gone by: {facts.list_fault}"
    return Objection("list_unreadable", Verdict.wait, says, ask_again(facts, now))


def suppressed(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A rule of the policy file keeps the text back; of several the gravest is named.

    Raises ``ExpressionFailed`` where a rule cannot be asked and no other stops the text.
    """
    if _none_suppresses(facts, book):
        return None
    failed: ExpressionFailed | None = None
    holds: Objection | None = None
    for rule in book.policy.suppressions:
        if not rule.concerns(facts.purpose.value, facts.role):
            continue
        try:
            is_true = bool(rule.when(facts.context))
        except ExpressionFailed as error:
            failed = failed or ExpressionFailed(f"{rule.name}: {error}", error.code)
            continue
        if is_true and rule.verdict is Verdict.stop:
            return _objection(rule, None)
        if is_true and holds is None:
            holds = _objection(rule, now + CHECK_AGAIN)
    if failed is not None:
        raise failed
    return holds


def _objection(rule: Suppression, until: datetime | None) -> Objection:
    return Objection("suppressed", rule.verdict, f"{rule.name}: {rule.says}", until)


def _none_suppresses(facts: Facts, book: Rulebook) -> bool:
    """Whether no rule is true, as for nearly everybody, so asked first, all in one call."""
    together = book.policy.together.get((facts.purpose.value, facts.role))
    if together is None:
        return False
    try:
        return not any(together(facts.context).values())
    except ExpressionFailed:
        return False  # the rules are asked one by one: one that is true may stop the text
