"""Conversations: numbers that a person of ours is talking with, so that plays wait."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

OPEN = """INSERT INTO conversations (phone, opened_at, last_at, closed_at, who)
    VALUES (:phone, :at, :at, NULL, :who)
    ON CONFLICT (phone) DO UPDATE SET last_at = excluded.last_at, who = excluded.who,
        opened_at = CASE WHEN conversations.closed_at IS NULL THEN conversations.opened_at
            ELSE excluded.opened_at END, closed_at = NULL"""
CLOSE = "UPDATE conversations SET closed_at = :at WHERE phone = :phone AND closed_at IS NULL"
GOING = """SELECT * FROM conversations WHERE closed_at IS NULL AND last_at > :since
    ORDER BY last_at DESC LIMIT 1000"""


def open_(tx: Tx, phone: str, who: str, at: datetime) -> None:
    """Somebody of ours writes to a number: plays wait from now on."""
    tx.run(OPEN, phone=phone, at=clock.text(at), who=who[:200])


def close(tx: Tx, phone: str, at: datetime) -> bool:
    """The conversation is over; False where there was none."""
    return bool(tx.run(CLOSE, phone=phone, at=clock.text(at)))


def going(tx: Tx, since: datetime) -> list[Row]:
    """Conversations whose last message came after an instant, the newest first."""
    return tx.all(GOING, since=clock.text(since))
