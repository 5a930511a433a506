"""Consents, append-only and keyed by number; and what stands against a number now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import ConsentRow

ADD = """INSERT INTO consents (id, phone, purpose, action, method, wording, source, evidence,
        recorded_by, event_id, occurred_at, recorded_at)
    VALUES (:id, :phone, :purpose, :action, :method, :wording, :source, :evidence, :by, :event,
        :occurred, :recorded)"""
NEWEST = """SELECT purpose, action, method, wording FROM consents WHERE phone = :phone
    ORDER BY occurred_at DESC, id DESC LIMIT 20"""
BRIEF = """SELECT purpose, action, method, occurred_at FROM consents WHERE phone = :phone
    ORDER BY occurred_at, id"""
ROWS = "SELECT * FROM consents WHERE phone = :phone ORDER BY occurred_at, id"
TOUCH = """INSERT INTO numbers (phone, type, country, touched) VALUES (:phone, :type, :country, 1)
    ON CONFLICT (phone) DO UPDATE SET touched = numbers.touched + 1"""
NUMBER = """SELECT n.*, c.last_at AS talk_at, c.closed_at AS talk_closed
    FROM numbers n LEFT JOIN conversations c ON c.phone = n.phone WHERE n.phone = :phone"""
BLOCK = """UPDATE numbers SET blocked_at = :at, blocked_by = :by, blocked_scope = :scope
    WHERE phone = :phone"""
HOLD = "UPDATE numbers SET held_at = :at, held_why = :why WHERE phone = :phone"
TYPE = "UPDATE numbers SET type = :type WHERE phone = :phone"


def touch(tx: Tx, phone: str, kind: str = "", country: str = "") -> None:
    """Write to the number's row first, so that two workers cannot both pass its cap."""
    tx.run(TOUCH, phone=phone, type=kind, country=country)


def number(tx: Tx, phone: str) -> Row | None:
    """What is known of a number itself: its type, a block, a hold."""
    return tx.one(NUMBER, phone=phone)


def set_type(tx: Tx, phone: str, kind: str) -> None:
    """A look-up or a provider's error told what kind of number it is."""
    tx.run(TYPE, phone=phone, type=kind)


def rows(tx: Tx, phone: str) -> list[Row]:
    """Every consent row of a number, oldest first."""
    return tx.all(ROWS, phone=phone)


def history(tx: Tx, phone: str) -> list[ConsentRow]:
    """A number's consent rows as values for the rule that reads them."""
    return [
        ConsentRow(
            row["purpose"],
            row["action"] == "granted",
            row["method"],
            clock.instant(row["occurred_at"]),
        )
        for row in tx.all(BRIEF, phone=phone)
    ]


def add(
    tx: Tx,
    *,
    consent_id: str,
    phone: str,
    purpose: str,
    granted: bool,
    method: str,
    wording: str,
    source: str,
    recorded_by: str,
    event_id: str,
    occurred_at: datetime,
    now: datetime,
    evidence: Mapping[str, str] | None = None,
) -> bool:
    """Append a consent or its end; False when it only repeats what stands already."""
    action = "granted" if granted else "revoked"
    if _repeats(tx.all(NEWEST, phone=phone), purpose, action, method, wording):
        return False
    touch(tx, phone)
    tx.run(
        ADD,
        id=consent_id,
        phone=phone,
        purpose=purpose,
        action=action,
        method=method,
        wording=wording,
        source=source,
        evidence=orjson.dumps(dict(evidence or {})).decode(),
        by=recorded_by,
        event=event_id,
        occurred=clock.text(occurred_at),
        recorded=clock.text(now),
    )
    return True


def _repeats(newest: list[Row], purpose: str, action: str, method: str, wording: str) -> bool:
    """Whether the same was said before, and nothing since but the like of it for other purposes.

    A STOP and its lifting speak of other purposes too, so what is said after them is said anew.
    """
    for row in newest:
        if row["purpose"] == purpose:
            said = (row["action"], row["method"], row["wording"])
            return said == (action, method, wording)
        if (row["action"], row["method"]) != (action, method):
            return False
    return False


def block(tx: Tx, phone: str, scope: str, by: str, at: datetime) -> None:
    """Note on the number's row what a STOP covers now; "" lifts it."""
    tx.run(BLOCK, phone=phone, at=clock.text(at) if scope else None, by=by, scope=scope)


def hold(tx: Tx, phone: str, why: str, at: datetime | None) -> None:
    """Hold marketing to a number until a person has read an unclear reply; None ends it."""
    touch(tx, phone)
    tx.run(HOLD, phone=phone, at=clock.text(at) if at else None, why=why)
