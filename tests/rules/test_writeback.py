from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.model import Json, SendState
from connector.rules import activities, writeback
from connector.rules.writeback import Field, Rule

AT = "2026-11-20T12:00:00.000000Z"
LATER = "2026-11-20T12:00:05.000000Z"
SEND: Mapping[str, Any] = {
    "id": "snd_1",
    "cause": "play",
    "play": "cart_abandoned",
    "step": "reminder",
    "mode": "live",
    "state": "accepted",
    "reason": "",
    "error_code": "",
    "text": "Your cart is waiting.",
    "attempt": 1,
    "planned_at": AT,
    "begun_at": AT,
    "accepted_at": LATER,
    "settled_at": None,
}
REPLY = {"id": "rpl_1", "text": "STOP", "label": "opt_out", "occurred_at": AT, "send_id": "snd_1"}
OUTCOME = {
    "id": "out_1",
    "kind": "converted",
    "thing": "order 1001",
    "value_micros": 120_500_000,
    "currency": "USD",
    "occurred_at": AT,
    "send_id": None,
}


def test_a_text_is_one_activity_in_plain_words() -> None:
    [owed] = activities.for_send(SEND)
    assert (owed.kind, owed.key, owed.send_id) == ("activity", "send:snd_1", "snd_1")
    assert owed.change == {
        "kind": "text",
        "subject": "Text: cart_abandoned, reminder",
        "body": "Your cart is waiting.",
        "direction": "outgoing",
        "status": "Sent",
        "occurred_at": LATER,
        "play": "cart_abandoned",
    }


def test_a_text_has_the_same_key_whatever_becomes_of_it() -> None:
    keys = {
        owed.key
        for state in SendState
        for owed in activities.for_send({**SEND, "state": state.value}, known=True)
    }
    assert keys == {"send:snd_1"}


@pytest.mark.parametrize("state", ["planned", "sending", "cancelled", "expired"])
def test_a_text_that_was_held_or_stopped_has_no_activity(state: str) -> None:
    assert activities.for_send({**SEND, "state": state}) == []


@pytest.mark.parametrize("differs", [{"mode": "shadow"}, {"cause": "test"}])
def test_what_was_not_meant_for_the_customer_has_no_activity(differs: dict[str, str]) -> None:
    assert activities.for_send({**SEND, **differs}) == []
    assert not activities.is_shown({**SEND, **differs})


def test_a_text_thought_to_have_left_is_put_right_once_it_has_not() -> None:
    expired = {**SEND, "state": "expired", "reason": "expired"}
    [owed] = activities.for_send(expired, known=True)
    assert owed.change["status"] == "Not sent, its time had passed"
    assert activities.may_be_shown(expired)
    assert not activities.may_be_shown({**expired, "attempt": 0})


@pytest.mark.parametrize(
    ("state", "reason", "code", "words"),
    [
        ("delivered", "", "", "Delivered"),
        ("uncertain", "timeout", "", "Perhaps sent, being looked up"),
        ("refused", "not_mobile", "21614", "Refused: the number cannot receive texts, error 21614"),
        ("undelivered", "unknown", "30003", "Not delivered: error 30003"),
        ("undelivered", "unknown", "", "Not delivered"),
        ("refused", "sender_asleep", "", "Refused: sender asleep"),
    ],
)
def test_a_status_is_told_in_plain_words(state: str, reason: str, code: str, words: str) -> None:
    send = {**SEND, "state": state, "reason": reason, "error_code": code}
    assert activities.status_words(send) == words


def test_every_state_has_plain_words() -> None:
    assert set(activities.STATUS_WORDS) == set(SendState)


@pytest.mark.parametrize(
    ("cause", "subject"),
    [("hand", "Text: sent by hand"), ("system", "Text: our answer to a reply")],
)
def test_a_text_says_what_caused_it(cause: str, subject: str) -> None:
    [owed] = activities.for_send({**SEND, "cause": cause, "play": ""})
    assert owed.change["subject"] == subject


def test_a_refused_text_happened_when_it_was_refused() -> None:
    refused = {**SEND, "state": "refused", "accepted_at": None, "begun_at": None}
    [owed] = activities.for_send({**refused, "settled_at": LATER})
    assert owed.change["occurred_at"] == LATER


def test_a_reply_is_an_activity_that_says_how_it_was_understood() -> None:
    [owed] = activities.for_reply(REPLY)
    assert (owed.key, owed.send_id) == ("reply:rpl_1", "snd_1")
    assert (owed.change["subject"], owed.change["body"]) == ("Reply: asked to stop", "STOP")
    assert owed.change["direction"] == "incoming"
    [plain] = activities.for_reply({**REPLY, "label": "none", "send_id": None})
    assert (plain.change["subject"], plain.send_id) == ("Reply", "")


def test_an_outcome_is_an_activity_with_its_value() -> None:
    [owed] = activities.for_outcome(OUTCOME, "cart_abandoned")
    assert owed.key == "outcome:out_1"
    assert owed.change["subject"] == "Outcome: converted, order 1001, 120.50 USD"
    assert owed.change["body"] == "After the play cart_abandoned."
    [bare] = activities.for_outcome({**OUTCOME, "thing": "", "value_micros": None})
    assert (bare.change["subject"], bare.change["body"]) == ("Outcome: converted", "")


def test_an_activity_is_made_of_named_columns_only_so_that_no_fact_slips_in() -> None:
    hidden = {"facts": "the diagnosis", "sensitive": "diagnosis", "payload": "the diagnosis"}
    [text] = activities.for_send({**SEND, **hidden})
    [reply] = activities.for_reply({**REPLY, **hidden})
    [outcome] = activities.for_outcome({**OUTCOME, **hidden})
    assert "diagnosis" not in str([text, reply, outcome])


def test_a_task_is_keyed_by_enrolment_and_step() -> None:
    [owed] = activities.for_task("enr_1:call", "Call Ann\nabout the cart", AT)
    assert (owed.kind, owed.key) == ("task", "task:enr_1:call")
    assert (owed.change["subject"], owed.change["status"]) == ("Call Ann about the cart", "Open")
    assert activities.for_task("task:enr_1:call", "Call", AT)[0].key == "task:enr_1:call"


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_note_holds_no_control_characters_and_is_bounded(text: str) -> None:
    [owed] = activities.for_reply({**REPLY, "text": text * 30})
    [task] = activities.for_task("enr_1:call", text, AT)
    body, subject = owed.change["body"], task.change["subject"]
    assert len(body) <= activities.BODY_LENGTH
    assert len(subject) <= activities.SUBJECT_LENGTH
    assert not [letter for letter in body if letter < " " and letter not in "\n\t"]
    assert "\n" not in subject


def test_fields_are_grouped_by_what_the_crm_must_do() -> None:
    fields = (
        field("sms_status", "last_text_status"),
        field("sms_last", "last_reply"),
        field("first_text", "last_text", Rule.if_empty),
        field("lifecycle", "stage", Rule.never_clear),
        field("sms_total", "texts_sent", Rule.increment),
    )
    facts = {
        "last_text_status": "Sent",
        "last_reply": None,
        "last_text": "Hi",
        "stage": "lead",
        "texts_sent": 3,
    }
    owed, faults = writeback.summary("con_1", facts, fields)
    assert (owed.kind, owed.key, faults) == ("fields", "fields:con_1", ())
    assert owed.change == {
        "always": {"sms_status": "Sent", "sms_last": None, "lifecycle": "lead"},
        "if_empty": {"first_text": "Hi"},
        "increment": {"sms_total": 3},
    }


@pytest.mark.parametrize("rule", [Rule.if_empty, Rule.never_clear, Rule.increment])
def test_only_always_clears_a_field(rule: Rule) -> None:
    fields = (field("a", "stage", rule),)
    assert writeback.summary("con_1", {"stage": None}, fields)[0].change == {}
    if rule is not Rule.increment:
        assert writeback.summary("con_1", {"stage": ""}, fields)[0].change == {}


def test_no_value_is_not_the_same_as_zero_or_false() -> None:
    fields = (field("a", "n", Rule.never_clear), field("b", "x", Rule.if_empty))
    owed, _ = writeback.summary("con_1", {"n": 0, "x": False}, fields)
    assert owed.change == {"always": {"a": 0}, "if_empty": {"b": False}}


def test_a_field_whose_expression_fails_is_left_alone_and_told() -> None:
    def fails(facts: Mapping[str, Json]) -> Json:
        raise ExpressionFailed("the values do not go together")

    fields = (Field("score", fails), field("stage", "stage"))
    owed, faults = writeback.summary("con_1", {"stage": "lead"}, fields)
    assert owed.change == {"always": {"stage": "lead"}}
    assert faults == ("score: the values do not go together",)


@pytest.mark.parametrize("value", ["3", True, [1]])
def test_only_a_number_can_be_added(value: Json) -> None:
    owed, faults = writeback.summary("con_1", {"n": value}, (field("n", "n", Rule.increment),))
    assert owed.change == {}
    assert faults == ("n: only a number can be added; change its rule or its value",)


def test_without_a_mapping_every_fact_goes_to_a_field_of_its_name() -> None:
    facts = dict.fromkeys(writeback.FACTS, "x")
    owed, _ = writeback.summary("con_1", facts, writeback.standard_fields())
    assert owed.change == {"always": facts}


def test_a_stage_nobody_knows_clears_nothing() -> None:
    owed, _ = writeback.summary("con_1", {"stage": ""}, writeback.standard_fields())
    assert "stage" not in owed.change["always"]


def field(name: str, fact: str, rule: Rule = Rule.always) -> Field:
    return Field(name, lambda facts: facts.get(fact), rule)


@pytest.mark.parametrize(
    ("label", "talking", "hot"),
    [
        ("hold", False, True),
        ("hold", True, True),
        ("none", False, False),
        ("none", True, True),
        ("help", False, False),
        ("help", True, True),
        ("opt_out", True, False),
        ("opt_in", True, False),
        ("wrong_person", True, False),
    ],
)
def test_a_reply_needs_a_person_who_can_still_answer_it(
    label: str, talking: bool, hot: bool
) -> None:
    assert activities.needs_person(label, talking=talking) is hot


def test_the_task_of_a_hot_reply_is_due_now_and_has_its_words() -> None:
    [owed] = activities.for_hot_reply({**REPLY, "label": "hold", "text": "Call me " * 20})
    assert (owed.kind, owed.urgent, owed.key) == ("task", True, f"task:reply:{REPLY['id']}")
    assert owed.change["occurred_at"] == REPLY["occurred_at"]
    assert str(owed.change["body"]).startswith("Call me Call me")
    assert str(owed.change["body"]).endswith("a person should read it")
    assert len(str(owed.change["subject"])) <= len("Reply: ") + activities.SUBJECT_WORDS + 1
