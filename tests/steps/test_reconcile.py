"""After a death: a text that was under way is in doubt, counts as sent, and is not repeated."""

from __future__ import annotations

from collections.abc import Callable

from connector.messages import Accepted
from connector.model import Purpose, Status
from connector.rules.policy import Cap, Policy
from connector.steps import answered
from connector.steps.answered import Answer
from connector.steps.gate import Ticket, pass_gate
from connector.steps.reconcile import after_a_death
from tests.steps.build import CART, DAY, HOUR, MINUTE, Shop

OpenShop = Callable[..., Shop]


def dies_in_flight(shop: Shop) -> Ticket:
    """The worker dies when the row says ``sending``: nobody knows whether the text went."""
    shop.consent()
    shop.tell("cart_updated")
    shop.tick(HOUR)
    shop.walk()
    with shop.store.write() as tx:
        row = tx.one("SELECT * FROM sends")
        assert row is not None
        ticket = pass_gate(tx, shop.rt, row, shop.clock())
    assert ticket is not None
    assert shop.states() == ["sending"]
    return ticket


def test_a_text_under_way_at_a_death_is_in_doubt_even_if_it_began_this_very_instant(
    shop: Shop,
) -> None:
    dies_in_flight(shop)
    assert after_a_death(shop.rt) == 1
    [send] = shop.sends()
    assert (send["state"], send["reason"]) == ("uncertain", "worker_died")
    assert after_a_death(shop.rt) == 0


def test_it_is_never_repeated_and_counts_in_caps(open_shop: OpenShop) -> None:
    shop = open_shop(CART, policy=Policy("p1", caps=(Cap("one", Purpose.marketing, 1, DAY),)))
    dies_in_flight(shop)
    after_a_death(shop.rt)
    shop.plan_by_hand()
    assert shop.go(MINUTE) == 0
    assert shop.go(9 * DAY) == 0
    assert shop.sends()[0]["state"] == "uncertain"
    assert shop.carrier.sent == []


def test_the_crm_is_told_that_it_was_perhaps_sent(shop: Shop) -> None:
    dies_in_flight(shop)
    after_a_death(shop.rt)
    keys = {row["key"] for row in shop.rows("SELECT key FROM writebacks")}
    assert "send:snd_000001" in keys


def test_a_receipt_or_a_late_answer_ends_the_doubt_and_the_play_goes_on(shop: Shop) -> None:
    ticket = dies_in_flight(shop)
    after_a_death(shop.rt)
    with shop.store.write() as tx:
        answered.settle(tx, shop.rt, Answer(ticket, Accepted("SM1"), 5), shop.clock())
    assert shop.states() == ["accepted"]
    assert shop.go(DAY) == 1


def test_what_was_planned_answered_or_over_is_left_alone(shop: Shop) -> None:
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 1
    shop.receipt(Status.delivered)
    shop.tell("cart_updated", at=shop.clock() - HOUR)
    shop.walk()
    before = shop.states()
    assert after_a_death(shop.rt) == 0
    assert shop.states() == before == ["delivered", "planned"]
