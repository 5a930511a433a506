"""The ids of the operator's own people, beside the entry of the configuration that names them."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

NOTE = """INSERT INTO staff_ids (kind, value, entry, at) VALUES (:kind, :value, :entry, :at)
    ON CONFLICT (kind, value, entry) DO NOTHING"""
ENTRIES = "SELECT entry FROM staff_ids WHERE kind = :kind AND value = :value"


def note(tx: Tx, kind: str, value: str, entry: str, at: datetime) -> None:
    """Keep that an id is of somebody whom an entry names."""
    tx.run(NOTE, kind=kind, value=value, entry=entry, at=clock.text(at))


def entries(tx: Tx, kind: str, value: str) -> list[str]:
    """The entries that named the bearer of an id when it was told."""
    return [str(row["entry"]) for row in tx.all(ENTRIES, kind=kind, value=value)]
