"""Receipts, replies and outcomes are each kept once, by keys of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.ledger import outcomes, sends
from connector.ledger.outcomes import Heard
from connector.ledger.sends import Plan
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Status

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "+12125550101"
RECEIPT = Receipt("twilio", "SM1", Status.delivered, "delivered", stamp="t1")
REPLY = Reply("twilio", "SM9", PHONE, "+18005550100", "hello", NOW)


@pytest.fixture
def tx(store: SqliteStore) -> Any:
    with store.write() as tx:
        yield tx


def text(tx: Tx, number: int, at: datetime, provider: str = "twilio") -> None:
    plan = Plan(
        id=f"snd_{number}",
        cause="play",
        cause_id=f"enr_{number}",
        step="s",
        contact_id=f"con_{number}",
        phone=PHONE,
        purpose="marketing",
        template="t",
        due_at=at,
        expires_at=at + timedelta(days=1),
    )
    sends.plan(tx, plan, at)
    sends.begin(
        tx,
        plan.id,
        text="t",
        language="en",
        encoding="GSM-7",
        segments=1,
        provider=provider,
        phone=PHONE,
        at=at,
    )
    sends.accepted(tx, plan.id, Accepted(f"SM{number}"), at)


def add_receipt(tx: Tx, receipt: Receipt, receipt_id: str) -> bool:
    return outcomes.add_receipt(tx, receipt, "snd_1", NOW, receipt_id=receipt_id)


def test_a_receipt_is_known_by_its_status_its_error_and_the_providers_time(tx: Tx) -> None:
    assert add_receipt(tx, RECEIPT, "a")
    assert not add_receipt(tx, RECEIPT, "b")
    assert not add_receipt(tx, RECEIPT, "c")
    for number, changed in enumerate(
        (
            replace(RECEIPT, stamp="t2"),
            replace(RECEIPT, raw_status="sent"),
            replace(RECEIPT, error_code="30003"),
            replace(RECEIPT, provider_id="SM2"),
            replace(RECEIPT, provider="telnyx"),
        )
    ):
        assert add_receipt(tx, changed, f"d{number}")
    [first] = tx.all("SELECT repeats FROM receipts WHERE id = 'a'")
    assert first["repeats"] == 2


def test_a_receipt_finds_its_text_by_our_reference_or_the_providers_id(tx: Tx) -> None:
    text(tx, 1, NOW)
    text(tx, 2, NOW, provider="telnyx")
    assert outcomes.send_of(tx, replace(RECEIPT, send_id="snd_7")) == "snd_7"
    assert outcomes.send_of(tx, RECEIPT) == "snd_1"
    assert outcomes.send_of(tx, replace(RECEIPT, provider_id="SM2")) == "", "another provider's id"


def test_a_reply_is_kept_once_and_bounded(tx: Tx) -> None:
    def add(reply: Reply, reply_id: str) -> bool:
        return outcomes.add_reply(
            tx,
            reply,
            reply_id=reply_id,
            label="none",
            why="nothing",
            contact_id="",
            send_id="",
            occurred_at=NOW,
            now=NOW,
        )

    assert add(replace(REPLY, text="x" * 5_000), "a")
    assert not add(REPLY, "b")
    assert add(replace(REPLY, provider_id="SM8"), "c")
    [kept] = tx.all("SELECT * FROM replies WHERE id = 'a'")
    assert (len(kept["text"]), kept["repeats"], kept["contact_id"]) == (1600, 1, None)


def test_a_reply_belongs_to_the_last_text_before_it(tx: Tx) -> None:
    text(tx, 1, NOW - 2 * MINUTE)
    text(tx, 2, NOW - MINUTE)
    text(tx, 3, NOW + MINUTE)
    last = outcomes.last_to(tx, PHONE, NOW)
    assert last is not None
    assert (last["id"], last["contact_id"]) == ("snd_2", "con_2")
    assert outcomes.last_to(tx, PHONE, NOW - 3 * MINUTE) is None
    assert outcomes.last_to(tx, "+12125550199", NOW) is None


def test_an_outcome_is_kept_once_by_its_cause(tx: Tx) -> None:
    heard = Heard("out_1", "goal:enr_1", "con_1", "goal_reached", NOW, "order-7", 1_500_000, "EUR")
    assert outcomes.add(tx, heard, NOW + MINUTE)
    assert not outcomes.add(tx, replace(heard, id="out_2"), NOW)
    kept = outcomes.get(tx, "out_1")
    assert (kept["thing"], kept["value_micros"], kept["currency"], kept["enrolment_id"]) == (
        "order-7",
        1_500_000,
        "EUR",
        None,
    )
    assert kept["heard_at"] > kept["occurred_at"]
    with pytest.raises(LookupError, match="out_2"):
        outcomes.get(tx, "out_2")
