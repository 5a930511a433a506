"""One conversation at a time: of several plays at one person, and of a person with a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.errors import ConnectorError, Deferred, Refused, Uncertain
from connector.ledger import conversations
from connector.model import Subject
from connector.rules.plays import (
    Mode,
    Play,
    Start,
    Step,
)
from connector.steps import hand
from tests.steps.build import DAY, HOUR, MINUTE, PHONE, WELCOME
from tests.steps.way import AB, WORDS, OpenShop, begun, play, said, ways


# -- several plays at one person -----------------------------------------------------------------
def talk(name: str, template: str, priority: int = 0, **changes: Any) -> Play:
    steps = (Step("first", template=template), Step("last", wait=9 * HOUR, template=template))
    made = replace(WELCOME, name=name, steps=steps, exclusive=True, priority=priority)
    return replace(made, **changes)


def test_two_that_are_due_at_one_instant_do_not_both_begin_to_talk(open_shop: OpenShop) -> None:
    shop = begun(open_shop, talk("one", "a"), talk("two", "b"))
    assert shop.go() == 1
    assert sorted(shop.decisions("send")) == [("send", ""), ("wait", "in_another_play")]


def test_of_two_that_are_due_at_one_instant_the_higher_priority_talks(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, talk("one", "a"), talk("two", "b", 3))
    assert shop.go() == 1
    assert said(shop) == ["b"]


def test_two_carts_are_not_talked_of_at_once_by_the_same_play(open_shop: OpenShop) -> None:
    shop = begun(open_shop, talk("one", "a"))
    shop.tell("signed_up", key="other")
    assert shop.go() == 1
    assert ("wait", "in_another_play") in shop.decisions("send")


def test_a_text_of_unknown_fate_has_begun_the_talk(open_shop: OpenShop) -> None:
    shop = open_shop(talk("one", "a"), talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.carrier.answers.append(Uncertain("nobody knows", reason="timeout"))
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    assert shop.go(MINUTE) == 0
    assert shop.decisions("plan")[-1] == ("wait", "in_another_play")


@pytest.mark.parametrize(
    "answer", [Deferred("full", reason="rate"), Refused("no", reason="blocked")]
)
def test_a_text_that_certainly_did_not_go_has_not_begun_it(
    open_shop: OpenShop, answer: Exception
) -> None:
    shop = open_shop(talk("one", "a"), talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.carrier.answers.append(answer)
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.walk()
    assert shop.decisions("plan")[-1] == ("send", "")


def test_what_is_no_conversation_is_not_ended_by_one(open_shop: OpenShop) -> None:
    series = talk("one", "a", exclusive=False)
    shop = open_shop(series, talk("two", "b", 9, start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert ways(shop)["one"] == ("walking", "")


@pytest.mark.parametrize(
    "first",
    [
        talk("one", "a", exclusive=False),
        talk("one", "a", mode=Mode.shadow),
        talk("one", "a", holdout=1.0),
        talk("one", "a", steps=(Step("first", template="a"),)),  # through at once
    ],
)
def test_what_is_no_conversation_keeps_nobody_waiting(open_shop: OpenShop, first: Play) -> None:
    shop = open_shop(first, talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert said(shop)[-1] == "b"


def test_one_held_out_ends_nobodys_conversation(open_shop: OpenShop) -> None:
    higher = talk("two", "b", 9, start=Start("quoted"), holdout=1.0)
    shop = open_shop(talk("one", "a"), higher, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert ways(shop)["one"] == ("walking", "")


def test_a_conversation_that_waits_too_long_for_another_is_dropped(open_shop: OpenShop) -> None:
    two = talk("two", "b", start=Start("quoted"), steps=(Step("x", template="b", expires=HOUR),))
    shop = open_shop(talk("one", "a"), two, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    for _ in range(6):
        shop.go(15 * MINUTE)
    assert said(shop) == ["a"]
    assert shop.sends()[-1]["reason"] == "in_another_play"


@pytest.mark.parametrize(("priority", "expected"), [(0, "abab"), (4, "abb")])
def test_of_two_that_both_spoke_as_they_were_merged_the_higher_or_the_first_goes_on(
    open_shop: OpenShop, priority: int, expected: str
) -> None:
    two = talk("two", "b", priority, start=Start("quoted"))
    shop = open_shop(talk("one", "a"), two, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tick(MINUTE)
    other = Subject(user_id="other", phone=PHONE)
    shop.tell("quoted", other)
    shop.go()
    assert said(shop) == ["a", "b"], "two people, as far as is known"
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET contact_id = 'con_000001'")
        tx.run("UPDATE sends SET contact_id = 'con_000001'")
    for _ in range(12):
        shop.go(HOUR)
    assert said(shop) == list(expected)


def test_an_order_is_thanked_for_in_the_midst_of_any_conversation(open_shop: OpenShop) -> None:
    order = replace(WELCOME, name="order", start=Start("paid"), steps=(Step("x", template="c"),))
    shop = open_shop(talk("one", "a"), order, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("paid")
    shop.go(MINUTE)
    assert said(shop) == ["a", "c"]


# -- conversations with a person -----------------------------------------------------------------
def test_a_text_that_is_planned_waits_while_a_person_of_ours_talks(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.walk()
    with shop.store.write() as tx:
        conversations.open_(tx, PHONE, "bea", shop.clock())
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("wait", "in_conversation")]
    shop.go(15 * MINUTE)
    with shop.store.write() as tx:
        conversations.close(tx, PHONE, shop.clock())
    assert shop.go(15 * MINUTE) == 1


def test_a_person_answers_a_reply_of_the_last_seven_days_and_no_older_one(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.reply("Do you have it in red?")
    with shop.store.write() as tx:
        reply_id = str(tx.all("SELECT id FROM replies")[0]["id"])
        told = {"who": "operator:bea", "mode": "live"}
        assert hand.answer(tx, shop.rt, reply_id, "Yes", now=shop.clock() + 6 * DAY, **told)
        with pytest.raises(ConnectorError, match="over 7 days ago"):
            hand.answer(tx, shop.rt, reply_id, "Yes", now=shop.clock() + 8 * DAY, **told)
