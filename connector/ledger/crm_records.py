"""Records of a CRM as they were read last: what their mapped fields held, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Fate, Json

GET = "SELECT * FROM crm_records WHERE crm = :crm AND object = :object AND record = :record"
KEEP = """INSERT INTO crm_records (crm, object, record, contact_id, fields, people, modified_at,
        read_at)
    VALUES (:crm, :object, :record, :contact, :fields, :people, :modified, :now)
    ON CONFLICT (crm, object, record) DO UPDATE SET
        contact_id = coalesce(excluded.contact_id, crm_records.contact_id),
        fields = excluded.fields, people = excluded.people, modified_at = excluded.modified_at,
        read_at = excluded.read_at, fate = '', became = ''"""
READ = """UPDATE crm_records SET read_at = :now, modified_at = :modified
    WHERE crm = :crm AND object = :object AND record = :record"""
GONE = """UPDATE crm_records SET fate = :fate, became = :became, read_at = :now
    WHERE crm = :crm AND object = :object AND record = :record"""
DROP = "DELETE FROM {} WHERE crm = :crm AND object = :object AND record = :record"
OF_CONTACT = """SELECT * FROM crm_records WHERE contact_id = :contact
    ORDER BY crm, object, record"""


def get(tx: Tx, crm: str, object: str, record: str) -> Row | None:
    """A record as it was read last."""
    return tx.one(GET, crm=crm, object=object, record=record)


def fields(row: Row) -> dict[str, Json]:
    """What its fields held."""
    return dict(orjson.loads(row["fields"]))


def people(row: Row) -> tuple[str, ...]:
    """The CRM's ids of those it is about."""
    return tuple(orjson.loads(row["people"]))


def keep(
    tx: Tx,
    crm: str,
    object: str,
    record: str,
    values: Mapping[str, Json],
    modified_at: datetime,
    now: datetime,
    *,
    contact_id: str = "",
    people: Sequence[str] = (),
) -> None:
    """Keep a record as it was read now; it is there, whatever was heard of it before."""
    tx.run(
        KEEP,
        crm=crm,
        object=object,
        record=record,
        contact=contact_id or None,
        fields=orjson.dumps(dict(values)).decode(),
        people=orjson.dumps(list(people)).decode(),
        modified=clock.text(modified_at),
        now=clock.text(now),
    )


def read_again(
    tx: Tx, crm: str, object: str, record: str, modified_at: datetime, now: datetime
) -> None:
    """It was read and nothing that is mapped had changed."""
    stamp = clock.text(modified_at)
    tx.run(READ, crm=crm, object=object, record=record, modified=stamp, now=clock.text(now))


def gone(
    tx: Tx, crm: str, object: str, record: str, fate: Fate, became: str, now: datetime
) -> None:
    """It is no longer there to read; what it last held stays."""
    key = {"crm": crm, "object": object, "record": record}
    tx.run(GONE, **key, fate=fate.value, became=became, now=clock.text(now))


def drop(tx: Tx, crm: str, object: str, record: str) -> None:
    """Forget a record and its history."""
    for table in ("crm_records", "crm_history"):
        tx.run(DROP.format(table), crm=crm, object=object, record=record)


def of_contact(tx: Tx, contact_id: str) -> list[Row]:
    """The records that are known to be a contact's."""
    return tx.all(OF_CONTACT, contact=contact_id)
