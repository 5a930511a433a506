"""What must hold after any number of deaths, read from the ledger and the provider's own log."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.clock import TestClock, text
from connector.rules.activities import is_shown
from tests.proofs.shop import EVENT, PLAY

TAKEN = ("accepted", "delivered", "undelivered")
OPEN = ("planned", "sending")
STOPPED = ("cancelled", "expired", "refused")
SHOWN = 5  #: of many faults of one kind
WAITS = """SELECT (SELECT count(*) FROM sends WHERE state IN ('planned', 'sending'))
        + (SELECT count(*) FROM enrolments WHERE due_at IS NOT NULL) AS texts,
    (SELECT count(*) FROM writebacks WHERE state = 'owed') AS owed,
    (SELECT count(*) FROM writebacks WHERE state = 'owed'
        AND (leased_until > :now OR (leased_until IS NULL AND due_at > :now))) AS leased"""

NOT_TAKEN = "SELECT send_id FROM doubts WHERE evidence LIKE '%\"taken\":false%'"


@dataclass
class Verdict:
    """Every fault in words, how much there was of what, and the worst of each measure."""

    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)

    def measure(self, what: str, value: float) -> None:
        """Keep the largest value."""
        self.worst[what] = max(value, self.worst.get(what, 0.0))

    def add(self, other: Verdict) -> None:
        """Take over what another chapter found."""
        self.faults.extend(other.faults)
        self.counts.update(other.counts)
        for what, value in other.worst.items():
            self.measure(what, value)

    def fault(self, what: str, which: Iterable[Any]) -> None:
        """There is a fault for each of ``which``."""
        found = sorted({str(each) for each in which})
        if found:
            named = ", ".join(found[:SHOWN])
            self.faults.append(f"{len(found)} {what}: {named}{' …' if found[SHOWN:] else ''}")


def judge(path: Path, answered: Iterable[str]) -> Verdict:
    """Hold a folder that has come to rest against what its senders were answered.

    ``answered`` are the ids of the order events that were answered 200.
    """
    verdict = Verdict()
    with closing(opened(path, "ledger")) as ledger:
        _events(verdict, ledger, set(answered))
        _texts(verdict, ledger, outbox(path))
        _crm(verdict, ledger)
        _whole(verdict, "ledger", ledger)
    with closing(opened(path, "inbox")) as inbox:
        _whole(verdict, "inbox", inbox)
    return verdict


def opened(path: Path, name: str) -> sqlite3.Connection:
    """One of a folder's two files, to be read."""
    file = f"file:{path}/data/{name}.db?mode=ro"
    connection = sqlite3.connect(file, uri=True, timeout=20, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def outbox(path: Path) -> list[dict[str, Any]]:
    """Every text that the provider took, as the provider tells it."""
    file = path / "data" / "sandbox.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def at_rest(path: Path) -> bool:
    """Whether nothing is left to do: every delivery moved, every text settled, the CRM told.

    What a dead process had taken in hand for the CRM is due again only after its lease; the
    clock is set on to there once nothing else is left.
    """
    clock = TestClock(path / "data" / "clock")
    with closing(opened(path, "ledger")) as ledger, closing(opened(path, "inbox")) as inbox:
        last = inbox.execute("SELECT coalesce(max(seq), 0) FROM inbox").fetchone()[0]
        moved = ledger.execute("SELECT value FROM cursors WHERE name = 'inbox'").fetchone()
        texts, owed, leased = ledger.execute(WAITS, {"now": text(clock())}).fetchone()
    if moved is None or int(moved[0]) < last or texts:
        return False
    if owed and owed == leased:
        clock.set(clock() + timedelta(minutes=1))
    return not owed


def _events(verdict: Verdict, ledger: sqlite3.Connection, answered: set[str]) -> None:
    """Each answered event is there once, was understood, and started its play once."""
    rows = ledger.execute("SELECT * FROM events WHERE name = ?", (EVENT,)).fetchall()
    ids = Counter(row["source_event_id"] for row in rows)
    verdict.counts.update(answered=len(answered), events=len(rows))
    verdict.counts["heard again"] = sum(row["repeats"] for row in rows)
    verdict.fault("answered events are not in the ledger", answered - set(ids))
    verdict.fault("events are there twice", (key for key, n in ids.items() if n > 1))
    verdict.fault(
        "events were not acted on",
        (f"{row['source_event_id']} ({row['reason']})" for row in rows if row["state"] != "done"),
    )
    wanted = {row["source_event_id"].replace("order-", "O") for row in rows}
    said_why = "state = 'ended' AND exit_reason <> ''"  # no text was planned, and this is why
    ended = {row["key"] for row in ledger.execute(f"SELECT key FROM enrolments WHERE {said_why}")}
    for table, where in (
        ("enrolments", f"play = '{PLAY}'"),
        ("sends", f"play = '{PLAY}'"),
        ("decisions", "moment = 'trigger'"),
        ("decisions", "moment = 'plan'"),
        ("signals", "name = 'order_completed'"),
    ):
        found = Counter(
            row["key"] for row in ledger.execute(f"SELECT key FROM {table} WHERE {where}")
        )
        missing = wanted - set(found) - (ended if table == "sends" else set())
        verdict.fault(f"orders without {table} ({where})", missing)
        twice = (key for key, n in found.items() if n > 1)
        verdict.fault(f"orders with two {table} ({where})", twice)
    outcomes = ledger.execute("SELECT count(*) FROM outcomes WHERE kind = 'converted'")
    if (counted := outcomes.fetchone()[0]) != len(rows):
        verdict.faults.append(f"{len(rows)} orders, but {counted} outcomes")


def _texts(verdict: Verdict, ledger: sqlite3.Connection, sent: list[dict[str, Any]]) -> None:
    """No text left twice, and each came to an end that agrees with the provider's own log."""
    lines = Counter(line["send_id"] for line in sent)
    words = Counter((line["to"], line["text"]) for line in sent)
    verdict.fault("sends were handed over twice", (key for key, n in lines.items() if n > 1))
    verdict.fault("texts were sent twice", (key for key, n in words.items() if n > 1))
    rows = {row["id"]: row for row in ledger.execute("SELECT * FROM sends")}
    verdict.fault("texts left that the ledger does not know", set(lines) - set(rows))
    leave = "SELECT send_id FROM decisions WHERE moment = 'send' AND verdict = 'send'"
    decided = {row["send_id"] for row in ledger.execute(leave)}
    again = {row["send_id"] for row in ledger.execute(NOT_TAKEN)}
    verdict.counts.update(row["state"] for row in rows.values())
    verdict.counts["texts at the provider"] = len(sent)
    wrong: dict[str, Callable[[sqlite3.Row], bool]] = {
        "texts were never settled": lambda row: row["state"] in OPEN,
        "texts ended without a reason": lambda row: (
            row["state"] not in (*TAKEN, *OPEN) and not row["reason"]
        ),
        "texts were taken, says the ledger, but not the provider": lambda row: (
            row["state"] in TAKEN and not lines[row["id"]]
        ),
        "texts were stopped, says the ledger, but the provider took them": lambda row: (
            row["state"] in STOPPED and lines[row["id"]] > 0
        ),
        "texts left without leave": lambda row: row["begun_at"] and row["id"] not in decided,
        "texts were begun twice": lambda row: int(row["attempt"]) > 1 and row["id"] not in again,
    }
    for what, is_wrong in wrong.items():
        verdict.fault(what, (key for key, row in rows.items() if is_wrong(row)))


def _crm(verdict: Verdict, ledger: sqlite3.Connection) -> None:
    """The CRM was told of every text that left, once, and is owed nothing."""
    shown = {
        f"send:{row['id']}" for row in ledger.execute("SELECT * FROM sends") if is_shown(dict(row))
    }
    told = {row["key"] for row in ledger.execute("SELECT key FROM local_activities")}
    verdict.counts["activities"] = len(told)
    verdict.fault("texts that the CRM was not told of", shown - told)
    verdict.fault("activities of texts that never left", _texts_of(told) - shown)
    left = ledger.execute("SELECT key FROM writebacks WHERE state <> 'written'")
    verdict.fault("changes that the CRM is still owed", (row["key"] for row in left))


def _texts_of(told: set[str]) -> set[str]:
    return {key for key in told if key.startswith("send:")}


def _whole(verdict: Verdict, name: str, file: sqlite3.Connection) -> None:
    found = [row[0] for row in file.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        verdict.fault(f"faults of the {name}'s file", found)
