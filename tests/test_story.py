"""The story of the README, told by a real connector over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.running import SITE_KEY, Running, folder, free_port

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
PHONE = "+12125550123"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Running]:
    """A shop's connector on which it is noon in New York."""
    port = free_port()
    path = folder(tmp_path / "shop", port)
    running = Running(path, port)
    running.set_clock(NOON)
    with running:
        yield running


def ann_signs_in(shop: Running, phone: str = PHONE, **traits: object) -> None:
    """The shop's server tells who Ann is, and that she agreed to texts about her cart."""
    consents = {"sms_consent": True, "cart_reminders_consent": True}
    known = {"phone": phone, "firstName": "Ann", **consents, **traits}
    assert shop.post("/v1/identify", {"userId": "ann", "traits": known}) == 200


def ann_fills_a_cart(shop: Running, cart: str = "cart-7") -> None:
    """Her browser tells that she put a mug into her cart."""
    body = {
        "userId": "ann",
        "anonymousId": "a-1",
        "event": "Product Added",
        "messageId": f"added-{cart}",
        "properties": {"cart_id": cart, "value": 42.5, "currency": "USD", "name": "Mug"},
    }
    assert shop.post("/v1/track", body, SITE_KEY) == 200


def ann_orders(shop: Running, order: str = "1001") -> None:
    """The shop's server tells that she ordered."""
    properties = {"order_id": order, "cart_id": "cart-7", "total": 42.5, "currency": "USD"}
    body = {"userId": "ann", "event": "Order Completed", "properties": properties}
    assert shop.post("/v1/track", {**body, "messageId": f"order-{order}"}) == 200


def sent(shop: Running, play: str) -> list[dict[str, object]]:
    """Texts of a play that a provider took."""
    sql = "SELECT * FROM sends WHERE play = ? AND accepted_at IS NOT NULL"
    return shop.rows(sql, play)


def waits_in(shop: Running, play: str) -> bool:
    """Whether Ann waits in a play."""
    return bool(shop.rows("SELECT 1 FROM enrolments WHERE play = ? AND state = 'waiting'", play))


def test_an_abandoned_cart_becomes_one_text_an_hour_later_and_the_crm_knows(shop: Running) -> None:
    ann_signs_in(shop)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    assert not shop.outbox()

    shop.set_clock(NOON + timedelta(minutes=61))

    [text] = shop.until(lambda: sent(shop, "cart_abandoned"))
    [handed] = shop.outbox()
    assert handed["to"] == PHONE
    assert handed["text"] == text["text"]
    assert "Corner Shop" in str(text["text"])
    shop.until(lambda: shop.one("SELECT 1 FROM sends WHERE state = 'delivered'"))
    shop.until(lambda: shop.one("SELECT 1 FROM local_activities WHERE status = 'Delivered'"))
    decided = shop.rows("SELECT moment, verdict FROM decisions ORDER BY id")
    assert [row["moment"] for row in decided] == ["trigger", "plan", "send"]
    assert {row["verdict"] for row in decided} == {"send"}


def test_an_order_before_the_hour_is_over_means_no_text(shop: Running) -> None:
    ann_signs_in(shop)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(minutes=10))
    ann_orders(shop)
    ended = "SELECT exit_reason FROM enrolments WHERE play = 'cart_abandoned' AND state = 'ended'"
    reason = shop.until(lambda: shop.one(ended))
    assert reason in ("goal_before_text", "unless:order_completed")
    shop.set_clock(NOON + timedelta(hours=2))
    assert not sent(shop, "cart_abandoned")


def test_an_order_after_the_text_is_a_conversion_and_cancels_the_follow_up(shop: Running) -> None:
    ann_signs_in(shop)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(minutes=61))
    shop.until(lambda: sent(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(hours=2))
    ann_orders(shop)
    goal = "SELECT goal_kind FROM enrolments WHERE play = 'cart_abandoned' AND goal_at IS NOT NULL"
    assert shop.until(lambda: shop.one(goal)) == "converted"
    shop.set_clock(NOON + timedelta(hours=49))
    shop.until(lambda: not shop.rows("SELECT 1 FROM enrolments WHERE due_at IS NOT NULL"))
    assert not shop.rows("SELECT 1 FROM local_activities WHERE kind = 'task'")


def test_stop_is_honoured_confirmed_once_and_nothing_follows(shop: Running) -> None:
    shop.stop()
    config = (shop.path / "config.toml").read_text()
    script = '[[providers.sandbox.script]]\ncontains = "cart"\nreply = "STOP"\nafter = "0s"\n'
    (shop.path / "config.toml").write_text(config + "\n" + script)
    shop.start()
    ann_signs_in(shop)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(minutes=61))
    shop.until(lambda: shop.one("SELECT 1 FROM replies WHERE label = 'opt_out'"))
    confirmed = "SELECT state FROM sends WHERE cause = 'system' AND accepted_at IS NOT NULL"
    shop.until(lambda: shop.one(confirmed))
    assert len(shop.rows("SELECT 1 FROM sends WHERE cause = 'system'")) == 1

    ann_fills_a_cart(shop, "cart-8")
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(hours=30))
    stopped = "SELECT reason FROM decisions WHERE moment = 'plan' AND verdict = 'stop'"
    assert shop.until(lambda: shop.one(stopped)) == "opted_out"
    assert len(shop.outbox()) == 2
    opted_out = "SELECT 1 FROM local_records WHERE fields LIKE '%\"opted_out\":true%'"
    shop.until(lambda: shop.one(opted_out))


def test_at_night_the_text_waits_for_the_morning_where_the_person_is(shop: Running) -> None:
    ann_signs_in(shop, timezone="America/Los_Angeles")
    night = NOON + timedelta(hours=18)  # three in the morning in Los Angeles
    shop.set_clock(night)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(night + timedelta(minutes=61))
    held = "SELECT * FROM decisions WHERE moment = 'plan' AND reason = 'quiet_hours'"
    [decision] = shop.until(lambda: shop.rows(held))
    assert decision["verdict"] == "wait"
    assert not shop.outbox()
    shop.set_clock(datetime.fromisoformat(decision["until_at"]) + timedelta(seconds=1))
    shop.until(lambda: sent(shop, "cart_abandoned"))


def test_without_consent_nothing_is_said_and_the_reason_is_kept(shop: Running) -> None:
    ann_signs_in(shop, sms_consent=False, cart_reminders_consent=False)
    ann_fills_a_cart(shop)
    shop.until(lambda: waits_in(shop, "cart_abandoned"))
    shop.set_clock(NOON + timedelta(minutes=61))
    stopped = "SELECT reason FROM decisions WHERE moment = 'plan' AND verdict = 'stop'"
    assert shop.until(lambda: shop.one(stopped)) == "no_consent"
    assert not shop.outbox()


def test_a_browser_can_set_neither_a_number_nor_a_consent(shop: Running) -> None:
    traits = {"phone": PHONE, "sms_consent": True}
    assert shop.post("/v1/identify", {"userId": "eve", "traits": traits}, SITE_KEY) == 200
    shop.until(lambda: shop.one("SELECT 1 FROM events WHERE state = 'done'"))
    assert not shop.rows("SELECT 1 FROM identities WHERE kind = 'phone'")
    assert not shop.rows("SELECT 1 FROM consents")
