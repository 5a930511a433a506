"""``connector events``: what was heard, and what was kept aside read and mapped anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.ledger import events
from connector.ledger.store import Tx
from connector.model import Event
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at

SAMPLES = Path(__file__).parents[1] / "samples"
RULE = """
[[events]]
name = "Shelf Seen"
signal = "shelf_seen"
[events.facts]
shelf = "properties.shelf"
"""


def kept(tx: Tx, name: str = "1", *, state: str = "unmapped") -> str:
    """An event of the site that no mapping knows."""
    payload = {
        "type": "track",
        "event": "Shelf Seen",
        "userId": f"u{name}",
        "properties": {"shelf": "mugs"},
    }
    told = Event(f"evt_{name}", "backend", name, "track", "Shelf Seen", at(), at(), payload)
    events.record(tx, told)
    events.settle(tx, told.id, state, "unknown_event")
    return told.id


def mend(shop: Shop) -> None:
    """Teach the mapping what a seen shelf means."""
    with (shop.path / "mappings/sources/segment.toml").open("a") as file:
        file.write(RULE)


@pytest.fixture
def aside(empty: Shop) -> Shop:
    """A folder with one event done, two unmapped and one failed."""

    def act(tx: Tx) -> None:
        build.event(tx, "Page", id_="evt_0")
        kept(tx, "1")
        kept(tx, "2")
        kept(tx, "3", state="failed")

    empty.write(act)
    return empty


def test_events_are_listed_newest_first(aside: Shop) -> None:
    code, text = aside.run("events", width=80)
    assert code == 0
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:5]] == ["evt_3", "evt_2", "evt_1", "evt_0"]
    assert "unmapped: unknown_event" in text


def test_options_narrow_the_list(aside: Shop) -> None:
    found = aside.json("events", "--state", "unmapped")
    assert {item["id"] for item in found} == {"evt_1", "evt_2"}
    assert aside.run("events", "--source", "nobody")[0] == 3
    assert aside.run("events", "--since", "1h")[0] == 3
    assert len(aside.json("events", "--since", "9h", "--limit", "2")) == 2
    assert aside.run("events", "--state", "unreadable")[0] == 3


def test_a_mended_mapping_makes_signals_of_what_was_unmapped(aside: Shop) -> None:
    mend(aside)
    code, text = aside.run("events", "replay", "--unmapped")
    assert code == 0
    assert "2 replayed: 2 done" in text
    assert aside.one("SELECT count(*) FROM signals WHERE name = 'shelf_seen'") == 2
    assert aside.one("SELECT state FROM events WHERE id = 'evt_3'") == "failed"
    assert aside.run("events", "replay", "--unmapped")[0] == 3
    assert aside.one("SELECT why FROM acts WHERE act = 'replay'") == "2, unmapped"
    assert aside.one("SELECT who FROM acts WHERE act = 'replay'").startswith("operator:")


def test_what_is_still_unmapped_says_why(aside: Shop) -> None:
    code, text = aside.run("events", "replay", "--unmapped", "--failed")
    assert code == 0
    assert "3 replayed: 3 unmapped" in text
    assert "3 unmapped: unknown_event" in text
    found = aside.json("events", "replay", "--failed", "evt_1")
    assert found == [{"id": "evt_1", "reason": "unknown_event", "state": "unmapped"}]


def test_named_events_are_replayed_and_what_is_done_is_left_alone(aside: Shop) -> None:
    mend(aside)
    assert aside.run("events", "replay", "evt_0", "evt_1", "evt_none")[1].startswith("1 replayed")
    assert aside.run("events", "replay", "evt_1")[0] == 3
    assert aside.one("SELECT count(*) FROM signals") == 1


def test_a_replay_can_be_bound_to_one_source(aside: Shop) -> None:
    assert aside.run("events", "replay", "--unmapped", "--source", "site")[0] == 3
    assert aside.run("events", "replay", "--unmapped", "--source", "backend")[0] == 0


def test_a_replay_of_nothing_in_particular_is_a_usage_fault(aside: Shop) -> None:
    assert aside.run("events", "replay")[0] == 2


def unreadable(tx: Tx, source: str, url: str, body: bytes, **headers: str) -> None:
    events.keep_unreadable(tx, "unr_1", source, "could not be read", body, at(), url, headers)


def test_a_webhook_that_can_be_read_now_is_recorded_and_its_row_goes(empty: Shop) -> None:
    body = (SAMPLES / "shopify_order_create.json").read_bytes()
    headers = {"x-shopify-topic": "orders/create", "x-shopify-event-id": "e1"}
    empty.write(lambda tx: unreadable(tx, "shop", "http://x/in/shop", body, **headers))
    assert empty.json("events", "--state", "unreadable")[0]["id"] == "unr_1"
    code, text = empty.run("events", "replay", "--unreadable")
    assert (code, text) == (0, "1 replayed: 1 done\n")
    assert empty.one("SELECT state FROM events") == "done"
    assert empty.one("SELECT count(*) FROM unreadable") == 0


def test_one_event_out_of_a_batch_is_read_as_a_batch_of_its_own(empty: Shop) -> None:
    piece = json.dumps({"type": "track", "event": "Order Completed", "userId": "ann"}).encode()
    empty.write(lambda tx: unreadable(tx, "backend", "http://x/v1/batch", piece))
    assert empty.run("events", "replay", "unr_1")[0] == 0
    assert empty.one("SELECT name FROM events") == "Order Completed"


def test_a_lost_callback_is_acted_on(shop: Shop) -> None:
    shop.write(lambda tx: tx.run("DELETE FROM replies"))
    about = {"provider_id": "in-9", "from": build.PHONE, "to": "+12025550100"}
    lost = {"kind": "reply", **about, "text": "STOP", "at": "2026-11-20T17:00:00Z"}
    body = json.dumps([lost]).encode()
    shop.write(lambda tx: unreadable(tx, "sandbox", "http://x/providers/sandbox", body))
    code, text = shop.run("events", "replay", "--unreadable")
    assert (code, text) == (0, "1 replayed: 1 done\n")
    assert shop.one("SELECT label FROM replies") == "opt_out"


def test_what_still_cannot_be_read_stays(empty: Shop) -> None:
    empty.write(lambda tx: unreadable(tx, "gone", "http://x/in/gone", b"{}"))
    code, text = empty.run("events", "replay", "--unreadable")
    assert code == 0
    assert "1 unreadable: its source is no longer configured" in text
    assert empty.one("SELECT count(*) FROM unreadable") == 1
    assert empty.run("events", "replay", "unr_none")[0] == 3
