"""How texts stand by what providers told of them: a lattice, in which nothing goes back down."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger import sends
from connector.ledger.store import Row, Tx
from connector.messages import Receipt
from connector.model import Status

STATUS = """UPDATE sends SET state = :state, status = :status, status_rank = :rank,
        reason = CASE WHEN :reason = '' OR :final = 0 THEN reason ELSE :reason END,
        error_code = CASE WHEN :code = '' OR :final = 0 THEN error_code ELSE :code END,
        settled_at = CASE WHEN :final = 1 THEN coalesce(settled_at, :at) ELSE settled_at END,
        segments = coalesce(:segments, segments), cost_micros = coalesce(:cost, cost_micros),
        currency = CASE WHEN :currency = '' THEN currency ELSE :currency END
    WHERE id = :id AND status_rank < :rank"""
BESIDE = """UPDATE sends SET conflict = CASE WHEN :conflict = '' THEN conflict ELSE :conflict END,
        segments = coalesce(:segments, segments), cost_micros = coalesce(:cost, cost_micros),
        currency = CASE WHEN :currency = '' THEN currency ELSE :currency END
    WHERE id = :id"""
#: Ranks of a receipt's status; a lower one never overwrites a higher (callbacks come unordered).
RANKS = {
    Status.unknown: 0,
    Status.accepted: 1,
    Status.sent: 3,
    Status.delivered: 4,
    Status.undelivered: 4,
    Status.failed: 4,
    Status.canceled: 4,
}
UNSETTLED = ("sending", "uncertain")
STATES = {
    Status.delivered: "delivered",
    Status.undelivered: "undelivered",
    Status.failed: "undelivered",
    Status.canceled: "undelivered",
}


def told(tx: Tx, send_id: str, receipt: Receipt, at: datetime) -> bool:
    """Take over a receipt's status if it ranks above what is known; False if it does not.

    Whatever it ranks, the price and the segments that it tells are kept. Of two ends that differ
    the first stands, and ``conflict`` says what the other was.
    """
    rank = RANKS[receipt.status]
    row = sends.get(tx, send_id)
    if row is None:
        return False
    state = STATES.get(receipt.status, "")
    if rank <= int(row["status_rank"]):
        _beside(tx, row, receipt, state)
        return False
    if not state:
        state = "accepted" if row["state"] in UNSETTLED else str(row["state"])
    return bool(
        tx.run(
            STATUS,
            id=send_id,
            state=state,
            status=receipt.status.value,
            rank=rank,
            reason=receipt.reason,
            code=receipt.error_code,
            final=int(rank == 4),
            segments=receipt.segments or None,
            cost=receipt.cost_micros,
            currency=receipt.currency,
            at=clock.text(at),
        )
    )


def _beside(tx: Tx, row: Row, receipt: Receipt, state: str) -> None:
    """What a receipt tells beside a status that is known already, or that others outrank."""
    conflict = state if state and state != row["state"] else ""
    if not conflict and receipt.segments is None and receipt.cost_micros is None:
        return
    tx.run(
        BESIDE,
        id=row["id"],
        conflict=conflict,
        segments=receipt.segments or None,
        cost=receipt.cost_micros,
        currency=receipt.currency,
    )
