"""What opens a way through a play, what re-arms it, and what is decided where nothing opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Subject
from connector.rules.plays import Goal, Mode, Once, Play, Restart, Start, Step
from tests.steps.build import ANN, CART, DAY, HOUR, MINUTE, NOW, ORDER, PHONE, WELCOME, Shop, when

OpenShop = Callable[..., Shop]


def starting(play: Play = CART, **start: Any) -> Play:
    """A play with another ``[start]`` table."""
    return replace(play, start=replace(play.start, **start))


def opened(shop: Shop) -> list[tuple[str, str, str]]:
    return [(row["play"], row["key"], row["state"]) for row in shop.enrolments()]


def due(shop: Shop) -> datetime:
    [row] = shop.enrolments()
    return datetime.fromisoformat(row["due_at"])


# -- opening -----------------------------------------------------------------------------------


def test_a_start_opens_a_way_with_a_decision_and_what_it_saw(shop: Shop) -> None:
    who = shop.tell("cart_updated", key="c-1", facts={"value": 42.5})
    [enrolment] = shop.enrolments()
    assert (enrolment["contact_id"], enrolment["key"], enrolment["mode"]) == (who, "c-1", "live")
    assert (enrolment["version"], enrolment["state"], enrolment["step"]) == ("v1", "waiting", 0)
    assert shop.decisions("trigger") == [("send", "")]
    [facts] = shop.rows("SELECT body FROM facts")
    assert orjson.loads(facts["body"])["signal"]["value"] == 42.5


def test_the_delay_counts_from_when_the_start_occurred(shop: Shop) -> None:
    shop.tell("cart_updated", at=NOW - 20 * MINUTE)
    assert due(shop) == NOW + 40 * MINUTE


def test_a_delay_that_is_over_already_is_due_at_once_if_its_text_has_not_expired(
    shop: Shop,
) -> None:
    shop.consent()
    shop.tell("cart_updated", at=NOW - 2 * HOUR)
    assert shop.go() == 1
    shop.tell("cart_updated", Subject(user_id="bob", phone=PHONE), at=NOW - 26 * HOUR)
    assert shop.go() == 0
    assert shop.decisions("plan")[-1] == ("stop", "expired")


def test_a_signal_that_no_play_starts_on_opens_nothing(shop: Shop) -> None:
    shop.tell("page_viewed")
    assert opened(shop) == []
    assert shop.decisions("trigger") == []


def test_one_signal_may_start_several_plays(open_shop: OpenShop) -> None:
    shop = open_shop(
        WELCOME, replace(WELCOME, name="tips"), replace(WELCOME, name="x", mode=Mode.off)
    )
    shop.tell("signed_up", key="k")
    assert [play for play, _, _ in opened(shop)] == ["welcome", "tips"]


def test_a_condition_that_is_not_met_is_no_start_and_no_decision(open_shop: OpenShop) -> None:
    shop = open_shop(starting(where=when("signal.value >= 20")))
    shop.tell("cart_updated", facts={"value": 5})
    assert shop.decisions("trigger") == []
    shop.tell("cart_updated", facts={"value": 20})
    assert len(opened(shop)) == 1


def test_a_condition_that_cannot_be_told_is_decided_against_and_says_why(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(starting(where=when("signal.value >= 20")))
    shop.tell("cart_updated")
    assert opened(shop) == []
    assert shop.decisions("trigger") == [("stop", "fact_missing")]


def test_an_audience_and_a_stage_are_asked_as_the_person_stands_now(open_shop: OpenShop) -> None:
    shop = open_shop(
        replace(CART, stages=("lead",), audience=when("contact.first_name | default('') != 'Eve'"))
    )
    shop.tell("cart_updated", stage="visitor")
    shop.tell("cart_updated", stage="lead", traits={"first_name": "Eve"})
    shop.tell("cart_updated", traits={"first_name": "Ann"})
    shop.tell("cart_updated", stage="customer", key="other")
    assert shop.decisions("trigger") == [
        ("stop", "wrong_stage"),
        ("stop", "audience"),
        ("send", ""),
        ("stop", "wrong_stage"),
    ]


def test_a_sensitive_fact_may_choose_the_audience(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, audience=when("signal.illness == 'flu'")))
    shop.tell("cart_updated", facts={"illness": "flu"}, sensitive=frozenset({"illness"}))
    assert len(opened(shop)) == 1


# -- late, old, imported -----------------------------------------------------------------------


def test_a_start_heard_over_48_hours_late_does_not_enrol(shop: Shop) -> None:
    shop.tell("cart_updated", at=NOW - 48 * HOUR - MINUTE)
    assert shop.decisions("trigger") == [("stop", "stale_start")]
    shop.tell("cart_updated", at=NOW - 48 * HOUR)
    assert len(opened(shop)) == 1


def test_imports_teach_and_never_enrol(shop: Shop) -> None:
    shop.tell("cart_updated", back_fill=True, traits={"first_name": "Ann"})
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    assert opened(shop) == []
    assert '"Ann"' in shop.rows("SELECT traits FROM contacts")[0]["traits"]


@pytest.mark.parametrize("name", ["order_completed", "unsubscribed"])
def test_what_ends_a_play_counts_even_when_it_is_heard_before_its_start(
    shop: Shop, name: str
) -> None:
    shop.tell(name, at=NOW - MINUTE)
    shop.tell("cart_updated", at=NOW - 2 * MINUTE)
    assert shop.decisions("trigger")[-1] == ("stop", "already_over")


def test_what_happened_before_the_start_ends_nothing(shop: Shop) -> None:
    shop.tell("order_completed", at=NOW - 3 * MINUTE)
    shop.tell("cart_updated", at=NOW - 2 * MINUTE)
    shop.tell("unsubscribed", at=NOW - 3 * MINUTE)
    assert opened(shop)[-1][2] == "waiting"


def test_a_goal_for_one_occurrence_heard_first_counts_for_that_one_only(
    open_shop: OpenShop,
) -> None:
    form = starting(
        replace(CART, exits=(), goal=Goal("form_submitted", DAY, same_key=True)), unless=()
    )
    shop = open_shop(form)
    shop.tell("form_submitted", key="a", at=NOW)
    shop.tell("cart_updated", key="a", at=NOW - MINUTE)
    shop.tell("cart_updated", key="b", at=NOW - MINUTE)
    assert shop.decisions("trigger") == [("stop", "already_over"), ("send", "")]


def test_a_goal_with_a_condition_heard_first_counts_where_the_condition_is_met(
    open_shop: OpenShop,
) -> None:
    goal = Goal("order_completed", DAY, where=when("signal.value >= 20"))
    shop = open_shop(starting(replace(CART, exits=(), goal=goal), unless=()))
    shop.tell("order_completed", facts={"value": 5})
    shop.tell("cart_updated", key="a", at=NOW - MINUTE)
    shop.tell("order_completed", facts={"value": 20})
    shop.tell("cart_updated", key="b", at=NOW - MINUTE)
    assert shop.decisions("trigger") == [("send", ""), ("stop", "already_over")]


def test_a_goals_condition_may_compare_with_the_start_also_when_it_is_heard_first(
    open_shop: OpenShop,
) -> None:
    goal = Goal("order_completed", DAY, where=when("signal.value >= start.value"))
    shop = open_shop(starting(replace(CART, exits=(), goal=goal), unless=()))
    shop.tell("order_completed", facts={"value": 20})
    shop.tell("cart_updated", key="a", facts={"value": 20}, at=NOW - MINUTE)
    shop.tell("cart_updated", key="b", facts={"value": 21}, at=NOW - MINUTE)
    assert shop.decisions("trigger") == [("stop", "already_over"), ("send", "")]


# -- the Nth -----------------------------------------------------------------------------------

TWICE = starting(replace(CART, exits=()), unless=(), count=2, within=DAY, once=Once.contact)


def test_the_second_of_two_visits_in_a_day_enrols(open_shop: OpenShop) -> None:
    shop = open_shop(TWICE)
    shop.tell("cart_updated", at=NOW - DAY)
    shop.tell("cart_updated", at=NOW)
    assert opened(shop) == []
    shop.tell("cart_updated", at=NOW + MINUTE)
    assert len(opened(shop)) == 1


def test_visits_count_by_when_they_occurred_though_they_are_heard_late(open_shop: OpenShop) -> None:
    shop = open_shop(TWICE)
    shop.tell("cart_updated", at=NOW)
    shop.tell("cart_updated", at=NOW - MINUTE)
    assert opened(shop) == [], "by the earlier one, nothing had happened before"
    shop.tell("cart_updated", at=NOW + MINUTE)
    assert len(opened(shop)) == 1


def test_only_visits_that_meet_the_condition_count(open_shop: OpenShop) -> None:
    shop = open_shop(replace(TWICE, start=replace(TWICE.start, where=when("signal.value >= 20"))))
    shop.tell("cart_updated", facts={"value": 5})
    shop.tell("cart_updated", facts={})
    shop.tell("cart_updated", facts={"value": 20})
    assert opened(shop) == []
    shop.tell("cart_updated", facts={"value": 30})
    assert len(opened(shop)) == 1


# -- once, cooldown, restart -------------------------------------------------------------------


def test_one_occurrence_is_walked_once_and_another_opens_beside_it(shop: Shop) -> None:
    shop.tell("cart_updated", key="c-1")
    shop.tell("cart_updated", key="c-2")
    assert [key for _, key, _ in opened(shop)] == ["c-1", "c-2"]
    shop.tell("order_completed", at=NOW + MINUTE)
    shop.tell("cart_updated", key="c-1", at=NOW + 2 * MINUTE)
    assert shop.decisions("trigger")[-1] == ("stop", "already_enrolled")


def test_once_a_contact_is_once_for_good(open_shop: OpenShop) -> None:
    shop = open_shop(starting(WELCOME, once=Once.contact))
    shop.tell("signed_up", key="a")
    shop.tell("signed_up", key="b", at=NOW + DAY)
    shop.tell("signed_up", Subject(user_id="bob"))
    assert len(opened(shop)) == 2


def test_a_cooldown_counts_from_the_last_start_that_enrolled(open_shop: OpenShop) -> None:
    shop = open_shop(starting(WELCOME, cooldown=DAY))
    shop.tell("signed_up", key="a", at=NOW)
    shop.tick(DAY)
    shop.tell("signed_up", key="b", at=NOW + DAY - MINUTE)
    assert shop.decisions("trigger")[-1] == ("stop", "cooldown")
    shop.tell("signed_up", key="c", at=NOW + DAY)
    assert len(opened(shop)) == 2, "a start that was refused does not lengthen it"


def test_the_same_cart_again_starts_its_hour_anew(shop: Shop) -> None:
    shop.tell("cart_updated", key="c-1", facts={"value": 1})
    shop.tell("cart_updated", key="c-1", at=NOW + 30 * MINUTE, facts={"value": 2})
    assert due(shop) == NOW + 90 * MINUTE
    [row] = shop.rows("SELECT facts FROM signals WHERE id = (SELECT signal_id FROM enrolments)")
    assert row["facts"] == '{"value":2}'
    assert shop.decisions("trigger") == [("send", ""), ("stop", "already_waiting")]


def test_a_late_start_does_not_turn_the_hour_back(shop: Shop) -> None:
    shop.tell("cart_updated", key="c-1", at=NOW)
    shop.tell("cart_updated", key="c-1", at=NOW - 30 * MINUTE)
    assert due(shop) == NOW + HOUR


def test_a_play_that_ignores_restarts_keeps_its_first_hour(open_shop: OpenShop) -> None:
    shop = open_shop(starting(restart=Restart.ignore))
    shop.tell("cart_updated", key="c-1")
    shop.tell("cart_updated", key="c-1", at=NOW + 30 * MINUTE)
    assert due(shop) == NOW + HOUR


def test_without_a_key_the_same_start_while_waiting_is_the_same_occurrence(shop: Shop) -> None:
    shop.tell("cart_updated")
    shop.tell("cart_updated", at=NOW + 30 * MINUTE)
    assert len(opened(shop)) == 1
    assert due(shop) == NOW + 90 * MINUTE


def test_a_cart_whose_reminder_is_planned_is_not_rearmed(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    shop.tick(HOUR)
    shop.walk()
    shop.tell("cart_updated", key="c-1")
    assert shop.decisions("trigger")[-1] == ("stop", "already_enrolled")
    assert shop.states() == ["planned"]


# -- holdouts ----------------------------------------------------------------------------------


def test_a_global_holdout_is_of_marketing_and_service_has_only_its_own(
    open_shop: OpenShop,
) -> None:
    for share, mode in ((0.0, "live"), (1.0, "holdout")):
        shop = open_shop(replace(ORDER, holdout=share), global_holdout=1.0)
        shop.tell("order_completed")
        assert shop.enrolments()[0]["mode"] == mode


@pytest.mark.parametrize(
    ("own", "over_all", "mode"), [(1.0, 0.0, "holdout"), (0.0, 1.0, "holdout"), (0.0, 0.0, "live")]
)
def test_a_holdout_may_be_a_plays_own_or_over_all(
    open_shop: OpenShop, own: float, over_all: float, mode: str
) -> None:
    shop = open_shop(replace(CART, holdout=own), global_holdout=over_all)
    shop.tell("cart_updated")
    assert shop.enrolments()[0]["mode"] == mode


def test_no_holdout_where_everybody_is_treated(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, holdout=1.0), global_holdout=1.0, holdouts=False)
    shop.tell("cart_updated")
    assert shop.enrolments()[0]["mode"] == "live"
    assert shop.rows("SELECT * FROM assignments") == []


def test_a_persons_arm_is_kept_with_its_probability_and_never_drawn_again(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(replace(CART, holdout=0.5))
    for number in range(6):
        shop.tell("cart_updated", key=f"c-{number}")
    [arm] = shop.rows("SELECT * FROM assignments")
    assert (arm["experiment"], arm["probability"]) == ("play:cart", "0.5")
    assert orjson.loads(arm["candidates"]) == {"holdout": 0.5, "treated": 0.5}
    mode = "holdout" if arm["arm"] == "holdout" else "live"
    assert {row["mode"] for row in shop.enrolments()} == {mode}


def test_each_ledger_has_a_salt_of_its_own(open_shop: OpenShop) -> None:
    salts = []
    for _ in range(2):
        shop = open_shop(replace(CART, holdout=0.5))
        shop.tell("cart_updated")
        [salt] = shop.rows("SELECT value FROM cursors WHERE name = 'salt'")
        salts.append(salt["value"])
    assert salts[0] != salts[1]
    assert all(len(salt) >= 32 for salt in salts)


# -- whatever the order ------------------------------------------------------------------------

HEARD = st.permutations(["cart 0", "cart 20", "order 30"])


@given(HEARD)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_order_silences_the_cart_before_it_in_whatever_order_they_are_heard(
    open_shop: OpenShop, heard: list[str]
) -> None:
    shop = open_shop()
    shop.consent()
    for what in heard:
        name, minutes = what.split()
        at = NOW + timedelta(minutes=int(minutes) - 45)
        if name == "cart":
            shop.tell("cart_updated", ANN, key="c-1", at=at)
        else:
            shop.tell("order_completed", ANN, at=at)
    assert shop.go(2 * HOUR) == 0


def test_a_play_may_start_with_a_wait_in_its_first_step(open_shop: OpenShop) -> None:
    shop = open_shop(
        replace(CART, start=Start("x"), steps=(Step("s", wait=2 * HOUR, template="cart"),))
    )
    shop.tell("x")
    assert due(shop) == NOW + 2 * HOUR
