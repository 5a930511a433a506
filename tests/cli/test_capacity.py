"""``connector capacity``: what each sender may send, and what waits for it."""

from __future__ import annotations

from connector.ledger import sends
from connector.ledger.store import Tx
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at

LIMITS = """
[[senders]]
name = "*"
segments_a_second = 2
segments_a_day = 100
"""


def queued(shop: Shop, count: int) -> None:
    def act(tx: Tx) -> None:
        for number in range(count):
            name = f"q{number}"
            build.send(tx, name, cause_id=name, minutes=489)
            sends.wait(tx, f"snd_{name}", at(490), "pacing")

    shop.write(act)
    policy = shop.path / "mappings" / "policy.toml"
    policy.write_text(policy.read_text() + LIMITS)


def test_the_table_tells_each_sender_with_its_limits_and_its_queue(shop: Shop) -> None:
    queued(shop, 10)
    code, text = shop.run("capacity")
    assert code == 0
    heading, row, *notes = text.splitlines()
    assert heading.split()[:3] == ["provider", "sender", "segments/s"]
    assert row.split()[:4] == ["sandbox", "its", "own", "2"]
    assert "100 of 100" in row
    assert "10/10" in row
    assert "Lawful hours, caps and pauses" in notes[-1]


def test_programs_are_told_the_same(shop: Shop) -> None:
    queued(shop, 10)
    [row] = shop.json("capacity")
    assert (row["provider"], row["sender"], row["segments_a_second"]) == ("sandbox", "", 2)
    assert (row["left_today"], row["marketing_texts"] + row["service_texts"]) == (100, 10)
    assert row["empty_at"] == "2026-11-20T18:10:05.000000Z"
    assert row["rests_until"] is None


def test_an_empty_folder_has_all_its_capacity_left(empty: Shop) -> None:
    [row] = empty.json("capacity")
    assert (row["marketing_texts"], row["service_texts"], row["in_flight"]) == (0, 0, 0)
