"""What a person and a number were sent: what caps, gaps, fatigue and rivals count."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Purpose, Said

_SAID = """SELECT * FROM (SELECT '{column}' AS heard_by, counts_at, purpose, play, key, step
    FROM sends WHERE {column} = :{column} AND counts_at > :since AND cause <> 'system'
    AND cause <> 'test' ORDER BY counts_at DESC LIMIT 1000) AS {column}"""
SAID = " UNION ALL ".join(_SAID.format(column=column) for column in ("contact_id", "phone"))
_UNANSWERED = """SELECT * FROM (SELECT '{column}' AS heard_by, counts_at
    FROM sends WHERE {column} = :{column} AND counts_at > :since AND purpose = 'marketing'
    AND cause <> 'test' ORDER BY counts_at DESC LIMIT :most) AS {column}"""
UNANSWERED = " UNION ALL ".join(
    _UNANSWERED.format(column=column) for column in ("contact_id", "phone")
)
RIVALS = """SELECT s.due_at, s.play, s.priority, s.mode, s.reason
    FROM enrolments e JOIN sends s ON s.enrolment_id = e.id
    WHERE e.contact_id = :contact AND e.state = 'walking' AND s.state = 'planned'
        AND s.purpose = 'marketing' AND s.priority > :priority AND s.id <> :but
        AND s.due_at < s.expires_at AND s.expires_at > :now
    ORDER BY s.due_at LIMIT 20"""
FOR_KEY = """SELECT CAST(count(*) AS BIGINT) AS n FROM sends
    WHERE contact_id = :contact AND play = :play AND key = :key AND counts_at IS NOT NULL
    AND id <> :but"""
LAST_OF = """SELECT max(counts_at) AS at FROM sends
    WHERE phone = :phone AND counts_at IS NOT NULL AND cause = 'system' AND step = :step"""


def said(tx: Tx, contact_id: str, phone: str, since: datetime) -> tuple[tuple[Said, ...], ...]:
    """Texts that count in caps since an instant: (to the person, to the number), newest first."""
    rows = tx.all(SAID, contact_id=contact_id, phone=phone or None, since=clock.text(since))
    return tuple(
        tuple(_said(row) for row in rows if row["heard_by"] == who)
        for who in ("contact_id", "phone")
    )


def _said(row: Row) -> Said:
    return Said(
        at=clock.instant(row["counts_at"]),
        purpose=Purpose(row["purpose"]),
        play=row["play"],
        key=row["key"],
        step=row["step"],
    )


def unanswered(
    tx: Tx, contact_id: str, phone: str, since: datetime | None, most: int
) -> tuple[list[datetime], list[datetime]]:
    """When marketing texts went after an instant, or ever: (to the person, to the number).

    At most ``most`` of each.
    """
    stamp = clock.text(since) if since else ""
    rows = tx.all(UNANSWERED, contact_id=contact_id, phone=phone or None, since=stamp, most=most)
    to_person, to_number = (
        [clock.instant(row["counts_at"]) for row in rows if row["heard_by"] == who]
        for who in ("contact_id", "phone")
    )
    return to_person, to_number


def rivals(tx: Tx, contact_id: str, priority: int, but: str, now: datetime) -> list[Row]:
    """due_at, play, priority, mode and reason of planned marketing texts to a person, of plays
    of a higher priority, that are still of use."""
    return tx.all(RIVALS, contact=contact_id, priority=priority, but=but, now=clock.text(now))


def for_key(tx: Tx, contact_id: str, play: str, key: str, but: str = "") -> int:
    """How many texts of a play about one occurrence count to a person, leaving one out.

    Of the person, not of the enrolment: two who were merged may each have walked it.
    """
    row = tx.one(FOR_KEY, contact=contact_id, play=play, key=key, but=but)
    return int(row["n"]) if row else 0


def last_of(tx: Tx, phone: str, step: str) -> str | None:
    """When a text of our own, of this kind, last left to a number; None for never."""
    row = tx.one(LAST_OF, phone=phone, step=step)
    return str(row["at"]) if row and row["at"] else None
