"""Small named values: how far something has come, and how often something was dropped."""

from __future__ import annotations

from connector.ledger.store import Tx

GET = "SELECT value FROM cursors WHERE name = :name"
SET = """INSERT INTO cursors (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
COUNT = """INSERT INTO counters (name, value) VALUES (:name, :by)
    ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"""


def get(tx: Tx, name: str, default: str = "") -> str:
    """The value last set, or ``default``."""
    row = tx.one(GET, name=name)
    return str(row["value"]) if row else default


def set_(tx: Tx, name: str, value: str) -> None:
    """Set a value."""
    tx.run(SET, name=name, value=value)


def count(tx: Tx, name: str, by: int = 1) -> None:
    """Add to a counter that only grows."""
    tx.run(COUNT, name=name, by=by)


def counts(tx: Tx) -> dict[str, int]:
    """Every counter."""
    return {str(row["name"]): int(row["value"]) for row in tx.all("SELECT * FROM counters")}
