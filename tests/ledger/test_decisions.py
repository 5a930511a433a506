"""Decisions are kept with every reason; the same waiting again is a counter, not a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connector.ledger import decisions
from connector.ledger.decisions import About
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.model import Decision, Json, Objection, Verdict

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ABOUT = About("send", "con_1", "cart", "v1", "k", "reminder", "enr_1", "snd_1", "evt_1")
FACTS: dict[str, Json] = {"stage": "lead", "said": []}


@pytest.fixture
def tx(store: SqliteStore) -> Any:
    with store.write() as tx:
        yield tx


def waits(reason: str = "quiet_hours", minutes: int = 60, version: str = "p1") -> Decision:
    until = NOW + minutes * MINUTE
    objection = Objection(reason, Verdict.wait, "It is night.", until)
    return Decision(Verdict.wait, (objection,), until, version)


def add(
    tx: Tx,
    decision: Decision,
    minute: int = 0,
    *,
    about: About = ABOUT,
    facts: dict[str, Json] | None = None,
) -> None:
    at = NOW + minute * MINUTE
    decisions.add(tx, about, decision, facts or FACTS, at, decision_id=f"dec_{minute:03}")


def test_a_decision_keeps_its_reasons_its_rules_and_the_facts_it_saw(tx: Tx) -> None:
    stop = Objection("opted_out", Verdict.stop, "The number has opted out (reply).")
    wait = Objection("cap_full", Verdict.wait, "Full.", NOW + MINUTE)
    add(tx, Decision(Verdict.stop, (stop, wait), None, "p1+h1"))
    [kept] = decisions.of(tx, send_id="snd_1")
    assert (kept["moment"], kept["verdict"], kept["reason"]) == ("send", "stop", "opted_out")
    assert (kept["play"], kept["version"], kept["key"], kept["step"], kept["policy_version"]) == (
        "cart",
        "v1",
        "k",
        "reminder",
        "p1+h1",
    )
    told = orjson.loads(kept["objections"])
    assert [each["reason"] for each in told] == ["opted_out", "cap_full"]
    assert told[1]["until"].startswith("2026-11-17T17:01")
    [facts] = tx.all("SELECT * FROM facts")
    assert facts["hash"] == kept["facts_hash"]
    assert orjson.loads(facts["body"]) == FACTS


def test_facts_are_kept_once_whatever_their_order(tx: Tx) -> None:
    add(tx, waits())
    add(tx, Decision(Verdict.send), 1, facts={"said": [], "stage": "lead"})
    assert len(tx.all("SELECT * FROM facts")) == 1
    add(tx, Decision(Verdict.send), 2, facts={"said": [], "stage": "customer"})
    assert len(tx.all("SELECT * FROM facts")) == 2


def test_the_same_waiting_again_is_one_decision_and_a_counter(tx: Tx) -> None:
    for minute in range(4):
        add(tx, waits(minutes=60 + minute), minute)
    [kept] = decisions.of(tx, send_id="snd_1")
    assert (kept["id"], kept["repeats"]) == ("dec_000", 3)
    assert kept["last_at"].startswith("2026-11-17T17:03")
    assert kept["until_at"].startswith("2026-11-17T18:03")


@pytest.mark.parametrize(
    ("decision", "facts"),
    [
        (waits("cap_full"), FACTS),
        (waits(version="p2"), FACTS),
        (waits(), {"stage": "customer"}),
        (Decision(Verdict.stop), FACTS),
    ],
)
def test_other_reasons_rules_facts_or_verdicts_are_another_decision(
    tx: Tx, decision: Decision, facts: dict[str, Json]
) -> None:
    add(tx, waits())
    add(tx, decision, 1, facts=facts)
    add(tx, waits(), 2)
    assert [row["repeats"] for row in decisions.of(tx, send_id="snd_1")] == [0, 0, 0]


def test_another_text_that_waits_has_a_decision_of_its_own(tx: Tx) -> None:
    add(tx, waits())
    add(tx, waits(), 1, about=About("send", "con_1", send_id="snd_2"))
    add(tx, waits(), 2, about=About("plan", "con_1", send_id="snd_1"))
    assert len(tx.all("SELECT * FROM decisions")) == 3


def test_decisions_are_found_by_text_event_and_enrolment_oldest_first(tx: Tx) -> None:
    add(tx, waits(), 5)
    add(tx, Decision(Verdict.send), 1, about=About("trigger", "con_1", event_id="evt_1"))
    add(tx, Decision(Verdict.send), 3, about=About("plan", "con_1", enrolment_id="enr_1"))
    assert [row["id"] for row in decisions.of(tx, event_id="evt_1")] == ["dec_001", "dec_005"]
    assert [row["id"] for row in decisions.of(tx, enrolment_id="enr_1")] == ["dec_003", "dec_005"]
    assert [row["id"] for row in decisions.of(tx, send_id="snd_1")] == ["dec_005"]
