"""Opening: the hours at which the law lets a text go."""

from __future__ import annotations

from datetime import datetime

from connector.model import Objection, Verdict
from connector.rules import hours
from connector.rules.policy.values import Facts, Rulebook


def quiet_hours(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The text would not be lawful in every zone and by every rule the person may be under."""
    where = hours.places(facts.contact, facts.sign or facts.contact.phone, facts.addresses)
    opening = hours.judge(where, book.hours, facts.purpose, now, book.policy.window_margin)
    if opening.open:
        return None
    if opening.closed:
        return Objection("country_closed", Verdict.stop, opening.says)
    until = opening.until or now + hours.HORIZON  # none is known, so at least as long as was asked
    return Objection("quiet_hours", Verdict.wait, opening.says, until)
