"""Retention: what is old goes, a little at a time, and what must be provable stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.clock import first_id, new_id, text
from connector.ledger import crm_history, verify
from connector.ledger.chain import ACTS, DECISIONS
from connector.steps import retention
from connector.steps.tidy import tidy
from tests.steps.build import DAY, HOUR, MINUTE, Shop

KEPT = {
    "events": 90 * DAY,
    "signals": 90 * DAY,
    "texts": 90 * DAY,
    "replies": 90 * DAY,
    "clicks": 90 * DAY,
    "unreadable": DAY,
    "receipts": 90 * DAY,
    "decisions": 90 * DAY,
    "touches": 90 * DAY,
    "lookups": 90 * DAY,
    "crm_changes": 90 * DAY,
    "crm_history": 90 * DAY,
}


@pytest.fixture
def aging(shop: Shop) -> Shop:
    """A shop whose ids tell its own time, as those of a real one do."""
    number = iter(range(10**6))
    shop.rt.new_id = lambda kind: f"{first_id(kind, shop.clock())}{next(number):06}"
    shop.rt.retention = KEPT
    return shop


def counts(shop: Shop, *tables: str) -> list[int]:
    return [shop.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables]


def test_an_id_of_an_instant_sorts_before_all_that_are_made_from_then_on() -> None:
    made = new_id("evt")
    at = datetime.fromtimestamp((int(made[4:], 16) >> 32) / 1_000, UTC)
    assert first_id("evt", at) <= made < first_id("evt", at + timedelta(milliseconds=2))


def test_what_is_older_than_it_may_be_goes_and_the_rest_stays(aging: Shop) -> None:
    aging.consent()
    aging.tell("signed_up")
    aging.go()
    aging.reply("thanks", at=aging.clock() + MINUTE)
    before = counts(aging, "signals", "decisions", "consents", "sends", "replies")
    assert min(before) > 0
    tidy(aging.rt)
    assert counts(aging, "signals", "decisions", "consents", "sends", "replies") == before
    aging.tick(91 * DAY)
    tidy(aging.rt)
    assert counts(aging, "signals", "decisions", "facts") == [0, 0, 0]
    assert counts(aging, "consents", "sends", "replies") == before[2:]
    assert [row["text"] for row in aging.sends()] == [""]
    assert aging.rows("SELECT text FROM replies") == [{"text": ""}]


def test_what_a_crm_told_of_its_records_goes_with_its_age(aging: Shop) -> None:
    told = crm_history.Change("desk", "deal", "d1", "stage", "new", "won", aging.clock())
    with aging.store.write() as tx:
        crm_history.keep(tx, told, aging.clock(), change_id=aging.rt.new_id("crh"))
    aging.tick(89 * DAY)
    tidy(aging.rt)
    assert counts(aging, "crm_history") == [1]
    aging.tick(2 * DAY)
    tidy(aging.rt)
    assert counts(aging, "crm_history") == [0]


def test_each_run_that_removed_something_is_an_act_and_the_chains_hold(aging: Shop) -> None:
    aging.consent()
    aging.tell("signed_up")
    aging.go()
    aging.tick(91 * DAY)
    aging.tell("cart_updated")
    aging.go(HOUR)
    assert retention.retain(aging.rt)["decisions"] > 0
    acts = [row["act"] for row in aging.rows("SELECT act FROM acts ORDER BY seq")]
    assert acts == ["cut", "retention"]
    assert verify.walk(aging.store, DECISIONS).finding is None
    assert verify.walk(aging.store, ACTS).finding is None
    assert counts(aging, "decisions")[0] > 0
    aging.tick(HOUR)
    assert retention.retain(aging.rt) == {}
    assert counts(aging, "acts") == [2]


def test_the_start_of_a_way_that_goes_on_is_kept_however_old(aging: Shop) -> None:
    aging.tell("cart_updated")
    with aging.store.write() as tx:
        at = text(aging.clock() + 400 * DAY)
        tx.run("UPDATE enrolments SET due_at = :at", at=at)
    aging.tick(120 * DAY)
    retention.retain(aging.rt)
    assert counts(aging, "signals") == [1]


def test_a_run_is_bounded_and_the_next_goes_on_where_it_ended(
    aging: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for _ in range(7):
        aging.tell("page_viewed")
    aging.tick(91 * DAY)
    assert retention.retain(aging.rt) == {"signals": 4}
    assert retention.retain(aging.rt) == {"signals": 3}
    assert retention.retain(aging.rt) == {}


def test_nothing_is_removed_where_nothing_was_said(aging: Shop) -> None:
    aging.rt.retention = {}
    aging.tell("signed_up")
    aging.tick(4_000 * DAY)
    tidy(aging.rt)
    assert counts(aging, "signals", "acts") == [1, 0]
