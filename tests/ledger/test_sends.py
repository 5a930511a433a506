"""A text's way from plan to last receipt, what counts in caps, and what no late word changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger import doubts, frequency, sends, statuses
from connector.ledger.sends import Plan
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Receipt
from connector.model import Purpose, Status

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PHONE, OTHER = "+12125550101", "+12125550102"
PLAN = Plan(
    id="snd_1",
    cause="play",
    cause_id="enr_1",
    step="reminder",
    contact_id="con_1",
    phone=PHONE,
    purpose="marketing",
    template="cart",
    due_at=NOW,
    expires_at=NOW + DAY,
    enrolment_id="enr_1",
    play="cart",
    key="k",
)


@pytest.fixture
def tx(store: SqliteStore) -> Any:
    with store.write() as tx:
        yield tx


def plan(tx: Tx, number: int = 1, **changes: Any) -> str:
    made = replace(PLAN, **{"id": f"snd_{number}", "cause_id": f"enr_{number}", **changes})
    assert sends.plan(tx, made, NOW)
    return made.id


def begin(tx: Tx, send_id: str = "snd_1", at: datetime = NOW, phone: str = PHONE) -> bool:
    return sends.begin(
        tx,
        send_id,
        text="Hello",
        language="en",
        encoding="GSM-7",
        segments=1,
        provider="twilio",
        phone=phone,
        at=at,
    )


def row(tx: Tx, send_id: str = "snd_1") -> Row:
    found = sends.get(tx, send_id)
    assert found is not None
    return found


def state(tx: Tx, send_id: str = "snd_1") -> str:
    return str(row(tx, send_id)["state"])


def counts(tx: Tx) -> int:
    to_person, to_number = frequency.said(tx, "con_1", PHONE, NOW - DAY)
    assert len(to_person) == len(to_number)
    return len(to_person)


def receipt(status: Status, **changes: Any) -> Receipt:
    return replace(Receipt("twilio", "SM1", status, status.value), **changes)


# -- planning ----------------------------------------------------------------------------------


def test_a_step_plans_one_text_however_often_it_is_taken(tx: Tx) -> None:
    plan(tx)
    assert not sends.plan(tx, replace(PLAN, id="snd_2", cause_id="enr_1"), NOW)
    assert sends.plan(tx, replace(PLAN, id="snd_3", step="second"), NOW)


def test_what_is_due_comes_most_overdue_first(tx: Tx) -> None:
    plan(tx, 1, due_at=NOW)
    plan(tx, 2, due_at=NOW - MINUTE)
    plan(tx, 3, due_at=NOW + MINUTE)
    assert [each["id"] for each in sends.due(tx, NOW, 9)] == ["snd_2", "snd_1"]
    assert [each["id"] for each in sends.due(tx, NOW, 1)] == ["snd_2"]
    assert sends.due(tx, NOW, 0) == []
    assert sends.next_due(tx) == NOW - MINUTE


def test_our_own_answers_go_first_then_service_and_then_the_plays_of_higher_priority(
    tx: Tx,
) -> None:
    plan(tx, 1, due_at=NOW - 4 * MINUTE)
    plan(tx, 2, due_at=NOW - 3 * MINUTE, priority=5)
    plan(tx, 3, due_at=NOW - MINUTE, purpose="service")
    plan(tx, 4, due_at=NOW, cause="system", purpose="system")
    order = ["snd_4", "snd_3", "snd_2", "snd_1"]
    assert [[each["id"] for each in sends.due(tx, NOW, most)] for most in (9, 2, 1)] == [
        order,
        order[:2],
        order[:1],
    ]


def test_a_text_that_waits_is_due_again_then(tx: Tx) -> None:
    plan(tx)
    sends.wait(tx, "snd_1", NOW + MINUTE, "quiet_hours")
    assert (row(tx)["reason"], sends.due(tx, NOW, 9)) == ("quiet_hours", [])
    assert sends.next_due(tx) == NOW + MINUTE


def test_only_what_has_not_left_can_be_closed(tx: Tx) -> None:
    plan(tx)
    assert sends.close(tx, "snd_1", "cancelled", "opted_out", NOW)
    assert (state(tx), row(tx)["reason"]) == ("cancelled", "opted_out")
    assert not sends.close(tx, "snd_1", "expired", "", NOW)
    assert not begin(tx)
    assert sends.next_due(tx) is None


def test_ending_an_enrolment_cancels_what_it_still_plans(tx: Tx) -> None:
    plan(tx, 1, enrolment_id="enr_1")
    plan(tx, 2, enrolment_id="enr_1", step="b")
    plan(tx, 3, enrolment_id="enr_3")
    begin(tx, "snd_2")
    assert sends.cancel_planned(tx, "enr_1", "goal", NOW) == 1
    assert [state(tx, f"snd_{n}") for n in (1, 2, 3)] == ["cancelled", "sending", "planned"]


# -- answers -----------------------------------------------------------------------------------


def test_a_text_begins_once_and_counts_from_then_on(tx: Tx) -> None:
    plan(tx)
    assert counts(tx) == 0
    assert begin(tx)
    assert not begin(tx)
    assert (state(tx), row(tx)["attempt"], counts(tx)) == ("sending", 1, 1)


def test_an_accepted_text_counts_from_when_it_was_accepted(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1", 2, 7_900, "USD"), NOW + MINUTE)
    kept = row(tx)
    assert (kept["state"], kept["provider_id"], kept["segments"], kept["cost_micros"]) == (
        "accepted",
        "SM1",
        2,
        7900,
    )
    assert kept["counts_at"] == kept["accepted_at"]


def test_a_deferred_text_is_planned_again_and_counts_for_nothing(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.deferred(tx, "snd_1", "unavailable", "503", NOW + MINUTE)
    assert (state(tx), row(tx)["reason"], counts(tx)) == ("planned", "unavailable", 0)
    assert begin(tx)
    assert row(tx)["attempt"] == 2


def test_a_refused_text_counts_for_nothing_and_is_over(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.refused(tx, "snd_1", "blocked", "30007", NOW)
    assert (state(tx), row(tx)["error_code"], counts(tx)) == ("refused", "30007", 0)
    assert not begin(tx)


def test_a_doubtful_text_counts_as_sent_and_is_not_due(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.doubted(tx, "snd_1", "timeout", "")
    assert (state(tx), counts(tx)) == ("uncertain", 1)
    assert sends.due(tx, NOW + 9 * DAY, 9) == []
    assert not begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1"), NOW + MINUTE)
    assert (state(tx), counts(tx)) == ("accepted", 1)


@pytest.mark.parametrize("late", ["deferred", "refused", "doubted"])
def test_an_answer_that_comes_after_the_receipt_changes_nothing(tx: Tx, late: str) -> None:
    plan(tx)
    begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1"), NOW)
    statuses.told(tx, "snd_1", receipt(Status.delivered), NOW)
    if late == "deferred":
        sends.deferred(tx, "snd_1", "x", "", NOW)
    elif late == "refused":
        sends.refused(tx, "snd_1", "x", "", NOW)
    else:
        sends.doubted(tx, "snd_1", "x", "")
    assert (state(tx), counts(tx)) == ("delivered", 1)


def test_being_accepted_twice_changes_neither_when_nor_what_became_of_it(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1"), NOW)
    statuses.told(tx, "snd_1", receipt(Status.delivered), NOW)
    before = row(tx)["accepted_at"]
    sends.accepted(tx, "snd_1", Accepted("SM1", 2), NOW + MINUTE)
    assert (state(tx), row(tx)["accepted_at"], row(tx)["segments"]) == ("delivered", before, 2)


# -- caps --------------------------------------------------------------------------------------


def test_caps_see_the_persons_texts_and_the_numbers_apart(tx: Tx) -> None:
    for number, changes in enumerate(
        (
            {},
            {"phone": OTHER},
            {"contact_id": "con_2"},
            {"contact_id": "con_2", "phone": OTHER},
        ),
        1,
    ):
        begin(tx, plan(tx, number, **changes), phone=changes.get("phone", PHONE))
    to_person, to_number = frequency.said(tx, "con_1", PHONE, NOW - DAY)
    assert (len(to_person), len(to_number)) == (2, 2)
    assert frequency.said(tx, "con_1", "", NOW - DAY)[1] == ()


def test_caps_see_service_and_hand_sends_but_no_answers_of_ours_and_no_tests(tx: Tx) -> None:
    for number, (cause, purpose) in enumerate(
        (("play", "service"), ("hand", "marketing"), ("system", "system"), ("test", "marketing")), 1
    ):
        begin(tx, plan(tx, number, cause=cause, purpose=purpose))
    to_person, _ = frequency.said(tx, "con_1", PHONE, NOW - DAY)
    assert {each.purpose for each in to_person} == {Purpose.service, Purpose.marketing}
    assert len(to_person) == 2


def test_caps_look_back_as_far_as_they_are_asked_newest_first(tx: Tx) -> None:
    for number, minutes in ((1, 0), (2, -5), (3, -10)):
        begin(tx, plan(tx, number), NOW + minutes * MINUTE)
    to_person, _ = frequency.said(tx, "con_1", PHONE, NOW - 10 * MINUTE)
    assert [each.at for each in to_person] == [NOW, NOW - 5 * MINUTE]


def test_texts_of_an_occurrence_are_counted_but_for_the_one_that_asks(tx: Tx) -> None:
    for number in (1, 2, 3):
        plan(tx, number, play="cart", key="c-1")
    begin(tx, "snd_1")
    begin(tx, "snd_2")
    assert frequency.for_key(tx, "con_1", "cart", "c-1") == 2
    assert frequency.for_key(tx, "con_1", "cart", "c-1", but="snd_2") == 1
    assert frequency.for_key(tx, "con_1", "cart", "c-2") == 0
    assert frequency.for_key(tx, "con_1", "welcome", "c-1") == 0
    assert frequency.for_key(tx, "con_2", "cart", "c-1") == 0


# -- receipts ----------------------------------------------------------------------------------


def test_a_receipt_with_an_error_says_why(tx: Tx) -> None:
    plan(tx)
    begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1"), NOW)
    failed = receipt(Status.undelivered, error_code="30003", reason="unavailable", cost_micros=5)
    assert statuses.told(tx, "snd_1", failed, NOW)
    kept = row(tx)
    assert (kept["state"], kept["reason"], kept["error_code"], kept["cost_micros"]) == (
        "undelivered",
        "unavailable",
        "30003",
        5,
    )
    assert kept["settled_at"]
    assert counts(tx) == 1, "it left, and so it counts"


def test_a_receipt_for_no_text_of_ours_changes_nothing(tx: Tx) -> None:
    assert not statuses.told(tx, "snd_9", receipt(Status.delivered), NOW)


ORDERS = st.permutations([Status.accepted, Status.sent, Status.delivered, Status.unknown])


@given(ORDERS, st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_receipts_in_any_order_and_repeated_end_the_same(
    shared: SqliteStore, order: list[Status], again: int, known: bool
) -> None:
    with shared.write() as tx:
        tx.run("DELETE FROM sends")
        plan(tx)
        begin(tx)
        if known:
            sends.accepted(tx, "snd_1", Accepted("SM1"), NOW)
        for status in (*order, order[again]):
            statuses.told(tx, "snd_1", receipt(status), NOW)
        assert (state(tx), row(tx)["status"], row(tx)["status_rank"]) == (
            "delivered",
            "delivered",
            4,
        )


@pytest.mark.parametrize("first", [Status.delivered, Status.undelivered, Status.failed])
def test_of_two_final_words_the_first_stands(tx: Tx, first: Status) -> None:
    plan(tx)
    begin(tx)
    sends.accepted(tx, "snd_1", Accepted("SM1"), NOW)
    statuses.told(tx, "snd_1", receipt(first), NOW)
    before = state(tx)
    for status in (Status.delivered, Status.failed, Status.canceled):
        assert not statuses.told(tx, "snd_1", receipt(status), NOW)
    assert state(tx) == before


# -- texts of our own --------------------------------------------------------------------------


def test_a_planned_text_of_our_own_is_cancelled_unless_it_perhaps_went_already(tx: Tx) -> None:
    for number in (1, 2):
        plan(tx, number, cause="system", step="double_opt_in")
    begin(tx, "snd_2")
    sends.doubted(tx, "snd_2", "timeout", "")
    doubts.repeat(tx, "snd_2", NOW)
    assert sends.cancel_own(tx, PHONE, "double_opt_in", "closed", NOW) == 1
    assert [state(tx, name) for name in ("snd_1", "snd_2")] == ["cancelled", "planned"]


# -- a death -----------------------------------------------------------------------------------


def test_texts_begun_before_a_death_are_found(tx: Tx) -> None:
    for number in (1, 2, 3):
        begin(tx, plan(tx, number), NOW - MINUTE)
    sends.accepted(tx, "snd_2", Accepted("SM1"), NOW)
    sends.doubted(tx, "snd_3", "timeout", "")
    assert [each["id"] for each in sends.lost(tx)] == ["snd_1"]
