"""The tables of the CRM inside the ledger: a record a contact, and what stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from connector import clock
from connector.ledger import contacts
from connector.ledger.store import Row, Store, Tx
from connector.model import Json, Subject

CREATE = """INSERT INTO local_records (id, contact_id, fields, changed_at)
    VALUES (:id, :contact, '{}', :now) ON CONFLICT DO NOTHING"""
BY_CONTACT = "SELECT * FROM local_records WHERE contact_id = :contact"
BY_ID = "SELECT * FROM local_records WHERE id = :id"
SET = "UPDATE local_records SET fields = :fields, changed_at = :now WHERE id = :id"
PUT = """INSERT INTO local_activities (key, record, kind, subject, body, status, occurred_at,
        changed_at)
    VALUES (:key, :record, :kind, :subject, :body, :status, :occurred, :now)
    ON CONFLICT (key) DO UPDATE SET record = excluded.record, kind = excluded.kind,
        subject = excluded.subject, body = excluded.body, status = excluded.status,
        occurred_at = excluded.occurred_at, changed_at = excluded.changed_at"""
ACTIVITIES = """SELECT key, kind, subject, body, status, occurred_at, changed_at
    FROM local_activities WHERE record = :record ORDER BY occurred_at DESC, key LIMIT :limit"""

#: Which identity finds a person's record where no record id does, the surest first.
FINDING = ("user_id", "email", "phone")


class LocalRecords:
    """The local CRM's records in a store, as ``crms.local`` asks for them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def writing(self) -> Iterator[LocalBatch]:
        """A batch of changes, all kept together or not at all."""
        with self._store.write() as tx:
            yield LocalBatch(tx)

    def find(self, subjects: list[Subject]) -> list[tuple[str, dict[str, Json]] | None]:
        """For each subject its record's id and fields, or None when it has none."""
        with self._store.read() as tx:
            return [_found(tx, subject) for subject in subjects]


class LocalBatch:
    """Changes of records inside one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._opened: dict[str, str] = {}

    def open(self, contact_id: str, now: datetime) -> str:
        """The id of the contact's record, made the first time it is asked for."""
        if contact_id not in self._opened:
            record = f"rec_{contact_id.partition('_')[2] or contact_id}"
            self._tx.run(CREATE, id=record, contact=contact_id, now=clock.text(now))
            self._opened[contact_id] = record
        return self._opened[contact_id]

    def fields(self, record: str) -> dict[str, Json]:
        """What the record's fields hold."""
        row = self._tx.one(BY_ID, id=record)
        return _fields(row) if row else {}

    def set_fields(self, record: str, fields: Mapping[str, Json], now: datetime) -> None:
        """Make the record's fields hold this and nothing else."""
        content = orjson.dumps(dict(fields)).decode()
        self._tx.run(SET, id=record, fields=content, now=clock.text(now))

    def put(self, record: str, key: str, activity: Mapping[str, Any], now: datetime) -> None:
        """Put an activity on the record, or in the place of the one with its key."""
        self._tx.run(
            PUT,
            key=key,
            record=record,
            kind=activity["kind"],
            subject=activity["subject"],
            body=activity["body"],
            status=activity["status"],
            occurred=activity["occurred_at"],
            now=clock.text(now),
        )


def record_of(tx: Tx, contact_id: str) -> tuple[str, dict[str, Json]] | None:
    """The id and the fields of a contact's record, or None when it has none."""
    row = tx.one(BY_CONTACT, contact=contact_id)
    return (str(row["id"]), _fields(row)) if row else None


def activities(tx: Tx, record: str, limit: int = 100) -> list[Row]:
    """What stands on a record, newest first."""
    return tx.all(ACTIVITIES, record=record, limit=limit)


def _found(tx: Tx, subject: Subject) -> tuple[str, dict[str, Json]] | None:
    if subject.crm_id:
        row = tx.one(BY_ID, id=subject.crm_id)
        return (str(row["id"]), _fields(row)) if row else None
    for kind in FINDING:
        value = getattr(subject, kind)
        bearers = contacts.bearers(tx, kind, value) if value else []
        if len(bearers) == 1:
            return record_of(tx, bearers[0])
    return None


def _fields(row: Row) -> dict[str, Json]:
    fields: dict[str, Json] = orjson.loads(row["fields"])
    return fields
