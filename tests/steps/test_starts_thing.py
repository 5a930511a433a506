"""Facts about things: fanned out to those who care, bounded, in slices, each person once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import FanOut, Mode, Play, Start, Step
from connector.steps import fanout
from connector.steps.advance import Advancer, next_due
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, segment, when

OpenShop = Callable[..., Shop]
STOCK = replace(
    WELCOME,
    name="stock",
    start=Start("back_in_stock", fan_out=FanOut(("product_viewed", "product_favourited"))),
    steps=(Step("tell", template="welcome"),),
)


def stock(**form: Any) -> Play:
    assert STOCK.start.fan_out is not None
    start = {name: form.pop(name) for name in ("where", "after", "cooldown") if name in form}
    made = replace(STOCK.start.fan_out, **form)
    return replace(STOCK, start=replace(STOCK.start, fan_out=made, **start))


def person(number: int) -> Subject:
    return Subject(user_id=f"u{number:03}")


def view(shop: Shop, who: Subject = ANN, key: str = "p1", at: datetime | None = None) -> str:
    return shop.tell("product_viewed", who, key=key, at=at)


def news(shop: Shop, key: str = "p1", at: datetime | None = None, **more: Any) -> None:
    shop.tell("back_in_stock", Subject(), thing="product", key=key, at=at, **more)


def fanouts(shop: Shop) -> list[tuple[str, int]]:
    return [(row["state"], row["taken"]) for row in shop.rows("SELECT * FROM fanouts ORDER BY id")]


def told(shop: Shop) -> list[str]:
    return [row["contact_id"] for row in shop.enrolments()]


def test_those_who_viewed_or_favourited_it_are_told_and_nobody_else(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    shop.consent()
    ann = view(shop)
    bob = shop.tell("product_favourited", person(1), key="p1")
    view(shop, person(2), "p2")
    shop.tell("cart_updated", person(3), key="p1")
    news(shop, facts={"price": 5})
    assert told(shop) == [], "what came in goes on first"
    assert shop.go() == 1
    assert told(shop) == [ann, bob]
    assert fanouts(shop) == [("done", 2)]
    [row] = shop.rows("SELECT contact_id FROM signals WHERE name = 'back_in_stock'")
    assert row["contact_id"] == ""


def test_who_viewed_it_often_and_favourited_it_too_is_told_once(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    for _ in range(3):
        view(shop)
    shop.tell("product_favourited", ANN, key="p1")
    news(shop)
    shop.walk()
    assert len(told(shop)) == 1


@pytest.mark.parametrize(
    ("viewed", "is_told"),
    [
        (NOW - 30 * DAY, False),
        (NOW - 30 * DAY + MINUTE, True),
        (NOW, True),
        (NOW + MINUTE, False),
    ],
)
def test_caring_goes_by_when_things_occurred(
    open_shop: OpenShop, viewed: datetime, is_told: bool
) -> None:
    shop = open_shop(STOCK)
    shop.tick(HOUR)
    view(shop, at=viewed)
    news(shop, at=NOW)
    shop.walk()
    assert bool(told(shop)) == is_told


def test_a_view_heard_after_the_fan_out_is_over_tells_nobody_more(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    news(shop)
    shop.walk()
    view(shop, at=NOW - HOUR)
    shop.walk()
    assert told(shop) == []


def test_the_same_news_told_twice_is_told_once_and_another_is_another(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    view(shop)
    news(shop)
    shop.walk()
    shop.tick(HOUR)
    news(shop)
    shop.walk()
    assert len(told(shop)) == 2


def test_a_thousand_people_are_told_in_slices_and_others_do_not_wait(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    for number in range(3 * fanout.SLICE + 5):
        view(shop, person(number))
    news(shop)
    for taken in (1, 2, 3):
        shop.put({"event": "signed_up", "userId": "eve", "messageId": f"m{taken}"})
        assert Advancer(shop.rt).round()
        assert fanouts(shop) == [("open", taken * fanout.SLICE)]
        [row] = shop.rows("SELECT count(*) AS n FROM signals WHERE name = 'signed_up'")
        assert row["n"] == taken
    assert next_due(shop.rt, shop.clock.at) == shop.clock.at, "there is more to do at once"
    shop.walk()
    assert fanouts(shop) == [("done", 3 * fanout.SLICE + 5)]
    assert len(told(shop)) == len(set(told(shop))) == 3 * fanout.SLICE + 5


def test_nobody_is_told_twice_whatever_happens_in_the_middle(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    for number in range(2 * fanout.SLICE):
        view(shop, person(number))
    news(shop)
    Advancer(shop.rt).round()
    for number in range(3):  # seen again, and told of again, by a worker that knows nothing
        view(shop, person(number))
    view(shop, person(999))
    shop.walk()
    assert len(told(shop)) == len(set(told(shop))) == 2 * fanout.SLICE + 1
    assert shop.decisions("trigger") == [("send", "")] * (2 * fanout.SLICE + 1)


def test_two_who_become_one_in_the_middle_are_told_once(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    view(shop, Subject(anonymous_id="a"))
    for number in range(fanout.SLICE):
        view(shop, person(number))
    view(shop, ANN)
    news(shop)
    Advancer(shop.rt).round()
    shop.tell("signed_in", ANN, merges=Subject(anonymous_id="a"), type="identify")
    shop.walk()
    ann = shop.bearers("user_id", "ann").pop()
    assert told(shop).count(ann) == 1


def test_at_the_limit_it_is_full_and_says_so(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture
) -> None:
    limit = fanout.SLICE + 3
    shop = open_shop(stock(limit=limit))
    for number in range(2 * fanout.SLICE):
        view(shop, person(number))
    news(shop)
    shop.walk()
    assert fanouts(shop) == [("full", limit)]
    assert len(told(shop)) == limit
    assert "result=full" in caplog.text
    assert Advancer(shop.rt).round() == 0


@pytest.mark.parametrize("spare", [0, 1])
def test_a_limit_that_is_just_enough_leaves_nobody_out(open_shop: OpenShop, spare: int) -> None:
    shop = open_shop(stock(limit=5 + spare))
    for number in range(5):
        view(shop, person(number))
    news(shop)
    shop.walk()
    assert fanouts(shop) == [("done", 5)]


def test_a_segment_may_be_told_instead_and_only_its_people_are(open_shop: OpenShop) -> None:
    east = segment("northeast", "contact.region in ['NY', 'MA']")
    play = stock(cares=(), segment="northeast")
    shop = open_shop(play, segments={"northeast": east})
    for number in range(150):
        traits = {"region": ("NY", "CA", "MA")[number % 3]}
        shop.tell("profile", person(number), traits=traits)
    shop.tell("profile", person(999))  # of whom it cannot be told
    news(shop, "storm")
    shop.walk()
    assert len(told(shop)) == len(set(told(shop))) == 100
    assert fanouts(shop) == [("done", 100)]


def test_a_price_drop_is_told_by_what_was_known_before(open_shop: OpenShop) -> None:
    shop = open_shop(stock(where=when("before.price is defined and signal.price < before.price")))
    view(shop)
    for price in (30, 35, 20):
        shop.tick(HOUR)
        news(shop, facts={"price": price})
        shop.walk()
    assert len(told(shop)) == 1
    [row] = shop.rows("SELECT facts FROM things")
    assert row["facts"] == '{"price":20}'


def test_a_condition_that_cannot_be_told_tells_nobody(open_shop: OpenShop) -> None:
    shop = open_shop(stock(where=when("signal.price < before.price")))
    view(shop)
    news(shop, facts={"price": 3})
    shop.walk()
    assert fanouts(shop) == []


def test_older_news_than_is_known_is_kept_and_not_told(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    view(shop, at=NOW - DAY)
    news(shop, facts={"price": 5})
    shop.walk()
    news(shop, at=NOW - HOUR, facts={"price": 9, "colour": "red"})
    shop.walk()
    assert len(told(shop)) == 1
    [row] = shop.rows("SELECT facts FROM things")
    assert row["facts"] == '{"price":5,"colour":"red"}'


@pytest.mark.parametrize(
    "how", [{"back_fill": True}, {"at": NOW - 49 * HOUR}], ids=["imported", "stale"]
)
def test_imported_or_stale_news_is_learned_and_not_told(
    open_shop: OpenShop, how: dict[str, Any]
) -> None:
    shop = open_shop(STOCK)
    view(shop, at=NOW - 3 * DAY)
    news(shop, facts={"price": 5}, **how)
    shop.walk()
    assert fanouts(shop) == []
    assert len(shop.rows("SELECT * FROM things")) == 1


def test_the_delay_counts_from_the_news(open_shop: OpenShop) -> None:
    shop = open_shop(stock(after=2 * HOUR))
    view(shop, at=NOW - DAY)
    news(shop, at=NOW - HOUR)
    Advancer(shop.rt).round()
    [row] = shop.enrolments()
    assert row["due_at"][:16] == (NOW + HOUR).isoformat()[:16]


def test_an_audience_a_cooldown_and_a_holdout_are_asked_of_each(open_shop: OpenShop) -> None:
    shop = open_shop(
        replace(STOCK, name="audience", audience=when("contact.plan | default('') == 'pro'")),
        replace(stock(cooldown=7 * DAY), name="calm"),
        replace(STOCK, name="holdout", holdout=1.0),
    )
    for number in range(4):
        traits = {"plan": "pro"} if number < 1 else {}
        shop.tell("product_viewed", person(number), key="p1", traits=traits)
    for _ in range(2):
        shop.tick(HOUR)
        news(shop)
        shop.walk()
    assert len(shop.begun("audience")) == 2
    assert len(shop.begun("calm")) == 4
    modes = [row["mode"] for row in shop.enrolments() if row["play"] == "holdout"]
    assert modes == ["holdout"] * 8


def test_a_play_that_goes_off_or_away_in_the_middle_tells_nobody_more(open_shop: OpenShop) -> None:
    for plays in ({"stock": replace(STOCK, mode=Mode.off)}, {}):
        shop = open_shop(STOCK, replace(STOCK, name="other", start=Start("x", fan_out=FanOut())))
        for number in range(2 * fanout.SLICE):
            view(shop, person(number))
        news(shop)
        Advancer(shop.rt).round()
        shop.rt.plays = {"other": shop.rt.plays["other"], **plays}
        shop.rt.index()
        shop.walk()
        assert len(told(shop)) == fanout.SLICE
        assert fanouts(shop) == [("done", fanout.SLICE)]


def test_several_fan_outs_are_told_one_after_another(open_shop: OpenShop) -> None:
    shop = open_shop(STOCK)
    for key in ("p1", "p2"):
        for number in range(30):
            view(shop, person(number), key)
        news(shop, key)
    shop.walk()
    assert fanouts(shop) == [("done", 30), ("done", 30)]
    assert len(told(shop)) == 60


def test_whoever_acted_on_it_already_is_not_told(open_shop: OpenShop) -> None:
    shop = open_shop(replace(STOCK, exits=("order_completed",)))
    shop.tick(HOUR)
    view(shop, at=NOW - DAY)
    shop.tell("order_completed", ANN, at=NOW + MINUTE)
    news(shop, at=NOW)
    shop.walk()
    assert shop.decisions("trigger") == [("stop", "already_over")]
