"""What ends a way through a play, and what its goal counts as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import Goal, Step
from tests.steps.build import ANN, CART, DAY, HOUR, MINUTE, NOW, Shop, when

OpenShop = Callable[..., Shop]
LONG = replace(CART, steps=(Step("a", template="cart"), Step("b", wait=9 * DAY, template="cart")))


def ended(shop: Shop, play: str = "cart") -> tuple[str, str, str]:
    """The state of a play's first enrolment, why it ended, and what its goal counted as."""
    row = next(row for row in shop.enrolments() if row["play"] == play)
    return row["state"], row["exit_reason"], row["goal_kind"]


def reminded(shop: Shop) -> None:
    """Ann left her cart at noon and was reminded an hour later."""
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    assert shop.go(HOUR) == 1


# -- ends --------------------------------------------------------------------------------------


def test_what_the_play_waits_to_be_absent_ends_the_wait(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, goal=None))
    shop.tell("cart_updated")
    shop.tell("order_completed", at=NOW + MINUTE)
    assert ended(shop) == ("ended", "unless:order_completed", "")
    assert shop.go(HOUR) == 0


def test_an_exit_ends_it_while_it_waits_and_while_it_walks(shop: Shop) -> None:
    shop.tell("cart_updated", key="c-1")
    shop.tell("unsubscribed", at=NOW + MINUTE)
    assert ended(shop) == ("ended", "exit:unsubscribed", "")
    shop.consent()
    shop.tell("cart_updated", key="c-2", at=NOW + 2 * MINUTE)
    assert shop.go(2 * HOUR) == 1
    shop.tell("unsubscribed")
    assert shop.go(DAY) == 0
    assert shop.enrolments()[1]["exit_reason"] == "exit:unsubscribed"


def test_what_ends_it_cancels_what_it_has_planned(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    shop.tick(HOUR)
    shop.walk()
    shop.tell("unsubscribed")
    assert [(row["state"], row["reason"]) for row in shop.sends()] == [
        ("cancelled", "exit:unsubscribed")
    ]


def test_what_happened_at_or_before_the_start_ends_nothing(shop: Shop) -> None:
    shop.tell("cart_updated", at=NOW)
    for minutes in (0, -5):
        shop.tell("order_completed", at=NOW + minutes * MINUTE)
    assert ended(shop)[0] == "waiting"


def test_what_somebody_else_did_ends_nothing(shop: Shop) -> None:
    shop.tell("cart_updated")
    shop.tell("order_completed", Subject(user_id="bob"), at=NOW + MINUTE)
    assert ended(shop)[0] == "waiting"


def test_a_play_that_was_removed_ends_and_sends_nothing(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    shop.tick(HOUR)
    shop.walk()
    shop.rt.plays = {}
    shop.tell("page_viewed")
    assert ended(shop) == ("ended", "play_removed", "")
    assert shop.states() == ["cancelled"]


# -- goals -------------------------------------------------------------------------------------


def test_a_goal_before_any_text_is_counted_apart_and_ends_it(shop: Shop) -> None:
    shop.tell("cart_updated")
    shop.tell("order_completed", at=NOW + MINUTE)
    assert ended(shop) == ("ended", "goal_before_text", "goal_before_text")
    assert shop.rows("SELECT * FROM outcomes") == []


def test_a_goal_after_the_first_text_is_a_conversion_with_its_text_and_value(shop: Shop) -> None:
    reminded(shop)
    shop.tick(HOUR)
    shop.tell("order_completed", key="o-1", value_micros=42_500_000, currency="USD")
    assert ended(shop) == ("ended", "goal", "converted")
    [heard] = shop.rows("SELECT * FROM outcomes")
    assert (heard["kind"], heard["thing"], heard["send_id"]) == (
        "goal_reached",
        "o-1",
        "snd_000001",
    )
    assert (heard["value_micros"], heard["currency"]) == (42_500_000, "USD")
    assert shop.go(DAY) == 0, "and the second text is not sent"


def test_a_goal_that_occurred_before_the_text_though_heard_after_is_no_conversion(
    shop: Shop,
) -> None:
    reminded(shop)
    shop.tell("order_completed", at=NOW + 30 * MINUTE)
    assert ended(shop)[2] == "goal_before_text"


def test_a_second_order_converts_nothing_twice(shop: Shop) -> None:
    reminded(shop)
    for number in range(2):
        shop.tick(HOUR)
        shop.tell("order_completed", key=f"o-{number}")
    assert len(shop.rows("SELECT * FROM outcomes WHERE kind = 'goal_reached'")) == 1


def test_the_goal_is_watched_for_after_the_last_text_as_long_as_its_window(shop: Shop) -> None:
    reminded(shop)
    assert shop.go(DAY) == 1
    assert ended(shop)[0] == "done"
    shop.tell("order_completed", at=NOW + HOUR + 7 * DAY)
    assert ended(shop)[2] == "converted"


def test_after_its_window_the_goal_counts_for_nothing(shop: Shop) -> None:
    reminded(shop)
    shop.go(DAY)
    shop.tick(7 * DAY)
    shop.tell("order_completed")
    assert ended(shop) == ("done", "", "")


def test_a_goal_after_its_window_still_ends_a_play_that_goes_on(open_shop: OpenShop) -> None:
    shop = open_shop(LONG)
    reminded(shop)
    shop.tick(8 * DAY)
    shop.tell("order_completed")
    state, reason, kind = ended(shop)
    assert (state, kind) == ("ended", "")
    assert reason == "goal_late"
    assert shop.go(2 * DAY) == 0


@pytest.mark.parametrize(("key", "kind"), [("c-1", "goal_before_text"), ("c-2", ""), ("", "")])
def test_a_goal_may_count_for_its_own_occurrence_only(
    open_shop: OpenShop, key: str, kind: str
) -> None:
    shop = open_shop(replace(CART, goal=Goal("paid", DAY, same_key=True)))
    shop.tell("cart_updated", key="c-1")
    shop.tell("paid", key=key, at=NOW + MINUTE)
    assert ended(shop)[2] == kind


@pytest.mark.parametrize(
    ("facts", "kind"), [({"value": 20}, "goal_before_text"), ({"value": 5}, ""), ({}, "")]
)
def test_a_goal_may_have_a_condition_and_what_cannot_be_told_is_no_goal(
    open_shop: OpenShop, facts: dict[str, Any], kind: str
) -> None:
    shop = open_shop(replace(CART, goal=Goal("paid", DAY, where=when("signal.value >= 20"))))
    shop.tell("cart_updated")
    shop.tell("paid", facts=facts, at=NOW + MINUTE)
    assert ended(shop)[2] == kind


def test_a_goals_condition_may_compare_with_the_start(open_shop: OpenShop) -> None:
    goal = Goal("paid", DAY, where=when("signal.value >= start.value"))
    shop = open_shop(replace(CART, goal=goal))
    shop.tell("cart_updated", key="c-1", facts={"value": 20})
    shop.tell("cart_updated", key="c-2", facts={"value": 30})
    shop.tell("paid", facts={"value": 25}, at=NOW + MINUTE)
    assert [row["goal_kind"] for row in shop.enrolments()] == ["goal_before_text", ""]


def test_somebody_held_out_reaches_the_goal_too_and_it_is_told_apart(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, holdout=1.0))
    shop.consent()
    shop.tell("cart_updated")
    shop.go(HOUR)
    shop.tell("order_completed", ANN)
    assert ended(shop) == ("ended", "goal_before_text", "goal_before_text")
