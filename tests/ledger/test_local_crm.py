from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.ledger import local_crm, migrations
from connector.ledger.local_crm import LocalRecords
from connector.ledger.sqlite import SqliteStore

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACTIVITY = {
    "kind": "text",
    "subject": "Text: welcome, hello",
    "body": "Hello!",
    "status": "Sent",
    "occurred_at": "2026-11-20T12:00:00.000000Z",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    yield store
    store.close()


def test_a_record_is_made_once_for_a_contact(store: SqliteStore) -> None:
    records = LocalRecords(store)
    with records.writing() as batch:
        record = batch.open("con_1", NOW)
        batch.set_fields(record, {"stage": "lead"}, NOW)
    with records.writing() as batch:
        assert batch.open("con_1", NOW + timedelta(days=1)) == record
        assert batch.fields(record) == {"stage": "lead"}
        assert batch.open("con_2", NOW) != record


def test_a_record_tells_when_it_last_changed(store: SqliteStore) -> None:
    later = NOW + timedelta(days=1)
    with LocalRecords(store).writing() as batch:
        record = batch.open("con_1", NOW)
        batch.set_fields(record, {}, later)
    with store.read() as tx:
        [row] = tx.all("SELECT changed_at FROM local_records")
    assert row["changed_at"] == "2026-11-21T12:00:00.000000Z"


def test_activities_are_listed_newest_first_and_bounded(store: SqliteStore) -> None:
    with LocalRecords(store).writing() as batch:
        record = batch.open("con_1", NOW)
        for day in (20, 22, 21):
            at = f"2026-11-{day}T12:00:00.000000Z"
            batch.put(record, f"send:snd_{day}", {**ACTIVITY, "occurred_at": at}, NOW)
    with store.read() as tx:
        keys = [row["key"] for row in local_crm.activities(tx, record, limit=2)]
    assert keys == ["send:snd_22", "send:snd_21"]


def test_nothing_of_a_batch_is_kept_when_it_fails(store: SqliteStore) -> None:
    with pytest.raises(ZeroDivisionError), LocalRecords(store).writing() as batch:
        batch.put(batch.open("con_1", NOW), "send:snd_1", ACTIVITY, NOW)
        _ = 1 / 0
    with store.read() as tx:
        assert local_crm.record_of(tx, "con_1") is None


def test_a_contact_without_a_record_has_none(store: SqliteStore) -> None:
    with store.read() as tx:
        assert local_crm.record_of(tx, "con_1") is None
        assert local_crm.activities(tx, "rec_1") == []
