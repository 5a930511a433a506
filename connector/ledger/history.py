"""What a person did, out of the ledger: each question one read by index, asked once."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Final, Protocol

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger.store import Tx
from connector.model import Json

MOST: Final = 10_000  #: signals that are counted; more are no more
COUNT = """SELECT CAST(count(*) AS BIGINT) AS n, min(occurred_at) AS first_at FROM (
    SELECT occurred_at FROM signals WHERE contact_id = :contact AND name = :name
    AND occurred_at > :since AND occurred_at <= :until ORDER BY occurred_at LIMIT :most) AS heard"""
FIRST = """SELECT min(occurred_at) AS at FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at <= :until"""
LAST = """SELECT max(occurred_at) AS at FROM signals
    WHERE contact_id = :contact AND name = :name AND occurred_at <= :until"""
EVER: Final = ""  #: before every instant


class Asks(Protocol):
    """Tells whether the person is in a segment."""

    def hold(self, name: str) -> bool: ...


class LedgerHistory:
    """The history of one contact as of an instant (included); see ``rules.history.History``.

    Signals that occurred later are never read. Nothing is read before it is asked for, and
    whether something ever happened, happened of late, and when last are the same one read.
    """

    def __init__(
        self, tx: Tx, contact_id: str, as_of: datetime, segments: Asks | None = None
    ) -> None:
        self._tx, self._contact, self._as_of = tx, contact_id, as_of
        self._counts: dict[tuple[str, timedelta | None], int] = {}
        self._edges: dict[tuple[str, str], datetime | None] = {}
        self.segments = segments
        self.changes_at: datetime | None = None

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        """How often a signal occurred, within a span where one is named; ``MOST`` at most."""
        if enough == 1:
            return int(self._happened(name, within))
        key = (name, within)
        if key not in self._counts:
            self._counts[key] = self._count(name, within)
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

    def answered(self, signals: Set[str], segments: Set[str]) -> dict[str, Json]:
        """What was answered so far about signals and segments, as it can be kept and told again.

        A segment that could not be told stands with the code and the words of why.
        """
        counts = {
            f"{name} {int(within.total_seconds()) if within else 0}": n
            for (name, within), n in self._counts.items()
            if name in signals
        }
        found: dict[str, Json] = {"counts": counts} if counts else {}
        for what, wanted in (("first", FIRST), ("last", LAST)):
            edges = {
                name: clock.text(at) if at else None
                for (sql, name), at in self._edges.items()
                if sql is wanted and name in signals
            }
            found |= {what: edges} if edges else {}
        if segments:
            found["segments"] = {name: self._held(name) for name in sorted(segments)}
        return found

    def _held(self, name: str) -> Json:
        try:
            return self.in_segment(name)
        except ExpressionFailed as error:
            return [error.code, str(error)]

    def _happened(self, name: str, within: timedelta | None) -> bool:
        at = self._edge(LAST, name)
        if at is None or within is None:
            return at is not None
        if at <= self._as_of - within:
            return False
        self._changes(at + within)
        return True

    def _count(self, name: str, within: timedelta | None) -> int:
        row = self._tx.one(
            COUNT,
            contact=self._contact,
            name=name,
            since=clock.text(self._as_of - within) if within else EVER,
            until=clock.text(self._as_of),
            most=MOST,
        )
        if row is None:
            return 0
        if within and row["first_at"]:
            self._changes(clock.instant(row["first_at"]) + within)
        return int(row["n"])

    def _changes(self, at: datetime) -> None:
        self.changes_at = min(self.changes_at or at, at)

    def _edge(self, sql: str, name: str) -> datetime | None:
        key = (sql, name)
        if key not in self._edges:
            until = clock.text(self._as_of)
            row = self._tx.one(sql, contact=self._contact, name=name, until=until)
            self._edges[key] = clock.instant(row["at"]) if row and row["at"] else None
        return self._edges[key]
