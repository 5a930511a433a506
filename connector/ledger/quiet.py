"""People by when they last did anything, for plays that wait for silence."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

ACTIVE = """SELECT id, last_activity_at AS since FROM contacts
    WHERE last_activity_at >= :at AND last_activity_at <= :until
    AND (last_activity_at > :at OR id > :after) AND merged_into IS NULL
    ORDER BY last_activity_at, id LIMIT :limit"""
NEVER = """SELECT id, first_seen_at AS since FROM contacts
    WHERE last_activity_at IS NULL AND first_seen_at >= :at AND first_seen_at <= :until
    AND (first_seen_at > :at OR id > :after) AND merged_into IS NULL
    ORDER BY first_seen_at, id LIMIT :limit"""
ONE = """SELECT id, coalesce(last_activity_at, first_seen_at) AS since FROM contacts
    WHERE id = :id AND merged_into IS NULL"""
HEARD = """SELECT CAST(count(*) AS BIGINT) AS n FROM contacts
    WHERE last_activity_at >= :since AND merged_into IS NULL"""
FAR = "9999"


def between(
    tx: Tx, at: str, after: str, until: datetime, limit: int, *, also_never: bool
) -> list[Row]:
    """People silent since an instant after (``at``, ``after``) and up to ``until``, in order.

    ``also_never``: those who never did anything, by when they were first seen.
    """
    asked = {"at": at, "after": after, "until": clock.text(until), "limit": limit}
    rows = tx.all(ACTIVE, **asked)
    if also_never:
        rows = [*rows, *tx.all(NEVER, **asked)]
        rows.sort(key=lambda row: (str(row["since"]), str(row["id"])))
    return rows[:limit]


def next_after(tx: Tx, at: str, after: str, *, also_never: bool) -> datetime | None:
    """Since when the next one after a mark is silent."""
    asked = {"at": at, "after": after, "until": FAR, "limit": 1}
    rows = tx.all(ACTIVE, **asked) + (tx.all(NEVER, **asked) if also_never else [])
    return min((clock.instant(row["since"]) for row in rows), default=None)


def active(tx: Tx, since: datetime) -> int:
    """How many people did anything since an instant."""
    row = tx.one(HEARD, since=clock.text(since))
    return int(row["n"]) if row else 0


def one(tx: Tx, contact_id: str) -> Row | None:
    """Since when one person is silent."""
    return tx.one(ONE, id=contact_id)
