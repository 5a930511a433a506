"""The queue: texts that wait for their sender, and what leaves just now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger.store import Row, Tx

WAITING = """SELECT id, cause, phone, purpose, sender, provider, attempt, template, text, priority,
        due_at, expires_at, reason, mode FROM sends
    WHERE state = 'planned' AND due_at <= :now
    ORDER BY due_at, id LIMIT :limit OFFSET :offset"""
LINED_UP = """SELECT id, cause, phone, purpose, sender, provider, attempt, template, text, priority,
        due_at, expires_at, reason, mode FROM sends
    WHERE state = 'planned' AND due_at > :now
        AND (reason = 'pacing' OR reason = 'in_flight' OR reason = 'provider_rests')
    ORDER BY due_at, id LIMIT :limit OFFSET :offset"""
LATER = """SELECT CAST(count(*) AS BIGINT) AS n FROM sends WHERE state = 'planned' AND due_at > :now
    AND reason <> 'pacing' AND reason <> 'in_flight' AND reason <> 'provider_rests'"""
LEAVING = """SELECT provider, sender, CAST(count(*) AS BIGINT) AS n FROM sends
    WHERE state = 'sending' GROUP BY provider, sender"""
SIZES = """SELECT template, segments FROM sends WHERE segments IS NOT NULL
    ORDER BY id DESC LIMIT 500"""
PAGE: Final = 1_000


def waiting(tx: Tx, now: datetime) -> Iterator[Row]:
    """Every text that is due, and every one whose turn at its sender has not come."""
    stamp = clock.text(now)
    yield from _paged(tx, WAITING, now=stamp)
    yield from _paged(tx, LINED_UP, now=stamp)


def later(tx: Tx, now: datetime) -> int:
    """How many planned texts are due at another time: by their play, or for another reason."""
    row = tx.one(LATER, now=clock.text(now))
    return int(row["n"]) if row else 0


def leaving(tx: Tx) -> dict[tuple[str, str], int]:
    """(provider, sender) → calls under way."""
    return {(str(row["provider"]), str(row["sender"])): int(row["n"]) for row in tx.all(LEAVING)}


def sizes(tx: Tx) -> dict[str, list[int]]:
    """Template → segments of the newest texts of it."""
    found: dict[str, list[int]] = {}
    for row in tx.all(SIZES):
        found.setdefault(str(row["template"]), []).append(int(row["segments"]))
    return found


def _paged(tx: Tx, sql: str, **params: str) -> Iterator[Row]:
    offset = 0
    while rows := tx.all(sql, limit=PAGE, offset=offset, **params):
        yield from rows
        offset += len(rows)
