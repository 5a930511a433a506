"""The seam between SQL and its engine: a store has two verbs, a transaction has three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from connector.errors import StorageRefused

Row = Mapping[str, Any]


class Tx(Protocol):
    """An open transaction. SQL has ``:name`` parameters; a row reads like a mapping."""

    skip_locked: str  #: "" or "FOR UPDATE SKIP LOCKED", appended by claims
    for_update: str  #: "" or " FOR UPDATE", appended where a row is read to be changed
    heads: dict[str, tuple[int, str]] | None
    """The heads of the chains that moved in this transaction (table → seq, hash), written when it
    commits; None where each is written at once."""

    def one(self, sql: str, **params: Any) -> Row | None:
        """The first row, or None."""

    def all(self, sql: str, **params: Any) -> list[Row]:
        """Every row."""

    def run(self, sql: str, **params: Any) -> int:
        """Run a statement; the number of rows it touched."""


class Store(Protocol):
    """Where the ledger lives."""

    def write(self) -> AbstractContextManager[Tx]:
        """A transaction that may write; committed and on disk when the block ends."""

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only reads, seeing one state throughout."""


OUR_FAULTS = ("DataError", "IntegrityError", "ProgrammingError")
"""What an engine calls a statement that is wrong, while the ledger itself is well."""


def is_storage(error: Exception) -> bool:
    """Whether the ledger itself failed, so that nothing of the transaction can be kept."""
    engine = type(error).__module__.partition(".")[0] in ("sqlite3", "psycopg")
    return isinstance(error, StorageRefused) or (engine and type(error).__name__ not in OUR_FAULTS)


@contextmanager
def savepoint(tx: Tx) -> Iterator[None]:
    """A part of a transaction that may fail alone, leaving the rest whole.

    Raises ``StorageRefused`` where it took the whole transaction with it, as a full disk does.
    """
    tx.run("SAVEPOINT part")
    heads = None if tx.heads is None else tx.heads.copy()
    try:
        yield
    except BaseException as error:
        tx.heads = heads  # the rows that moved them go with what is rolled back
        try:
            tx.run("ROLLBACK TO SAVEPOINT part")
            tx.run("RELEASE SAVEPOINT part")
        except Exception:
            raise StorageRefused(f"the ledger could not be written: {error}") from error
        raise
    tx.run("RELEASE SAVEPOINT part")
