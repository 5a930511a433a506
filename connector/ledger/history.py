"""What a person did, out of the ledger: each question one read by index, asked once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from connector import clock
from connector.ledger.store import Tx

COUNT = """SELECT CAST(count(*) AS BIGINT) AS n, min(occurred_at) AS first_at FROM (
    SELECT occurred_at FROM signals WHERE contact_id = :contact AND name = :name
    AND occurred_at > :since AND occurred_at <= :until ORDER BY occurred_at LIMIT 10000) AS heard"""
FIRST = """SELECT min(occurred_at) AS at FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at <= :until"""
LAST = """SELECT max(occurred_at) AS at FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at <= :until"""
EVER = ""  #: before every instant


class Asks(Protocol):
    """Tells whether the person is in a segment."""

    def hold(self, name: str) -> bool: ...


class LedgerHistory:
    """The history of one contact as of an instant (included)."""

    def __init__(self, tx: Tx, contact_id: str, as_of: datetime) -> None:
        self._tx, self._contact, self._as_of = tx, contact_id, as_of
        self._counts: dict[tuple[str, timedelta | None], int] = {}
        self._edges: dict[tuple[str, str], datetime | None] = {}
        self.segments: Asks | None = None
        self.changes_at: datetime | None = None

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        """How often a signal occurred, within a span where one is named; 10,000 at most."""
        key = (name, within)
        if key not in self._counts:
            row = self._tx.one(
                COUNT,
                contact=self._contact,
                name=name,
                since=clock.text(self._as_of - within) if within else EVER,
                until=clock.text(self._as_of),
            )
            self._counts[key] = int(row["n"]) if row else 0
            if within and row and row["first_at"]:
                leaves = clock.instant(row["first_at"]) + within
                self.changes_at = min(self.changes_at or leaves, leaves)
        return self._counts[key]

    def first(self, name: str) -> datetime | None:
        """When a signal occurred first."""
        return self._edge(FIRST, name)

    def last(self, name: str) -> datetime | None:
        """When a signal occurred last."""
        return self._edge(LAST, name)

    def in_segment(self, name: str) -> bool:
        """Whether the person is in a segment."""
        return self.segments is not None and self.segments.hold(name)

    def _edge(self, sql: str, name: str) -> datetime | None:
        key = (sql, name)
        if key not in self._edges:
            until = clock.text(self._as_of)
            row = self._tx.one(sql, contact=self._contact, name=name, until=until)
            self._edges[key] = clock.instant(row["at"]) if row and row["at"] else None
        return self._edges[key]
