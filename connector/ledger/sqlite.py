"""The ledger on SQLite: one writer connection a process, a fair turn among processes.

Why a turn of our own: SQLite's busy handler polls, so two busy writers starve each other, and
releases 3.7.0 to 3.51.2 can corrupt a WAL when two connections write and checkpoint at the same
instant. Every writer and the one thread that checkpoints therefore pass a turnstile (lock
``next``, lock ``turn``, free ``next``) that the kernel keeps fair and frees when a process dies.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.errors import LedgerBusy, StorageRefused
from connector.ledger import chain
from connector.ledger.store import Row, Tx

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_MS = 10_000
READER_KB = 2_000  #: of pages that a reader keeps; as many read as calls go out at one time
ASK_AGAIN = 0.002  #: seconds, of a turn that is waited for with a bound
READERS = 8  #: connections kept for the next reader
LOG_BYTES = 64_000_000  #: of the write-ahead log that stay on disk after a rush
APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'connector' ORDER BY name"

_NAME = re.compile(r"(?<![:\w]):(\w+)")


class SqliteTx:
    """A transaction on one connection."""

    skip_locked = ""
    for_update = ""  #: one writer at a time anyhow
    heads: dict[str, tuple[int, str]] | None = None

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def one(self, sql: str, **params: Any) -> Row | None:
        text, names = numbered(sql)
        row: Row | None = self._execute(text, tuple(map(params.__getitem__, names))).fetchone()
        return row

    def all(self, sql: str, **params: Any) -> list[Row]:
        text, names = numbered(sql)
        rows: list[Row] = self._execute(text, tuple(map(params.__getitem__, names))).fetchall()
        return rows

    def run(self, sql: str, **params: Any) -> int:
        text, names = numbered(sql)
        return self._execute(text, tuple(map(params.__getitem__, names))).rowcount


@lru_cache(maxsize=1024)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """A statement with numbers for its names, and the names in the order of the numbers.

    Given names, Python's own module asks SQLite for each at every call, and lets go of the
    interpreter's lock to do so; a text's seventy statements would do that five hundred times.
    """
    names = tuple(dict.fromkeys(_NAME.findall(sql)))
    places = {name: f"?{number}" for number, name in enumerate(names, 1)}
    return _NAME.sub(lambda found: places[found[1]], sql), names


class Turnstile:
    """One writer at a time over all processes of a folder, in the order they came."""

    def __init__(self, path: Path) -> None:
        self._next = os.open(f"{path}.next", os.O_RDWR | os.O_CREAT, 0o600)
        self._turn = os.open(f"{path}.turn", os.O_RDWR | os.O_CREAT, 0o600)
        self._thread_next = threading.Lock()
        self._thread_turn = threading.Lock()
        self._close = weakref.finalize(self, _close, self._next, self._turn)

    @contextmanager
    def turn(self, patience: float = -1.0) -> Iterator[None]:
        """Hold the write turn for the length of the block.

        Raises ``LedgerBusy`` where it does not come within ``patience`` seconds; negative waits
        for as long as it takes.
        """
        until = time.monotonic() + patience if patience >= 0 else None
        _acquire(self._thread_next, until)  # the same turnstile among the threads of this process
        try:
            _acquire(self._thread_turn, until)
        finally:
            self._thread_next.release()
        try:
            _lock(self._next, until)
            try:
                _lock(self._turn, until)
            finally:
                fcntl.flock(self._next, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)
        finally:
            self._thread_turn.release()

    def close(self) -> None:
        """Close the files; also done where an opening failed and nobody holds this any more."""
        self._close()


class SqliteStore:
    """A store in one file. Open it after forking, once a process; it is safe to share by threads.

    ``max_pages`` bounds the file (pages of 4 KiB); past it a write is refused as a full disk is.
    """

    def __init__(self, path: Path, *, max_pages: int = 0) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turnstile = Turnstile(path)
        self._max_pages = max_pages
        new = not path.exists() or not path.stat().st_size
        with self._turnstile.turn() if new else nullcontext():  # only one may make it a WAL
            self._writer = connect(path, max_pages)
        self._readers: list[sqlite3.Connection] = []
        self._writing = 0

    @contextmanager
    def write(self, patience: float = -1.0) -> Iterator[Tx]:
        """BEGIN IMMEDIATE in turn; on disk when the block ends. Never nested.

        Raises ``StorageRefused`` when the disk or the bound refuses, and ``LedgerBusy`` when the
        turn does not come within ``patience`` seconds (negative: no bound); nothing of it is
        kept then.
        """
        if self._writing == threading.get_ident():
            raise RuntimeError("a write inside a write: pass the open transaction down instead")
        with self._turnstile.turn(patience):
            self._writing = threading.get_ident()
            try:
                yield from self._transaction()
            finally:
                self._writing = 0

    def _transaction(self) -> Iterator[Tx]:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            tx = SqliteTx(connection)
            tx.heads = {}
            yield tx
            if connection.in_transaction:  # else the rows are gone, and COMMIT says so
                chain.settle(tx)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if refused(error):
                raise StorageRefused(f"the ledger could not be written: {error}") from error
            raise

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One state of the ledger, on a connection of its own while it lasts."""
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = connect(self.path, 0)
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA cache_size = -{READER_KB}")
        try:
            connection.execute("BEGIN")
            yield SqliteTx(connection)
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
            if len(self._readers) < READERS:  # threads come and go, so none owns one
                self._readers.append(connection)
            else:
                connection.close()

    def turn(self) -> AbstractContextManager[None]:
        """Hold the write turn for what begins its own transactions: migrations."""
        return self._turnstile.turn()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, holding the write turn (see the module).

        Raises ``StorageRefused`` when the disk refuses; the log then holds all it held.
        """
        with self._turnstile.turn():
            try:
                self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except sqlite3.OperationalError as error:
                raise StorageRefused(f"the ledger could not be written: {error}") from error

    def migrations(self) -> tuple[str, ...]:
        """Names of the migrations this ledger has had; empty for a new one.

        Read without sqlite-utils, which costs a tenth of a second to import at each start.
        """
        try:
            rows = self._writer.execute(APPLIED).fetchall()
        except sqlite3.OperationalError:
            return ()
        return tuple(str(row["name"]) for row in rows)

    def database(self) -> Database:
        """The writer as sqlite-utils' own object, for migrations and backups."""
        from sqlite_utils import Database

        return Database(self._writer, execute_plugins=False)

    def close(self) -> None:
        """Close every connection; the store cannot be used after."""
        for connection in [*self._readers, self._writer]:
            connection.close()
        self._turnstile.close()


def _acquire(lock: threading.Lock, until: float | None) -> None:
    left = -1.0 if until is None else max(0.0, until - time.monotonic())
    if not lock.acquire(timeout=left):
        raise LedgerBusy


def _lock(file: int, until: float | None) -> None:
    """Lock a file, in the order in which it was asked for, or for as long as there is time.

    With a bound the kernel is asked again and again, which keeps the place in the line all the
    same: whoever comes after waits behind ``next``, which is held meanwhile.
    """
    if until is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LedgerBusy from None
            time.sleep(ASK_AGAIN)


def _close(*files: int) -> None:
    for file in files:
        os.close(file)


def connect(path: Path, max_pages: int) -> sqlite3.Connection:
    """A connection as this project wants it: WAL, every commit synced, no automatic checkpoint."""
    path.touch(mode=0o600)  # it holds phone numbers: nobody else's to read
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is gone, on every build
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA temp_store = MEMORY")
    if max_pages:
        connection.execute(f"PRAGMA max_page_count = {int(max_pages)}")
    return connection


def integrity(path: Path) -> list[str]:
    """What SQLite's own check finds wrong with a file, at most a hundred; empty where it is whole.

    It reads the whole file, on a connection of its own, and holds nobody up.
    """
    try:
        with closing(connect(path, 0)) as connection:
            connection.execute("PRAGMA query_only = ON")
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def refused(error: BaseException) -> bool:
    """Whether an error means that the disk refused (full, read-only, failing), so: later."""
    if not isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError):
        return False
    says = str(error)
    return any(
        word in says for word in ("full", "disk I/O error", "readonly", "unable to open", "locked")
    )
