"""The inbox: where the web puts what it accepts, one fsync for all that came together.

The web process alone writes this file and the worker only reads it, so that neither ever waits
for the other. What the worker has moved into the ledger is named by a cursor in the ledger, in
the same transaction, and is deleted here later.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from connector import clock
from connector.errors import Overloaded, StorageRefused
from connector.ledger.sqlite import connect, refused

TABLE = """CREATE TABLE IF NOT EXISTS inbox (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, received_at TEXT NOT NULL,
    url TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL)"""
INSERT = "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
READ = "SELECT * FROM inbox WHERE seq > ? ORDER BY seq LIMIT ?"
COUNT = """SELECT source, sum(1 + length(body) / 1024) FROM inbox
    WHERE seq > ? AND seq <= ? GROUP BY source"""
BATCH = 500
READ_BYTES = 1_000_000  # of bodies read at a time, so that large batches do not fill the memory
RESERVE = 64_000_000  # bytes of the disk, or a twentieth of it, left to callbacks and the worker
FORGET_AT = 2_000  # rows moved before they are deleted, so that deleting is rare
FORGET_SECONDS = 900.0  # after which they are deleted anyway: they hold what people did


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted request as it goes to disk.

    ``kind`` is ``events``, ``callback``, ``click``, ``hand`` or ``unreadable``; ``source`` the
    configured source's name, or the provider's for callbacks; ``headers`` only those that
    reading needs, never credentials or signatures.
    """

    kind: str
    source: str
    received_at: datetime
    body: bytes
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    seq: int = 0


class _Waiting:
    """A delivery on its way to disk, and what became of it."""

    __slots__ = ("delivery", "done", "error")

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.done = False
        self.error: Exception | None = None


class Inbox:
    """The writing side; one a folder, in the web process.

    ``moved`` tells the last sequence number that the worker has moved into the ledger; ``wake``
    is called after each commit; ``share`` bounds what waits of one source, where a delivery
    counts one and one more for each KiB it has; after ``forget_at`` moved deliveries, or when the
    disk refuses, those moved are deleted. The last of the disk is kept for callbacks.
    """

    def __init__(
        self,
        path: Path,
        *,
        moved: Callable[[], int],
        wake: Callable[[], None],
        share: int = 20_000,
        max_pages: int = 0,
        forget_at: int = FORGET_AT,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = path.parent
        self._connection = connect(path, max_pages)
        self._connection.execute(TABLE)
        self._moved, self._wake, self._share = moved, wake, share
        self._forget_at = forget_at
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        row = self._connection.execute("SELECT max(seq), min(seq) FROM inbox").fetchone()
        self._cursor = moved()
        self._last = max(row[0] or 0, self._cursor)
        self._forgotten = min(self._cursor, (row[1] or self._cursor + 1) - 1)
        self._forgot_at = time.monotonic()
        self._backlog = self._count(self._cursor, self._last)
        self.is_low = _is_low(self._folder)  #: whether the disk is full but for the reserve
        self.accepted: Counter[str] = Counter()

    def append(self, delivery: Delivery) -> None:
        """Return once the delivery is on disk.

        Raises ``Overloaded`` when the source's share is full (never for callbacks), and
        ``StorageRefused`` when the disk refuses, even after all that was moved is deleted;
        nothing is kept then.
        """
        if delivery.kind != "callback":
            self._check(delivery.source)
        forgotten = self._forgotten
        error = self._put(delivery)
        if isinstance(error, StorageRefused) and self._make_room(forgotten):
            error = self._put(delivery)
        if error is not None:
            raise error

    def _check(self, source: str) -> None:
        if self.is_low:
            raise StorageRefused("the disk is all but full: make room on it")
        if self._backlog[source] >= self._share:
            self._learn()
            if self._backlog[source] >= self._share:
                raise Overloaded(f"{self._share} deliveries of {source} wait already")

    def _put(self, delivery: Delivery) -> Exception | None:
        """Why it could not be written; None where it is on disk.

        The first thread to get the lock writes for all that wait, with one commit and one fsync.
        """
        item = _Waiting(delivery)
        self._queue.append(item)
        with self._lock:
            while not item.done:
                self._commit()
        return item.error

    def _commit(self) -> None:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < BATCH:
            batch.append(self._queue.popleft())
        error = self._write(batch)
        if error is None:
            self._last += len(batch)
        for item in batch:
            if error is None:
                self._backlog[item.delivery.source] += 1 + len(item.delivery.body) // 1024
                self.accepted[item.delivery.source] += 1
            item.error = error
            item.done = True
        if error is None:
            self._wake()

    def _write(self, batch: list[_Waiting]) -> Exception | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for place, item in enumerate(batch, self._last + 1):
                self._connection.execute(INSERT, _row(place, item.delivery))
            self._connection.execute("COMMIT")
        except Exception as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if refused(error):
                return StorageRefused(f"the inbox could not be written: {error}")
            return error
        return None

    def _make_room(self, forgotten: int) -> bool:
        """Forget at once what the worker has moved; whether any was, by us or by another."""
        with suppress(sqlite3.Error):  # the disk may refuse this too
            self.refresh(at_least=1)
        return self._forgotten > forgotten

    def refresh(self, at_least: int = 0) -> None:
        """Learn how far the worker has come; tidy the log; forget what it has moved.

        ``at_least`` moved deliveries make forgetting worth it; 0 takes the inbox's own bound. The
        log is tidied first: on a full disk there is no other room to write what is forgotten.
        """
        self.is_low = _is_low(self._folder)
        self._learn()
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            many = self._cursor - self._forgotten >= (at_least or self._forget_at)
            if many or (self._cursor > self._forgotten and self._is_long_ago()):
                self._connection.execute("DELETE FROM inbox WHERE seq <= ?", (self._cursor,))
                self._forgotten = self._cursor
                self._forgot_at = time.monotonic()

    def _is_long_ago(self) -> bool:
        """Whether what was moved has stood here long enough, however little it is."""
        return time.monotonic() - self._forgot_at >= FORGET_SECONDS

    def _learn(self) -> None:
        moved = self._moved()
        with self._lock:
            if moved > self._cursor:
                self._backlog -= self._count(self._cursor, moved)
                self._cursor = moved

    def _count(self, after: int, until: int) -> Counter[str]:
        return Counter(dict(self._connection.execute(COUNT, (after, until)).fetchall()))

    def waiting(self) -> dict[str, int]:
        """What the worker has not moved yet of each source, counted as the shares are."""
        return dict(self._backlog)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class InboxReader:
    """The reading side, in the worker; it never writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def after(self, seq: int, limit: int) -> list[Delivery]:
        """Up to ``limit`` deliveries after a number, in order; fewer where they are large."""
        if self._connection is None:
            if not self._path.exists():
                return []
            self._connection = connect(self._path, 0)
            self._connection.execute("PRAGMA query_only = ON")
        try:
            return _read(self._connection, seq, limit)
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()


def _is_low(folder: Path) -> bool:
    """Whether the disk is so full that only callbacks may have what is left."""
    disk = os.statvfs(folder)
    return disk.f_bavail < min(RESERVE // disk.f_frsize, disk.f_blocks // 20)


def _read(connection: sqlite3.Connection, seq: int, limit: int) -> list[Delivery]:
    found: list[Delivery] = []
    room = READ_BYTES
    with closing(connection.execute(READ, (seq, limit))) as rows:
        for row in rows:
            found.append(_delivery(row))
            room -= len(row["body"])
            if room <= 0:
                break
    return found


def _row(seq: int, delivery: Delivery) -> tuple[object, ...]:
    return (
        seq,
        delivery.kind,
        delivery.source,
        clock.text(delivery.received_at),
        delivery.url,
        orjson.dumps(dict(delivery.headers)).decode() if delivery.headers else "{}",
        delivery.body,
        delivery.reason,
    )


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        kind=row["kind"],
        source=row["source"],
        received_at=clock.instant(row["received_at"]),
        body=row["body"],
        url=row["url"],
        headers=orjson.loads(row["headers"]),
        reason=row["reason"],
        seq=row["seq"],
    )
