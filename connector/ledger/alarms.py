"""Alarms: what a person should look at, grouped so that a hundred of a kind are one."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

ADD = """INSERT INTO alarms (id, kind, about, says, at, last_at)
    VALUES (:id, :kind, :about, :says, :at, :at)
    ON CONFLICT (kind, about) WHERE cleared_at IS NULL DO UPDATE SET count = alarms.count + 1,
        says = excluded.says, last_at = excluded.last_at
    RETURNING count"""
CLEAR = """UPDATE alarms SET cleared_at = :at
    WHERE kind = :kind AND about = :about AND cleared_at IS NULL"""
OPEN = "SELECT * FROM alarms WHERE cleared_at IS NULL ORDER BY at, id LIMIT :limit"
UNTOLD = "SELECT * FROM alarms WHERE told_at IS NULL ORDER BY at, id LIMIT :limit"
PENDING = """SELECT * FROM alarms WHERE told_at IS NULL
    UNION ALL SELECT * FROM alarms WHERE cleared_at IS NULL AND told_at <= :before
        AND last_at > told_at
    ORDER BY at, id LIMIT :limit"""
COUNT = """SELECT kind, CAST(count(*) AS BIGINT) AS n FROM alarms WHERE cleared_at IS NULL
    GROUP BY kind ORDER BY kind"""
CLEAR_ALL = """UPDATE alarms SET cleared_at = :at WHERE cleared_at IS NULL
    AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind)"""
TOLD = "UPDATE alarms SET told_at = :at WHERE id = :id"
MOST = 500  #: characters of what an alarm says


def add(tx: Tx, kind: str, about: str, says: str, at: datetime, *, alarm_id: str) -> bool:
    """Raise an alarm; False where one of this kind about the same is open (it is counted)."""
    row = tx.one(
        ADD, id=alarm_id, kind=kind, about=about[:200], says=says[:MOST], at=clock.text(at)
    )
    return row is not None and int(row["count"]) == 1


def clear(tx: Tx, kind: str, about: str, at: datetime) -> bool:
    """What it was about is over; False where no such alarm was open. The next is a new one."""
    return bool(tx.run(CLEAR, kind=kind, about=about[:200], at=clock.text(at)))


def open_(tx: Tx, limit: int = 100) -> list[Row]:
    """The alarms that stand, the oldest first."""
    return tx.all(OPEN, limit=limit)


def untold(tx: Tx, limit: int = 100) -> list[Row]:
    """The alarms that nobody was told of, the oldest first."""
    return tx.all(UNTOLD, limit=limit)


def pending(tx: Tx, before: datetime, limit: int = 500) -> list[Row]:
    """Alarms to tell: those that nobody was told of, and those of which somebody was told before
    an instant and that came again since."""
    return tx.all(PENDING, before=clock.text(before), limit=limit)


def counts(tx: Tx) -> dict[str, int]:
    """How many alarms of each kind stand."""
    return {str(row["kind"]): int(row["n"]) for row in tx.all(COUNT)}


def clear_all(tx: Tx, at: datetime, kind: str = "") -> int:
    """A person has seen to all that stand (of a kind); how many."""
    return tx.run(CLEAR_ALL, at=clock.text(at), kind=kind or None)


def told(tx: Tx, alarm_id: str, at: datetime) -> None:
    """Somebody was told of it."""
    tx.run(TOLD, id=alarm_id, at=clock.text(at))
