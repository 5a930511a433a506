"""Asking: in a world of its own CRM and provider tell what is known already, as soon as asked."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector.ledger import crm_facts, numbers, refreshes
from connector.ledger.store import Tx
from connector.steps.setup import Setup

MOST: Final = 1_000  #: in a round; what is left comes with the next


def answer(tx: Tx, rt: Setup, now: datetime) -> int:
    """Answer what texts wait for, which are then due; how much that was.

    What was never told stays unknown: nobody can say what would have been answered.
    """
    people = refreshes.due(tx, refreshes.CRM, now, MOST)
    for each in people:
        known = crm_facts.of(tx, rt.crm, each.about)
        crm_facts.keep(tx, rt.crm, each.about, known, now)
        refreshes.done(tx, refreshes.CRM, each.about, now)
    phones = refreshes.due(tx, refreshes.NUMBER, now, MOST)
    for each in phones:
        about = (tx, rt.new_id("lkp"), each.about, rt.provider, now)
        numbers.looked_up(*about, kind="", reassigned="")
        refreshes.done(tx, refreshes.NUMBER, each.about, now)
    return len(people) + len(phones)
