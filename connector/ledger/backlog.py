"""What the CRMs are owed, as an operator sees it: listed, tried again, or let go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import alarms, writebacks
from connector.ledger.store import Row, Tx

LIST = """SELECT id, crm, contact_id, kind, key, send_id, state, attempt, due_at, owed_at,
        leased_until, in_doubt, error, code, remedy, record FROM writebacks
    WHERE state = '{}'
        AND (CAST(:crm AS TEXT) IS NULL OR crm = :crm)
        AND (CAST(:contact AS TEXT) IS NULL OR contact_id = :contact)
        AND (CAST(:code AS TEXT) IS NULL OR code = :code)
        AND (in_doubt = 1 OR :doubtful = 0)
    ORDER BY owed_at, id LIMIT :limit"""
RETRY = """UPDATE writebacks SET state = 'owed', attempt = 0, due_at = :now, waits = 0
    WHERE id = :id AND leased_until IS NULL AND (state = 'owed' OR state = 'parked')"""
DROP = """UPDATE writebacks SET state = 'dropped', change = '{}', leased_until = NULL
    WHERE id = :id AND (state = 'owed' OR state = 'parked')"""
REFUSED = """SELECT 1 FROM writebacks WHERE state = 'parked' AND crm = :crm
    AND code <> 'no_record' LIMIT 1"""

STATES: Final = ("owed", "parked")
ALL: Final = 1_000_000


def list_(
    tx: Tx,
    *,
    state: str = "",
    crm: str = "",
    contact_ids: Sequence[str] = (),
    code: str = "",
    doubtful: bool = False,
    limit: int = ALL,
) -> list[Row]:
    """What is owed or parked, the oldest first; ``doubtful``: only what may have been made."""
    found: list[Row] = []
    for wanted in (state,) if state else STATES:
        for contact in contact_ids or (None,):
            found += tx.all(
                LIST.format(wanted),
                crm=crm or None,
                contact=contact,
                code=code or None,
                doubtful=int(doubtful),
                limit=limit,
            )
    return sorted(found, key=lambda row: (str(row["owed_at"]), str(row["id"])))[:limit]


def retry(tx: Tx, rows: Sequence[Row], now: datetime) -> int:
    """Make changes due at once; how many. What is being written this moment is left alone."""
    count = sum(tx.run(RETRY, id=row["id"], now=clock.text(now)) for row in rows)
    for crm in {str(row["crm"]) for row in rows}:
        if stopped := writebacks.outage(tx, crm):
            again = writebacks.Outage(stopped.failures, min(stopped.until, now), stopped.since)
            writebacks.note_outage(tx, crm, again)
        _over(tx, crm, now)
    return count


def drop(tx: Tx, rows: Sequence[Row], now: datetime) -> list[str]:
    """Let changes go, so that the CRM is not told of them; their ids.

    What the CRM may have made of one stays known, so that a later change of the same thing takes
    its place.
    """
    dropped = [str(row["id"]) for row in rows if tx.run(DROP, id=row["id"])]
    for crm in {str(row["crm"]) for row in rows}:
        _over(tx, crm, now)
    return dropped


def _over(tx: Tx, crm: str, now: datetime) -> None:
    """With the last refused change seen to, the alarm about it is over."""
    if tx.one(REFUSED, crm=crm) is None:
        alarms.clear(tx, "writeback_parked", crm, now)
