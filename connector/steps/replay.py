"""Replaying: what was kept aside is read and mapped anew, with the files as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from connector import clock
from connector.ledger import catalogue, events, listings
from connector.ledger.inbox import Delivery
from connector.ledger.store import Row, Tx
from connector.sources.segment import BATCHES
from connector.steps import advance
from connector.steps.pieces import Piece, read
from connector.steps.setup import Setup

AT_ONCE = 8  #: events in one transaction, so that no other writer waits long


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one thing: done, unmapped, failed or unreadable; and why, where it matters."""

    id: str
    state: str
    reason: str = ""


def replay_events(rt: Setup, ids: Sequence[str]) -> list[Became]:
    """Map events kept aside anew and act on them, in one transaction.

    An event that something has come of is left alone and not told of.
    """
    now = rt.clock()
    with rt.store.write() as tx:
        rows = [listings.kept_aside(tx, event_id) for event_id in ids]
        return [_again(tx, rt, row, now) for row in rows if row is not None]


def replay_piece(rt: Setup, unreadable_id: str) -> Became | None:
    """Read a piece anew through its source; its row goes once what it held is recorded.

    Where a part of it still cannot be read, that part alone is kept. None where it is gone.
    """
    with rt.store.read() as tx:
        row = listings.piece(tx, unreadable_id)
    if row is None:
        return None
    pieces = _read(rt, row)
    mapped = [
        (piece, advance.map_event(rt, rt.sources[piece.event.source], piece.event))
        if piece.event is not None
        else (piece, None)
        for piece in pieces
    ]
    if not any(piece.rejected is None for piece in pieces):
        reason = pieces[0].rejected[0] if pieces[0].rejected else ""
        return Became(unreadable_id, "unreadable", reason)
    now = rt.clock()
    with rt.store.write() as tx:
        if listings.piece(tx, unreadable_id) is None:
            return None
        for piece, signal in mapped:
            advance.take(tx, rt, piece, signal, now)
        listings.forget_piece(tx, unreadable_id)
    return Became(unreadable_id, "done", f"{len(pieces)} told")


def _again(tx: Tx, rt: Setup, row: Row, now: datetime) -> Became:
    reason = advance.again(tx, rt, events.read(row), now)
    after = listings.kept_aside(tx, row["id"])
    catalogue.became(tx, row, tx.one(events.GET, id=row["id"]) or row)
    return Became(row["id"], after["state"] if after else "done", reason if after else "")


def _read(rt: Setup, row: Row) -> list[Piece]:
    """The pieces of what was kept; of one event out of a batch, as a batch of its own."""
    delivery = Delivery(
        kind="callback" if "/providers/" in row["url"] else "events",
        source=row["source"],
        received_at=clock.instant(row["received_at"]),
        body=row["body"].encode(),
        url=row["url"],
        headers=orjson.loads(row["headers"]),
    )
    pieces: list[Piece] = []
    for body in _bodies(delivery):
        pieces = read(rt, replace(delivery, body=body))
        if any(piece.rejected is None for piece in pieces):
            break
    return pieces


def _bodies(delivery: Delivery) -> Iterator[bytes]:
    yield delivery.body
    if delivery.url.partition("?")[0].rpartition("/")[2] in BATCHES:
        yield b'{"batch":[' + delivery.body + b"]}"
