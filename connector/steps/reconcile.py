"""Reconciling: texts whose fate nobody knows are looked up, never blindly repeated."""

from __future__ import annotations

import logging
from datetime import timedelta

from connector.ledger import attempts, sends, writebacks
from connector.rules.outages import LOOK_AFTER
from connector.steps import owed
from connector.steps.setup import Setup

log = logging.getLogger("connector")


def after_a_death(rt: Setup) -> int:
    """Mark texts that a dead worker had begun as uncertain; how many there were.

    What it was writing back may be looked up as soon as a call that it had begun has ended.

    Runs once at start, under the folder's lock: no other worker lives, so a text still in
    ``sending`` was handed over, or about to be, when the process died.
    """
    now = rt.clock()
    with rt.store.write() as tx:
        for name, crm in rt.crms.items():
            writebacks.free(tx, name, now, timedelta(0) if crm.echoes else LOOK_AFTER)
        lost = sends.lost(tx)
        for row in lost:
            sends.doubted(tx, str(row["id"]), "worker_died", "")
            attempt = int(row["attempt"])
            attempts.settle(tx, str(row["id"]), attempt, "uncertain", "worker_died", "", now)
            changed = sends.get(tx, str(row["id"]))
            if changed is not None:
                owed.send_changed(tx, rt.crm, changed, now)
    if lost:
        log.warning("act=reconcile uncertain=%d; see `connector sends --doubtful`", len(lost))
    return len(lost)
