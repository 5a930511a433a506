"""Double opt-in: a consent counts for nothing until the number itself has said yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.ledger import consents, numbers
from connector.model import ConsentGiven, Purpose, Subject
from connector.rules.consent import Standing
from connector.rules.expiry import Expiry
from connector.rules.lists import Entries, Listed, Lists, Reading, SuppressionList
from connector.rules.policy import Cap, Policy
from connector.steps.consent import opt_out
from tests.steps.build import (
    ANN,
    CART,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OTHER,
    PHONE,
    WELCOME,
    Shop,
    open_hours,
)

OpenShop = Callable[..., Shop]
ASKS = {
    "double_opt_in": "{{ brand }}: Reply YES to get {{ what }}, up to {{ per_month }} a month",
    "double_opt_in_confirmed": "{{ brand }}: you are in",
}
MONTHLY = Policy("p1", (Cap("month", Purpose.marketing, 6, timedelta(days=30)),))


@pytest.fixture
def asking(open_shop: OpenShop) -> Shop:
    return open_shop(texts=ASKS, policy=MONTHLY)


def propose(shop: Shop, *purposes: str, wording: str = "Text me") -> None:
    """A form of the shop's own site proposes consents for Ann's number."""
    given = tuple(
        ConsentGiven(PHONE, purpose, True, "web_form", wording, pending=True)
        for purpose in purposes or ("marketing",)
    )
    shop.tell("form_submitted", consents=given)


def texts(shop: Shop) -> list[str]:
    return [message.text for message in shop.carrier.sent]


def live(shop: Shop) -> frozenset[str]:
    return shop.live().live


def test_a_proposed_consent_counts_for_nothing_until_the_number_says_yes(asking: Shop) -> None:
    propose(asking, "marketing", "cart_reminders")
    assert live(asking) == frozenset()
    asking.dispatch()
    assert texts(asking) == [
        "Corner Shop: Reply YES to get offers and cart reminders, up to 6 a month"
    ]
    asking.tick(HOUR)
    asking.reply("YES")
    assert live(asking) == {"marketing", "cart_reminders"}
    asking.dispatch()
    assert texts(asking)[1:] == ["Corner Shop: you are in"]
    with asking.store.read() as tx:
        rows = consents.rows(tx, PHONE)
    assert [(row["action"], row["method"]) for row in rows] == [
        ("pending", "web_form"),
        ("pending", "web_form"),
        ("granted", "double_opt_in"),
        ("granted", "double_opt_in"),
    ]
    assert rows[-1]["wording"] == texts(asking)[0]
    assert '"reply":"YES"' in rows[-1]["evidence"]


@pytest.mark.parametrize("said", ["YES", "Sí!", "oui", "JA", "sim", "Sì"])
def test_a_yes_in_any_of_the_languages_counts(asking: Shop, said: str) -> None:
    propose(asking)
    asking.dispatch()
    asking.reply(said)
    assert live(asking) == {"marketing"}


@pytest.mark.parametrize(
    "said", ["no", "maybe", "ok whatever", "START", "STOP", "HELP", "who is it"]
)
def test_anything_else_grants_nothing(asking: Shop, said: str) -> None:
    propose(asking)
    asking.dispatch()
    asking.reply(said)
    assert live(asking) == frozenset()


def test_a_yes_after_24_hours_or_before_the_request_left_grants_nothing(asking: Shop) -> None:
    propose(asking)
    asking.reply("YES")
    assert live(asking) == frozenset()
    asking.dispatch()
    asking.tick(DAY)
    asking.reply("YES")
    assert live(asking) == frozenset()


def test_a_yes_a_minute_before_24_hours_are_over_counts(asking: Shop) -> None:
    propose(asking)
    asking.dispatch()
    asking.tick(DAY - MINUTE)
    asking.reply("YES")
    assert live(asking) == {"marketing"}


def test_a_number_is_asked_once_in_30_days(asking: Shop) -> None:
    propose(asking)
    asking.dispatch()
    asking.tick(29 * DAY)
    propose(asking, wording="Text me again")
    asking.dispatch()
    assert len(texts(asking)) == 1
    asking.tick(DAY)
    propose(asking)
    asking.dispatch()
    assert len(texts(asking)) == 2


def test_a_yes_grants_what_the_text_named_and_not_what_was_proposed_since(asking: Shop) -> None:
    propose(asking, "marketing")
    asking.dispatch()
    propose(asking, "cart_reminders")
    asking.reply("YES")
    assert live(asking) == {"marketing"}


def test_a_second_yes_grants_nothing_more(asking: Shop) -> None:
    propose(asking)
    asking.dispatch()
    asking.reply("YES")
    asking.revoke()
    asking.reply("YES")
    assert live(asking) == frozenset()


def test_what_is_live_already_is_not_asked_for(asking: Shop) -> None:
    asking.consent()
    propose(asking)
    asking.dispatch()
    assert texts(asking) == []


def test_a_yes_lifts_a_stop_for_what_it_names_and_for_nothing_else(asking: Shop) -> None:
    asking.consent()
    asking.consent("service")
    asking.reply("STOP")
    asking.dispatch()
    asking.tick(HOUR)
    propose(asking)
    asking.dispatch()
    assert len(texts(asking)) == 2, "a request may reach a stopped number, and nothing else may"
    asking.reply("YES")
    assert asking.live() == Standing(frozenset({"marketing"}), "")
    asking.consent("service")
    asking.consent("cart_reminders")
    assert live(asking) == {"marketing"}


def test_a_stop_closes_the_request(asking: Shop) -> None:
    propose(asking)
    asking.dispatch()
    asking.reply("STOP")
    asking.reply("YES")
    assert asking.live() == Standing(frozenset(), "all")


@pytest.mark.parametrize("says", ["STOP", "by call"])
def test_a_request_that_waits_is_not_sent_to_who_opted_out_meanwhile(
    open_shop: OpenShop, says: str
) -> None:
    plain = {**ASKS, "double_opt_in": "{{ brand }}: Reply YES"}
    shop = open_shop(texts=plain, policy=MONTHLY, hours=open_hours((18 * 60, 20 * 60)))
    propose(shop)
    shop.dispatch()
    if says == "STOP":
        shop.reply(says)
        shop.dispatch()
    else:
        with shop.store.write() as tx:
            opt_out(tx, shop.rt, PHONE, "call", "", "ann", "", shop.clock())
    before = len(texts(shop))
    shop.go(6 * HOUR + MINUTE)
    assert len(texts(shop)) == before
    assert ("cancelled", "opted_out") in [(row["state"], row["reason"]) for row in shop.sends()]


def test_30_days_are_counted_from_when_the_request_left_and_not_from_when_it_was_wanted(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(texts=ASKS, policy=MONTHLY, hours=open_hours((18 * 60, 20 * 60)))
    propose(shop)
    shop.dispatch()
    shop.go(6 * HOUR + MINUTE)
    assert len(texts(shop)) == 1
    shop.rt.book = replace(shop.rt.book, hours=open_hours())
    shop.tick(30 * DAY - HOUR)
    propose(shop, wording="Text me again")
    shop.dispatch()
    assert len(texts(shop)) == 1
    shop.tick(HOUR)
    propose(shop, wording="Text me again, do")
    shop.dispatch()
    assert len(texts(shop)) == 2


@pytest.mark.parametrize("by", ["a list", "a hand"])
def test_a_number_that_is_suppressed_is_not_asked(asking: Shop, by: str) -> None:
    if by == "a list":
        each = SuppressionList("a.csv", "d", lambda: Reading(Entries((Listed(PHONE, ""),))))
        policy = replace(MONTHLY, lists=Lists((each,), ("marketing",)))
        asking.rt.book = replace(asking.rt.book, policy=policy)
    else:
        with asking.store.write() as tx:
            numbers.suppress(tx, PHONE, "asked", "marketing", asking.clock())
    propose(asking)
    asking.dispatch()
    assert texts(asking) == []
    assert asking.decisions("send") == [("stop", "on_list")]


def test_a_number_the_provider_blocks_is_not_asked(asking: Shop) -> None:
    asking.revoke("all", method="provider")
    propose(asking)
    asking.dispatch()
    assert texts(asking) == []


def test_a_request_keeps_the_hours_of_service_texts(open_shop: OpenShop) -> None:
    shop = open_shop(texts=ASKS, policy=MONTHLY, hours=open_hours((18 * 60, 20 * 60)))
    propose(shop)
    shop.dispatch()
    assert texts(shop) == []
    shop.go(6 * HOUR + MINUTE)
    assert len(texts(shop)) == 1


def test_a_back_fill_asks_nobody(asking: Shop) -> None:
    given = ConsentGiven(PHONE, "marketing", True, "web_form", pending=True)
    asking.tell("form_submitted", ANN, back_fill=True, consents=(given,))
    asking.dispatch()
    assert texts(asking) == []
    assert live(asking) == frozenset()


def test_a_yes_to_a_newer_text_that_asked_something_else_grants_nothing(asking: Shop) -> None:
    asking.consent("service")
    propose(asking)
    asking.dispatch()
    asking.tick(HOUR)
    asking.tell("order_completed", facts={"order_id": "o-1"})
    asking.go(HOUR)
    asking.reply("YES")
    assert live(asking) == {"service"}


def test_without_its_template_nothing_is_asked_and_nothing_is_granted(shop: Shop) -> None:
    propose(shop)
    shop.dispatch()
    shop.reply("YES")
    assert texts(shop) == []
    assert live(shop) == frozenset()


# -- reminders of carts ------------------------------------------------------------------------

REMINDER = replace(CART, scopes=("cart_reminders",), max_texts_per_key=None)


def test_a_cart_has_one_reminder_whatever_the_play_says(open_shop: OpenShop) -> None:
    shop = open_shop(REMINDER)
    for purpose in ("marketing", "cart_reminders"):
        shop.consent(purpose)
    shop.tell("cart_updated", key="c-1")
    assert shop.go(HOUR) == 1
    assert shop.go(DAY) == 0
    assert ("stop", "already_said") in [*shop.decisions("plan"), *shop.decisions("send")]


def test_no_reminder_goes_48_hours_after_the_carts_last_change(open_shop: OpenShop) -> None:
    late = replace(REMINDER, steps=(replace(CART.steps[0], wait=47 * HOUR + MINUTE),))
    shop = open_shop(late)
    for purpose in ("marketing", "cart_reminders"):
        shop.consent(purpose)
    shop.tell("cart_updated", key="c-1")
    shop.until(NOW + 3 * DAY)
    shop.dispatch()
    assert texts(shop) == []
    assert [*shop.decisions("plan"), *shop.decisions("send")][-1] == ("stop", "cart_too_old")


# -- consent that ends of itself ---------------------------------------------------------------

PRESUMED = Expiry(
    "Canada", months=24, places=frozenset({"CA"}), methods=frozenset({"implied_purchase"})
)
CANADIAN = "+14165550123"


@pytest.mark.parametrize(
    ("phone", "years", "leaves"), [(CANADIAN, 1, 1), (CANADIAN, 2, 0), (PHONE, 1, 0)]
)
def test_what_is_only_presumed_lets_a_text_through_where_and_while_the_law_says(
    open_shop: OpenShop, phone: str, years: int, leaves: int
) -> None:
    everywhere = open_hours()
    row = replace(everywhere.rules["US"][0], place="CA")
    shop = open_shop(
        WELCOME,
        policy=Policy("p1", expiries=(PRESUMED,)),
        hours=replace(everywhere, rules={**everywhere.rules, "CA": (row,)}),
    )
    shop.consent("marketing", phone, method="implied_purchase")
    shop.tick(years * 366 * DAY)
    shop.tell("signed_up", Subject(user_id="u-9", phone=phone))
    assert shop.go() == leaves


def test_of_two_numbers_the_one_whose_consent_has_not_ended_is_texted(
    open_shop: OpenShop,
) -> None:
    short = Expiry("short", days=30, methods=frozenset({"import"}))
    shop = open_shop(WELCOME, policy=Policy("p1", expiries=(short,)))
    shop.consent("marketing", OTHER)
    shop.consent("marketing", PHONE, method="import")
    shop.tell("seen", Subject(user_id="ann", phone=OTHER))
    shop.tick(31 * DAY)
    shop.tell("signed_up", ANN)
    assert shop.go() == 1
    assert [message.to for message in shop.carrier.sent] == [OTHER]


def test_a_new_purchase_begins_the_time_anew_and_an_old_box_does_not(shop: Shop) -> None:
    for _ in range(3):
        shop.consent("marketing", CANADIAN, method="implied_purchase")
        shop.consent("marketing", CANADIAN, method="implied_purchase")
        shop.tick(2 * DAY)
    for _ in range(3):
        shop.consent("marketing")
        shop.tick(2 * DAY)
    with shop.store.read() as tx:
        assert len(consents.rows(tx, CANADIAN)) == 3
        assert len(consents.rows(tx, PHONE)) == 1


def test_a_number_that_changed_hands_may_be_asked_for_what_its_owner_before_had_agreed_to(
    asking: Shop,
) -> None:
    asking.consent()
    asking.tick(DAY)
    with asking.store.write() as tx:
        numbers.reassign(tx, PHONE, asking.clock())
    asking.tick(DAY)
    propose(asking)
    assert asking.dispatch() == 1
    assert texts(asking) == ["Corner Shop: Reply YES to get offers, up to 6 a month"]
