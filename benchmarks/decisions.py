"""What deciding one send costs, with 10,000 and with 1,000,000 sends in the ledger."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks import seeds, shop
from benchmarks.figures import Figure, main, tell
from connector.config.loaded import load
from connector.ledger import enrolments, sends
from connector.ledger.enrolments import Opening
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.runtime import open_setup
from connector.steps.gate import pass_gate
from connector.steps.setup import Setup
from connector.steps.walk import walk

NOW = datetime.fromisoformat(seeds.LAST_DAY).replace(tzinfo=UTC) + timedelta(days=1)
EACH = 25  #: decisions in one transaction, which is taken back
SIGNAL = """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
    VALUES (:id, '', 'signed_up', :contact, '', :at, 1, '{}')"""


class TakenBack(Exception):
    """Ends a transaction without keeping anything of it."""


def measure(quick: bool) -> list[Figure]:
    """Decide for people picked by chance, in both ledgers in turn, and take all of it back."""
    few, many, rounds = (1_000, 100_000, 8) if quick else (10_000, 1_000_000, 40)
    with tempfile.TemporaryDirectory() as place:
        folder = shop.folder(Path(place), port=1)
        stores = [seeds.ledger(few), seeds.ledger(many)]
        setups = [open_setup(load(folder), store) for store in stores]
        tell(f"decisions: {rounds * EACH:,} in each of two ledgers")
        chance = random.Random(7)
        costs: list[list[float]] = [[], []]
        for number in range(rounds + 2):
            for which, count in enumerate((few, many)):
                people = chance.sample(range(count // seeds.SENDS_A_CONTACT), EACH)
                took = _decide(stores[which], setups[which], people)
                if number > 1:  # the first rounds compile and fill what every later one has
                    costs[which].append(median(took))
        for store in stores:
            store.close()
    return [
        Figure(f"deciding one send, {few:,} in the ledger", "µs", costs[0]),
        Figure(f"deciding one send, {many:,} in the ledger", "µs", costs[1]),
        Figure("  ratio of the two", "", [b / a for a, b in zip(*costs, strict=True)], 1.5, True),
    ]


def _decide(store: SqliteStore, rt: Setup, people: Sequence[int]) -> list[float]:
    """Plan a text for each person and pass it through the gate; µs that each took."""
    took = []
    with suppress(TakenBack), store.write() as tx:
        for person in people:
            _enrol(tx, rt, f"con_{person:016d}")
            began = time.perf_counter()
            [row] = enrolments.due(tx, NOW, 1)
            walk(tx, rt, row, NOW)
            [send] = sends.due(tx, NOW, 1)
            ticket = pass_gate(tx, rt, send, NOW)
            took.append((time.perf_counter() - began) * 1e6)
            if ticket is None:
                raise RuntimeError(f"no text may go to con_{person:016d}; mend benchmarks/seeds.py")
        raise TakenBack
    return took


def _enrol(tx: Tx, rt: Setup, contact: str) -> None:
    """Let a play without delay begin for a person."""
    play, signal = rt.plays["welcome"], rt.new_id("sig")
    tx.run(SIGNAL, id=signal, contact=contact, at=NOW.isoformat())
    about = (play.name, play.version, contact, "once", signal, "live", NOW, NOW, NOW)
    enrolments.open_(tx, Opening(rt.new_id("enr"), *about), NOW)


if __name__ == "__main__":
    main(measure)
