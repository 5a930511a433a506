"""Two turn out to be one: what either did ends, moves and begins what it would have of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import pytest

from connector.ledger import merges
from connector.model import Subject
from connector.rules.plays import Change, Date, Edge, Goal, Silence, Start, Step, WaitFor
from tests.steps.build import ANN, CART, DAY, HOUR, MINUTE, NOW, PHONE, WELCOME, Shop, segment

OpenShop = Callable[..., Shop]
VISITOR = Subject(anonymous_id="a-1")
KNOWN = Subject(user_id="ann")
BIRTHDAY = replace(
    WELCOME,
    name="birthday",
    start=Start(date=Date("contact.birthday", at=time(10), yearly=True)),
)
RENEWAL = replace(WELCOME, name="renewal", start=Start(date=Date("crm.renews", at=time(10))))
TWICE = segment("twice", "count('viewed') >= 2")
EDGES = tuple(
    replace(WELCOME, name=name, start=Start(edge=Edge("twice", name == "in")))
    for name in ("in", "out")
)


def become_one(shop: Shop, user: str = "ann", anonymous: str = "a-1") -> str:
    """A trusted identify proves that the visitor is somebody known."""
    both = Subject(user_id=user, anonymous_id=anonymous)
    return shop.tell(
        "known",
        both,
        type="identify",
        merges=Subject(anonymous_id=anonymous),
        activity=False,
    )


def split(shop: Shop) -> None:
    [merge] = shop.rows("SELECT id FROM merges")
    with shop.store.write() as tx:
        merges.undo(tx, merge["id"], shop.clock())


def states(shop: Shop, play: str = "") -> list[tuple[str, str]]:
    return [
        (row["state"], row["exit_reason"]) for row in shop.enrolments() if play in ("", row["play"])
    ]


def timers(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.rows("SELECT contact_id, due_at FROM timers ORDER BY contact_id, due_at")
    return [(row["contact_id"], row["due_at"][:16]) for row in rows]


# -- what ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [VISITOR, KNOWN], ids=["visitor", "known"])
def test_an_order_of_the_one_ends_the_cart_of_the_other(open_shop: OpenShop, last: Subject) -> None:
    shop = open_shop()
    first = KNOWN if last is VISITOR else VISITOR
    shop.tell("cart_updated", first, key="c-1", at=NOW - 2 * MINUTE)
    shop.tell("order_completed", last, at=NOW - MINUTE)
    assert states(shop, "cart") == [("waiting", "")]
    become_one(shop)
    assert states(shop, "cart") == [("ended", "goal_before_text")]


def test_an_order_before_the_cart_of_the_other_ends_nothing(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.tell("order_completed", KNOWN, at=NOW - 2 * MINUTE)
    shop.tell("cart_updated", VISITOR, key="c-1", at=NOW - MINUTE)
    become_one(shop)
    assert states(shop, "cart") == [("waiting", "")]


def test_a_goal_of_the_other_after_a_text_is_a_conversion(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, goal=Goal("ordered", 7 * DAY)))
    shop.consent()
    shop.tell("cart_updated", ANN, key="c-1")
    assert shop.go(HOUR) == 1
    shop.tell("ordered", VISITOR, at=shop.clock() + MINUTE)
    become_one(shop)
    [row] = shop.enrolments()
    assert (row["state"], row["goal_kind"]) == ("ended", "converted")


def test_what_the_other_did_is_what_a_step_waits_for(open_shop: OpenShop) -> None:
    steps = (
        Step("wait", wait_for=WaitFor(("viewed",), DAY, heard="yes", missed="no")),
        Step("yes", template="welcome"),
        Step("no", template="order"),
    )
    shop = open_shop(replace(WELCOME, steps=steps))
    shop.consent()
    shop.tell("signed_up", ANN)
    shop.walk()
    shop.tick(HOUR)
    shop.tell("viewed", VISITOR)
    become_one(shop)
    shop.walk()
    assert [row["step"] for row in shop.sends()] == ["yes"]


def test_a_silence_that_was_none_ends(open_shop: OpenShop) -> None:
    quiet = replace(WELCOME, name="back", start=Start(silence=Silence(7 * DAY), after=DAY))
    shop = open_shop(quiet)
    shop.walk()
    shop.tell("viewed", KNOWN)
    shop.tick(3 * DAY)
    shop.tell("viewed", VISITOR)
    shop.until(NOW + 7 * DAY + HOUR)
    assert states(shop) == [("waiting", "")]
    become_one(shop)
    assert states(shop) == [("ended", "active_again")]
    shop.until(NOW + 9 * DAY)
    assert len(states(shop)) == 1
    shop.until(NOW + 11 * DAY)
    assert len(states(shop)) == 2, "the silence since the later of the two"


# -- dates -------------------------------------------------------------------------------------


def born(shop: Shop, who: Subject, day: str, **traits: Any) -> str:
    told = {"birthday": day, "timezone": "America/New_York", **traits}
    return shop.tell("profile", who, traits=told)


def test_one_birthday_of_both_is_wished_once_a_year(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY)
    born(shop, KNOWN, "1990-11-20")
    born(shop, VISITOR, "1990-11-20")
    ann = become_one(shop)
    shop.until(NOW + 800 * DAY)
    assert [row["contact_id"] for row in shop.enrolments()] == [ann] * 3


def test_a_date_that_only_the_other_knew_is_the_persons_on_the_persons_clock(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY)
    ann = shop.tell("profile", KNOWN, traits={"timezone": "Asia/Tokyo"})
    born(shop, VISITOR, "1990-11-20", timezone="")
    become_one(shop)
    shop.until(NOW + 10 * DAY)
    [row] = shop.enrolments()
    assert row["contact_id"] == ann
    assert (row["triggered_at"][:16], row["opened_at"][:16]) == ("2026-11-20T01:00",) * 2


def test_of_two_dates_the_winners_counts_and_what_waits_for_the_other_ends(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(replace(BIRTHDAY, start=replace(BIRTHDAY.start, after=2 * DAY)))
    born(shop, KNOWN, "1990-12-24")
    born(shop, VISITOR, "1990-11-18")
    shop.until(NOW + DAY)
    assert states(shop) == [("waiting", "")]
    become_one(shop)
    assert states(shop) == [("ended", "date_changed")]
    shop.until(datetime.fromisoformat("2026-12-31T00:00+00:00"))
    assert [row["key"] for row in shop.enrolments()] == ["2026-11-18", "2026-12-24"]


def test_after_a_split_each_has_their_own_birthday_again(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY)
    ann = born(shop, KNOWN, "1990-12-24")
    visitor = born(shop, VISITOR, "1990-11-20")
    become_one(shop)
    shop.until(NOW + 5 * DAY)
    assert states(shop) == [], "the person was not born on that day"
    split(shop)
    shop.until(NOW + 400 * DAY)
    found = {(row["contact_id"], row["key"]) for row in shop.enrolments()}
    assert found == {(ann, "2026-12-24"), (visitor, "2027-11-20")}


def test_what_a_crm_knows_of_the_other_is_known_of_the_person(open_shop: OpenShop) -> None:
    shop = open_shop(RENEWAL)
    ann = shop.tell("x", KNOWN)
    visitor = shop.tell("x", VISITOR)
    shop.learn_crm(visitor, renews="2026-11-25")
    become_one(shop)
    assert shop.rows("SELECT contact_id FROM crm_facts") == [{"contact_id": ann}]
    shop.until(NOW + 10 * DAY)
    assert [row["contact_id"] for row in shop.enrolments()] == [ann]
    split(shop)
    assert shop.rows("SELECT contact_id FROM crm_facts") == [{"contact_id": visitor}]


def test_a_number_that_becomes_known_moves_the_clock_of_a_date(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY, zone="Asia/Tokyo")
    shop.tell("profile", KNOWN, traits={"birthday": "1990-11-20"})
    assert timers(shop) == [("con_000001", "2026-11-20T01:00")]
    shop.tell("profile", Subject(user_id="ann", phone=PHONE))
    assert timers(shop) == [("con_000001", "2026-11-20T15:00")], "ten in New York"


# -- edges and changes -------------------------------------------------------------------------


def test_who_comes_in_only_as_both_together_comes_in(open_shop: OpenShop) -> None:
    shop = open_shop(*EDGES, segments={"twice": TWICE})
    shop.walk()
    shop.tell("viewed", KNOWN)
    shop.tell("viewed", VISITOR)
    assert states(shop) == []
    become_one(shop)
    assert [row["play"] for row in shop.enrolments()] == ["in"]


@pytest.mark.parametrize("inside", [KNOWN, VISITOR], ids=["known", "visitor"])
def test_who_was_in_as_one_of_them_does_not_come_in_again(
    open_shop: OpenShop, inside: Subject
) -> None:
    shop = open_shop(*EDGES, segments={"twice": TWICE})
    shop.walk()
    outside = VISITOR if inside is KNOWN else KNOWN
    shop.tell("viewed", inside)
    shop.tell("viewed", inside)
    shop.tell("viewed", outside)
    shop.tick(HOUR)
    become_one(shop)
    shop.tick(HOUR)
    shop.tell("viewed", KNOWN)
    assert [row["play"] for row in shop.enrolments()] == ["in"]


def test_taking_over_what_the_other_was_is_no_change(open_shop: OpenShop) -> None:
    change = replace(WELCOME, name="plan", start=Start(change=Change("contact.plan")))
    shop = open_shop(change)
    shop.tell("profile", KNOWN)
    shop.tell("profile", VISITOR, traits={"plan": "pro"}, back_fill=True)
    become_one(shop)
    assert states(shop) == []
