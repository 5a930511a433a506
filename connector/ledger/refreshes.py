"""Refreshes: what must be asked anew before a text may go, and the texts that wait for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger.store import Row, Tx

CRM: Final = "crm"  #: what the CRM knows of a contact
NUMBER: Final = "number"  #: what a look-up tells of a number
WAITS: Final = {CRM: "facts_old", NUMBER: "number_unchecked"}
"""Kind → the reason for which the texts wait."""

ASK = """INSERT INTO refreshes (kind, about, send_id, asked_at, due_at)
    VALUES (:kind, :about, :send, :at, :at) ON CONFLICT DO NOTHING"""
DUE = """SELECT kind, about, max(attempt) AS attempt, min(asked_at) AS asked_at FROM refreshes
    WHERE kind = :kind AND due_at <= :now GROUP BY kind, about
    ORDER BY min(due_at), about LIMIT :limit"""
PUT_OFF = """UPDATE refreshes SET due_at = :due, attempt = :attempt
    WHERE kind = :kind AND about = :about"""
WAITING = "SELECT send_id FROM refreshes WHERE kind = :kind AND about = :about"
DONE = "DELETE FROM refreshes WHERE kind = :kind AND about = :about"
WAKE = """UPDATE sends SET due_at = :now
    WHERE id = :id AND state = 'planned' AND reason = :reason AND due_at > :now"""
IDLE = """DELETE FROM refreshes WHERE NOT EXISTS (SELECT 1 FROM sends s
    WHERE s.id = refreshes.send_id AND s.state = 'planned')"""


NEXT = "SELECT min(due_at) AS due FROM refreshes"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to ask: the contact of a CRM, or a number; ``attempt`` counts the failures."""

    kind: str
    about: str
    attempt: int
    asked_at: datetime


def ask(tx: Tx, kind: str, about: str, send_id: str, at: datetime) -> None:
    """A text waits for a fresh answer about a contact or a number."""
    tx.run(ASK, kind=kind, about=about, send=send_id, at=clock.text(at))


def next_due(tx: Tx) -> datetime | None:
    """When something is to be asked next; None where no text waits."""
    row = tx.one(NEXT)
    return clock.instant(row["due"]) if row and row["due"] else None


def due(tx: Tx, kind: str, now: datetime, limit: int) -> list[Due]:
    """What is to be asked now, the longest waiting first."""
    rows = tx.all(DUE, kind=kind, now=clock.text(now), limit=limit)
    return [_due(row) for row in rows]


def _due(row: Row) -> Due:
    asked_at = clock.instant(row["asked_at"])
    return Due(str(row["kind"]), str(row["about"]), int(row["attempt"]), asked_at)


def put_off(tx: Tx, wanted: Iterable[Due], until: datetime) -> None:
    """It could not be told: ask again then."""
    for each in wanted:
        attempt = each.attempt + 1
        stamp = clock.text(until)
        tx.run(PUT_OFF, kind=each.kind, about=each.about, due=stamp, attempt=attempt)


def done(tx: Tx, kind: str, about: str, now: datetime) -> int:
    """It was told: the texts that waited for it are due now; how many."""
    stamp, reason = clock.text(now), WAITS[kind]
    waiting = tx.all(WAITING, kind=kind, about=about)
    woken = sum(tx.run(WAKE, id=row["send_id"], reason=reason, now=stamp) for row in waiting)
    tx.run(DONE, kind=kind, about=about)
    return woken


def tidy(tx: Tx) -> int:
    """Forget what no text waits for any more; how much."""
    return tx.run(IDLE)
