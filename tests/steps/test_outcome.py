"""What comes back: receipts in any order, and replies that must be obeyed at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector import clock
from connector.errors import Uncertain
from connector.ledger import conversations
from connector.messages import Reply
from connector.model import Purpose, Status, Subject
from connector.rules.plays import Start, Step
from connector.rules.policy import Cap, Policy
from connector.steps import outcome
from tests.steps.build import (
    ANN,
    CART,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    ORDER,
    OTHER,
    OURS,
    PHONE,
    SECOND,
    WELCOME,
    Shop,
    open_hours,
    when,
)

OpenShop = Callable[..., Shop]
STRANGER = "+12125550177"


def reminded(shop: Shop) -> None:
    """Ann left her cart at noon and was reminded an hour later."""
    shop.consent()
    shop.tell("cart_updated", key="c-1")
    assert shop.go(HOUR) == 1


def answers(shop: Shop) -> list[tuple[str, str]]:
    """Our own answers that left: to whom, which."""
    shop.dispatch()
    return [
        (row["phone"], row["template"])
        for row in shop.sends()
        if row["cause"] == "system" and row["state"] == "accepted"
    ]


# -- STOP --------------------------------------------------------------------------------------


def test_a_stop_ends_everything_to_the_number_and_is_confirmed_once(shop: Shop) -> None:
    shop.consent("service")
    reminded(shop)
    shop.reply("STOP")
    assert shop.live().stopped == "all"
    assert (shop.number()["blocked_scope"], shop.number()["blocked_by"]) == ("all", "reply")
    assert answers(shop) == [(PHONE, "stop_confirmed")]
    assert shop.carrier.sent[-1].text == "Corner Shop: you get no more texts"
    shop.tell("cart_updated", key="c-2")
    shop.tell("order_completed", facts={"order_id": "o-1"})
    shop.tell("signed_up")
    assert shop.go(2 * DAY) == 0
    assert "planned" not in shop.states()


def test_a_second_stop_is_obeyed_and_not_confirmed(shop: Shop) -> None:
    shop.reply("STOP")
    assert len(answers(shop)) == 1
    shop.tick(MINUTE)
    shop.reply("please stop texting me")
    assert len(answers(shop)) == 1
    assert shop.live().stopped == "all"


def test_a_stop_told_twice_by_the_provider_is_one_stop(shop: Shop) -> None:
    for _ in range(3):
        shop.reply("STOP", reply_id="SMin1")
    assert len(answers(shop)) == 1
    assert [row["repeats"] for row in shop.rows("SELECT repeats FROM replies")] == [2]
    assert len(shop.rows("SELECT * FROM consents")) == 1


def test_a_stop_after_a_start_is_a_stop_again_and_confirmed_again(shop: Shop) -> None:
    shop.consent()
    for text in ("STOP", "START", "STOP"):
        shop.reply(text)
        shop.dispatch()
        shop.tick(MINUTE)
    assert shop.live().stopped == "all"
    assert [template for _, template in answers(shop)] == [
        "stop_confirmed",
        "start_confirmed",
        "stop_confirmed",
    ]


def test_a_stop_counts_from_when_it_was_said_and_lasts_against_any_later_consent(
    shop: Shop,
) -> None:
    shop.reply("STOP", at=NOW - HOUR)
    shop.consent()
    assert shop.live().live == frozenset()
    shop.tell("signed_up")
    assert shop.go() == 0


def test_a_stop_from_one_number_stops_marketing_to_the_persons_other_numbers(shop: Shop) -> None:
    for phone in (PHONE, OTHER):
        shop.consent(phone=phone)
        shop.consent("service", phone=phone)
        shop.tell("identified", Subject(user_id="ann", phone=phone))
    shop.reply("STOP", PHONE)
    assert shop.live(PHONE).live == frozenset()
    assert shop.live(OTHER).live == {"service"}
    assert shop.number(OTHER)["blocked_scope"] == "marketing"
    shop.reply("START", PHONE)
    assert shop.live(PHONE).live == {"marketing", "service"}
    assert shop.live(OTHER).live == {"service"}, "each number returns only by its own START"
    shop.reply("START", OTHER)
    assert shop.live(OTHER).live == {"marketing", "service"}


def test_a_number_that_comes_later_stands_on_its_own_consent(shop: Shop) -> None:
    shop.tell("identified", ANN)
    shop.reply("STOP")
    shop.consent(phone=OTHER)
    shop.tell("signed_up", Subject(user_id="ann", phone=OTHER))
    assert shop.go() == 1 + 1, "our confirmation, and the welcome"
    assert {message.to for message in shop.carrier.sent} == {PHONE, OTHER}


def test_where_the_law_allows_a_stop_may_be_of_marketing_only(open_shop: OpenShop) -> None:
    shop = open_shop(ORDER, CART, policy=Policy("p1", stop_scope="marketing"))
    shop.consent()
    shop.consent("service")
    shop.tell("cart_updated")
    shop.reply("STOP")
    assert len(answers(shop)) == 1
    assert shop.live().live == {"service"}
    shop.tell("order_completed", facts={"order_id": "o-1"})
    assert shop.go(2 * HOUR) == 1
    assert shop.carrier.sent[-1].text == "Corner Shop: thank you for o-1"


def test_a_second_stop_of_marketing_after_a_start_stops_again(open_shop: OpenShop) -> None:
    shop = open_shop(policy=Policy("p1", stop_scope="marketing"))
    shop.consent()
    for text in ("STOP", "START", "STOP"):
        shop.tick(MINUTE)
        shop.reply(text)
    assert shop.live().stopped == "marketing"


def test_a_block_at_the_provider_is_always_everything(open_shop: OpenShop) -> None:
    shop = open_shop(policy=Policy("p1", stop_scope="marketing"))
    shop.consent("service")
    reminded(shop)
    shop.receipt(Status.undelivered, reason="opted_out", error_code="21610")
    assert shop.live().stopped == "all"


# -- START -------------------------------------------------------------------------------------


def test_start_restores_exactly_what_was_live_and_is_confirmed(shop: Shop) -> None:
    shop.consent("marketing")
    shop.consent("cart_reminders")
    shop.reply("STOP")
    shop.dispatch()
    shop.tick(MINUTE)
    shop.consent("service")
    shop.reply("START")
    assert shop.live().live == {"marketing", "cart_reminders"}
    assert shop.number()["blocked_scope"] == ""
    assert answers(shop)[-1] == (PHONE, "start_confirmed")


def test_start_without_a_stop_grants_nothing(shop: Shop) -> None:
    shop.reply("START")
    assert shop.live().live == frozenset()
    assert shop.rows("SELECT * FROM consents") == []


def test_yes_is_no_start(shop: Shop) -> None:
    shop.consent()
    shop.reply("STOP")
    shop.reply("YES")
    assert shop.live().stopped == "all"


# -- HELP --------------------------------------------------------------------------------------


def test_help_is_answered_also_to_a_stranger_and_at_any_hour(open_shop: OpenShop) -> None:
    shop = open_shop(hours=open_hours((9 * 60, 10 * 60)))
    shop.reply("HELP", STRANGER)
    assert answers(shop) == [(STRANGER, "help_answer")]
    assert shop.carrier.sent[0].text == "Corner Shop: write to help@corner.example"
    assert shop.carrier.sent[0].purpose == "system"


def test_a_stop_of_a_stranger_is_obeyed_and_confirmed(shop: Shop) -> None:
    shop.reply("STOP", STRANGER)
    assert answers(shop) == [(STRANGER, "stop_confirmed")]
    assert shop.live(STRANGER).stopped == "all"


def test_help_is_answered_also_to_a_number_that_said_stop(shop: Shop) -> None:
    shop.reply("STOP")
    shop.reply("HELP")
    assert [template for _, template in answers(shop)] == ["stop_confirmed", "help_answer"]


def test_each_call_for_help_is_answered_once(shop: Shop) -> None:
    for _ in range(2):
        shop.reply("HELP", reply_id="SMin1")
    shop.reply("HELP", reply_id="SMin2")
    assert len(answers(shop)) == 2


# -- our answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["STOP", "START", "HELP"])
def test_an_answer_leaves_within_five_minutes_of_the_reply_or_not_at_all(
    shop: Shop, text: str
) -> None:
    if text == "START":  # there must be something to start again
        for number in (OTHER, STRANGER):
            shop.reply("STOP", number, at=NOW - HOUR)
    shop.reply(text, OTHER, at=NOW - 5 * MINUTE)
    assert shop.sends() == []
    shop.reply(text, STRANGER, at=NOW - 5 * MINUTE + SECOND)
    assert len(answers(shop)) == 1


def test_a_start_with_nothing_stopped_is_not_answered(shop: Shop) -> None:
    shop.reply("START")
    assert answers(shop) == []


def test_an_answer_that_was_held_up_too_long_is_not_sent(shop: Shop) -> None:
    shop.reply("HELP")
    shop.tick(5 * MINUTE)
    assert answers(shop) == []
    assert shop.states() == ["expired"]


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_what_the_provider_has_answered_we_do_not_answer_again(shop: Shop, kind: str) -> None:
    shop.reply(kind, opt_out_type=kind)
    assert answers(shop) == []


def test_a_stop_that_only_the_provider_understood_is_obeyed(shop: Shop) -> None:
    shop.consent()
    shop.reply("¡Alto ya, por favor!", opt_out_type="STOP")
    assert shop.live().stopped == "all"


def test_an_answer_goes_to_the_number_that_wrote_and_not_to_the_persons_own(shop: Shop) -> None:
    shop.tell("identified", Subject(user_id="ann", phone=OTHER))
    shop.tell("identified", ANN, at=NOW + MINUTE)
    shop.consent()
    shop.reply("HELP", OTHER)
    assert answers(shop) == [(OTHER, "help_answer")]


def test_our_answers_count_in_no_cap(open_shop: OpenShop) -> None:
    shop = open_shop(policy=Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),), gap=HOUR))
    shop.reply("HELP")
    assert len(answers(shop)) == 1
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1


# -- wrong person ------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["all", "marketing"])
def test_a_wrong_person_ends_all_consent_leaves_the_contact_and_is_not_answered(
    open_shop: OpenShop, scope: str
) -> None:
    shop = open_shop(policy=Policy("p1", stop_scope=scope))
    shop.consent("service")
    reminded(shop)
    shop.reply("you have the wrong number")
    assert shop.live().live == frozenset()
    assert shop.number()["blocked_scope"] == "all"
    assert shop.bearers("phone", PHONE) == set()
    assert answers(shop) == []
    assert shop.go(DAY) == 0
    kept = shop.rows("SELECT act, kind FROM identity_links WHERE act = 'detach'")
    assert kept == [{"act": "detach", "kind": "phone"}]


def test_a_wrong_person_leaves_every_member_of_the_household(shop: Shop) -> None:
    shop.tell("identified", ANN)
    shop.tell("identified", Subject(user_id="bob", phone=PHONE))
    shop.reply("wrong number")
    assert shop.bearers("phone", PHONE) == set()


# -- unclear and ordinary ----------------------------------------------------------------------


def test_an_unclear_reply_holds_marketing_until_a_person_has_read_it(shop: Shop) -> None:
    shop.consent()
    shop.consent("service")
    shop.reply("do not cancel my order please")
    assert shop.number()["held_at"]
    shop.tell("signed_up")
    shop.tell("order_completed", facts={"order_id": "o-1"})
    assert shop.go() == 1
    assert shop.carrier.sent[0].purpose == "service"
    assert answers(shop) == []


def test_an_ordinary_reply_is_kept_as_activity_and_outcome_and_owed_to_the_crm(shop: Shop) -> None:
    reminded(shop)
    shop.tick(MINUTE)
    shop.reply("Is the blue one still there?")
    [reply] = shop.rows("SELECT * FROM replies")
    assert (reply["label"], reply["contact_id"], reply["send_id"]) == (
        "none",
        "con_000001",
        "snd_000001",
    )
    [heard] = shop.rows("SELECT * FROM outcomes")
    assert (heard["kind"], heard["enrolment_id"], heard["send_id"]) == (
        "replied",
        "enr_000001",
        "snd_000001",
    )
    [contact] = shop.rows("SELECT last_activity_at FROM contacts")
    assert contact["last_activity_at"] == heard["occurred_at"]
    keys = {row["key"] for row in shop.rows("SELECT key FROM writebacks")}
    assert f"reply:{reply['id']}" in keys
    assert f"outcome:{heard['id']}" not in keys, "the reply itself says it, once"
    assert answers(shop) == []


def test_a_stop_is_an_opt_out_among_the_outcomes(shop: Shop) -> None:
    reminded(shop)
    shop.reply("STOP")
    assert [row["kind"] for row in shop.rows("SELECT kind FROM outcomes")] == ["opted_out"]


def test_a_reply_belongs_to_whom_the_number_was_texted_for_last(shop: Shop) -> None:
    shop.tell("identified", ANN)
    bob = shop.tell("signed_up", Subject(user_id="bob", phone=PHONE))
    shop.consent()
    assert shop.go() == 1
    shop.reply("hello")
    [reply] = shop.rows("SELECT contact_id FROM replies")
    assert reply["contact_id"] == bob


def test_a_reply_from_a_household_that_was_never_texted_belongs_to_nobody(shop: Shop) -> None:
    shop.tell("identified", ANN)
    shop.tell("identified", Subject(user_id="bob", phone=PHONE))
    shop.reply("hello")
    assert shop.rows("SELECT contact_id FROM replies") == [{"contact_id": None}]


def test_a_reply_without_a_time_is_one_of_now_and_none_is_of_the_future(shop: Shop) -> None:
    for number, at in enumerate((None, NOW + HOUR)):
        told = Reply("carrier", f"SM{number}", PHONE, OURS, "hello", at)
        with shop.store.write() as tx:
            outcome.reply(tx, shop.rt, told, NOW)
    times = {row["occurred_at"] for row in shop.rows("SELECT occurred_at FROM replies")}
    assert times == {"2026-11-17T17:00:00.000000Z"}


def test_the_log_of_a_reply_masks_the_number_and_keeps_the_words_to_itself(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    shop.reply("my secret is blue")
    assert "act=reply" in caplog.text
    assert PHONE not in caplog.text
    assert "blue" not in caplog.text


# -- replies as signals ------------------------------------------------------------------------

ASKING = replace(
    CART, steps=(Step("reminder", template="cart", answers=("1", "Reschedule", "stop by")),)
)
THANKS = replace(
    WELCOME,
    name="thanks",
    start=Start("reply", where=when("signal.answer == '1'")),
    goal=None,
    exits=(),
)
ANY = replace(THANKS, name="any", start=Start("reply"))


def told(shop: Shop) -> list[dict[str, object]]:
    """The facts of every reply's own signal."""
    rows = shop.rows("SELECT * FROM signals WHERE name = 'reply' ORDER BY id")
    return [orjson.loads(row["facts"]) for row in rows]


def kept(shop: Shop) -> list[tuple[str, str, str]]:
    rows = shop.rows("SELECT label, why, answer FROM replies ORDER BY id")
    return [(row["label"], row["why"], row["answer"]) for row in rows]


def test_a_reply_is_a_signal_with_what_was_said_and_to_what(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING, ANY)
    reminded(shop)
    shop.tick(MINUTE)
    shop.reply("Is it still there? www.evil.example\n")
    assert told(shop) == [
        {
            "text": "Is it still there?",
            "label": "none",
            "answer": "",
            "play": "cart",
            "step": "reminder",
        }
    ]
    [row] = shop.rows("SELECT * FROM signals WHERE name = 'reply'")
    assert (row["key"], row["activity"], row["contact_id"]) == ("c-1", 1, "con_000001")
    assert [enrolment["play"] for enrolment in shop.enrolments()] == ["cart", "any"]


def test_a_long_reply_is_cut_in_its_signal_and_kept_whole(shop: Shop) -> None:
    reminded(shop)
    shop.reply("long " * 200)
    [facts] = told(shop)
    assert len(str(facts["text"])) <= 200
    assert len(shop.rows("SELECT text FROM replies")[0]["text"]) == 1_000


def test_a_reply_told_twice_is_one_signal(shop: Shop) -> None:
    reminded(shop)
    for _ in range(3):
        shop.reply("hello", reply_id="SMin1")
    assert len(told(shop)) == 1


def test_a_reply_of_nobody_we_know_is_no_signal(shop: Shop) -> None:
    shop.reply("hello", STRANGER)
    assert told(shop) == []


@pytest.mark.parametrize("text", ["1", " 1. ", "1\ufe0f\u20e3", "①", "1 please"])
def test_an_answer_is_known_and_starts_what_waits_for_it(open_shop: OpenShop, text: str) -> None:
    shop = open_shop(ASKING, THANKS)
    reminded(shop)
    shop.reply(text)
    assert kept(shop) == [("none", "answer", "1")]
    assert told(shop)[0]["answer"] == "1"
    assert [enrolment["play"] for enrolment in shop.enrolments()] == ["cart", "thanks"]


def test_an_answer_is_written_as_the_play_has_it(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.reply("RESCHEDULE!")
    assert kept(shop) == [("none", "answer", "Reschedule")]


def test_an_answer_is_never_held_as_unclear(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.reply("Stop by")
    assert kept(shop) == [("none", "answer", "stop by")]
    assert not shop.number()["held_at"]
    shop.reply("stop by later?")
    assert kept(shop)[1][0] == "hold"
    assert shop.number()["held_at"]


@pytest.mark.parametrize(
    ("text", "label"),
    [("STOP", "opt_out"), ("HELP", "help"), ("START", "opt_in"), ("wrong number", "wrong_person")],
)
def test_a_reserved_word_always_wins(open_shop: OpenShop, text: str, label: str) -> None:
    asking = replace(CART, steps=(Step("reminder", template="cart", answers=(text.lower(),)),))
    shop = open_shop(asking)
    reminded(shop)
    shop.reply(text)
    assert [(row[0], row[2]) for row in kept(shop)] == [(label, "")]


def test_a_providers_stop_wins_over_an_answer(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.reply("1", opt_out_type="STOP")
    assert kept(shop) == [("opt_out", "provider", "")]
    assert shop.live().stopped == "all"


@pytest.mark.parametrize(("after", "answer"), [(7 * DAY - SECOND, "1"), (7 * DAY, "")])
def test_a_text_may_be_answered_for_seven_days(
    open_shop: OpenShop, after: timedelta, answer: str
) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.tick(after)
    shop.reply("1")
    assert kept(shop)[0][2] == answer


def test_only_the_last_text_to_the_number_is_answered(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING, WELCOME)
    reminded(shop)
    shop.tick(MINUTE)
    shop.tell("signed_up")
    assert shop.go() == 1
    shop.tick(MINUTE)
    shop.reply("1")
    assert [(facts["play"], facts["answer"]) for facts in told(shop)] == [("welcome", "")]


def test_our_answer_to_help_does_not_take_the_place_of_the_question(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.reply("HELP")
    assert len(answers(shop)) == 1
    shop.tick(MINUTE)
    shop.reply("1")
    assert [(facts["label"], facts["answer"]) for facts in told(shop)] == [
        ("help", ""),
        ("none", "1"),
    ]
    assert {row["send_id"] for row in shop.rows("SELECT send_id FROM replies")} == {"snd_000001"}


def test_an_answer_is_understood_also_after_its_enrolment_ended(open_shop: OpenShop) -> None:
    shop = open_shop(ASKING)
    reminded(shop)
    shop.tell("order_completed")
    assert shop.enrolments()[0]["state"] in ("ended", "done")
    shop.reply("1")
    assert kept(shop)[0][2] == "1"


@pytest.mark.parametrize("text", ["STOP", "wrong number"])
def test_who_wants_out_ends_what_waits_for_a_reply_and_starts_nothing(
    open_shop: OpenShop, text: str
) -> None:
    ending = replace(CART, exits=("reply",))
    shop = open_shop(ending, ANY)
    reminded(shop)
    shop.reply(text)
    [enrolment] = shop.enrolments()
    assert enrolment["state"] == "ended"
    assert told(shop)[0]["label"] in ("opt_out", "wrong_person")


def test_what_the_wrong_person_does_is_no_activity_of_the_contact(shop: Shop) -> None:
    reminded(shop)
    before = shop.rows("SELECT last_activity_at FROM contacts")
    shop.tick(MINUTE)
    shop.reply("wrong number")
    assert shop.rows("SELECT last_activity_at FROM contacts") == before
    shop.reply("STOP")
    assert shop.rows("SELECT * FROM contacts WHERE last_activity_at IS NULL") == []


@pytest.mark.parametrize("text", ["START", "HELP", "do not cancel my order"])
def test_every_other_reply_is_a_signal_with_its_label(open_shop: OpenShop, text: str) -> None:
    shop = open_shop(CART, ANY)
    reminded(shop)
    shop.reply(text)
    assert told(shop)[0]["label"] in ("opt_in", "help", "hold")
    assert "any" in [enrolment["play"] for enrolment in shop.enrolments()]


# -- conversations -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "moves"), [(HOUR, True), (DAY, True), (DAY + SECOND, False), (-HOUR, False)]
)
def test_a_reply_moves_an_open_conversation_on(shop: Shop, after: timedelta, moves: bool) -> None:
    open_conversation(shop)
    shop.tick(max(after, SECOND))
    shop.reply("and in blue?", at=NOW + after)
    [row] = shop.rows("SELECT last_at FROM conversations")
    assert (row["last_at"] != clock.text(NOW)) is moves


def test_a_reply_opens_no_conversation_and_none_that_was_closed(shop: Shop) -> None:
    shop.reply("hello", OTHER)
    open_conversation(shop, closed_at=clock.text(NOW))
    shop.tick(HOUR)
    shop.reply("hello")
    [row] = shop.rows("SELECT * FROM conversations")
    assert (row["phone"], row["last_at"]) == (PHONE, clock.text(NOW))


def open_conversation(shop: Shop, closed_at: str | None = None) -> None:
    """A person wrote to Ann now."""
    with shop.store.write() as tx:
        tx.run(
            "INSERT INTO conversations VALUES (:phone, :now, :now, :closed, 'eve')",
            phone=PHONE,
            now=clock.text(NOW),
            closed=closed_at,
        )


# -- receipts ----------------------------------------------------------------------------------

STATUSES = st.permutations([Status.accepted, Status.sent, Status.delivered])


@given(STATUSES, st.lists(st.integers(0, 2), max_size=3))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_receipts_out_of_order_and_repeated_end_in_the_last_word(
    open_shop: OpenShop, order: list[Status], again: list[int]
) -> None:
    shop = open_shop()
    reminded(shop)
    for status in (*order, *(order[place] for place in again)):
        shop.receipt(status)
    assert shop.states() == ["delivered"]
    assert len(shop.rows("SELECT * FROM receipts")) == 3
    assert shop.enrolments()[0]["step"] == 1


def test_a_receipt_may_come_before_the_providers_own_answer(shop: Shop) -> None:
    shop.consent()
    shop.carrier.before = lambda message: shop.receipt(Status.delivered, message.send_id)
    shop.tell("cart_updated")
    assert shop.go(HOUR) == 1
    [send] = shop.sends()
    assert (send["state"], send["provider_id"]) == ("delivered", "SM-snd_000001")
    [enrolment] = shop.enrolments()
    assert (enrolment["state"], enrolment["step"]) == ("walking", 1)
    assert enrolment["first_text_at"]


@pytest.mark.parametrize("status", [Status.sent, Status.delivered, Status.undelivered])
def test_a_receipt_tells_what_became_of_a_doubtful_text(shop: Shop, status: Status) -> None:
    shop.consent()
    shop.carrier.answers.append(Uncertain("no answer"))
    shop.tell("cart_updated")
    shop.go(HOUR)
    assert shop.states() == ["uncertain"]
    shop.receipt(status, provider_id="SM77")
    [send] = shop.sends()
    assert (send["state"], send["provider_id"]) == (
        "accepted" if status is Status.sent else status.value,
        "SM77",
    )
    [enrolment] = shop.enrolments()
    assert (enrolment["state"], enrolment["step"]) == ("walking", 1)


def test_a_receipt_finds_its_text_by_the_providers_id_alone(shop: Shop) -> None:
    reminded(shop)
    shop.receipt(Status.delivered, send_id="snd_000001")
    assert shop.states() == ["delivered"]


def test_a_receipt_of_a_text_we_do_not_know_is_kept_and_changes_nothing(shop: Shop) -> None:
    shop.receipt(Status.delivered, "snd_999999")
    assert len(shop.rows("SELECT * FROM receipts")) == 1


def test_a_receipt_may_tell_that_a_number_takes_no_texts(shop: Shop) -> None:
    reminded(shop)
    shop.receipt(Status.undelivered, reason="not_mobile")
    assert shop.number()["type"] == "fixed_line"
    assert shop.go(DAY) == 0
    assert shop.decisions("plan")[-1] == ("stop", "no_mobile")


def test_a_receipt_may_tell_that_a_number_is_none(shop: Shop) -> None:
    reminded(shop)
    shop.receipt(Status.undelivered, reason="invalid_number")
    assert shop.number()["type"] == "invalid"
    assert shop.go(DAY) == 0


def test_a_receipt_is_owed_to_the_crm_as_the_same_activity(shop: Shop) -> None:
    reminded(shop)
    shop.receipt(Status.delivered)
    [row] = shop.rows("SELECT revision FROM writebacks WHERE key = 'send:snd_000001'")
    assert row["revision"] == 2


def test_a_text_whose_reply_came_is_told_apart_from_a_play_that_is_gone(shop: Shop) -> None:
    reminded(shop)
    shop.rt.plays = {"cart": replace(CART, name="other")}
    shop.reply("hello")
    shop.receipt(Status.delivered)
    assert shop.states() == ["delivered"]


@pytest.mark.parametrize(
    ("text", "is_hot"), [("do not cancel my order please", True), ("Thanks!", False)]
)
def test_a_reply_that_needs_a_person_is_a_task_at_once(shop: Shop, text: str, is_hot: bool) -> None:
    reminded(shop)
    shop.tick(MINUTE)
    shop.reply(text)
    [reply] = shop.rows("SELECT * FROM replies")
    assert (reply["label"] == "hold") == is_hot
    tasks = shop.rows("SELECT key, waits FROM writebacks WHERE kind = 'task'")
    wanted = [(f"task:reply:{reply['id']}", 0)] if is_hot else []
    assert [(row["key"], row["waits"]) for row in tasks] == wanted


def test_a_reply_into_an_open_conversation_is_a_task_at_once(shop: Shop) -> None:
    reminded(shop)
    with shop.store.write() as tx:
        conversations.open_(tx, PHONE, "ann", NOW)
    shop.tick(MINUTE)
    shop.reply("Thanks!")
    assert len(shop.rows("SELECT * FROM writebacks WHERE kind = 'task'")) == 1
    shop.reply("STOP")
    assert len(shop.rows("SELECT * FROM writebacks WHERE kind = 'task'")) == 1, "nothing to answer"
