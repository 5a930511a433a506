"""Reports: the chain of each kind of thing, read from a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from connector.ledger import (
    assignments,
    contacts,
    enrolments,
    merges,
    reports,
    sends,
    writebacks,
)
from connector.ledger.reports import Chain
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.records import Owed
from tests.ledger import build
from tests.ledger.build import PHONE, Recording, at


def chain(store: SqliteStore, read: Callable[..., Chain | None], *args: Any) -> Chain:
    with store.read() as tx:
        found = read(tx, *args)
    assert found is not None
    return found


@pytest.fixture
def told(store: SqliteStore) -> SqliteStore:
    """A ledger with the whole story of one cart."""
    with store.write() as tx:
        build.cart_story(tx)
    return store


def test_a_text_is_told_from_its_event_to_the_crm(told: SqliteStore) -> None:
    found = chain(told, reports.of_send, "snd_1")
    [story] = found["stories"]
    [walk] = story["walks"]
    [text] = walk["texts"]
    assert (found["kind"], found["id"], found["contact"]["id"]) == ("send", "snd_1", "con_1")
    assert story["event"]["name"] == "Cart Updated"
    assert story["signal"]["key"] == "cart-7"
    assert [item["verdict"] for item in walk["decisions"]] == ["send"]
    assert [item["verdict"] for item in text["decisions"]] == ["wait", "send"]
    assert [item["status"] for item in text["receipts"]] == ["sent", "delivered"]
    assert [item["id"] for item in text["replies"]] == ["rpl_1"]
    assert [item["state"] for item in text["crm"]] == ["written"]
    assert walk["arms"][0]["arm"] == "treated"


def test_an_enrolment_and_its_event_tell_the_same_walk(told: SqliteStore) -> None:
    by_walk = chain(told, reports.of_enrolment, "enr_cart_abandoned")
    by_event = chain(told, reports.of_event, "evt_cart_updated")
    assert by_walk["stories"][0]["walks"] == by_event["stories"][0]["walks"]


def test_a_walk_tells_its_arm_of_an_experiment_and_the_calls_it_made(told: SqliteStore) -> None:
    walked = "enr_cart_abandoned"
    with told.write() as tx:
        for test in ("test:cart_abandoned:sooner", "test:cart:other"):
            assignments.assign(tx, test, "con_1", "short", {"short": 0.5}, at(0))
        call = Owed("webhook", f"call:{walked}:mail", {})
        writebacks.owe(tx, "hook:mail", "con_1", call, at(0))
    [walk] = chain(told, reports.of_enrolment, walked)["stories"][0]["walks"]
    assert "test:cart_abandoned:sooner" in [arm["experiment"] for arm in walk["arms"]]
    assert "test:cart:other" not in [arm["experiment"] for arm in walk["arms"]]
    assert ("hook:mail", "owed") in [(row["crm"], row["state"]) for row in walk["tasks"]]


def test_a_reply_tells_what_it_answered_what_it_changed_and_our_answer(told: SqliteStore) -> None:
    with told.write() as tx:
        answer = build.send(tx, "2", cause="system", cause_id="rpl_1", step="stop_confirmed")
        build.accept(tx, answer, 365, "You will get no more messages.")
    [story] = chain(told, reports.of_reply, "rpl_1")["stories"]
    assert story["reply"]["answers"]["id"] == "snd_1"
    assert [row["purpose"] for row in story["consents"]] == ["all"]
    assert [text["id"] for text in story["texts"]] == ["snd_2"]
    by_answer = chain(told, reports.of_send, "snd_2")["stories"]
    assert by_answer == [story]


def test_what_is_not_there_has_no_chain(told: SqliteStore) -> None:
    with told.read() as tx:
        for read in (reports.of_send, reports.of_event, reports.of_enrolment, reports.of_reply):
            assert read(tx, "snd_none") is None
        assert reports.of_contact(tx, "con_none", 5) is None


def test_sensitive_facts_are_counted_and_never_told(told: SqliteStore) -> None:
    found = chain(told, reports.of_send, "snd_1")
    assert found["stories"][0]["signal"]["hidden_facts"] == 1
    assert b"secret" not in orjson.dumps(found)


def test_a_refused_start_says_why(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        told = build.event(tx, "Cart Updated", signal="cart_updated")
        reason = ("audience", "The contact is not in the play's audience.")
        build.decision(tx, "1", "trigger", "stop", reason, about={"event_id": told})
    [walk] = chain(store, reports.of_event, told)["stories"][0]["walks"]
    assert walk["enrolment"] is None
    assert [item["reason"] for item in walk["decisions"][0]["objections"]] == ["audience"]


def test_an_event_that_starts_the_timer_anew_hands_over_to_the_walk(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        first = build.event(tx, "Cart Updated", signal="cart_updated")
        walk = build.enrolment(tx, first)
        second = build.event(tx, "Cart Again", signal="cart_updated", minutes=5)
        enrolments.rearm(tx, walk, "sig_cart_again", at(65), at(5))
        waiting = ("already_waiting", "The contact waits in this play already.")
        for name, event_id, verdict, reasons in (
            ("1", first, "send", ()),
            ("2", second, "stop", (waiting,)),
        ):
            about = {"event_id": event_id, "enrolment_id": walk}
            build.decision(tx, name, "trigger", verdict, *reasons, about=about)
    [earlier] = chain(store, reports.of_event, first)["stories"][0]["walks"]
    [later] = chain(store, reports.of_event, second)["stories"][0]["walks"]
    assert earlier["goes_on_with"] == second
    assert later["goes_on_with"] == ""
    assert [item["id"] for item in later["decisions"]] == ["dec_1", "dec_2"]


def ordered(tx: Tx, *, name: str = "Order Completed", minutes: float = 30) -> str:
    return build.event(tx, name, signal="order_completed", minutes=minutes)


def test_an_event_tells_which_walks_it_ended_and_a_walk_by_which(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        walk = build.enrolment(tx, build.event(tx, "Cart Updated", signal="cart_updated"))
        order = ordered(tx)
        enrolments.end(tx, walk, "unless:order_completed", at(30))
        later = ordered(tx, name="Order Two", minutes=40)
    [story] = chain(store, reports.of_event, order)["stories"]
    assert [ended["id"] for ended in story["ends"]] == [walk]
    assert chain(store, reports.of_event, later)["stories"][0]["ends"] == []
    [story] = chain(store, reports.of_enrolment, walk)["stories"]
    assert story["walks"][0]["enrolment"]["ended_by"] == order


def test_an_order_that_occurred_before_the_start_did_not_end_it(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        cart = build.event(tx, "Cart Updated", signal="cart_updated", minutes=10)
        walk = build.enrolment(tx, cart, minutes=10)
        ordered(tx, name="Late Order", minutes=5)
        order = ordered(tx)
        enrolments.end(tx, walk, "unless:order_completed", at(30))
    [story] = chain(store, reports.of_enrolment, walk)["stories"]
    assert story["walks"][0]["enrolment"]["ended_by"] == order


def test_a_goal_is_told_by_the_event_that_reached_it(told: SqliteStore) -> None:
    with told.write() as tx:
        order = ordered(tx, minutes=400)
        enrolments.goal(tx, "enr_cart_abandoned", at(400), order, "converted")
    [story] = chain(told, reports.of_event, order)["stories"]
    assert [ended["goal_kind"] for ended in story["ends"]] == ["converted"]


def test_a_contact_s_stories_are_the_newest_and_told_in_their_order(told: SqliteStore) -> None:
    with told.write() as tx:
        for place in range(4):
            event_id = build.event(tx, f"Late {place}", signal="cart_updated", minutes=400 + place)
            about = {"event_id": event_id}
            reason = ("cooldown", "Too short a time ago.")
            name, minutes = f"late{place}", 400 + place
            build.decision(tx, name, "trigger", "stop", reason, minutes=minutes, about=about)
    found = chain(told, reports.of_contact, "con_1", 5)
    began = [story["event"] or story["reply"] for story in found["stories"]]
    assert [item["id"] for item in began] == ["evt_cart_updated", "rpl_1", "evt_late_3"]
    assert found["left_out"] == 0
    fewer = chain(told, reports.of_contact, "con_1", 1)
    assert [story["event"]["id"] for story in fewer["stories"]] == ["evt_late_3"]
    assert fewer["left_out"] == 2


def test_a_contact_merged_away_tells_the_story_of_the_winner(told: SqliteStore) -> None:
    with told.write() as tx:
        build.contact(tx, "2", phone="")
        merges.merge(tx, "con_2", "con_1", "evt_9", at(500), merge_id="mrg_1")
    found = chain(told, reports.of_contact, "con_1", 5)
    assert found["contact"]["id"] == "con_2"
    assert found["stories"][0]["walks"][0]["texts"][0]["id"] == "snd_1"


def test_a_walk_that_a_merge_ended_still_has_its_decisions(told: SqliteStore) -> None:
    with told.write() as tx:
        build.contact(tx, "2", phone="")
        cart = build.event(tx, "Cart Two", signal="cart_updated", contact_id="con_2")
        opening = enrolments.Opening(
            "enr_2",
            "cart_abandoned",
            "v",
            "con_2",
            "cart-7",
            cart.replace("evt", "sig"),
            "live",
            at(60),
            at(),
            at(),
        )
        enrolments.open_(tx, opening, at())
        merges.merge(tx, "con_2", "con_1", "evt_9", at(500), merge_id="mrg_1")
    [story] = chain(told, reports.of_enrolment, "enr_cart_abandoned")["stories"]
    [walk] = story["walks"]
    assert walk["enrolment"]["exit_reason"] == "merged"
    assert [item["id"] for item in walk["decisions"]] == ["dec_1"]


def test_a_number_tells_of_the_one_contact_that_bears_it(told: SqliteStore) -> None:
    found = chain(told, reports.of_number, PHONE, 5)
    assert (found["kind"], found["id"], found["bearers"]) == ("number", PHONE, ["con_1"])
    assert found["numbers"][0]["blocked_scope"] == "all"
    assert len(found["stories"]) == 2


def test_a_number_that_left_its_contact_tells_its_replies_alone(told: SqliteStore) -> None:
    with told.write() as tx:
        contacts.detach(tx, "phone", PHONE, "con_1", "", at(370), link_id="lnk_9")
    found = chain(told, reports.of_number, PHONE, 5)
    assert found["contact"] is None
    assert found["bearers"] == []
    assert [story["reply"]["id"] for story in found["stories"]] == ["rpl_1"]


def test_a_number_nobody_knows_has_an_empty_chain(store: SqliteStore) -> None:
    found = chain(store, reports.of_number, "+12025550188", 5)
    assert found["stories"] == []
    assert found["numbers"][0]["consents"] == []


def test_the_zone_is_the_person_s_own_before_the_number_s(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        assert build_zone(tx) == "America/Los_Angeles"
        row = contacts.row(tx, "con_1")
        assert row
        traits = {"timezone": "Europe/Paris"}
        contacts.see(
            tx, row, traits=traits, visit={}, stage="", at=at(), activity=False, trusted=True
        )
        assert build_zone(tx) == "Europe/Paris"


def build_zone(tx: Tx) -> str:
    brief = reports.who(tx, "con_1")
    assert brief
    return str(brief["zone"])


FOUND_SO_FAR = {"SCAN CONSTANT ROW", "SCAN s", "SCAN same"}
"""What a query says of walking those whom a contact was merged with, whom it has just found."""


def test_no_report_walks_a_whole_table(told: SqliteStore) -> None:
    with told.write() as tx:
        order = ordered(tx, minutes=400)
        build.send(tx, "2", cause="system", cause_id="rpl_1", step="stop_confirmed")
    with told.read() as tx:
        recording = Recording(tx)
        for read in (reports.of_send, reports.of_event, reports.of_enrolment, reports.of_reply):
            for id_ in ("snd_1", "snd_2", "evt_cart_updated", order, "enr_cart_abandoned", "rpl_1"):
                read(recording, id_)
        reports.of_contact(recording, "con_1", 5)
        reports.of_number(recording, PHONE, 5)
        for sql, plan in recording.plans():
            scanned = {line for line in plan if line.startswith("SCAN")}
            assert scanned <= FOUND_SO_FAR, (sql, plan)


def test_a_text_sent_by_hand_has_no_event(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        build.accept(tx, build.send(tx, cause="hand", cause_id="ann"), 60)
        assert sends.get(tx, "snd_1")
    [story] = chain(store, reports.of_send, "snd_1")["stories"]
    assert story["event"] is None
    assert [text["state"] for text in story["texts"]] == ["accepted"]
