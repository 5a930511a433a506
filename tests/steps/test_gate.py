"""Nothing leaves that the gate has not let through on fresh facts, the instant before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.model import Purpose, Subject
from connector.rules.plays import Mode, Step
from connector.rules.policy import Cap, Policy
from tests.steps.build import (
    ANN,
    CART,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    ORDER,
    OTHER,
    PHONE,
    WELCOME,
    Shop,
    open_hours,
    when,
)


def planned(shop: Shop) -> None:
    """Ann left her cart an hour ago; her reminder is planned and has not left."""
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    shop.tick(HOUR)
    shop.walk()
    assert shop.states() == ["planned"]


def test_a_text_that_nothing_stands_against_leaves_and_is_kept_as_it_left(shop: Shop) -> None:
    planned(shop)
    assert shop.dispatch() == 1
    [message] = shop.carrier.sent
    assert (message.to, message.text) == (PHONE, "Corner Shop: you, your cart waits")
    assert message.purpose == "marketing"
    [send] = shop.sends()
    assert (send["state"], send["text"], send["encoding"], send["provider"]) == (
        "accepted",
        message.text,
        "GSM-7",
        "carrier",
    )
    assert shop.decisions("plan") == shop.decisions("send") == [("send", "")]


def test_a_stop_between_plan_and_send_stops_it(shop: Shop) -> None:
    planned(shop)
    shop.reply("STOP", at=NOW)  # long ago by its own clock, so that no answer of ours is due
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "opted_out")]
    assert shop.states() == ["cancelled"]
    assert shop.enrolments()[0]["state"] == "ended"


def test_the_end_of_a_consent_between_plan_and_send_stops_it(shop: Shop) -> None:
    planned(shop)
    shop.revoke()
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_consent")]


def test_the_goal_between_plan_and_send_cancels_it(shop: Shop) -> None:
    planned(shop)
    shop.tell("order_completed", key="o-1")
    assert shop.dispatch() == 0
    assert shop.sends()[0]["reason"] == "goal_before_text"


def test_a_text_whose_enrolment_is_over_does_not_leave_even_if_it_was_not_cancelled(
    shop: Shop,
) -> None:
    planned(shop)
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET state = 'ended', exit_reason = 'by hand'")
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_longer_wanted")]


def test_a_text_of_a_play_that_was_removed_does_not_leave(shop: Shop) -> None:
    planned(shop)
    shop.rt.plays = {}
    assert shop.dispatch() == 0
    assert shop.states() == ["cancelled"]
    assert shop.enrolments()[0]["exit_reason"] == "play_removed"


def test_the_words_are_written_from_what_is_known_as_they_leave(shop: Shop) -> None:
    planned(shop)
    shop.tell("identified", traits={"first_name": "Ann"})
    shop.dispatch()
    assert shop.carrier.sent[0].text == "Corner Shop: Ann, your cart waits"


def test_a_text_with_a_hole_is_not_sent(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(texts={"cart": "Hello {{ contact.first_name }}"})
    shop.consent()
    shop.tell("cart_updated", traits={"first_name": "Ann"})
    shop.tick(HOUR)
    shop.walk()
    with shop.store.write() as tx:
        tx.run("UPDATE contacts SET traits = '{}'")
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "value_missing")]


def test_a_sensitive_fact_may_decide_and_never_enters_a_text(
    open_shop: Callable[..., Shop],
) -> None:
    step = Step("reminder", template="cart", where=when("signal.illness == 'flu'"))
    shop = open_shop(
        replace(CART, steps=(step,)),
        texts={"cart": "Get well {{ signal.illness | default('soon') }}"},
    )
    shop.consent()
    shop.tell("cart_updated", facts={"illness": "flu"}, sensitive=frozenset({"illness"}))
    assert shop.go(HOUR) == 1
    assert shop.carrier.sent[0].text == "Get well soon"


def test_links_from_a_browser_leave_only_to_the_operators_own_hosts(
    open_shop: Callable[..., Shop],
) -> None:
    for url, leaves in (
        ("https://corner.example/c", 1),
        ("https://shop.corner.example/c", 1),
        ("https://evil.example/c", 0),
        ("https://corner.example.evil.example/c", 0),
    ):
        shop = open_shop(texts={"cart": "Finish: {{ signal.url }}"})
        shop.consent()
        shop.tell("identified", ANN)
        shop.tell("cart_updated", Subject(user_id="ann"), source="site", facts={"url": url})
        assert shop.go(HOUR) == leaves, url


# -- caps --------------------------------------------------------------------------------------

ONE_A_DAY = Policy("p1", caps=(Cap("one a day", Purpose.marketing, 1, DAY),))


def two_plays(shop: Shop, second: Subject) -> None:
    """Ann's welcome and a second subject's reminder are due in one round."""
    shop.consent()
    shop.consent(phone=OTHER)
    shop.tell("signed_up", ANN)
    shop.tell("cart_updated", second, at=NOW - HOUR)
    shop.walk()
    assert shop.states() == ["planned", "planned"]


def test_of_two_texts_to_one_person_in_one_round_the_second_meets_the_firsts_cap(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(policy=Policy("p1", caps=(Cap("a day", Purpose.marketing, 1, 12 * HOUR),)))
    two_plays(shop, ANN)
    assert shop.dispatch() == 1
    assert sorted(shop.states()) == ["accepted", "planned"]
    assert shop.decisions("send") == [("send", ""), ("wait", "cap_full")]
    assert shop.go(12 * HOUR) == 1


def test_two_people_who_share_a_number_share_its_cap(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(policy=ONE_A_DAY)
    two_plays(shop, Subject(user_id="bob", phone=PHONE))
    assert len(shop.bearers("phone", PHONE)) == 2
    assert shop.dispatch() == 1


def test_one_person_with_two_numbers_has_one_cap(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(policy=ONE_A_DAY)
    two_plays(shop, ANN)
    shop.tell("identified", Subject(user_id="ann", phone=OTHER), at=NOW + MINUTE)
    assert shop.dispatch() == 1
    assert shop.carrier.sent[0].to == OTHER
    shop.tell("identified", Subject(user_id="ann", phone=PHONE), at=NOW + 2 * MINUTE)
    shop.plan_by_hand(PHONE)
    assert shop.dispatch() == 0


def test_strangers_have_caps_of_their_own(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(policy=ONE_A_DAY)
    two_plays(shop, Subject(user_id="bob", phone=OTHER))
    assert shop.dispatch() == 2


@pytest.mark.parametrize("per", [MINUTE, HOUR])
def test_the_gap_holds_also_where_every_cap_is_shorter(
    open_shop: Callable[..., Shop], per: object
) -> None:
    policy = Policy("p1", caps=(Cap("short", Purpose.marketing, 9, per),), gap=4 * HOUR)  # type: ignore[arg-type]
    shop = open_shop(policy=policy)
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1
    shop.tick(2 * HOUR)
    shop.plan_by_hand()
    assert shop.dispatch() == 0
    assert shop.decisions("send")[-1] == ("wait", "minimum_gap")


def test_the_occurrence_has_no_more_texts_than_its_play_allows(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(replace(CART, max_texts_per_key=1))
    planned(shop)
    assert shop.dispatch() == 1
    assert shop.go(DAY) == 0
    assert shop.decisions("plan")[-1] == ("stop", "already_said")


# -- waiting -----------------------------------------------------------------------------------


def test_two_who_prove_to_be_one_person_get_no_more_texts_of_an_occurrence_than_one(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(replace(CART, max_texts_per_key=1))
    shop.consent()
    shop.tell("cart_updated", Subject(user_id="old", phone=PHONE), key="c-1")
    shop.tell("cart_updated", at=NOW + 10 * MINUTE, key="c-1")
    assert shop.go(HOUR) == 1
    shop.tell("alias", Subject(user_id="ann"), type="alias", merges=Subject(user_id="old"))
    assert shop.go(10 * MINUTE) == 0
    assert shop.decisions("plan")[-1] == ("stop", "already_said")


def test_at_night_a_text_waits_and_leaves_in_the_morning(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(hours=open_hours((9 * 60, 17 * 60)))
    shop.consent()
    shop.tell("cart_updated", at=NOW)
    shop.tick(10 * HOUR)  # 22:00 in New York
    shop.walk()
    assert shop.dispatch() == 0
    assert shop.sends()[0]["due_at"].startswith("2026-11-18T14:00")
    assert shop.go(11 * HOUR) == 1


def test_the_provider_is_told_not_to_try_into_the_night(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(hours=open_hours((9 * 60, 13 * 60 + 30)))
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1
    assert shop.carrier.sent[0].valid_for == 90 * MINUTE
    open_all_day = open_shop()
    open_all_day.consent()
    open_all_day.tell("signed_up")
    open_all_day.go()
    assert open_all_day.carrier.sent[0].valid_for == 4 * HOUR


def test_waiting_on_and_on_for_one_reason_is_one_decision(shop: Shop) -> None:
    planned(shop)
    shop.reply("please don't stop", at=shop.clock())
    for _ in range(3):
        assert shop.dispatch() == 0
        shop.tick(15 * MINUTE)
    assert shop.decisions("send") == [("wait", "reply_unread")]
    [kept] = shop.rows("SELECT repeats FROM decided WHERE moment = 'send'")
    assert kept["repeats"] == 2


def test_a_text_held_too_long_is_dropped_and_the_next_step_has_its_turn(shop: Shop) -> None:
    planned(shop)
    shop.reply("please don't stop")
    shop.dispatch()
    shop.tick(DAY)
    assert shop.dispatch() == 0
    [send] = shop.sends()
    assert (send["state"], send["reason"]) == ("expired", "expired")
    [enrolment] = shop.enrolments()
    assert (enrolment["state"], enrolment["step"]) == ("walking", 1)
    assert enrolment["due_at"]


# -- dry ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["shadow", "holdout", "sandbox"])
def test_shadow_holdout_and_what_the_sandbox_opened_walk_every_step_and_send_nothing(
    open_shop: Callable[..., Shop], mode: str
) -> None:
    shop = open_shop(CART, WELCOME, policy=ONE_A_DAY)
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET mode = :mode", mode=mode)
    assert shop.go(HOUR) == 0
    assert shop.go(DAY) == 0
    assert [(row["state"], row["reason"]) for row in shop.sends()] == [
        ("cancelled", f"dry:{mode}")
    ] * 2
    assert shop.decisions("send") == [("send", "")] * 2
    [enrolment] = shop.enrolments()
    assert (enrolment["state"], enrolment["first_text_at"]) == ("done", None)
    shop.tell("signed_up")
    assert shop.go() == 1, "a dry text takes nobody's place in a cap"


def test_a_play_in_shadow_opens_in_shadow_and_stays_so(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(replace(CART, mode=Mode.shadow))
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    shop.rt.plays = {"cart": CART}
    assert shop.go(HOUR) == 0


# -- roads round it ----------------------------------------------------------------------------


def test_a_text_planned_by_hand_passes_the_same_gate(shop: Shop) -> None:
    shop.tell("identified")
    shop.plan_by_hand()
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_consent")]
    shop.consent()
    shop.plan_by_hand()
    assert shop.dispatch() == 1


def test_a_service_text_does_not_pass_on_a_consent_to_marketing(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(ORDER)
    shop.consent("marketing")
    shop.tell("order_completed", facts={"order_id": "o-1"})
    assert shop.go() == 0
    shop.consent("service")
    shop.tell("order_completed", facts={"order_id": "o-2"})
    assert shop.go() == 1


def test_of_several_numbers_the_one_last_confirmed_with_live_consent_is_texted(shop: Shop) -> None:
    shop.tell("identified", Subject(user_id="ann", phone=PHONE))
    shop.tell("identified", Subject(user_id="ann", phone=OTHER), at=NOW + MINUTE)
    shop.consent(phone=PHONE)
    shop.tell("signed_up", Subject(user_id="ann"))
    assert shop.go() == 1
    assert shop.carrier.sent[0].to == PHONE
