"""What becomes of a CRM's history when records, people or time go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.ledger import crm_history, people
from connector.model import Fate
from connector.records import Record
from connector.rules.plays import Start
from connector.steps import crmtake
from tests.steps.build import DAY, HOUR, MINUTE, OTHER, WELCOME
from tests.steps.desk import Desk, OpenShop
from tests.steps.saleroom import open_saleroom, outcomes, signals

NO_SHOW = replace(
    WELCOME,
    name="no_show",
    start=Start("meeting_missed", after=HOUR, unless=("meeting_held",)),
    same_key=True,
    exits=("meeting_cancelled",),
)


@pytest.fixture
def room(open_shop: OpenShop) -> Desk:
    """A shop whose CRM was connected a minute ago; Ann is known there and here."""
    return connected(open_saleroom(open_shop, NO_SHOW))


def connected(shop: Desk) -> Desk:
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("7", plan="pro")
    shop.polls()
    return shop


def test_a_deleted_meeting_ends_what_waits_for_it(room: Desk) -> None:
    room.crm.put("m1", "meeting", people=("7",), outcome="NO_SHOW")
    room.polls()
    room.hears(room.crm.ends("m1", Fate.deleted, object="meeting"))
    room.polls()

    [enrolment] = [row for row in room.enrolments() if row["play"] == "no_show"]
    assert enrolment["exit_reason"] == "exit:meeting_cancelled"
    assert len(signals(room, "meeting_cancelled")) == 1
    room.polls()
    assert len(signals(room, "meeting_cancelled")) == 1


def test_a_deal_merged_into_another_is_not_won_twice(room: Desk) -> None:
    at = room.clock()
    room.crm.put("d1", "deal", people=("7",), stage="won", won="true", amount="100")
    room.polls()
    room.crm.put("d2", "deal", people=("7",), at=at, stage="won", won="true", amount="100")
    room.hears(room.crm.ends("d1", Fate.merged, "d2", object="deal"))
    with room.store.write() as tx:
        gone = Record("deal", "d1", room.clock(), fate=Fate.merged, became="d2")
        crmtake.take(tx, room.rt, "desk", gone, room.clock())
    room.polls()

    assert [kind for kind, *_ in outcomes(room)] == ["converted"]
    assert {
        row["record"] for row in room.rows("SELECT record FROM crm_history WHERE object='deal'")
    } == {"d2"}


def test_a_person_can_be_shown_the_deals_and_meetings_they_stand_on(room: Desk) -> None:
    room.crm.put("d1", "deal", people=("7",), stage="new")
    room.crm.put("d2", "deal", stage="new")
    room.polls()
    [ann] = room.bearers("crm_id", "desk:7")

    with room.store.read() as tx:
        told = crm_history.of_person(tx, ann, 10)
    assert [(row["object"], row["record"], row["before"], row["after"]) for row in told] == [
        ("deal", "d1", None, "new")
    ]


def test_forgetting_a_person_takes_the_deals_that_are_about_nobody_else(room: Desk) -> None:
    room.crm.put("8", phone=OTHER)
    room.crm.put("d1", "deal", people=("7",), stage="new")
    room.crm.put("d2", "deal", people=("7", "8"), stage="new")
    room.polls()
    [ann] = room.bearers("crm_id", "desk:7")

    with room.store.read() as tx:
        person = people.find(tx, ann)
        held = people.held(tx, person)
        goes = {
            row["record"]
            for place in people.PLACES
            if place.table == "crm_history"
            for row in people.rows(tx, place, person)
        }
    assert {"d1", "d2"} <= {row["record"] for row in held["crm_history"]}
    assert "d1" in goes
    assert "d2" not in goes


def test_what_was_told_and_is_kept_no_longer_is_not_told_again(room: Desk) -> None:
    room.crm.put("m1", "meeting", people=("7",), outcome="COMPLETED")
    room.polls()
    room.tick(100 * DAY)
    with room.store.write() as tx:
        tx.run("DELETE FROM crm_history")
        tx.run("DELETE FROM events WHERE name = 'meeting'")
    room.crm.put("m1", "meeting", starts_at="one")
    room.polls()

    assert [name for name, *_ in signals(room)] == ["meeting_held"]
