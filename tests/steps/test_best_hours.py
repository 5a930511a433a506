"""The hour at which a person, or others like them, answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from connector.ledger import besthours, memberships
from connector.model import Subject
from connector.rules.plays import (
    Edge,
    Moment,
    Start,
    Step,
)
from tests.steps.build import DAY, HOUR, NOW, PHONE, Shop, segment
from tests.steps.way import WORDS, OpenShop, begun, play


def replied(shop: Shop, phone: str, *hours: int) -> None:
    """A person replied at some hours of the day, on the clock of New York."""
    for number, hour in enumerate(hours):
        at = datetime.fromisoformat(f"2026-11-{10 + number}T{hour + 5:02}:20:00+00:00")
        shop.reply("thanks", phone, at=at)


BEST = play(
    Step("a", template="a"),
    Step("b", wait=DAY, template="b", moment=Moment(at=time(10), best_hour=True)),
)
EAST = {"timezone": "America/New_York"}


def due_hour(shop: Shop, contact: str = "con_000001") -> int:
    row = next(row for row in shop.enrolments() if row["contact_id"] == contact)
    return int(row["due_at"][11:13]) - 5


def test_a_person_is_texted_at_the_hour_at_which_they_answer(open_shop: OpenShop) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("seen", traits=EAST)
    replied(shop, PHONE, 14, 14, 9)
    shop.tell("signed_up")
    shop.go()
    assert due_hour(shop) == 14


def test_too_few_answers_tell_no_hour_and_the_plays_people_are_asked(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("signed_up", traits=EAST)
    shop.go()
    assert due_hour(shop) == 10, "nobody answered yet"
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tick(HOUR)
    for _ in range(3):
        shop.reply("thanks", at=shop.clock())  # at one in the afternoon
    shop.tell("signed_up", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 13


def test_the_hour_of_others_is_the_hour_on_their_own_clocks(open_shop: OpenShop) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("signed_up", traits={"timezone": "America/Los_Angeles"})
    shop.go()
    shop.tick(HOUR)
    for _ in range(3):
        shop.reply("thanks", at=shop.clock())  # at ten in the west
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tell("signed_up", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 10


def test_a_segments_people_are_asked_before_the_plays(open_shop: OpenShop) -> None:
    made = replace(BEST, start=Start(edge=Edge("keen", True)))
    shop = open_shop(made, texts=WORDS)
    shop.rt.segments = {"keen": segment("keen", "did('seen')")}
    shop.rt.index()
    shop.consent()
    shop.tell("seen", traits=EAST)
    for _ in range(3):
        shop.reply("thanks", at=NOW - HOUR)
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tell("seen", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 11


def test_a_wish_to_be_left_alone_and_a_robot_tell_no_hour(open_shop: OpenShop) -> None:
    """Of the person, of the play's people, and of a segment's alike."""
    shop = begun(open_shop, BEST)
    shop.go()
    with shop.store.write() as tx:
        memberships.put(tx, "keen", "con_000001", True, NOW)
        for number, label in enumerate(("none", "opt_out", "wrong_person", "hold")):
            tx.run(
                """INSERT INTO replies (id, provider, provider_id, phone, sender, text, label, why,
                    contact_id, send_id, occurred_at, heard_at)
                VALUES (:id, 'c', :id, '', '', '', :label, '', 'con_000001', 'snd_000001', :at,
                    :at)""",
                id=f"r{number}",
                label=label,
                at=f"2026-11-1{number}T15:00:00.000000Z",
            )
        for number, verdict in enumerate(("human", "machine", "unknown")):
            tx.run(
                """INSERT INTO clicks (id, send_id, contact_id, link, verdict, why, method, agent,
                    at, heard_at)
                VALUES (:id, 'snd_000001', 'con_000001', '', :verdict, '', '', '', :at, :at)""",
                id=f"c{number}",
                verdict=verdict,
                at=f"2026-11-1{number}T20:00:00.000000Z",
            )
    with shop.store.read() as tx:
        for times in (
            besthours.of_contact(tx, "con_000001"),
            besthours.of_play(tx, "way"),
            besthours.of_segment(tx, "keen"),
        ):
            assert sorted(f"{at:%dT%H}" for at, _ in times) == ["10T15", "10T20", "13T15"]
        assert besthours.of_segment(tx, "other") == besthours.of_play(tx, "other") == []
