"""What a pause holds, what it drops, and what a resume decides afresh."""

from __future__ import annotations

from dataclasses import replace

from connector.rules.plays import (
    OnPause,
    Step,
)
from tests.steps.build import DAY, HOUR, MINUTE, WELCOME, when
from tests.steps.way import AB, OpenShop, begun, pause, play, resume, said, ways


def test_a_pause_that_outlives_a_text_drops_that_text_and_not_the_walk(
    open_shop: OpenShop,
) -> None:
    short = replace(AB[0], expires=HOUR)
    shop = begun(open_shop, play(short, AB[1]))
    pause(shop)
    for _ in range(6):
        shop.go(15 * MINUTE)
    assert shop.sends()[0]["state"] in ("cancelled", "expired")
    assert ways(shop)["way"][0] == "walking"
    resume(shop)
    shop.go(HOUR)
    shop.go(HOUR)
    assert said(shop) == ["b"]


def test_many_checks_in_a_pause_are_one_decision(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.walk()
    pause(shop)
    for _ in range(10):
        shop.go(15 * MINUTE)
    rows = shop.rows("SELECT reason, repeats FROM decided WHERE moment = 'send'")
    assert rows == [{"reason": "paused", "repeats": 9}]


def test_a_pause_of_one_play_holds_no_other(open_shop: OpenShop) -> None:
    other = replace(WELCOME, name="other", steps=(Step("c", template="c"),))
    shop = begun(open_shop, play(AB[0]), other)
    pause(shop)
    shop.go()
    assert said(shop) == ["c"]


def test_the_kill_switch_holds_texts_by_hand_and_our_own_answers_too(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    shop.consent()
    shop.tell("seen")
    pause(shop, "*")
    shop.plan_by_hand()
    shop.reply("STOP")
    assert shop.go() == 0
    assert set(shop.states()) <= {"planned", "cancelled", "expired"}


CALLS = (Step("mail", webhook="mail"), Step("call", task="Call them"), AB[0])


def test_in_a_pause_no_tool_is_called_and_nobody_told_to_call(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*CALLS))
    pause(shop, "*")
    for _ in range(8):
        shop.go(HOUR)
    asked = "SELECT key FROM writebacks WHERE kind IN ('webhook', 'task')"
    assert shop.rows(asked) == []
    resume(shop, "*")
    for _ in range(3):
        shop.go(15 * MINUTE)
    keys = [row["key"] for row in shop.rows(asked)]
    assert sorted(keys) == ["call:enr_000001:mail", "task:enr_000001:call"]
    assert said(shop) == ["a"]


def test_a_call_that_is_of_no_use_any_more_after_a_pause_is_passed_over(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(Step("mail", webhook="mail", expires=HOUR), AB[0]))
    pause(shop)
    shop.go()
    shop.tick(2 * HOUR)
    resume(shop)
    shop.go()
    assert shop.rows("SELECT key FROM writebacks WHERE kind = 'webhook'") == []
    shop.go()
    assert said(shop) == ["a"]


def test_a_condition_of_a_call_is_asked_again_after_a_pause(open_shop: OpenShop) -> None:
    step = Step("mail", webhook="mail", where=when("contact.stage != 'customer'"))
    shop = begun(open_shop, play(step))
    pause(shop)
    shop.go()
    shop.tell("bought", stage="customer")
    resume(shop)
    shop.go(15 * MINUTE)
    assert shop.rows("SELECT key FROM writebacks WHERE kind = 'webhook'") == []


def test_a_call_that_is_late_for_another_reason_is_made_all_the_same(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(Step("call", task="Call them")))
    shop.go(3 * DAY)  # nobody was there
    assert len(shop.rows("SELECT key FROM writebacks WHERE kind = 'task'")) == 1


def test_a_drop_found_on_the_way_ends_there(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB, on_pause=OnPause.drop))
    with shop.store.write() as tx:  # as where the pause came while the ledger had none of it
        tx.run("INSERT INTO pauses VALUES ('way', 'drop', :at, 'bea', '')", at="2026-11-17")
    assert shop.go() == 0
    assert ways(shop)["way"] == ("ended", "paused")
