"""The store's promises: all or nothing, one writer at a time, one state for each reader."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from connector.errors import LedgerBusy, StorageRefused
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx, savepoint

ADD = """INSERT INTO counters (name, value) VALUES (:name, 1)
    ON CONFLICT (name) DO UPDATE SET value = counters.value + 1"""


def value(store: SqliteStore, name: str) -> int | None:
    with store.read() as tx:
        return read(tx, name)


def read(tx: Tx, name: str) -> int | None:
    row = tx.one("SELECT value FROM counters WHERE name = :name", name=name)
    return int(row["value"]) if row else None


def add(store: SqliteStore, name: str) -> None:
    with store.write() as tx:
        tx.run(ADD, name=name)


def test_what_is_written_is_there_when_the_block_ends(store: SqliteStore) -> None:
    with store.write() as tx:
        assert tx.run(ADD, name="a") == 1
        assert read(tx, "a") == 1
    assert value(store, "a") == 1


def test_a_second_opening_of_the_file_finds_it_too(store: SqliteStore) -> None:
    add(store, "a")
    other = SqliteStore(store.path)
    assert value(other, "a") == 1
    other.close()


def test_an_exception_takes_everything_back(store: SqliteStore) -> None:
    with pytest.raises(KeyError), store.write() as tx:
        tx.run(ADD, name="a")
        raise KeyError("fault")
    assert value(store, "a") is None
    add(store, "a")
    assert value(store, "a") == 1, "and the next write goes on"


def test_a_statement_that_fails_takes_everything_back(store: SqliteStore) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        tx.run(ADD, name="a")
        tx.run("INSERT INTO counters (name, value) VALUES ('a', 1)")
    assert value(store, "a") is None


def test_a_write_inside_a_write_is_refused_and_the_outer_one_lives(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.run(ADD, name="a")
        with pytest.raises(RuntimeError, match="pass the open transaction"), store.write():
            pass
        tx.run(ADD, name="a")
    assert value(store, "a") == 2


def test_another_thread_waits_for_its_turn_instead(store: SqliteStore) -> None:
    other = threading.Thread(target=add, args=(store, "a"))
    with store.write() as tx:
        other.start()
        other.join(0.05)
        assert other.is_alive()
        assert read(tx, "a") is None
    other.join(5)
    assert value(store, "a") == 1


@pytest.mark.parametrize("same_process", [True, False])
def test_who_waits_with_a_bound_is_told_that_others_write_and_leaves_no_lock_behind(
    store: SqliteStore, same_process: bool
) -> None:
    other = store if same_process else SqliteStore(store.path)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with other.write() as tx:
            tx.run(ADD, name="a")
            held.set()
            free.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    began = time.monotonic()
    with pytest.raises(LedgerBusy), store.write(0.1):
        pytest.fail("the turn was another's")
    assert 0.1 <= time.monotonic() - began < 5
    free.set()
    thread.join()
    with store.write(0.1) as tx:
        tx.run(ADD, name="a")
    add(other, "a")
    assert value(store, "a") == 3
    if other is not store:
        other.close()


def test_a_reader_sees_one_state_throughout(store: SqliteStore) -> None:
    add(store, "a")
    with store.read() as tx:
        assert read(tx, "a") == 1
        add(store, "a")
        assert read(tx, "a") == 1
    assert value(store, "a") == 2


def test_a_reader_does_not_see_what_is_not_committed(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.run(ADD, name="a")
        assert value(store, "a") is None


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(sqlite3.OperationalError), store.read() as tx:
        tx.run(ADD, name="a")
    assert value(store, "a") is None


def test_an_exception_while_reading_leaves_the_reader_usable(store: SqliteStore) -> None:
    with pytest.raises(KeyError), store.read():
        raise KeyError("fault")
    assert value(store, "a") is None


def test_a_part_of_a_transaction_may_fail_alone(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.run(ADD, name="a")
        with pytest.raises(KeyError), savepoint(tx):
            tx.run(ADD, name="a")
            with savepoint(tx):
                tx.run(ADD, name="a")
            raise KeyError("fault")
        with savepoint(tx):
            tx.run(ADD, name="b")
    assert (value(store, "a"), value(store, "b")) == (1, 1)


def test_threads_lose_no_update(store: SqliteStore) -> None:
    def work() -> None:
        for _ in range(40):
            add(store, "a")
            value(store, "a")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(store, "a") == 160


#: Reads and writes apart, so that an update would be lost were the turn not held for both.
COUNTING = """
import sys, time
from pathlib import Path
from connector.ledger.sqlite import SqliteStore
folder, name = Path(sys.argv[1]), sys.argv[2]
store = SqliteStore(folder / "ledger.db")
(folder / name).touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for _ in range(200):
    with store.write() as tx:
        row = tx.one("SELECT value FROM counters WHERE name = 'all'")
        tx.run("UPDATE counters SET value = :value WHERE name = 'all'", value=row["value"] + 1)
        tx.run("INSERT INTO cursors VALUES (:place, :name)", place=f"{row['value']:04}", name=name)
store.close()
"""


def test_two_processes_take_turns_and_lose_no_update(store: SqliteStore, tmp_path: Path) -> None:
    with store.write() as tx:
        tx.run("INSERT INTO counters VALUES ('all', 0)")
    names = ("left", "right")
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNTING, str(tmp_path), name], cwd=Path.cwd())
        for name in names
    ]
    while not all((tmp_path / name).exists() for name in names):
        assert all(process.poll() is None for process in processes)
    (tmp_path / "go").touch()
    assert [process.wait(60) for process in processes] == [0, 0]
    assert value(store, "all") == 400
    with store.read() as tx:
        order = [row["value"] for row in tx.all("SELECT value FROM cursors ORDER BY name")]
    assert {name: order.count(name) for name in names} == {"left": 200, "right": 200}
    changes = sum(before != after for before, after in pairwise(order))
    assert changes > 100, "a fair turn alternates; neither starves the other"


def test_a_full_file_refuses_and_keeps_nothing_and_recovers(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "small.db", max_pages=20)
    with store.write() as tx:
        tx.run("CREATE TABLE things (name TEXT, body TEXT)")
    with pytest.raises(StorageRefused, match="could not be written"), store.write() as tx:
        tx.run("INSERT INTO things VALUES ('small', 'x')")
        tx.run("INSERT INTO things VALUES ('large', :body)", body="x" * 200_000)
    with store.read() as tx:
        assert tx.all("SELECT name FROM things") == []
    with store.write() as tx:
        tx.run("INSERT INTO things VALUES ('small', 'x')")
    store.close()


def test_a_full_file_refuses_a_part_as_a_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "small.db", max_pages=20)
    with store.write() as tx:
        tx.run("CREATE TABLE things (name TEXT, body TEXT)")
    with pytest.raises(StorageRefused), store.write() as tx:
        tx.run("INSERT INTO things VALUES ('small', 'x')")
        with savepoint(tx):
            tx.run("INSERT INTO things VALUES ('large', :body)", body="x" * 200_000)
    with store.read() as tx:
        assert tx.all("SELECT name FROM things") == []
    store.close()


def test_a_checkpoint_moves_the_log_into_the_file(store: SqliteStore, tmp_path: Path) -> None:
    add(store, "a")
    store.checkpoint()
    copy = tmp_path / "alone" / "ledger.db"
    copy.parent.mkdir()
    shutil.copy(store.path, copy)
    alone = SqliteStore(copy)
    assert value(alone, "a") == 1
    alone.close()


def test_every_commit_is_synced_and_no_connection_checkpoints_by_itself(store: SqliteStore) -> None:
    with store.read() as tx, store.write() as writing:
        for each in (tx, writing):
            settings = [
                dict(zip(row.keys(), tuple(row), strict=True)).popitem()
                for name in ("journal_mode", "synchronous", "wal_autocheckpoint")
                if (row := each.one(f"PRAGMA {name}"))
            ]
            assert settings == [
                ("journal_mode", "wal"),
                ("synchronous", 2),
                ("wal_autocheckpoint", 0),
            ]
