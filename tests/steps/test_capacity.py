"""What each sender may still send, as the ledger alone tells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from connector.config.routes import Account
from connector.errors import Deferred
from connector.ledger import queue
from connector.rules.health import FAILURES
from connector.rules.policy import Policy
from connector.rules.policy.limits import Sender
from connector.rules.routing import Hop, Route
from connector.steps.capacity import capacity
from connector.steps.pace import LINES
from tests.steps.build import HOUR, SECOND, Shop
from tests.steps.test_routes import BOTH, POOL, greet, rounds, two

Open = Callable[..., Shop]


def told(shop: Shop) -> dict[tuple[str, str], dict[str, Any]]:
    with shop.store.read() as tx:
        found = capacity(tx, shop.rt, shop.clock())
    return {(row["provider"], row["sender"]): row for row in found}


def test_a_sender_tells_what_it_may_send_and_when_its_queue_is_empty(open_shop: Open) -> None:
    policy = Policy("p1", senders=(Sender("*", 1, day_segments=50),))
    shop = two(open_shop, routes=(), policy=policy)
    greet(shop, *range(12))
    greet(shop, 1, 2, name="order_completed")
    shop.go()
    row = told(shop)["first", ""]
    assert (row["segments_a_second"], row["left_today"], row["day_segments"]) == (1, 49, 50)
    assert (row["service_texts"], row["marketing_texts"], row["marketing_segments"]) == (1, 12, 12)
    assert row["empty_at"] == shop.clock() + 13 * SECOND
    assert row["expiring"] == 0


def test_what_will_be_too_late_is_told(open_shop: Open) -> None:
    shop = two(open_shop, routes=(), policy=Policy("p1", senders=(Sender("*", 0.001),)))
    greet(shop, *range(20), name="order_completed")  # of use for four hours
    shop.go()
    row = told(shop)["first", ""]
    assert (row["service_texts"], row["expiring"]) == (19, 19 - 15)


def test_each_text_is_told_at_the_sender_it_will_leave_by(open_shop: Open) -> None:
    policy = Policy("p1", senders=(Sender("*", 0.1),))
    shop = two(open_shop, Route("pool", (Hop("second", POOL),)), policy=policy)
    greet(shop, *range(30))
    shop.go()
    waiting = {key: row["marketing_texts"] for key, row in told(shop).items()}
    assert set(waiting) == {("second", sender) for sender in POOL}
    left = {sender: 0 for sender in POOL}
    for _ in range(90):
        rounds(shop, 1)
        shop.tick(10 * SECOND)
    for row in shop.sends():
        left[row["sender"]] += 1
    first = {sender: 1 for sender in POOL}  # one of each left at once
    assert {s: waiting["second", s] + first[s] for s in POOL} == left


def test_an_account_and_its_calls_under_way_are_told(open_shop: Open) -> None:
    shop = two(open_shop, routes=(), accounts={"first": Account(7, 2.5)})
    greet(shop, 1)
    shop.walk()
    seen: list[dict[str, Any]] = []
    shop.carrier.before = lambda message: seen.append(told(shop)["first", ""])
    shop.dispatch()
    [row] = seen
    assert (row["in_flight"], row["in_flight_limit"], row["leaving"]) == (1, 7, 1)
    assert row["account_segments_a_second"] == 2.5


def test_a_provider_that_is_left_alone_has_its_texts_told_at_the_next_hop(open_shop: Open) -> None:
    policy = Policy("p1", senders=(Sender(POOL[0], 0.01),))
    routes = (Route("both", (Hop("first"), Hop("second", POOL[:1]))),)
    shop = two(open_shop, *routes, in_flight=1, policy=policy)
    shop.carrier.answers.extend([Deferred("down")] * FAILURES)
    greet(shop, *range(9))
    shop.walk()
    rounds(shop, 30)
    found = told(shop)
    until = found["first", ""]["rests_until"]
    assert isinstance(until, datetime)
    assert until > shop.clock()
    assert found["first", ""]["marketing_texts"] == 0
    assert found["second", POOL[0]]["marketing_texts"] == 8
    assert found["second", POOL[0]]["rests_until"] is None


@pytest.mark.parametrize("reason", LINES)
def test_texts_that_stand_in_a_line_are_in_the_queue(open_shop: Open, reason: str) -> None:
    shop = two(open_shop, *BOTH)
    greet(shop, 1)
    shop.walk()
    later = {"due_at": (shop.clock() + HOUR).isoformat()[:19] + ".000000Z", "reason": reason}
    with shop.store.write() as tx:
        tx.run("UPDATE sends SET due_at = :due_at, reason = :reason", **later)
        assert queue.later(tx, shop.clock()) == 0
    assert told(shop)["first", ""]["marketing_texts"] == 1


def test_texts_that_wait_for_another_reason_are_not_in_the_queue(open_shop: Open) -> None:
    shop = two(open_shop, *BOTH)
    greet(shop, 1)
    shop.walk()
    later = {"due_at": (shop.clock() + HOUR).isoformat()[:19] + ".000000Z"}
    with shop.store.write() as tx:
        tx.run("UPDATE sends SET due_at = :due_at, reason = 'quiet_hours'", **later)
    assert all(row["marketing_texts"] == 0 for row in told(shop).values())


def test_senders_of_one_account_share_what_it_may_send(open_shop: Open) -> None:
    routes = (Route("pool", (Hop("second", POOL),)),)
    shop = two(open_shop, *routes, accounts={"second": Account(7, 2.0)})
    greet(shop, *range(62))
    shop.go()
    found = [row for row in told(shop).values() if row["marketing_texts"]]
    waiting = sum(row["marketing_segments"] for row in found)
    takes = {round((row["empty_at"] - shop.clock()) / SECOND, 3) for row in found}
    assert (len(found), takes) == (3, {waiting / 2})
