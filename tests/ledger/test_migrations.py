"""Every release's ledger opens, is brought up to date and loses nothing; a newer one is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from connector.errors import ConnectorError, LedgerTooNew
from connector.ledger import (
    consents,
    contacts,
    decisions,
    enrolments,
    events,
    frequency,
    migrations,
    outcomes,
    schema,
    sends,
    writebacks,
)
from connector.ledger.sqlite import SqliteStore
from connector.model import Purpose
from connector.rules.consent import standing

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
LEDGERS = sorted((Path(__file__).parents[1] / "fixtures" / "ledgers").glob("*.sql"))
PHONE = "+12125550123"


def opened(dump: Path, folder: Path) -> SqliteStore:
    path = folder / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return SqliteStore(path)


def shape(database: Database) -> dict[str, str]:
    """Every table and index with the words that made it."""
    rows = database.query("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {str(row["name"]): " ".join(str(row["sql"]).split()) for row in rows}


def test_there_is_a_ledger_of_each_release() -> None:
    assert [path.name for path in LEDGERS] == ["0.1.0.sql"]


@pytest.mark.parametrize("dump", LEDGERS, ids=lambda path: path.stem)
def test_a_releases_ledger_is_brought_up_to_date_and_reads_as_before(
    dump: Path, tmp_path: Path
) -> None:
    store = opened(dump, tmp_path)
    migrations.migrate(store.database())
    assert migrations.pending(store.database()) == []
    with store.read() as tx:
        contact = contacts.get(tx, "con_1")
        assert contact is not None
        assert (contact.phone, contact.stage, contact.traits) == (
            PHONE,
            "customer",
            {"first_name": "Ann"},
        )
        assert contacts.row(tx, "con_2")["id"] == "con_1"  # type: ignore[index]
        event = events.get(tx, "evt_1")
        assert event is not None
        assert event.payload == {"event": "Cart Updated", "properties": {"value": 42.5}}
        enrolment = enrolments.get(tx, "enr_1")
        assert enrolment is not None
        assert (enrolment["state"], enrolment["goal_kind"]) == ("ended", "converted")
        assert (enrolment["signal_name"], enrolment["source"]) == ("cart_updated", "backend")
        send = sends.get(tx, "snd_1")
        assert send is not None
        assert (send["state"], send["provider_id"], send["cost_micros"]) == (
            "delivered",
            "SM1",
            7900,
        )
        to_person, to_number = frequency.said(tx, "con_1", PHONE, NOW - timedelta(days=400))
        assert [each.purpose for each in to_person] == [Purpose.marketing]
        assert to_person == to_number
        [decision] = decisions.of(tx, send_id="snd_1")
        assert (decision["moment"], decision["verdict"]) == ("send", "send")
        assert standing(consents.history(tx, PHONE)).stopped == "all"
        number = consents.number(tx, PHONE)
        assert number is not None
        assert number["blocked_scope"] == "all"
        outcome = outcomes.get(tx, "out_1")
        assert outcome is not None
        assert outcome["value_micros"] == 42_500_000
        assert writebacks.counts(tx) == {"local": {"owed": 1, "parked": 0}}
    store.close()


@pytest.mark.parametrize("dump", LEDGERS, ids=lambda path: path.stem)
def test_a_releases_ledger_ends_up_in_the_shape_of_a_new_one(dump: Path, tmp_path: Path) -> None:
    store = opened(dump, tmp_path)
    migrations.migrate(store.database())
    new = SqliteStore(tmp_path / "new" / "ledger.db")
    migrations.migrate(new.database())
    assert shape(store.database()) == shape(new.database())
    store.close()
    new.close()


def test_a_new_file_needs_everything_and_then_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    database = store.database()
    assert migrations.is_new(database)
    assert migrations.pending(database) == ["m0001_first"]
    assert migrations.migrate(database) == ["m0001_first"]
    assert not migrations.is_new(database)
    assert migrations.pending(database) == []
    assert migrations.migrate(database) == [], "again does nothing"
    store.close()


def test_every_statement_of_the_schema_has_made_its_table_or_index(store: SqliteStore) -> None:
    made = {"_sqlite_migrations", *shape(store.database())}
    wanted = {
        words.split("(")[0].split(" ON ")[0].split(" AS ")[0].split()[-1]
        for words in schema.FIRST
        if words.startswith("CREATE")
    }
    assert wanted <= made


def test_a_ledger_of_a_newer_release_is_refused_and_left_alone(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.run(
            """INSERT INTO _sqlite_migrations (migration_set, name, applied_at)
            VALUES ('connector', 'm9999_later', '2030-01-01')"""
        )
    for ask in (migrations.pending, migrations.migrate):
        with pytest.raises(LedgerTooNew, match="m9999_later"):
            ask(store.database())
    with store.read() as tx:
        assert tx.all("SELECT * FROM events") == []


def test_a_backup_is_a_whole_ledger_taken_while_it_is_in_use(
    store: SqliteStore, tmp_path: Path
) -> None:
    with store.write() as tx:
        contacts.create(tx, "con_1", NOW)
    with store.read() as tx:
        path = migrations.backup(store.database(), tmp_path / "backups", NOW)
        assert contacts.row(tx, "con_1")
    assert path.name == "ledger-20261117T170000.db"
    copy = SqliteStore(path)
    with copy.read() as tx:
        assert contacts.row(tx, "con_1")
    assert migrations.pending(copy.database()) == []
    copy.close()


def test_a_ledger_that_does_not_pass_its_check_is_not_backed_up(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    migrations.migrate(store.database())
    with store.write() as tx:
        for number in range(200):
            contacts.create(tx, f"con_{number}", NOW)
    store.checkpoint()
    store.close()
    _overwrite_a_page(store.path)
    broken = SqliteStore(store.path)
    with pytest.raises(ConnectorError, match="the backup failed its check"):
        migrations.backup(broken.database(), tmp_path / "backups", NOW)
    broken.close()
    assert list((tmp_path / "backups").glob("*.db")) == []


def _overwrite_a_page(path: Path) -> None:
    """Garbage over the page in which the contacts stand."""
    with closing(sqlite3.connect(path)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'contacts'")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


def test_the_names_that_a_start_compares_are_those_of_the_migrations(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    assert store.migrations() == ()
    migrations.migrate(store.database())
    assert store.migrations() == schema.MIGRATIONS
    own = tuple(sorted(name for name in vars(migrations) if name.startswith("m0")))
    assert own == schema.MIGRATIONS
