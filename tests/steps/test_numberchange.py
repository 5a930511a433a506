"""A person's number has changed: it is theirs no longer, and no consent comes along to the new."""

from __future__ import annotations

from typing import Any

import pytest

from connector.model import Event, Signal, Subject
from connector.steps.signal import take_signal
from tests.steps.build import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, Shop

NEW, THIRD = OTHER, "+12125550103"


def profile(shop: Shop, phone: str, user: str = "ann", **more: Any) -> str:
    """What a profile says of somebody."""
    shop.tick(MINUTE)
    subject = Subject(user_id=user, phone=phone)
    return shop.tell("identified", subject, **{"type": "identify", **more})


def phones(shop: Shop, contact_id: str) -> set[str]:
    return {value for kind, value in shop.names(contact_id) if kind == "phone"}


def test_the_number_before_is_theirs_no_longer(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    assert profile(shop, NEW) == ann
    assert phones(shop, ann) == {NEW}
    told = shop.rows("SELECT act, value FROM identity_links WHERE act = 'detach'")
    assert told == [{"act": "detach", "value": PHONE}]


def test_no_consent_comes_along_and_neither_number_is_texted(shop: Shop) -> None:
    profile(shop, PHONE)
    shop.consent(phone=PHONE)
    shop.tell("cart_updated", Subject(user_id="ann"), key="c-1")
    shop.walk()
    profile(shop, NEW)
    assert shop.go(2 * HOUR) == 0
    assert not shop.live(NEW).live and shop.live(PHONE).live, "it stays with the number"
    assert [row["reason"] for row in shop.rows("SELECT reason FROM decided")][-1] == "no_consent"


def test_a_consent_of_the_new_number_is_enough(shop: Shop) -> None:
    profile(shop, PHONE)
    profile(shop, NEW)
    shop.consent(phone=NEW)
    shop.tell("cart_updated", Subject(user_id="ann"), key="c-1")
    assert shop.go(2 * HOUR) == 1
    assert shop.carrier.sent[0].to == NEW


def test_who_goes_back_to_the_number_before_bears_it_again(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    profile(shop, NEW)
    profile(shop, PHONE)
    assert phones(shop, ann) == {PHONE}


def test_an_order_with_another_number_takes_none_away(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    profile(shop, NEW, type="track")
    assert phones(shop, ann) == {PHONE, NEW}


def test_what_another_source_or_an_order_has_told_stands(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    profile(shop, THIRD, type="track")
    profile(shop, NEW)
    assert phones(shop, ann) == {NEW, THIRD}


def test_a_profile_that_is_heard_late_takes_nothing_away_and_brings_nothing_back(
    shop: Shop,
) -> None:
    ann = profile(shop, PHONE)
    profile(shop, THIRD, at=NOW - DAY)
    assert phones(shop, ann) == {PHONE}
    then = shop.clock()
    profile(shop, NEW)
    profile(shop, PHONE, at=then)
    assert phones(shop, ann) == {NEW}


def test_a_number_that_an_order_told_first_leaves_too_once_the_profile_names_another(
    shop: Shop,
) -> None:
    ann = profile(shop, PHONE, type="track")
    profile(shop, PHONE)
    profile(shop, NEW)
    assert phones(shop, ann) == {NEW}


def test_it_leaves_also_where_an_order_had_told_the_new_one_before(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    profile(shop, NEW, type="track")
    profile(shop, NEW)
    assert phones(shop, ann) == {NEW}


def test_an_order_that_came_after_a_profile_heard_late_keeps_the_number(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    shop.tick(HOUR)
    changed_at = shop.clock()
    profile(shop, PHONE, type="track")
    profile(shop, NEW, at=changed_at)
    assert phones(shop, ann) == {PHONE, NEW}


def test_the_others_of_a_household_keep_their_number(shop: Shop) -> None:
    ann, bob = profile(shop, PHONE), profile(shop, PHONE, "bob")
    profile(shop, NEW)
    assert (phones(shop, ann), phones(shop, bob)) == ({NEW}, {PHONE})


def test_a_page_changes_nobodys_number(shop: Shop) -> None:
    ann = profile(shop, PHONE)
    profile(shop, NEW, source="site")
    assert PHONE in phones(shop, ann)


def test_a_record_of_the_crm_says_so_too(shop: Shop) -> None:
    shop.rt.crm = "backend"
    ann = profile(shop, PHONE, type="webhook")
    profile(shop, NEW, type="webhook")
    assert phones(shop, ann) == {NEW}


@pytest.mark.parametrize(
    ("told", "stays"),
    [
        ({"traits": {"mobile": "(212) 555-0101"}}, True),
        ({"item": {"now": {"numbers": [12125550101]}}}, True),
        ({"item": {"now": {}, "was": {"phone": PHONE}}}, False),
        ({"traits": {"note": "reached at 0101"}}, False),
    ],
)
def test_a_number_that_the_profile_still_names_beside_the_new_one_stays(
    shop: Shop, told: dict[str, Any], stays: bool
) -> None:
    ann = profile(shop, PHONE)
    shop.tick(MINUTE)
    event = Event("evt_9", "backend", "9", "identify", "", shop.clock(), shop.clock(), told)
    signal = Signal("identified", Subject(user_id="ann", phone=NEW), {}, {})
    with shop.store.write() as tx:
        take_signal(tx, shop.rt, shop.rt.sources["backend"], event, signal, shop.clock())
    assert (PHONE in phones(shop, ann)) is stays


def test_two_records_of_a_crm_about_one_person_keep_a_number_each(shop: Shop) -> None:
    shop.rt.crm = "backend"
    for turn in range(2):
        for record, phone in (("r-1", PHONE), ("r-2", NEW)):
            shop.tick(MINUTE)
            who = Subject(user_id="ann", phone=phone, crm="backend", crm_id=record)
            ann = shop.tell("identified", who, type="webhook")
        assert phones(shop, ann) == {PHONE, NEW}, turn


def test_a_wrong_number_leaves_everybody_of_a_household_however_large(shop: Shop) -> None:
    for user in ("ann", "bob", "cem", "dee"):
        profile(shop, PHONE, user)
    shop.consent()
    shop.reply("wrong number")
    assert shop.bearers("phone", PHONE) == set()
    assert not shop.live().live
