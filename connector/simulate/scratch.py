"""The scratch ledger: the real tables in memory or in a file that goes, nothing synced."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connector.ledger import schema
from connector.ledger.sqlite import SqliteTx, numbered
from connector.ledger.store import Row, Tx

STATEMENTS: Final = 512  #: kept compiled; the steps have some two hundred
COMMIT_EVERY: Final = 2_000  #: writes in one transaction, so that its journal stays small
CACHE_KB: Final = 64_000
FIRST_HELD: Final = "SELECT min(held_at) AS at FROM numbers WHERE held_at IS NOT NULL"

_WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)


class ScratchTx(SqliteTx):
    """A transaction that notes which tables were written to."""

    is_told = False  #: what CRM and provider are asked is told as it was then

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.touched: set[str] = set()
        self.wake: str | None = None  #: when to look again at what was not shown

    def each(self, sql: str, **params: Any) -> Iterator[Row]:
        """Every row, one after the other; nothing may be written meanwhile."""
        text, names = numbered(sql)
        yield from self._execute(text, tuple(map(params.__getitem__, names)))

    def run(self, sql: str, **params: Any) -> int:
        """Run a statement; the number of rows it touched."""
        text, names, table = _told(sql)
        self.touched.add(table)
        return self._execute(text, tuple(map(params.__getitem__, names))).rowcount


@lru_cache(maxsize=1024)
def _told(sql: str) -> tuple[str, tuple[str, ...], str]:
    """A statement with numbers for its names, the names, and the table it writes to."""
    found = _WRITES.match(sql)
    return (*numbered(sql), found[1] if found else "")


class Scratch:
    """A store on one connection, for one thread, that nobody else reads.

    It has no turn to wait for and syncs nothing: many writes are one transaction, each a part of
    it that may still fail alone.
    """

    def __init__(
        self, path: Path | None = None, make: Callable[[sqlite3.Connection], ScratchTx] = ScratchTx
    ) -> None:
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, cached_statements=STATEMENTS
        )
        _image().backup(self._connection)
        self._connection.row_factory = sqlite3.Row
        for setting in ("synchronous = OFF", "journal_mode = MEMORY"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        self.tx = make(self._connection)
        self._part = _Part(self)
        self._writing = False
        self._writes = 0
        self._connection.execute("BEGIN")

    def write(self) -> AbstractContextManager[Tx]:
        """A part of the transaction that is kept whole or not at all. Never nested."""
        if self._writing:
            raise RuntimeError("a write inside a write: pass the open transaction down instead")
        return self._part

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """What was written so far."""
        yield self.tx

    def commit(self) -> None:
        """Let the journal of what was written so far go."""
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")

    def bytes(self) -> int:
        """How large it is."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int(pages * size)

    def close(self) -> None:
        """Let it go; a file stays for its owner to delete."""
        self._connection.close()


class _Part:
    """One write. A million events make as many, and a generator for each costs twice this."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def __enter__(self) -> Tx:
        scratch = self._scratch
        scratch._writing = True
        scratch._connection.execute("SAVEPOINT one")
        return scratch.tx

    def __exit__(self, kind: object, error: object, at: object) -> None:
        scratch = self._scratch
        execute = scratch._connection.execute
        try:
            if kind is not None:
                execute("ROLLBACK TO one")
            execute("RELEASE one")
        finally:
            scratch._writing = False
        scratch._writes += 1
        if scratch._writes % COMMIT_EVERY == 0:
            scratch.commit()


@lru_cache(maxsize=1)
def _image() -> sqlite3.Connection:
    """The empty tables, made once: a copy takes a tenth of the time."""
    image = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for statement in schema.FIRST:
        image.execute(statement)
    return image
