"""Tidying: what time alone decides."""

from __future__ import annotations

import logging
from datetime import timedelta

from connector import clock
from connector.ledger import consents, errands
from connector.phone import mask
from connector.steps import templates
from connector.steps.consent import record_consent
from connector.steps.drift import drift
from connector.steps.retention import retain
from connector.steps.setup import Setup

log = logging.getLogger("connector")

UNDECIDED = timedelta(hours=72)
"""An unclear reply that no person has decided by then counts as an opt-out of marketing."""

HELD = """SELECT phone FROM numbers WHERE held_at IS NOT NULL AND held_at <= :before LIMIT 100"""


def tidy(rt: Setup) -> int:
    """Count unclear replies that nobody decided as opt-outs of marketing; how many.

    Also removes what is kept no longer (``steps/retention``, errands done long ago), and compares
    the CRM's opt-outs with ours (``steps/drift``).
    """
    retain(rt)
    drift(rt)
    templates.watch_all(rt)
    now = rt.clock()
    with rt.store.read() as tx:
        held = tx.all(HELD, before=clock.text(now - UNDECIDED))
        old = errands.is_old(tx, now)
    if old:
        with rt.store.write() as tx:
            errands.forget(tx, now)
    if not held:
        return 0
    with rt.store.write() as tx:
        for row in held:
            phone = str(row["phone"])
            record_consent(
                tx,
                rt,
                phone=phone,
                purpose="marketing",
                granted=False,
                method="reply",
                wording="an unclear reply that nobody decided within 72 hours",
                source=rt.provider,
                now=now,
            )
            consents.hold(tx, phone, "", None)
            log.warning("act=tidy number=%s result=opted_out: undecided", mask(phone))
    return len(held)
