"""Turn: what goes first, a pause or somebody's conversation."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Verdict
from connector.rules.policy.values import CHECK_AGAIN, Facts, Rulebook


def paused(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The play is paused, or everything is."""
    if not facts.paused:
        return None
    return Objection("paused", Verdict.wait, facts.paused, now + CHECK_AGAIN)


def template_paused(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The template is paused: too many left on account of it, or a person said so."""
    if not facts.template_paused:
        return None
    return Objection("template_paused", Verdict.wait, facts.template_paused, now + CHECK_AGAIN)


def in_conversation(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """A person is talking with this number; plays wait until that is over."""
    if facts.talking_until is None:
        return None
    says = "A person is in a conversation with this number."
    until = min(facts.talking_until, now + CHECK_AGAIN)  # it may be closed at any time
    return Objection("in_conversation", Verdict.wait, says, until)


def in_another_play(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Another play is in a conversation with the person; one at a time."""
    if not facts.busy_with:
        return None
    says = f"The play {facts.busy_with} is in a conversation with this person."
    return Objection("in_another_play", Verdict.wait, says, now + CHECK_AGAIN)
