"""Starts by hand: for one contact, from the command line or the API, governed like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from typing import Any

import orjson
import pytest

from connector.errors import ConnectorError
from connector.ledger import pauses
from connector.model import Decision, Subject
from connector.rules.plays import (
    Change,
    Date,
    Edge,
    Experiment,
    FanOut,
    Mode,
    Once,
    OnPause,
    Schedule,
    Silence,
    Start,
    Step,
    Threshold,
)
from connector.steps import byhand
from connector.steps.advance import Advancer
from tests.steps.build import ANN, CART, DAY, HOUR, NOW, PHONE, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
NOTE = replace(
    WELCOME,
    name="note",
    start=Start(after=2 * HOUR),
    steps=(Step("tell", template="note"),),
)
TEXTS = {"note": "{{ brand }}: {{ signal.what }}"}


def start(shop: Shop, who: str, play: str = "note", key: str = "", **facts: Any) -> Decision:
    """Eve starts a play for a contact now."""
    with shop.store.write() as tx:
        return byhand.start(
            tx, shop.rt, play, who, facts, who="eve", why="asked", key=key, now=shop.clock()
        )


def ask(shop: Shop, key: str = "k1", play: str = "note", **contact: Any) -> None:
    """A program asks the API for a start."""
    told = {"play": play, "contact": contact, "key": key, "who": "api", "why": "x"}
    shop.deliver(orjson.dumps({**told, "facts": {"what": "hello"}}), kind="hand")


@pytest.fixture
def desk(open_shop: OpenShop) -> Shop:
    shop = open_shop(NOTE, texts=TEXTS)
    shop.consent()
    return shop


def test_a_play_started_by_hand_speaks_at_once_with_the_facts_given(desk: Shop) -> None:
    who = desk.tell("x", ANN)
    assert start(desk, who, what="your ring is ready").reason == ""
    assert desk.go() == 1
    assert desk.carrier.sent[0].text == "Corner Shop: your ring is ready"
    [signal] = desk.rows("SELECT * FROM signals WHERE name = 'hand'")
    assert orjson.loads(signal["facts"]) == {
        "what": "your ring is ready",
        "who": "eve",
        "why": "asked",
    }
    assert desk.decisions("trigger") == [("send", "")]


def test_the_same_key_is_walked_once_and_none_is_another_each_time(desk: Shop) -> None:
    who = desk.tell("x", ANN)
    for _ in range(2):
        start(desk, who, key="order-1", what="x")
    assert desk.decisions("trigger") == [("send", ""), ("stop", "already_waiting")]
    desk.go()
    start(desk, who, key="order-1", what="x")
    assert desk.decisions("trigger")[-1] == ("stop", "already_enrolled")
    for _ in range(2):
        start(desk, who, what="x")
        desk.go()
    assert len(desk.enrolments()) == 3


def test_any_play_may_be_started_by_hand_and_is_once_all_the_same(open_shop: OpenShop) -> None:
    shop = open_shop(replace(CART, start=replace(CART.start, once=Once.contact)))
    who = shop.tell("x", ANN)
    start(shop, who, "cart")
    shop.tell("cart_updated", ANN)
    assert len(shop.enrolments()) == 1


def test_who_and_what_must_be_there(desk: Shop) -> None:
    who = desk.tell("x", ANN)
    with pytest.raises(ConnectorError, match="play gone"):
        start(desk, who, "gone")
    with pytest.raises(ConnectorError, match="contact con_9"):
        start(desk, "con_9")


def test_a_play_that_is_off_is_not_started_by_hand(open_shop: OpenShop) -> None:
    shop = open_shop(replace(NOTE, mode=Mode.off))
    who = shop.tell("x", ANN)
    with pytest.raises(ConnectorError, match="note is off"):
        start(shop, who)
    assert shop.enrolments() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"audience": when("contact.plan | default('') == 'pro'")}, "audience"),
        ({"stages": ("customer",)}, "wrong_stage"),
    ],
)
def test_an_audience_and_a_stage_are_asked(
    open_shop: OpenShop, changes: dict[str, Any], reason: str
) -> None:
    shop = open_shop(replace(NOTE, **changes))
    assert start(shop, shop.tell("x", ANN)).reason == reason


def test_a_pause_that_drops_lets_nothing_begin(open_shop: OpenShop) -> None:
    shop = open_shop(replace(NOTE, on_pause=OnPause.drop))
    who = shop.tell("x", ANN)
    with shop.store.write() as tx:
        pauses.set_(tx, "note", "drop", who="eve", why="", at=NOW)
    assert start(shop, who).reason == "paused"
    with shop.store.write() as tx:
        pauses.set_(tx, pauses.EVERYTHING, "hold", who="eve", why="", at=NOW)
    assert start(shop, who).reason == "paused", "also while everything is held"


def test_nobody_is_texted_by_hand_without_consent_and_a_holdout_stays_one(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(NOTE, texts=TEXTS)
    start(shop, shop.tell("x", ANN), what="x")
    assert shop.go() == 0
    shop = open_shop(replace(NOTE, holdout=1.0), texts=TEXTS)
    shop.consent()
    start(shop, shop.tell("x", ANN), what="x")
    assert shop.go() == 0
    assert [row["mode"] for row in shop.enrolments()] == ["holdout"]


# -- by the API --------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [{"user_id": "ann"}, {"phone": PHONE}, {"contact_id": ""}])
def test_the_api_starts_a_play_for_one_it_names(desk: Shop, contact: dict[str, str]) -> None:
    who = desk.tell("x", ANN)
    ask(desk, **({"contact_id": who} if "contact_id" in contact else contact))
    assert desk.go() == 1
    assert desk.carrier.sent[0].text == "Corner Shop: hello"


def test_what_the_api_asked_twice_is_done_once_also_by_another_worker(desk: Shop) -> None:
    desk.tell("x", ANN)
    for _ in range(2):
        ask(desk, user_id="ann")
        Advancer(desk.rt).round()
    assert desk.decisions("trigger") == [("send", ""), ("stop", "already_enrolled")]
    assert desk.go() == 1
    assert desk.go(DAY) == 0


@pytest.mark.parametrize("contact", [{"user_id": "nobody"}, {"phone": PHONE}])
def test_who_is_nobody_or_two_people_is_kept_for_a_person_to_see(
    desk: Shop, contact: dict[str, str]
) -> None:
    desk.tell("x", ANN)
    desk.tell("x", Subject(user_id="bob", phone=PHONE))
    ask(desk, **contact)
    desk.put({"event": "signed_up", "userId": "eve", "messageId": "m"})
    desk.walk()
    assert desk.enrolments() == []
    assert len(desk.rows("SELECT * FROM unreadable")) == 1
    assert len(desk.rows("SELECT * FROM signals WHERE name = 'signed_up'")) == 1, "others go on"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"play": "note"}', b'{"contact": {}}'])
def test_what_is_no_start_is_unreadable(desk: Shop, body: bytes) -> None:
    desk.deliver(body, kind="hand")
    desk.walk()
    assert len(desk.rows("SELECT * FROM unreadable")) == 1


def level(own: float) -> Start:
    form = Threshold(when("signal.used"), 0.8, 0.7, own)
    return Start("usage", threshold=form, after=2 * HOUR)


STARTS = (
    Start(date=Date("contact.birthday", at=time(10), yearly=True)),
    Start(silence=Silence(7 * DAY)),
    Start(change=Change("contact.plan")),
    Start("stock", fan_out=FanOut(("viewed",))),
    Start(edge=Edge("vip", entering=True)),
    Start(schedule=Schedule("0 10 * * MON", "UTC", "vip")),
    Start("cart_updated", first=True, count=1),
    level(0.8),
)


@pytest.mark.parametrize("form", STARTS, ids=[form.kind.value for form in STARTS])
def test_a_play_of_any_kind_may_be_started_by_hand(open_shop: OpenShop, form: Start) -> None:
    shop = open_shop(replace(NOTE, start=form), texts=TEXTS)
    shop.consent()
    who = shop.tell("x", ANN)
    assert start(shop, who, what="x").reason == ""
    assert shop.go() == 1


def test_an_arm_that_waits_for_its_level_speaks_at_once_by_hand(open_shop: OpenShop) -> None:
    late = replace(NOTE, start=level(0.9))
    test = Experiment("level", "start.threshold", {"late": 1.0}, {"late": late})
    shop = open_shop(replace(NOTE, start=level(0.8), experiment=test), texts=TEXTS, arm="late")
    shop.consent()
    assert start(shop, shop.tell("x", ANN), what="x").reason == ""
    assert shop.go() == 1


def test_an_appointment_by_hand_needs_its_date(open_shop: OpenShop) -> None:
    form = Start("booked", date=Date("signal.starts_at", -24 * HOUR))
    shop = open_shop(replace(NOTE, start=form), texts=TEXTS)
    who = shop.tell("x", ANN)
    assert start(shop, who, what="x").reason == "no_date"
    assert start(shop, who, what="x", starts_at="2026-11-20T15:00:00Z").reason == ""
    assert [row["due_at"][:16] for row in shop.enrolments()] == ["2026-11-19T15:00"]
