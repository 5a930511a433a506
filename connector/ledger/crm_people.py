"""Who stands on which record of a CRM: on a deal, a meeting, a case; from when, and until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

ON = """SELECT person FROM crm_people WHERE crm = :crm AND object = :object AND record = :record
    AND until_at IS NULL"""
PUT = """INSERT INTO crm_people (crm, object, record, person, since_at)
    VALUES (:crm, :object, :record, :person, :at)
    ON CONFLICT (crm, object, record, person) DO UPDATE SET until_at = NULL,
        since_at = CASE WHEN crm_people.until_at IS NULL THEN crm_people.since_at
            ELSE excluded.since_at END"""
LEFT = """UPDATE crm_people SET until_at = :at WHERE crm = :crm AND object = :object
    AND record = :record AND person = :person AND until_at IS NULL"""


def standing_on(tx: Tx, crm: str, object: str, record: str) -> set[str]:
    """Ids in the CRM of those who stand on a record, as last read."""
    start = len(crm) + 1
    rows = tx.all(ON, crm=crm, object=object, record=record)
    return {str(row["person"])[start:] for row in rows}


def stand(
    tx: Tx,
    crm: str,
    object: str,
    record: str,
    people: Collection[str],
    before: Collection[str],
    now: datetime,
) -> None:
    """These stand on the record now, where those did before."""
    told = {"crm": crm, "object": object, "record": record, "at": clock.text(now)}
    for person in sorted(set(people) - set(before)):
        tx.run(PUT, **told, person=f"{crm}:{person}")
    for person in sorted(set(before) - set(people)):
        tx.run(LEFT, **told, person=f"{crm}:{person}")
