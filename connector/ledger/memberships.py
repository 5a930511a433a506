"""Who is in which segment, for plays that wait for people to come in or go out."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

GET = "SELECT inside FROM memberships WHERE segment = :segment AND contact_id = :contact"
PUT = """INSERT INTO memberships (segment, contact_id, inside, since)
    VALUES (:segment, :contact, :inside, :at)
    ON CONFLICT (segment, contact_id) DO UPDATE SET inside = excluded.inside,
        since = excluded.since"""

CLEAR = "DELETE FROM memberships WHERE segment = :segment"


def inside(tx: Tx, segment: str, contact_id: str) -> bool | None:
    """Whether a person was in a segment when last asked; None where nobody asked yet."""
    row = tx.one(GET, segment=segment, contact=contact_id)
    return bool(row["inside"]) if row else None


def put(tx: Tx, segment: str, contact_id: str, is_in: bool, at: datetime) -> None:
    """Keep whether a person is in a segment, and since when."""
    tx.run(PUT, segment=segment, contact=contact_id, inside=int(is_in), at=clock.text(at))


def forget(tx: Tx, segment: str) -> None:
    """Let go who is in a segment: it means something else from now on."""
    tx.run(CLEAR, segment=segment)
