"""The recorded events, each at the instant at which the worker took it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import orjson

from connector.ledger.store import Row, Store
from connector.simulate.pages import Ahead, rows

EVENTS: Final = """SELECT * FROM events WHERE id > :after AND body_hash <> ''
    ORDER BY id LIMIT :limit"""  # without a hash, it was erased with the person
SIGNALS: Final = """SELECT id, event_id FROM signals WHERE id > :after AND event_id <> ''
    ORDER BY id LIMIT :limit"""
BEARERS: Final = """SELECT id, event_id, contact_id FROM identity_links
    WHERE id > :after AND act = 'link' ORDER BY id LIMIT :limit"""

WINDOW: Final = 1_000  #: events looked ahead for one that was taken earlier

Line = dict[str, Any]


def events(store: Store) -> Iterator[Line]:
    """Every event as it was told, in the order in which they were taken.

    Identifiers tell the order; what was kept aside and taken again later stands where it was.
    """
    late: list[tuple[str, str, Line]] = []  # a heap
    for line, soonest in _with_soonest(_lines(store)):
        while late and late[0][0] <= line["at"]:
            yield heapq.heappop(late)[2]
        if line["at"] > soonest:
            heapq.heappush(late, (line["at"], line["id"], line))
        else:
            yield line
    while late:
        yield heapq.heappop(late)[2]


def _with_soonest(lines: Iterator[Line]) -> Iterator[tuple[Line, str]]:
    """Each line with the earliest instant among those that follow it."""
    window: deque[Line] = deque()
    falling: deque[str] = deque()  # the least of the window, the least of what follows it …
    for line in chain(lines, [None] * WINDOW):
        if line is not None:
            window.append(line)
            while falling and falling[-1] > line["at"]:
                falling.pop()
            falling.append(line["at"])
        if window and (line is None or len(window) > WINDOW):
            first = window.popleft()
            if falling and falling[0] == first["at"]:
                falling.popleft()
            yield first, falling[0] if falling else first["at"]


def _lines(store: Store) -> Iterator[Line]:
    signals, bearers = Ahead(store, SIGNALS, "id"), Ahead(store, BEARERS, "contact_id")
    for row in rows(store, EVENTS):
        event_id = str(row["id"])
        yield _line(row, bearers.of(event_id), signals.of(event_id))


def _line(row: Row, contact_id: str, signal_id: str) -> Line:
    names = ("id", "source", "source_event_id", "type", "name", "occurred_at", "received_at")
    return {
        "kind": "event",
        "at": row["taken_at"] or row["received_at"],
        **{name: row[name] for name in names},
        "back_fill": bool(row["back_fill"]),
        "payload": orjson.loads(row["payload"]),
        "contact_id": contact_id or row["contact_id"] or "",
        "signal_id": signal_id,
    }
