"""A running connector: a text whose answer was lost is found, and a gap holds marketing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector import clock
from tests.proofs.shop import NOON, order, people
from tests.running import Running, folder, free_port

SILENT = '[[providers.sandbox.script]]\nfails = "uncertain"\nreceipts = []'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Running]:
    port = free_port()
    path = folder(tmp_path / "shop", port, providers__sandbox=SILENT)
    (path / "data").mkdir()
    shop = Running(path, port)
    shop.set_clock(NOON, 0)
    with shop:
        yield shop


def test_a_text_whose_answer_was_lost_is_found_a_minute_later(shop: Running) -> None:
    assert shop.post("/v1/batch", {"batch": list(people())[:1]}) == 200
    assert shop.post("/v1/track", order(0)) == 200
    shop.until(lambda: shop.one("SELECT send_id FROM doubts"))
    assert shop.one("SELECT state FROM sends") == "uncertain"
    shop.set_clock(NOON + timedelta(seconds=61), 0)
    shop.until(lambda: shop.one("SELECT state FROM sends") == "accepted")
    assert shop.one("SELECT why FROM acts WHERE act = 'settled'") == (
        "sent: found at the provider by our reference"
    )
    assert len(shop.outbox()) == 1


def test_after_a_gap_marketing_is_held_until_replies_were_listed(shop: Running) -> None:
    shop.until(lambda: shop.one("SELECT value FROM cursors WHERE name = 'alive:web'"))
    shop.until(lambda: shop.one("SELECT value FROM cursors WHERE name = 'inbound:sandbox'"))
    shop.stop()
    with sqlite3.connect(shop.path / "data" / "ledger.db") as ledger:
        long_ago = clock.text(clock.now() - timedelta(hours=3))
        ledger.execute("UPDATE cursors SET value = ? WHERE name LIKE 'alive:%'", (long_ago,))
    ledger.close()
    shop.start()
    acts = "SELECT act, why FROM acts WHERE about = 'play:@unheard' ORDER BY seq"
    shop.until(lambda: len(shop.rows(acts)) == 2)
    held, let_go = shop.rows(acts)
    assert (held["act"], let_go["act"]) == ("pause", "resume")
    assert "was away for 3 hours" in held["why"]
    assert not shop.rows("SELECT * FROM pauses")
