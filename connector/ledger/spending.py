"""Spending: how many segments and how much money each day and month has used so far."""

from __future__ import annotations

from collections.abc import Iterable

from connector.ledger.store import Row, Tx

READ = "SELECT segments, micros FROM spending WHERE pot = :pot"
HOLD = """INSERT INTO spending (pot) VALUES (:pot)
    ON CONFLICT (pot) DO UPDATE SET segments = spending.segments RETURNING segments, micros"""
ADD = """INSERT INTO spending (pot, segments, micros) VALUES (:pot, :segments, :micros)
    ON CONFLICT (pot) DO UPDATE SET segments = spending.segments + excluded.segments,
        micros = spending.micros + excluded.micros"""
"""Added in one statement, so that two workers never lose one another's."""
NOTE = """UPDATE sends SET pots = :pots, spent_segments = :segments, spent_micros = :micros
    WHERE id = :id"""
OF = """SELECT id, pots, spent_segments, spent_micros, segments, cost_micros, currency, counts_at
    FROM sends WHERE id = :id AND pots <> ''"""


def read(tx: Tx, pot: str) -> tuple[int, int]:
    """(segments, micros) that a pot holds now."""
    row = tx.one(READ, pot=pot)
    return (int(row["segments"]), int(row["micros"])) if row else (0, 0)


def hold(tx: Tx, pot: str) -> tuple[int, int]:
    """As ``read``, and nobody else may add to it until this transaction is over.

    Pots are held in the order of their names, after the person's and the number's row.
    """
    row = tx.one(HOLD, pot=pot)
    return (int(row["segments"]), int(row["micros"])) if row else (0, 0)


def add(tx: Tx, pots: Iterable[str], segments: int, micros: int) -> None:
    """Add to pots, or take from them with numbers below zero."""
    for pot in sorted(pots):
        tx.run(ADD, pot=pot, segments=segments, micros=micros)


def note(tx: Tx, send_id: str, pots: Iterable[str], segments: int, micros: int) -> None:
    """Keep with a text which pots it stands in and with how much, so that it can be corrected."""
    tx.run(NOTE, id=send_id, pots=",".join(sorted(pots)), segments=segments, micros=micros)


def of(tx: Tx, send_id: str) -> Row | None:
    """What a text stands in the pots with, and what it came to; None where it stands in none."""
    return tx.one(OF, id=send_id)
