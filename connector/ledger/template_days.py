"""Template days: how many texts of a template were delivered, and how many then opted out."""

from __future__ import annotations

from datetime import datetime

from connector.ledger.store import Row, Tx

ADD = """INSERT INTO template_days (template, day, delivered, opted_out)
    VALUES (:template, :day, :delivered, :opted_out)
    ON CONFLICT (template, day) DO UPDATE SET
        delivered = template_days.delivered + excluded.delivered,
        opted_out = template_days.opted_out + excluded.opted_out"""
SINCE = """SELECT template, CAST(sum(delivered) AS BIGINT) AS delivered,
        CAST(sum(opted_out) AS BIGINT) AS opted_out
    FROM template_days WHERE day >= :day
        AND (CAST(:template AS TEXT) IS NULL OR template = :template)
    GROUP BY template ORDER BY template"""
FORGET = "DELETE FROM template_days WHERE template = :template"
LAST = """SELECT template, counts_at FROM sends WHERE phone = :phone AND counts_at IS NOT NULL
        AND begun_at <= :at AND cause <> 'system' AND cause <> 'test'
    ORDER BY counts_at DESC LIMIT 1"""

STOPS = """SELECT CAST(count(*) AS BIGINT) AS n FROM consents WHERE phone = :phone
    AND action = 'revoked' AND purpose IN ('all', 'marketing') AND occurred_at >= :since
    AND (method = 'reply' OR method = 'provider' OR method = 'wrong_person')"""


def add(tx: Tx, template: str, at: datetime, *, delivered: int = 0, opted_out: int = 0) -> None:
    """Count a delivery or an opt-out of a template on its day (UTC)."""
    tx.run(ADD, template=template, day=_day(at), delivered=delivered, opted_out=opted_out)


def since(tx: Tx, at: datetime, template: str | None = None) -> list[Row]:
    """template, delivered, opted_out from a day on, of one template or of each."""
    return tx.all(SINCE, day=_day(at), template=template)


def forget(tx: Tx, template: str) -> None:
    """Count a template anew."""
    tx.run(FORGET, template=template)


def last_to(tx: Tx, phone: str, at: str) -> Row | None:
    """The template of the last text to a number by an instant, and when it went."""
    return tx.one(LAST, phone=phone, at=at)


def is_counted(tx: Tx, phone: str, since: str) -> bool:
    """Whether an opt-out by text was recorded since an instant, beside the newest of them."""
    row = tx.one(STOPS, phone=phone, since=since)
    return bool(row and row["n"] > 1)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
