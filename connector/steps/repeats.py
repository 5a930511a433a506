"""Repeating safely: a text in doubt that its provider would take only once goes to the gate again.

It is planned and yet counts as sent, by which the gate knows it. It goes only as the very text that
perhaps went, by the same provider and sender, while it is still wanted; else it is in doubt as
before.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import doubts
from connector.ledger.store import Row, Tx
from connector.model import Decision, Verdict
from connector.rules import doubts as rule
from connector.rules.policy import Facts
from connector.rules.routing import Way
from connector.steps import person
from connector.steps.setup import Setup

log = logging.getLogger("connector")

REASON: Final = "not_repeated"


def begins(tx: Tx, send: Row) -> bool:
    """Whether a planned text perhaps went already; it then does not count against itself."""
    if send["counts_at"] is None:
        return False
    doubts.uncount(tx, str(send["id"]))
    return True


def forbidden(tx: Tx, send: Row, facts: Facts, decision: Decision, way: Way, now: datetime) -> str:
    """Why a text may not be handed over once more; "" where it may."""
    if way.until is not None:
        return way.why
    if now >= clock.instant(send["begun_at"]) + rule.REPEATABLE:
        return "its provider may not know it again any more"
    if decision.verdict is not Verdict.send:
        return decision.reason
    if (facts.text, facts.contact.phone) != (send["text"], send["phone"]):
        return "its words are others now"
    tries = doubts.attempts(tx, str(send["id"]))
    sender = str(tries[-1]["sender"]) if tries else way.sender
    if (way.provider, way.sender) != (send["provider"], sender):
        return "it would go another way now"
    return ""


def back(tx: Tx, rt: Setup, send: Row, why: str, now: datetime) -> None:
    """The text is in doubt as before; it is asked about again as it would have been."""
    send_id = str(send["id"])
    doubts.back(tx, send_id, REASON)
    row = doubts.get(tx, send_id)
    if row is None:
        return
    look_at = rule.next_look(clock.instant(row["since_at"]), now)
    doubts.note(
        tx,
        send_id,
        looks=int(row["looks"]),
        look_at=look_at,
        verdict="" if look_at else rule.Fate.person.value,
        why=f"it could be handed over again safely, but may not: {why}",
        found=doubts.evidence(row),
    )
    if look_at is None:
        person.ask_for(tx, rt, now)
    log.info("act=gate send=%s result=uncertain reason=%s", send_id, REASON)


def failed(tx: Tx, send_id: str, attempt: int) -> bool:
    """A text that was handed over once more was not taken this time, which says nothing of before.

    False where it was no such text; else it is in doubt again, and looked into anew.
    """
    row = doubts.get(tx, send_id) if attempt > 1 else None
    if row is None or row["settled_at"] is not None or row["verdict"] != rule.Fate.repeat:
        return False
    doubts.back(tx, send_id, REASON)
    return True
