"""Timers: instants at which something about one person is looked at again."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

SET = """INSERT INTO timers (kind, name, contact_id, key, due_at, base)
    VALUES (:kind, :name, :contact, :key, :due, :base)
    ON CONFLICT (kind, name, contact_id, key) DO UPDATE SET due_at = excluded.due_at,
        base = excluded.base"""
DROP = """DELETE FROM timers WHERE kind = :kind AND name = :name AND contact_id = :contact
    AND key = :key"""
PUT_OFF = """UPDATE timers SET due_at = :due WHERE kind = :kind AND name = :name
    AND contact_id = :contact AND key = :key"""
KEEP_ONLY = """DELETE FROM timers WHERE kind = :kind AND name = :name AND contact_id = :contact
    AND key <> :key"""
DUE = "SELECT * FROM timers WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
NEXT = "SELECT min(due_at) AS due FROM timers"
PEOPLE = """SELECT id FROM contacts WHERE id > :after AND merged_into IS NULL
    ORDER BY id LIMIT :limit"""


def set_(
    tx: Tx, kind: str, name: str, contact_id: str, key: str, due_at: datetime, base: str = ""
) -> None:
    """Look again at an instant; a timer of the same name and key is moved."""
    tx.run(
        SET,
        kind=kind,
        name=name,
        contact=contact_id,
        key=key,
        due=clock.text(due_at),
        base=base,
    )


def drop(tx: Tx, row: Row) -> None:
    """A timer has done its work."""
    asked = {"kind": row["kind"], "name": row["name"], "key": row["key"]}
    tx.run(DROP, contact=row["contact_id"], **asked)


def put_off(tx: Tx, row: Row, due_at: datetime) -> None:
    """A timer is due later."""
    asked = {"kind": row["kind"], "name": row["name"], "key": row["key"]}
    tx.run(PUT_OFF, contact=row["contact_id"], due=clock.text(due_at), **asked)


def keep_only(tx: Tx, kind: str, name: str, contact_id: str, key: str) -> None:
    """Drop every other timer of this name for a person."""
    tx.run(KEEP_ONLY, kind=kind, name=name, contact=contact_id, key=key)


def due(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """Timers that are due, the most overdue first."""
    return tx.all(DUE, now=clock.text(now), limit=limit)


def next_due(tx: Tx) -> datetime | None:
    """When the next timer is due."""
    row = tx.one(NEXT)
    return clock.instant(row["due"]) if row and row["due"] else None


def people(tx: Tx, after: str, limit: int) -> list[str]:
    """Ids of contacts after an id, in order."""
    return [str(row["id"]) for row in tx.all(PEOPLE, after=after, limit=limit)]
