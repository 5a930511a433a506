"""The recorded events, each at the instant at which the worker took it, as near as can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger.store import Row, Store
from connector.simulate.pages import Ahead, pages

EVENTS: Final = """SELECT e.*, (SELECT min(d.decided_at) FROM decisions d
        WHERE d.event_id = e.id AND d.moment = 'trigger') AS decided_at
    FROM events e WHERE e.id > :after ORDER BY e.id LIMIT :limit"""
SIGNALS: Final = """SELECT id, event_id FROM signals WHERE id > :after AND event_id <> ''
    ORDER BY id LIMIT :limit"""
BEARERS: Final = """SELECT id, event_id, contact_id FROM identity_links
    WHERE id > :after AND act = 'link' ORDER BY id LIMIT :limit"""
PATIENCE: Final = timedelta(days=7)  #: an event is surely taken within


def events(store: Store) -> Iterator[dict[str, Any]]:
    """Every event as it was told, in the order in which they were taken.

    An event that led to a decision was taken when that was made. Of any other, its signal's
    identifier tells the millisecond; it was taken no later than the next that we are sure of.
    """
    signals, bearers = Ahead(store, SIGNALS, "id"), Ahead(store, BEARERS, "contact_id")
    for page in pages(store, EVENTS):
        heard = _heard(page, [signals.of(str(row["id"])) for row in page])
        for row, at in zip(page, heard, strict=True):
            yield _line(row, at, bearers.of(str(row["id"])))


def _heard(page: Sequence[Row], signals: Sequence[str]) -> list[str]:
    found = [_known(row, signal) for row, signal in zip(page, signals, strict=True)]
    bound = "9999"
    for place in range(len(page) - 1, -1, -1):
        if page[place]["decided_at"]:
            bound = min(bound, found[place])
        else:
            found[place] = max(min(found[place], bound), page[place]["received_at"])
    return found


def _known(row: Row, signal: str) -> str:
    if row["decided_at"]:
        return str(row["decided_at"])
    received = clock.instant(row["received_at"])
    made = made_at(signal) if row["state"] == "done" else None
    if made is not None and received <= made < received + PATIENCE:
        return clock.text(made)
    return str(row["received_at"])


def made_at(identifier: str) -> datetime | None:
    """When an identifier was made, to the millisecond; None where it does not tell."""
    try:
        stamp = int(identifier.rpartition("_")[2], 16) >> 32
        return datetime.fromtimestamp(stamp / 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _line(row: Row, at: str, contact_id: str) -> dict[str, Any]:
    names = ("id", "source", "source_event_id", "type", "name", "occurred_at", "received_at")
    return {
        "kind": "event",
        "at": at,
        **{name: row[name] for name in names},
        "back_fill": bool(row["back_fill"]),
        "payload": orjson.loads(row["payload"]),
        "contact_id": contact_id or row["contact_id"] or "",
    }
