"""``connector signals``: every event name heard, what it means, and which plays use it."""

from __future__ import annotations

import pytest

from connector.cli.signals import _rules
from connector.expressions import compile_all
from connector.ledger import catalogue, events
from connector.ledger.store import Tx
from connector.model import Event
from connector.rules.mapping import EventRule, SourceMapping
from tests.cli.conftest import Shop
from tests.ledger import build
from tests.ledger.build import at


def heard(tx: Tx, number: int, name: str, state: str, reason: str, contact: str = "") -> None:
    told = Event(f"evt_9{number:04}", "site", str(number), "track", name, at(), at(number), {})
    events.record(tx, told, state, reason, contact)


@pytest.fixture
def told(empty: Shop) -> Shop:
    """A shop that heard a known name, an unknown one, and robots."""

    def act(tx: Tx) -> None:
        build.contact(tx)
        heard(tx, 1, "Checkout Started", "done", "", "con_1")
        heard(tx, 2, "Checkout Started", "done", "", "")
        heard(tx, 3, "Checkout Started", "unmapped", "robot")
        heard(tx, 4, "Shelf Seen", "unmapped", "unknown_event")

    empty.write(act)
    return empty


def test_each_name_is_listed_with_what_it_means_and_who_uses_it(told: Shop) -> None:
    cart, shelf = told.json("signals")
    assert (cart["event"], cart["heard"], cart["robots"]) == ("Checkout Started", 3, 1)
    assert (cart["signals"], cart["known_share"]) == (["cart_updated"], 0.5)
    assert cart["last_heard"].startswith("2026-11-20T10:03")
    assert {"play": "cart_abandoned", "signal": "cart_updated", "how": "starts"} in cart["uses"]
    assert (shelf["signals"], shelf["plays"], shelf["signals_made"]) == ([], [], 0)
    assert shelf["known_share"] is None, "nobody looked whose it is"
    code, text = told.run("signals", width=100)
    assert code == 0
    assert "3 (1 apart)" in text
    assert "no mapping" in text
    assert max(map(len, text.splitlines())) <= 100


def test_options_narrow_and_widen_the_list(told: Shop) -> None:
    assert [item["event"] for item in told.json("signals", "--unmapped")] == ["Shelf Seen"]
    assert told.run("signals", "--source", "backend")[0] == 3
    wider = told.json("signals", "--unheard", "--source", "site")
    never = {item["event"]: item for item in wider if not item["heard"]}
    assert "checkout_started" not in never
    assert never["order_completed"]["signals"] == ["order_completed"]
    assert "order_confirmation" in never["order_completed"]["plays"]


def test_the_list_is_the_same_once_it_was_counted_for_good(told: Shop) -> None:
    before = told.json("signals")

    def act(tx: Tx) -> None:
        _, until = catalogue.span(tx, at(10**6))
        until = until or "evt_99999"
        catalogue.add(tx, *catalogue.counted(tx, "", until), until)
        tx.run("DELETE FROM events")

    told.write(act)
    assert told.json("signals") == before


def test_a_folder_that_heard_nothing_says_what_to_look_at(empty: Shop) -> None:
    code, text = empty.run("signals")
    assert (code, "connector source list" in text) == (3, True)


def test_a_rule_for_another_kind_of_event_gives_it_no_meaning() -> None:
    nothing = compile_all({}, strict=False)
    page = EventRule(0, frozenset({"pricing"}), "page", "pricing_viewed", nothing)
    every = EventRule(1, frozenset(), "track", "tracked", nothing)
    file = SourceMapping("m", "v1", "segment", (page, every))
    assert _rules(file, "page", "Pricing") == (page,)
    assert _rules(file, "track", "Pricing") == (every,)
    assert _rules(file, "screen", "Pricing") == ()
    assert _rules(file, "page", catalogue.REST) == ()
