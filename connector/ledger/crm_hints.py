"""Hints: records of a CRM that may have changed, and wait to be read there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connector import clock
from connector.ledger.store import Tx
from connector.model import Fate, Hint

NOTE = """INSERT INTO crm_hints (crm, object, record, fate, became, occurred_at, heard_at, due_at)
    VALUES (:crm, :object, :record, :fate, :became, :occurred, :now, :now)
    ON CONFLICT (crm, object, record, fate) DO UPDATE SET became = excluded.became,
        occurred_at = CASE WHEN excluded.occurred_at > crm_hints.occurred_at
            THEN excluded.occurred_at ELSE crm_hints.occurred_at END,
        revision = crm_hints.revision + 1"""
DUE = """SELECT * FROM crm_hints WHERE crm = :crm AND due_at <= :now
    ORDER BY due_at, record LIMIT :limit"""
NEXT = "SELECT min(due_at) AS due FROM crm_hints WHERE crm = :crm"
DONE = """DELETE FROM crm_hints WHERE crm = :crm AND object = :object AND record = :record
    AND fate = :fate AND revision = :revision"""
COVERED = """DELETE FROM crm_hints WHERE crm = :crm AND object = :object AND record = :record
    AND fate = '' AND occurred_at <= :modified"""
STUCK = """SELECT 1 FROM crm_hints WHERE crm = :crm AND object = :object AND attempt > 0
    LIMIT 1"""
PUT_OFF = """UPDATE crm_hints SET due_at = :due, attempt = attempt + 1
    WHERE crm = :crm AND object = :object AND record = :record AND fate = :fate"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One hint that is due; ``attempt`` counts how often it could not be read."""

    hint: Hint
    heard_at: datetime
    attempt: int
    revision: int


def note(tx: Tx, hint: Hint, now: datetime) -> None:
    """A record may have changed; told again before it is read, it is read once."""
    tx.run(
        NOTE,
        crm=hint.crm,
        object=hint.object,
        record=hint.record,
        fate=hint.fate or "",
        became=hint.became,
        occurred=clock.text(hint.occurred_at),
        now=clock.text(now),
    )


def due(tx: Tx, crm: str, now: datetime, limit: int) -> list[Waiting]:
    """What is to be read now, the longest waiting first."""
    rows = tx.all(DUE, crm=crm, now=clock.text(now), limit=limit)
    return [
        Waiting(
            Hint(
                str(row["crm"]),
                str(row["object"]),
                str(row["record"]),
                clock.instant(row["occurred_at"]),
                Fate(row["fate"]) if row["fate"] else None,
                str(row["became"]),
            ),
            clock.instant(row["heard_at"]),
            int(row["attempt"]),
            int(row["revision"]),
        )
        for row in rows
    ]


def next_due(tx: Tx, crm: str) -> datetime | None:
    """When something is to be read next; None where nothing waits."""
    row = tx.one(NEXT, crm=crm)
    return clock.instant(row["due"]) if row and row["due"] else None


def done(tx: Tx, waiting: Iterable[Waiting]) -> None:
    """They were read; one that was hinted at again meanwhile stays."""
    for each in waiting:
        tx.run(DONE, **_key(each.hint), revision=each.revision)


def covered(tx: Tx, crm: str, object: str, record: str, modified_at: datetime) -> int:
    """A record was read as it was changed then: what was hinted of that or sooner is done."""
    key = {"crm": crm, "object": object, "record": record}
    return tx.run(COVERED, **key, modified=clock.text(modified_at))


def put_off(tx: Tx, waiting: Iterable[Waiting], until: datetime) -> None:
    """They could not be read: again then."""
    for each in waiting:
        tx.run(PUT_OFF, **_key(each.hint), due=clock.text(until))


def is_stuck(tx: Tx, crm: str, object: str) -> bool:
    """Whether a record of this kind could not be read yet."""
    return tx.one(STUCK, crm=crm, object=object) is not None


def _key(hint: Hint) -> dict[str, str]:
    return {
        "crm": hint.crm,
        "object": hint.object,
        "record": hint.record,
        "fate": hint.fate or "",
    }
