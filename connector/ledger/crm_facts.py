"""What the CRM knew of a contact when last asked, for plays and policy to read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from connector import clock
from connector.ledger.store import Tx
from connector.model import Json

KEEP = """INSERT INTO crm_facts (contact_id, crm, facts, fetched_at)
    VALUES (:contact, :crm, :facts, :at)
    ON CONFLICT (contact_id, crm)
    DO UPDATE SET facts = excluded.facts, fetched_at = excluded.fetched_at"""
NOTE = """INSERT INTO crm_changes (id, contact_id, crm, facts, heard_at)
    VALUES (:id, :contact, :crm, :facts, :at)"""
FETCHED = "SELECT fetched_at FROM crm_facts WHERE contact_id = :contact AND crm = :crm"
OF = "SELECT facts FROM crm_facts WHERE contact_id = :contact AND crm = :crm"


def keep(tx: Tx, crm: str, contact_id: str, facts: Mapping[str, Json], now: datetime) -> None:
    """Keep the CRM's facts about a contact as of now."""
    body = orjson.dumps(dict(facts)).decode()
    tx.run(KEEP, contact=contact_id, crm=crm, facts=body, at=clock.text(now))


def of(tx: Tx, crm: str, contact_id: str) -> dict[str, Json]:
    """The CRM's facts about a contact, as last fetched; empty when never."""
    row = tx.one(OF, contact=contact_id, crm=crm)
    return dict(orjson.loads(row["facts"])) if row else {}


def fetched_at(tx: Tx, crm: str, contact_id: str) -> datetime | None:
    """When the CRM was last asked about a contact; None when never."""
    row = tx.one(FETCHED, contact=contact_id, crm=crm)
    return clock.instant(row["fetched_at"]) if row else None


def note(
    tx: Tx, change_id: str, crm: str, contact_id: str, facts: Mapping[str, Json], now: datetime
) -> None:
    """Keep that the CRM's facts about a contact became these."""
    body = orjson.dumps(dict(facts)).decode()
    tx.run(NOTE, id=change_id, contact=contact_id, crm=crm, facts=body, at=clock.text(now))
