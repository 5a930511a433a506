"""Touches: what other tools (mail, ads, calls) told a person, as far as caps count it."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx
from connector.model import Purpose, Said

ADD = """INSERT INTO touches (id, contact_id, channel, purpose, at, event_id)
    VALUES (:id, :contact, :channel, :purpose, :at, :event)"""
SINCE = """SELECT channel, purpose, at FROM touches WHERE contact_id = :contact AND at > :since
    ORDER BY at DESC LIMIT 1000"""


def add(
    tx: Tx,
    touch_id: str,
    contact_id: str,
    channel: str,
    purpose: Purpose,
    at: datetime,
    event_id: str,
) -> None:
    """Another tool reached a person on a channel, as an event told."""
    tx.run(
        ADD,
        id=touch_id,
        contact=contact_id,
        channel=channel,
        purpose=purpose.value,
        at=clock.text(at),
        event=event_id,
    )


def since(tx: Tx, contact_id: str, at: datetime) -> tuple[Said, ...]:
    """What other tools told a person after an instant, the newest first."""
    return tuple(
        Said(clock.instant(row["at"]), Purpose(row["purpose"]), "", "", "", row["channel"])
        for row in tx.all(SINCE, contact=contact_id, since=clock.text(at))
    )
