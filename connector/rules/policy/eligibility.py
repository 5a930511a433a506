"""Eligibility: whom a text can reach and whom its play is for."""

from __future__ import annotations

from datetime import datetime

from connector import phone
from connector.model import Objection, Purpose, Verdict
from connector.rules.policy.values import Facts, Rulebook


def no_mobile(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """There is no number, or it cannot take texts."""
    if not facts.contact.phone:
        return Objection("no_mobile", Verdict.stop, "The contact has no phone number.")
    if phone.reachable(facts.number_type):
        return None
    if facts.number_type == "voip":
        if book.policy.numbers.voip or facts.purpose is Purpose.system:  # it has just written
            return None
        says = 'It is a number of the internet (voip); [numbers] voip = "allow" would text it.'
        return Objection("no_mobile", Verdict.stop, says)
    kind = facts.number_type.replace("_", " ") or "of unknown type"
    return Objection("no_mobile", Verdict.stop, f"The number is {kind}, not a mobile.")


def no_route(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """Only routes count, and none takes such a text to such a number."""
    if not facts.no_route:
        return None
    return Objection("no_route", Verdict.stop, facts.no_route)


def wrong_stage(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The play is not for contacts at this stage."""
    if not facts.stages or facts.contact.stage in facts.stages:
        return None
    stage = facts.contact.stage or "no stage"
    return Objection(
        "wrong_stage", Verdict.stop, f"The contact is at {stage}, not {' or '.join(facts.stages)}."
    )
