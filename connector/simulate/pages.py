"""Pages: a long table read in order, a bounded piece at a time, so that nothing waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connector.ledger.store import Row, Store

PAGE: Final = 500
AHEAD: Final = 20_000  #: rows looked ahead for what belongs to a row of another table


def pages(store: Store, sql: str, by: str = "id", **params: Any) -> Iterator[list[Row]]:
    """Pieces of what ``sql`` selects after ``:after`` (rows ordered by the column ``by``)."""
    after = ""
    while True:
        with store.read() as tx:
            rows = tx.all(sql, after=after, limit=PAGE, **params)
        if not rows:
            return
        yield rows
        after = str(rows[-1][by])


def rows(store: Store, sql: str, by: str = "id", **params: Any) -> Iterator[Row]:
    """Every row, read in pieces."""
    for page in pages(store, sql, by, **params):
        yield from page


class Ahead:
    """What belongs to the events of another table, found by reading beside them.

    Both tables were written in the same order, so that looking a bounded number of rows ahead
    finds what there is; nothing is kept longer than until it is asked for.
    """

    def __init__(self, store: Store, sql: str, value: str) -> None:
        self._pages = pages(store, sql)
        self._value = value
        self._known: dict[str, str] = {}
        self._over = False

    def of(self, event_id: str) -> str:
        """What belongs to an event; "" where nothing does."""
        while event_id not in self._known and not self._over and len(self._known) < AHEAD:
            page = next(self._pages, None)
            self._over = page is None
            for row in page or ():
                self._known.setdefault(str(row["event_id"]), str(row[self._value]))
        if len(self._known) >= AHEAD:
            self._known.pop(next(iter(self._known)))
        return self._known.pop(event_id, "")
