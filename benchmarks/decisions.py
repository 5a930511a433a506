"""What deciding one send costs, with 10,000 and with 1,000,000 sends in the ledger.

And for somebody with a long history (50 texts, 200 signals, 5 consents) in a folder of 30 plays.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks import seeds, shop
from benchmarks.figures import Figure, main, tell
from connector import clock, library
from connector.config.loaded import load
from connector.ledger import enrolments, sends
from connector.ledger.enrolments import Opening
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.runtime import open_setup
from connector.steps.consent import record_consent
from connector.steps.gate import pass_gate
from connector.steps.setup import Setup
from connector.steps.walk import walk

NOW = datetime.fromisoformat(seeds.LAST_DAY).replace(tzinfo=UTC) + timedelta(days=1)
EACH = 25  #: decisions in one transaction, which is taken back
PLAYS = 30
OLD_TEXTS, OLD_SIGNALS = 50, 200
CONSENTS = ("service", "marketing", "order_updates", "cart_reminders", "marketing")
SIGNAL = """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
    VALUES (:id, '', 'signed_up', :contact, '', :at, 1, '{}')"""


PAST_SIGNAL = """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity,
        facts)
    VALUES (:id, '', 'product_viewed', :contact, :id, :at, 1, '{}')"""
PAST_TEXT = """INSERT INTO sends (id, cause, cause_id, step, contact_id, play, purpose, phone,
        template, text, state, attempt, planned_at, due_at, expires_at, begun_at, accepted_at,
        settled_at, counts_at, status)
    VALUES (:id, 'play', :id, 'reminder', :contact, 'cart_abandoned', 'marketing', :phone,
        'cart_abandoned', 'You left something in your cart', 'delivered', 1, :at, :at, :at, :at,
        :at, :at, :at, 'delivered')"""
BEFORE = timedelta(days=40)  #: the last old text; a cap's window is shorter
PHONE = "SELECT value FROM identities WHERE kind = 'phone' AND contact_id = :contact"


class TakenBack(Exception):
    """Ends a transaction without keeping anything of it."""


def measure(quick: bool) -> list[Figure]:
    """Decide for people picked by chance, in both ledgers in turn, and take all of it back."""
    few, many, rounds = (1_000, 100_000, 8) if quick else (10_000, 1_000_000, 40)
    with tempfile.TemporaryDirectory() as place:
        plain = shop.folder(Path(place) / "plain", port=1)
        full = _with_library(shop.folder(Path(place) / "full", port=1))
        stores = [seeds.ledger(few), seeds.ledger(many)]
        sets = [open_setup(load(plain), store) for store in stores]
        governed = open_setup(load(full), stores[1])
        tell(f"decisions: {rounds * EACH:,} in each of two ledgers")
        chance = random.Random(7)
        costs: list[list[float]] = [[], [], []]
        for number in range(rounds + 2):
            people = [
                chance.sample(range(count // seeds.SENDS_A_CONTACT), EACH) for count in (few, many)
            ]
            took = [
                _decide(store, rt, which)
                for store, rt, which in zip(stores, sets, people, strict=True)
            ]
            took.append(_decide(stores[1], governed, people[1], _remember))
            if number > 1:  # the first rounds compile and fill what every later one has
                for cost, each in zip(costs, took, strict=True):
                    cost.append(median(each))
        for store in stores:
            store.close()
    ratios = [b / a for a, b in zip(costs[0], costs[1], strict=True)]
    busy = f"for one with {OLD_TEXTS} texts, {OLD_SIGNALS} signals, {PLAYS} plays, {many:,}"
    return [
        Figure(f"deciding one send, {few:,} in the ledger", "µs", costs[0]),
        Figure(f"deciding one send, {many:,} in the ledger", "µs", costs[1]),
        Figure("  ratio of the two", "", ratios, 1.5, True),
        Figure(f"  {busy}", "µs", costs[2], 2_000, True),
    ]


def _with_library(folder: Path) -> Path:
    """The folder with plays of the library beside its own, thirty in all."""
    have = {file.stem for file in (folder / "mappings" / "plays").glob("*.toml")}
    more = [ready.name for ready in library.plays() if ready.name not in have]
    for name in more[: PLAYS - len(have)]:
        library.copy(name, name, folder)
    config = folder / "config.toml"
    hook = '\n[webhooks.mail]\nurl = "http://127.0.0.1:9/mail"\nsecrets = ["file:key"]\n'
    config.write_text(config.read_text() + hook)
    return folder


def _remember(tx: Tx, rt: Setup, contact: str) -> None:
    """Give a person a long history: texts, what they did, what they agreed to."""
    phone = str((tx.one(PHONE, contact=contact) or {})["value"])
    for number in range(OLD_SIGNALS):
        at = clock.text(NOW - timedelta(hours=5 * (number + 1)))
        tx.run(PAST_SIGNAL, id=rt.new_id("sig"), contact=contact, at=at)
    for number in range(OLD_TEXTS):
        at = clock.text(NOW - BEFORE - timedelta(days=6 * number))
        tx.run(PAST_TEXT, id=rt.new_id("snd"), contact=contact, phone=phone, at=at)
    for number, purpose in enumerate(CONSENTS):
        record_consent(
            tx,
            rt,
            phone=phone,
            purpose=purpose,
            granted=True,
            method="web_form",
            wording=f"Yes to {purpose}, {number}",
            source="bench",
            occurred_at=NOW - timedelta(days=90 - number),
            now=NOW,
        )


def _decide(
    store: SqliteStore,
    rt: Setup,
    people: Sequence[int],
    remember: Callable[[Tx, Setup, str], None] = lambda *_: None,
) -> list[float]:
    """Plan a text for each person and pass it through the gate; µs that each took."""
    took = []
    with suppress(TakenBack), store.write() as tx:
        for person in people:
            contact = f"con_{person:016d}"
            remember(tx, rt, contact)
            _enrol(tx, rt, contact)
            began = time.perf_counter()
            [row] = enrolments.due(tx, NOW, 1)
            walk(tx, rt, row, NOW)
            [send] = sends.due(tx, NOW, 1)
            ticket = pass_gate(tx, rt, send, NOW)
            took.append((time.perf_counter() - began) * 1e6)
            if ticket is None:
                raise RuntimeError(f"no text may go to {contact}; mend benchmarks/seeds.py")
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
