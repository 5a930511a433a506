"""What a folder kept of the day: the ledger's rows, and the lines of the provider's own log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector.adapters import CLOCK_FILE
from connector.clock import TestClock
from connector.config.loaded import load
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.rules.plays import Play
from connector.runtime import LEDGER_FILE

Row = Mapping[str, Any]

LOG: Final = "sandbox.jsonl"
ROWS: Final = {
    "contacts": "SELECT * FROM contacts ORDER BY id",
    "events": """SELECT e.*, s.name AS signal, s.facts AS facts FROM events e
        LEFT JOIN signals s ON s.event_id = e.id ORDER BY e.occurred_at, e.id""",
    "consents": "SELECT * FROM consents ORDER BY occurred_at, id",
    "enrolments": "SELECT * FROM enrolments ORDER BY opened_at, id",
    "decisions": "SELECT * FROM decided ORDER BY decided_at, id",
    "sends": "SELECT * FROM sends ORDER BY coalesce(accepted_at, planned_at), id",
    "receipts": "SELECT * FROM receipts ORDER BY heard_at, id",
    "replies": "SELECT * FROM replies ORDER BY occurred_at, id",
    "outcomes": "SELECT * FROM outcomes ORDER BY occurred_at, id",
    "records": "SELECT * FROM local_records ORDER BY id",
    "activities": "SELECT * FROM local_activities ORDER BY occurred_at, key",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of each table, oldest first; ``log`` is the provider's, ``now`` the folder's."""

    now: datetime
    plays: Mapping[str, Play]
    log: list[Row]
    contacts: list[Row]
    events: list[Row]
    consents: list[Row]
    enrolments: list[Row]
    decisions: list[Row]
    sends: list[Row]
    receipts: list[Row]
    replies: list[Row]
    outcomes: list[Row]
    records: list[Row]
    activities: list[Row]

    def who(self, contact_id: str | None) -> str:
        """A contact's first name; "" where nobody knows it."""
        found = next((row for row in self.contacts if row["id"] == contact_id), None)
        return str(json.loads(found["traits"]).get("first_name", "")) if found else ""


def read(folder: Path) -> Kept:
    """Read a folder, as any other process may."""
    loaded = load(folder)
    data = loaded.settings.ledger
    store = SqliteStore(data / LEDGER_FILE)
    try:
        with store.read() as tx:
            rows = {name: _rows(tx, sql) for name, sql in ROWS.items()}
    finally:
        store.close()
    now = TestClock(data / CLOCK_FILE)()
    return Kept(now=now, plays=loaded.plays, log=_lines(data / LOG), **rows)


def _rows(tx: Tx, sql: str) -> list[Row]:
    return [dict(row) for row in tx.all(sql)]


def _lines(log: Path) -> list[Row]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]
