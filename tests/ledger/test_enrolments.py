"""Enrolments: once per occurrence, due in order, and what may still change in which state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.ledger import enrolments, events
from connector.ledger.enrolments import Opening
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.model import Event, Signal, Subject

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPENING = Opening("enr_1", "cart", "v1", "con_1", "k", "sig_1", "live", NOW, NOW, NOW)


@pytest.fixture
def tx(store: SqliteStore) -> Any:
    with store.write() as tx:
        yield tx


def enrol(tx: Tx, **changes: Any) -> bool:
    return enrolments.open_(tx, replace(OPENING, **changes), NOW)


def row(tx: Tx, enrolment_id: str = "enr_1") -> Row:
    found = enrolments.get(tx, enrolment_id)
    assert found is not None
    return found


def test_one_occurrence_opens_once(tx: Tx) -> None:
    assert enrol(tx)
    assert not enrol(tx, id="enr_2")
    assert enrol(tx, id="enr_3", key="other")
    assert enrol(tx, id="enr_4", play="welcome")
    assert enrol(tx, id="enr_5", contact_id="con_2")
    found = enrolments.by_key(tx, "cart", "con_1", "k")
    assert found is not None
    assert found["id"] == "enr_1"


def test_what_is_due_comes_most_overdue_first_with_its_signal_and_source(tx: Tx) -> None:
    event = Event("evt_1", "shop", "m", "webhook", "x", NOW, NOW, {})
    events.record(tx, event)
    signal = Signal(
        "cart_updated", Subject(), {"value": 1, "s": 2}, {}, key="k", sensitive=frozenset("s")
    )
    events.add_signal(tx, signal, event, "con_1", "sig_1")
    enrol(tx)
    enrol(tx, id="enr_2", key="b", due_at=NOW - MINUTE)
    enrol(tx, id="enr_3", key="c", due_at=NOW + MINUTE)
    due = enrolments.due(tx, NOW, 10)
    assert [each["id"] for each in due] == ["enr_2", "enr_1"]
    assert [each["id"] for each in enrolments.due(tx, NOW, 1)] == ["enr_2"]
    first = due[1]
    assert (first["signal_name"], first["event_id"], first["source"], first["sensitive"]) == (
        "cart_updated",
        "evt_1",
        "shop",
        "s",
    )
    assert enrolments.next_due(tx) == NOW - MINUTE


def test_an_enrolment_outlives_its_signal_and_event(tx: Tx) -> None:
    enrol(tx)
    assert (row(tx)["signal_facts"], row(tx)["source"]) == (None, None)
    assert enrolments.next_due(tx) == NOW
    enrolments.end(tx, "enr_1", "exit", NOW)
    assert enrolments.next_due(tx) is None


def test_only_a_waiting_enrolment_is_rearmed(tx: Tx) -> None:
    enrol(tx)
    assert enrolments.rearm(tx, "enr_1", "sig_2", NOW + 9 * MINUTE, NOW + MINUTE)
    assert (row(tx)["signal_id"], row(tx)["state"]) == ("sig_2", "waiting")
    assert row(tx)["due_at"] > row(tx)["triggered_at"]
    enrolments.to_step(tx, "enr_1", 0, None)
    assert not enrolments.rearm(tx, "enr_1", "sig_3", NOW, NOW)


def test_a_step_without_a_due_instant_waits_for_its_text(tx: Tx) -> None:
    enrol(tx)
    enrolments.to_step(tx, "enr_1", 0, None)
    assert (row(tx)["state"], row(tx)["due_at"]) == ("walking", None)
    assert enrolments.due(tx, NOW + 999 * MINUTE, 9) == []
    enrolments.to_step(tx, "enr_1", 1, NOW + MINUTE)
    assert (row(tx)["step"], len(enrolments.due(tx, NOW + MINUTE, 9))) == (1, 1)


def test_an_ended_enrolment_stays_as_it_ended(tx: Tx) -> None:
    enrol(tx)
    assert enrolments.end(tx, "enr_1", "unless:order_completed", NOW)
    assert not enrolments.end(tx, "enr_1", "exit:other", NOW)
    enrolments.to_step(tx, "enr_1", 1, NOW)
    enrolments.done(tx, "enr_1")
    kept = row(tx)
    assert (kept["state"], kept["exit_reason"], kept["due_at"]) == (
        "ended",
        "unless:order_completed",
        None,
    )


def test_the_first_text_and_the_goal_are_noted_once(tx: Tx) -> None:
    enrol(tx)
    enrolments.first_text(tx, "enr_1", NOW, NOW + 9 * MINUTE)
    enrolments.first_text(tx, "enr_1", NOW + MINUTE, NOW + 99 * MINUTE)
    assert row(tx)["first_text_at"].startswith("2026-11-17T17:00")
    assert row(tx)["goal_until"].startswith("2026-11-17T17:09")
    assert enrolments.goal(tx, "enr_1", NOW + MINUTE, "evt_2", "converted")
    assert not enrolments.goal(tx, "enr_1", NOW + 2 * MINUTE, "evt_3", "goal_before_text")
    assert (row(tx)["goal_event_id"], row(tx)["goal_kind"]) == ("evt_2", "converted")


def test_a_signal_concerns_what_goes_on_and_what_is_done_within_its_goal(tx: Tx) -> None:
    for name in "abcde":
        enrol(tx, id=f"enr_{name}", key=name)
    enrolments.to_step(tx, "enr_b", 0, None)
    for name in "cd":
        enrolments.first_text(tx, f"enr_{name}", NOW, NOW + (10 if name == "c" else 1) * MINUTE)
        enrolments.done(tx, f"enr_{name}")
    enrolments.end(tx, "enr_e", "exit", NOW)
    going = {each["id"] for each in enrolments.going(tx, "con_1", NOW + 5 * MINUTE)}
    assert going == {"enr_a", "enr_b", "enr_c"}
    assert enrolments.going(tx, "con_2", NOW) == []


def test_the_latest_is_the_one_that_was_triggered_last(tx: Tx) -> None:
    enrol(tx, key="a", triggered_at=NOW)
    enrol(tx, id="enr_2", key="b", triggered_at=NOW - MINUTE)
    latest = enrolments.latest(tx, "cart", "con_1")
    assert latest is not None
    assert latest["id"] == "enr_1"
    assert enrolments.latest(tx, "welcome", "con_1") is None
