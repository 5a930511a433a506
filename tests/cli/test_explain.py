"""``connector explain``: every kind of thing is told, masked, in the width there is."""

from __future__ import annotations

import pytest

from connector.ledger import contacts
from tests.cli.conftest import Shop
from tests.ledger import build


@pytest.mark.parametrize(
    "thing", ["snd_1", "evt_cart_updated", "enr_cart_abandoned", "con_1", "+1 415 555 0123"]
)
def test_each_thing_tells_the_chain_to_its_text(shop: Shop, thing: str) -> None:
    code, text = shop.run("explain", thing)
    assert code == 0
    for part in ("Event     evt_cart_updated", "Play      cart_abandoned@", "WAIT until 16:00:00"):
        assert part in text
    assert "Receipts  sent 16:00:01 · delivered 16:00:03" in text
    assert '"STOP" → asked to stop (rpl_1)' in text


def test_a_reply_is_told_by_itself(shop: Shop) -> None:
    code, text = shop.run("explain", "rpl_1")
    assert code == 0
    assert "Reply     rpl_1 from +1415***0123" in text
    assert "all revoked for +1415***0123" in text


@pytest.mark.parametrize("thing", ["user:u1", "ann1@shop.example", "ANN1@shop.example"])
def test_a_person_is_found_by_any_of_their_names(shop: Shop, thing: str) -> None:
    assert shop.run("explain", thing) == shop.run("explain", "con_1")


def test_numbers_are_masked_until_asked_for_in_full(shop: Shop) -> None:
    for args in (("explain", "con_1"), ("explain", build.PHONE, "--json")):
        assert build.PHONE not in shop.run(*args)[1]
        assert build.PHONE in shop.run(*args, "--full")[1]


def test_json_tells_the_same_chain_with_stable_keys(shop: Shop) -> None:
    [chain] = shop.json("explain", "snd_1")
    assert list(chain) == ["bearers", "contact", "id", "kind", "left_out", "numbers", "stories"]
    [story] = chain["stories"]
    parts = ["consents", "ends", "event", "outcomes", "reply", "signal", "texts", "walks"]
    assert list(story) == parts
    assert story["walks"][0]["texts"][0]["receipts"][1]["status"] == "delivered"


def test_the_lines_fit_the_terminal(shop: Shop) -> None:
    _, text = shop.run("explain", "con_1", width=60)
    assert max(map(len, text.splitlines())) <= 60


def test_limit_bounds_the_stories_of_a_person(shop: Shop) -> None:
    _, text = shop.run("explain", "con_1", "--limit", "1")
    assert text.count("Event     ") + text.count("Reply     ") == 1
    assert "1 older left out; --limit shows more." in text


@pytest.mark.parametrize("thing", ["snd_none", "evt_none", "con_none", "+12025550188", "a@b.c"])
def test_what_is_not_there_ends_with_3(shop: Shop, thing: str) -> None:
    assert shop.run("explain", thing)[0] == 3


@pytest.mark.parametrize("thing", ["dec_1", "12", "hello"])
def test_what_can_be_nothing_of_ours_ends_with_2(shop: Shop, thing: str) -> None:
    code, text = shop.run("explain", thing)
    assert code == 2
    assert "Error: " in text


def test_a_shared_number_asks_whom_is_meant(shop: Shop) -> None:
    shop.write(lambda tx: build.contact(tx, "2"))
    code, text = shop.run("explain", build.PHONE)
    assert code == 0
    assert "Several people bear it: con_1, con_2." in text


def test_a_shared_address_asks_whom_is_meant(shop: Shop) -> None:
    shop.write(lambda tx: build.contact(tx, "2", email="ann1@shop.example"))
    code, text = shop.run("explain", "ann1@shop.example")
    assert code == 3
    assert "con_1, con_2" in text


def test_a_contact_without_any_story_says_so(empty: Shop) -> None:
    empty.write(lambda tx: contacts.create(tx, "con_9", build.at()))
    code, text = empty.run("explain", "con_9")
    assert code == 0
    assert "Nothing has started a play for them" in text
