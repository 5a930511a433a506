"""Sticky senders: from which of a pool's senders a number is written to, so that it stays one."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

OF = """SELECT sender FROM sticky_senders
    WHERE phone = :phone AND provider = :provider AND channel = :channel"""
KEEP = """INSERT INTO sticky_senders (phone, provider, channel, sender, since_at)
    VALUES (:phone, :provider, :channel, :sender, :at)
    ON CONFLICT (phone, provider, channel) DO UPDATE SET sender = excluded.sender,
        since_at = excluded.since_at WHERE sticky_senders.sender <> excluded.sender"""


def of(tx: Tx, phone: str, provider: str, channel: str) -> str:
    """The sender that a number knows us by at a provider; "" for none."""
    row = tx.one(OF, phone=phone, provider=provider, channel=channel)
    return str(row["sender"]) if row else ""


def keep(tx: Tx, phone: str, provider: str, channel: str, sender: str, at: datetime) -> None:
    """From now on a number is written to from this sender."""
    tx.run(KEEP, phone=phone, provider=provider, channel=channel, sender=sender, at=clock.text(at))
