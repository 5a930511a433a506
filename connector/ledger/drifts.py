"""Drift: the contacts whose opt-out a CRM is asked about once a day."""

from __future__ import annotations

from typing import Final

from connector.ledger.store import Tx

AFTER: Final = """SELECT contact_id FROM crm_facts WHERE crm = :crm AND contact_id > :after
    ORDER BY contact_id LIMIT :limit"""


def after(tx: Tx, crm: str, contact_id: str, limit: int) -> list[str]:
    """The next contacts that a CRM is known to know, by their ids."""
    rows = tx.all(AFTER, crm=crm, after=contact_id, limit=limit)
    return [str(row["contact_id"]) for row in rows]
