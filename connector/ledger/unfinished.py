"""Unfinished: texts that a provider took and of which no end was ever heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from connector import clock
from connector.ledger import cursors
from connector.ledger.store import Row, Tx

CURSOR: Final = "statuses"
PAGE: Final = 2_000  #: rows of the log that one look walks over
LAST = """SELECT max(id) AS id FROM
    (SELECT id FROM sends WHERE id > :after ORDER BY id LIMIT :page) AS page"""
ROWS = """SELECT * FROM sends WHERE id > :after AND id <= :last AND state = 'accepted'
        AND status_rank < 4 AND accepted_at > :young AND accepted_at <= :old
        AND provider_id IS NOT NULL AND provider_id <> ''
    ORDER BY id LIMIT :most"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a night's sweep has come."""

    night: str = ""  #: the day it began on
    after: str = ""  #: the last text that was looked at
    done: bool = False
    asked: int = 0
    told: int = 0  #: of them, those of which something new was told


def read(tx: Tx) -> Sweep:
    """How far the last sweep has come."""
    text = cursors.get(tx, CURSOR)
    return Sweep(**orjson.loads(text)) if text else Sweep()


def keep(tx: Tx, sweep: Sweep) -> None:
    """Note how far a sweep has come."""
    cursors.set_(tx, CURSOR, orjson.dumps(sweep).decode())


def after(tx: Tx, after: str, since: datetime, until: datetime, most: int) -> tuple[list[Row], str]:
    """Texts accepted between two instants without an end, and the id up to which was looked.

    That is "" where there is no text behind ``after`` any more.
    """
    row = tx.one(LAST, after=after, page=PAGE)
    last = str(row["id"]) if row and row["id"] else ""
    if not last:
        return [], ""
    found = tx.all(
        ROWS,
        after=after,
        last=last,
        young=clock.text(since),
        old=clock.text(until),
        most=most,
    )
    return found, (str(found[-1]["id"]) if len(found) == most else last)
