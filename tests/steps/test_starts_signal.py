"""Signals that start plays: the Nth, the first, the one that nothing follows; through the inbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from connector import clock
from connector.model import Subject
from connector.rules.plays import Goal, Once, Play, Restart, Start, Step
from connector.steps.advance import Advancer
from tests.steps.build import ANN, CART, DAY, HOUR, MINUTE, NOW, PHONE, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
LEFT = replace(CART, exits=(), goal=None)
"""A cart left for an hour without an order."""


def play(**start: Any) -> Play:
    return replace(WELCOME, name="play", start=Start("cart_updated", **start))


def put(shop: Shop, name: str, at: datetime, message: str, **properties: Any) -> None:
    """A delivery comes into the inbox about something that occurred at an instant."""
    shop.put(
        {
            "event": name,
            "userId": "ann",
            "messageId": message,
            "timestamp": clock.text(at),
            "properties": properties,
        }
    )


def reasons(shop: Shop) -> list[str]:
    return [row["exit_reason"] for row in shop.enrolments()]


def visits(shop: Shop, *hours: float) -> None:
    for hour in hours:
        shop.tell("cart_updated", ANN, at=NOW + hour * HOUR)


# -- the Nth -----------------------------------------------------------------------------------


def test_the_third_of_three_starts_in_whatever_order_they_are_heard(open_shop: OpenShop) -> None:
    for heard in permutations((0, 1, 2)):
        shop = open_shop(play(count=3, within=DAY, once=Once.contact))
        shop.tick(3 * HOUR)
        visits(shop, *heard)
        wanted = 1 if heard[2] == 2 else 0  # the last to occur is judged when it is heard
        assert len(shop.begun()) == wanted, heard
        visits(shop, 3)
        assert len(shop.begun()) == 1


def test_a_visit_told_twice_is_one_visit(open_shop: OpenShop) -> None:
    shop = open_shop(play(count=2, within=DAY))
    for _ in range(2):
        put(shop, "cart_updated", NOW - HOUR, "m1")
        Advancer(shop.rt).round()
    shop.walk()
    assert shop.begun() == []
    put(shop, "cart_updated", NOW, "m2")
    shop.walk()
    assert len(shop.begun()) == 1


@pytest.mark.parametrize("day", ["2026-03-08T12:00+00:00", "2026-11-01T12:00+00:00"])
def test_two_visits_in_24_hours_are_24_hours_apart_on_any_clock(
    open_shop: OpenShop, day: str
) -> None:
    for gap, times in ((DAY, 0), (DAY - MINUTE, 1)):
        shop = open_shop(play(count=2, within=DAY))
        shop.clock.at = at = datetime.fromisoformat(day)
        shop.tell("cart_updated", ANN, at=at - gap, traits={"timezone": "America/New_York"})
        shop.tell("cart_updated", ANN, at=at)
        assert len(shop.begun()) == times


def test_imported_visits_count_and_start_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(play(count=2, within=DAY))
    for hours in (3, 2):
        shop.tell("cart_updated", ANN, at=NOW - hours * HOUR, back_fill=True)
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    visits(shop, 0)
    assert len(shop.begun()) == 1


# -- the first ---------------------------------------------------------------------------------


def test_only_the_first_ever_starts(open_shop: OpenShop) -> None:
    shop = open_shop(play(first=True))
    visits(shop, 0, 1, 2)
    shop.tell("cart_updated", Subject(user_id="bob"))
    assert len(shop.begun()) == 2


def test_a_first_that_is_heard_late_is_still_walked_once(open_shop: OpenShop) -> None:
    shop = open_shop(play(first=True))
    visits(shop, 0, -1)
    assert [began for _, _, began in shop.begun()] == [NOW.isoformat()[:16]]
    assert shop.decisions("trigger")[-1][0] == "stop"


def test_what_was_imported_was_the_first(open_shop: OpenShop) -> None:
    shop = open_shop(play(first=True))
    shop.tell("cart_updated", ANN, at=NOW - 300 * DAY, back_fill=True)
    visits(shop, 0)
    assert shop.begun() == []


def test_the_first_that_meets_the_condition_is_the_first(open_shop: OpenShop) -> None:
    shop = open_shop(play(first=True, where=when("signal.value > 20")))
    for value in (5, 30, 40):
        shop.tick(HOUR)
        shop.tell("cart_updated", ANN, facts={"value": value})
    assert [began for _, _, began in shop.begun()] == [(NOW + 2 * HOUR).isoformat()[:16]]


def test_the_first_of_two_who_turn_out_to_be_one_is_the_first_of_both(open_shop: OpenShop) -> None:
    shop = open_shop(play(first=True))
    shop.tell("cart_updated", Subject(anonymous_id="a"), at=NOW - DAY)
    shop.tell("signed_in", ANN, merges=Subject(anonymous_id="a"), type="identify")
    visits(shop, 0)
    assert len(shop.begun()) == 1


# -- begun and not finished --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ordered", "reason"),
    [(1, "unless:order_completed"), (59, "unless:order_completed"), (0, ""), (-1, "")],
)
def test_an_order_after_the_cart_and_within_the_hour_ends_the_wait(
    open_shop: OpenShop, ordered: int, reason: str
) -> None:
    shop = open_shop(LEFT)
    shop.consent()
    shop.tell("cart_updated", ANN, key="c1")
    shop.tick(59 * MINUTE)
    shop.tell("order_completed", ANN, at=NOW + ordered * MINUTE, key="c1")
    assert reasons(shop) == [reason]
    assert shop.go(MINUTE) == (0 if reason else 1)


def test_an_order_heard_after_the_hour_but_before_the_text_left_ends_it(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(replace(LEFT, exits=("order_completed",)))
    shop.consent()
    shop.tell("cart_updated", ANN, key="c1")
    shop.tick(HOUR)
    shop.walk()
    assert shop.states() == ["planned"]
    shop.tell("order_completed", ANN, at=NOW + 30 * MINUTE, key="c1")
    assert shop.states() == ["cancelled"]
    assert shop.dispatch() == 0


def test_a_cart_and_its_order_in_one_delivery_the_wrong_way_round_start_nothing(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(LEFT)
    put(shop, "order_completed", NOW - MINUTE, "m2", key="c1")
    put(shop, "cart_updated", NOW - 2 * MINUTE, "m1", key="c1")
    shop.walk()
    assert shop.decisions("trigger") == [("stop", "already_over")]


def test_a_cart_told_again_after_a_restart_starts_nothing_and_rearms_nothing(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(LEFT)
    shop.consent()
    put(shop, "cart_updated", NOW, "m1", key="c1", phone=PHONE)
    Advancer(shop.rt).round()
    shop.tick(30 * MINUTE)
    put(shop, "cart_updated", NOW, "m1", key="c1", phone=PHONE)
    Advancer(shop.rt).round()
    assert shop.decisions("trigger") == [("send", "")]
    assert shop.go(30 * MINUTE) == 1
    assert shop.go(HOUR) == 0


@pytest.mark.parametrize("restart", list(Restart))
def test_each_cart_has_an_hour_of_its_own(open_shop: OpenShop, restart: Restart) -> None:
    shop = open_shop(replace(LEFT, start=replace(LEFT.start, restart=restart)))
    shop.tell("cart_updated", ANN, key="c1")
    shop.tell("cart_updated", ANN, key="c2", at=NOW + 10 * MINUTE)
    shop.tell("cart_updated", ANN, key="c1", at=NOW + 30 * MINUTE)
    dues = [row["due_at"][11:16] for row in shop.enrolments()]
    assert dues == ["18:30" if restart is Restart.rearm else "18:00", "18:10"]


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        ("2026-03-08T06:30+00:00", "America/New_York"),
        ("2026-11-01T05:30+00:00", "America/New_York"),
        ("2026-10-03T15:15+00:00", "Australia/Lord_Howe"),
        ("2028-02-29T23:30+00:00", "Pacific/Kiritimati"),
    ],
)
def test_an_hour_later_is_an_hour_of_elapsed_time_whatever_the_clock_shows(
    open_shop: OpenShop, day: str, zone: str
) -> None:
    shop = open_shop(LEFT)
    shop.clock.at = at = datetime.fromisoformat(day)
    shop.tell("cart_updated", ANN, traits={"timezone": zone})
    [row] = shop.enrolments()
    assert clock.instant(row["due_at"]) == at + HOUR


def test_a_reply_may_start_a_play(open_shop: OpenShop) -> None:
    answer = Start("reply", where=when("signal.answer == '1'"))
    asked = replace(
        WELCOME,
        name="ask",
        goal=Goal("reply", DAY),
        steps=(Step("ask", template="welcome", answers=("1", "2")),),
    )
    shop = open_shop(asked, replace(WELCOME, name="then", start=answer))
    shop.consent()
    shop.tell("signed_up", ANN, key="s")
    assert shop.go() == 1
    shop.tick(MINUTE)
    shop.reply("2")
    assert shop.begun("then") == []
    shop.reply("1")
    shop.reply("1", reply_id=f"in-{shop._told}")
    assert len(shop.begun("then")) == 1
