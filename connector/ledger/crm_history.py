"""What became of the fields of a CRM's records: each change, when it happened, when it was heard.

A value is kept as JSON text, as the CRM told it; one that was not known before is ``null``. Of a
long text only the beginning is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Json

KEEP = """INSERT INTO crm_history (id, crm, object, record, contact_id, field, before, after,
        occurred_at, heard_at)
    VALUES (:id, :crm, :object, :record, :contact, :field, :before, :after, :occurred, :heard)
    ON CONFLICT (crm, object, record, field, occurred_at, after) DO NOTHING"""
OF_RECORD = """SELECT field, before, after, occurred_at, heard_at FROM crm_history
    WHERE crm = :crm AND object = :object AND record = :record ORDER BY occurred_at, field, id"""
#: Of a person: of the records they stand on, and of their own, whatever they are called there.
OF_PERSON = """SELECT h.crm, h.object, h.record, h.field, h.before, h.after, h.occurred_at,
        h.heard_at, p.since_at, p.until_at
    FROM identities i JOIN crm_people p ON p.person = i.value
    JOIN crm_history h ON h.crm = p.crm AND h.object = p.object AND h.record = p.record
    WHERE i.kind = 'crm_id' AND i.contact_id = :contact AND i.detached_at IS NULL
    ORDER BY h.occurred_at DESC, h.object, h.record, h.field LIMIT :limit"""
#: What both of two merged records kept is kept once.
TWICE = """DELETE FROM crm_history WHERE crm = :crm AND object = :object AND record = :loser
    AND EXISTS (SELECT 1 FROM crm_history o WHERE o.crm = crm_history.crm
        AND o.object = crm_history.object AND o.record = :winner AND o.field = crm_history.field
        AND o.occurred_at = crm_history.occurred_at AND o.after = crm_history.after)"""
MOVE = """UPDATE crm_history SET record = :winner
    WHERE crm = :crm AND object = :object AND record = :loser"""

LONGEST: Final = 500  #: characters of a text


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a record came to hold another value."""

    crm: str
    object: str
    record: str
    field: str
    before: Json
    after: Json
    occurred_at: datetime
    contact_id: str = ""  #: whose own record it is; "" for one that people stand on


def keep(tx: Tx, change: Change, now: datetime, *, change_id: str) -> bool:
    """Keep a change; False where it was heard before."""
    return bool(
        tx.run(
            KEEP,
            id=change_id,
            crm=change.crm,
            object=change.object,
            record=change.record,
            contact=change.contact_id or None,
            field=change.field,
            before=_written(change.before),
            after=_written(change.after),
            occurred=clock.text(change.occurred_at),
            heard=clock.text(now),
        )
    )


def of_record(tx: Tx, crm: str, object: str, record: str) -> list[Row]:
    """The changes of one record in the order in which they happened."""
    return tx.all(OF_RECORD, crm=crm, object=object, record=record)


def of_person(tx: Tx, contact_id: str, limit: int) -> list[dict[str, Json]]:
    """The changes of the deals, meetings and cases that a contact stands on, the newest first."""
    found = [dict(row) for row in tx.all(OF_PERSON, contact=contact_id, limit=limit)]
    for row in found:
        row["before"], row["after"] = orjson.loads(row["before"]), orjson.loads(row["after"])
    return found


def merge(tx: Tx, crm: str, object: str, winner: str, losers: Sequence[str]) -> None:
    """Records became part of another: what happened to them happened to it."""
    for loser in losers:
        told = {"crm": crm, "object": object, "winner": winner, "loser": loser}
        tx.run(TWICE, **told)
        tx.run(MOVE, **told)


def _written(value: Json) -> str:
    told = value[:LONGEST] if isinstance(value, str) else value
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
