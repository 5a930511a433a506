"""Settling by hand: a person found out whether a doubtful text went, and says how they know."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger import acts, restores, sends
from connector.ledger.store import Tx
from connector.messages import Accepted
from connector.steps import dispatch, owed
from connector.steps.setup import Setup

ACT = "settled"


def by_hand(
    tx: Tx, rt: Setup, send_id: str, *, went: bool, who: str, why: str, now: datetime
) -> None:
    """Take a doubtful text for gone, or plan it again; the gate then decides afresh.

    Raises ``LookupError`` where there is no such doubtful text.
    """
    row = sends.get(tx, send_id)
    if row is None or row["state"] != "uncertain":
        raise LookupError(f"there is no doubtful text {send_id}; see `connector sends --doubtful`")
    if went:
        at = clock.instant(row["begun_at"] or row["due_at"])
        dispatch.accepted(tx, rt, row, Accepted(str(row["provider_id"] or ""), None), min(at, now))
        changed = sends.get(tx, send_id)
        if changed is not None:
            owed.send_changed(tx, rt.crm, changed, now)
    else:
        restores.clear(tx, send_id, now)
    what = "sent" if went else "not sent"
    acts.add(tx, rt.new_id("act"), ACT, f"send:{send_id}", who=who, at=now, why=f"{what}: {why}")
