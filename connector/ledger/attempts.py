"""Attempts: each try at handing a text to a provider, and what the provider said."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

BEGIN = """INSERT INTO attempts (send_id, attempt, begun_at, provider, sender)
    VALUES (:send, :attempt, :at, :provider, :sender)
    ON CONFLICT (send_id, attempt) DO UPDATE SET begun_at = excluded.begun_at,
        provider = excluded.provider, sender = excluded.sender"""
SETTLE = """UPDATE attempts SET settled_at = :at, result = :result, reason = :reason, code = :code
    WHERE send_id = :send AND attempt = :attempt"""

OF = """SELECT provider, sender, result, reason, code, begun_at, settled_at FROM attempts
    WHERE send_id = :send ORDER BY attempt"""


def of(tx: Tx, send_id: str) -> list[Row]:
    """Every try at a text, the first first: by whom, from where, and what came of it."""
    return tx.all(OF, send=send_id)


def begin(
    tx: Tx, send_id: str, attempt: int, at: datetime, *, provider: str, sender: str = ""
) -> None:
    """A text is handed over to a provider, from a sender ("" where the provider chooses)."""
    tx.run(
        BEGIN,
        send=send_id,
        attempt=attempt,
        at=clock.text(at),
        provider=provider,
        sender=sender,
    )


def settle(
    tx: Tx, send_id: str, attempt: int, result: str, reason: str, code: str, at: datetime
) -> None:
    """What came of it: accepted, refused, deferred, uncertain, or given back before the call."""
    tx.run(
        SETTLE,
        send=send_id,
        attempt=attempt,
        result=result,
        reason=reason,
        code=code,
        at=clock.text(at),
    )
