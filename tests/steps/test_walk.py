"""A due step becomes a planned text, a task, or its end; and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.expressions import compile_template
from connector.model import Status, Subject
from connector.rules.plays import Mode, Step
from tests.steps.build import CART, DAY, HOUR, MINUTE, NOW, OTHER, PHONE, WELCOME, Shop, when

OpenShop = Callable[..., Shop]


def walked(shop: Shop) -> tuple[str, int, str]:
    """The state, step and end of the only enrolment."""
    [row] = shop.enrolments()
    return row["state"], row["step"], row["exit_reason"]


def owed(shop: Shop) -> list[str]:
    """Subjects of the tasks that the CRM is owed."""
    return [row["change"] for row in shop.rows("SELECT change FROM writebacks WHERE kind = 'task'")]


# -- texts -------------------------------------------------------------------------------------


def test_a_step_waits_until_it_is_due_and_becomes_one_planned_text(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    shop.tick(HOUR - MINUTE)
    shop.walk()
    assert shop.states() == []
    shop.tick(MINUTE)
    shop.walk()
    shop.walk()
    [send] = shop.sends()
    assert (send["state"], send["step"], send["key"], send["phone"]) == (
        "planned",
        "reminder",
        "c-1",
        PHONE,
    )
    assert send["expires_at"] > send["due_at"]
    assert walked(shop) == ("walking", 0, "")


def test_the_next_step_waits_from_when_the_text_before_was_accepted(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    shop.tick(HOUR)
    shop.walk()
    shop.tick(5 * HOUR)
    assert shop.dispatch() == 1
    [row] = shop.enrolments()
    assert row["due_at"].startswith("2026-11-18T23:00")
    assert shop.go(DAY - MINUTE) == 0
    assert shop.go(MINUTE) == 1
    assert [row["step"] for row in shop.sends()] == ["reminder", "again"]
    assert walked(shop) == ("done", 1, "")


def test_a_text_that_must_wait_is_planned_for_then(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.consent()
    shop.reply("please don't stop")
    shop.tell("signed_up")
    shop.walk()
    [send] = shop.sends()
    assert send["due_at"].startswith("2026-11-17T17:15")
    assert shop.decisions("plan") == [("wait", "reply_unread")]


@pytest.mark.parametrize("reason", ["no_consent", "no_mobile", "opted_out"])
def test_what_no_later_step_can_outlive_ends_the_way(shop: Shop, reason: str) -> None:
    phone = "+18005550100" if reason == "no_mobile" else PHONE
    if reason != "no_consent":
        shop.consent(phone=phone)
    if reason == "opted_out":
        shop.reply("STOP", at=NOW - HOUR)
    shop.tell("cart_updated", Subject(user_id="ann", phone=phone))
    assert shop.go(HOUR) == 0
    assert walked(shop) == ("ended", 0, reason)
    assert shop.states() == []


def test_a_hole_in_one_text_leaves_the_next_its_turn(open_shop: OpenShop) -> None:
    shop = open_shop(texts={"cart": "Hi {{ contact.first_name }}"})
    shop.consent()
    shop.tell("cart_updated")
    assert shop.go(HOUR) == 0
    assert shop.decisions("plan") == [("stop", "value_missing")]
    assert shop.go(DAY) == 1
    assert shop.carrier.sent[0].text == "Corner Shop: still there"


def test_a_text_is_in_the_persons_language_where_there_is_one(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    shop.rt.templates = {
        **shop.rt.templates,
        ("welcome", "es"): compile_template("Hola"),
    }
    for number, language in enumerate(("es-MX", "fr"), 1):
        subject = Subject(user_id=language, phone=f"+1212555010{number}")
        shop.consent(phone=subject.phone)
        shop.tell("signed_up", subject, traits={"language": language})
    assert shop.go() == 2
    assert sorted(row["language"] for row in shop.sends()) == ["en", "es"]
    assert {message.text for message in shop.carrier.sent} == {"Hola", "Corner Shop: welcome"}


# -- conditions of steps -----------------------------------------------------------------------


def test_a_step_whose_condition_is_false_or_unknown_is_left_out(open_shop: OpenShop) -> None:
    steps = (
        Step("rich", template="cart", where=when("signal.value >= 100")),
        Step("unknown", template="cart", where=when("signal.nowhere == 1")),
        Step("all", template="cart_again"),
    )
    shop = open_shop(replace(CART, steps=steps))
    shop.consent()
    shop.tell("cart_updated", facts={"value": 5})
    assert shop.go(HOUR) == 1
    assert [row["step"] for row in shop.sends()] == ["all"]


# -- tasks -------------------------------------------------------------------------------------

CALL = replace(
    CART,
    steps=(Step("call", task="Call {{ contact.first_name | default('the customer') }}"),),
)


def test_a_task_is_owed_to_the_crm_and_needs_no_consent(open_shop: OpenShop) -> None:
    shop = open_shop(CALL)
    shop.tell("cart_updated", traits={"first_name": "Ann"})
    assert shop.go(HOUR) == 0
    [task] = owed(shop)
    assert '"Call Ann"' in task
    assert walked(shop)[0] == "done"
    shop.walk()
    assert len(owed(shop)) == 1


def test_a_task_whose_words_fail_is_owed_all_the_same(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, steps=(Step("call", task="Call {{ contact.nobody }}"),)))
    shop.tell("cart_updated")
    shop.go(HOUR)
    assert '"cart: call"' in owed(shop)[0]


def test_a_sensitive_fact_never_enters_a_task(open_shop: OpenShop) -> None:
    step = Step("call", task="Call about {{ signal.illness | default('it') }}")
    shop = open_shop(replace(CART, steps=(step,)))
    shop.tell("cart_updated", facts={"illness": "flu"}, sensitive=frozenset({"illness"}))
    shop.go(HOUR)
    assert "flu" not in owed(shop)[0]
    assert "Call about it" in owed(shop)[0]


def test_nobody_is_asked_to_call_somebody_who_is_held_out(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CALL, holdout=1.0))
    shop.tell("cart_updated")
    shop.go(HOUR)
    assert owed(shop) == []
    assert walked(shop)[0] == "done"


# -- ends --------------------------------------------------------------------------------------


def test_a_play_that_was_removed_or_shortened_ends_what_walks_in_it(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.tell("cart_updated")
    shop.rt.plays = {}
    shop.go(HOUR)
    assert walked(shop) == ("ended", 0, "play_removed")
    shorter = open_shop()
    shorter.consent()
    shorter.tell("cart_updated")
    assert shorter.go(HOUR) == 1
    shorter.rt.plays = {"cart": replace(CART, steps=CART.steps[:1])}
    shorter.go(DAY)
    assert walked(shorter) == ("ended", 1, "no_step")


def test_a_play_that_was_switched_off_ends_and_sends_nothing(open_shop: OpenShop) -> None:
    off = {"cart": replace(CART, mode=Mode.off)}
    shop = open_shop(CART)
    shop.tell("cart_updated")
    shop.rt.plays = off
    assert shop.go(HOUR) == 0
    assert walked(shop) == ("ended", 0, "play_off")
    planned = open_shop(CART)
    planned.consent()
    planned.tell("cart_updated")
    planned.tick(HOUR)
    planned.walk()
    planned.rt.plays = off
    assert planned.dispatch() == 0
    assert planned.states() == ["cancelled"]
    assert planned.go(DAY) == 0
    assert walked(planned)[0] == "ended"


def test_a_fault_of_ours_ends_one_way_and_holds_up_no_other(open_shop: OpenShop) -> None:
    def broken(context: object) -> object:
        raise ZeroDivisionError

    shop = open_shop(
        replace(CART, steps=(Step("s", template="cart", where=broken),)),
        replace(WELCOME, name="welcome"),
    )
    shop.consent()
    shop.tell("cart_updated", at=NOW - HOUR)
    shop.tell("signed_up")
    assert shop.go() == 1
    assert [row["exit_reason"] for row in shop.enrolments()] == ["failed", ""]


def test_a_text_that_is_refused_ends_the_way_and_one_not_delivered_does_not(shop: Shop) -> None:
    shop.consent()
    shop.tell("cart_updated")
    assert shop.go(HOUR) == 1
    shop.receipt(Status.undelivered)
    assert shop.go(DAY) == 1


def test_the_number_of_now_is_texted_and_not_the_one_of_the_start(shop: Shop) -> None:
    shop.consent(phone=OTHER)
    shop.tell("cart_updated", key="c-1")
    shop.tell("identified", Subject(user_id="ann", phone=OTHER), at=NOW + MINUTE)
    assert shop.go(HOUR) == 1
    assert shop.carrier.sent[0].to == OTHER
