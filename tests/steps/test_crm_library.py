"""Ready plays walk on what HubSpot tells, by the mapping file that is shipped for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector import library
from connector.config.loaded import load
from connector.config.plays.reader import load_plays
from connector.config.supply import Supply
from connector.errors import Fault
from connector.model import Fate
from connector.rules.plays import Play
from connector.simulate.shelf import library_folder
from connector.steps.setup import OpenSource
from tests.config.crm_file import shipped
from tests.steps.build import DAY, HOUR, MINUTE, PHONE
from tests.steps.desk import Desk, OpenShop, open_desk

PRACTICE = {  # an appointment of a practice is a meeting here
    "appointment_attended": "meeting_held",
    "appointment_": "meeting_",
}
MEETING = ("hs_meeting_outcome", "hs_meeting_title", "hs_meeting_start_time")
DEAL = ("dealstage", "pipeline", "amount", "deal_currency_code", "hs_is_closed", "hs_is_closed_won")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """``meeting_booked`` as it is, ``no_show`` with another word for its signals; their texts."""
    folder = tmp_path_factory.mktemp("plays")
    for name in ("no_show", "meeting_booked"):
        text = (library.folders()[0] / f"{name}.toml").read_text("utf-8")
        for was, now in PRACTICE.items():
            text = text.replace(was, now)
        (folder / f"{name}.toml").write_text(text, "utf-8")
    shelf = library_folder(tmp_path_factory.mktemp("shelf"))
    templates = load(shelf, secrets=False).templates
    faults: list[Fault] = []
    plays = load_plays(folder, Supply(complete=False), templates, "en", faults)
    assert faults == []
    return {"plays": plays, "templates": templates}


@pytest.fixture
def room(open_shop: OpenShop, ready: dict[str, Any]) -> Desk:
    """A HubSpot that was connected a minute ago; Ann may be texted about her meetings."""
    plays: dict[str, Play] = ready["plays"]
    calm = [replace(play, holdout=0.0) for play in plays.values()]
    shop = open_desk(open_shop, *calm, tells=(*MEETING, *DEAL), templates=ready["templates"])
    mapping = shipped("hubspot")
    assert mapping.source is not None
    shop.rt.crm = shop.crm.name = "hubspot"
    shop.rt.crms = {"hubspot": shop.crm}
    shop.rt.crm_mappings = {"hubspot": mapping}
    told = shop.rt.sources["desk"]
    source = OpenSource("hubspot", told.trust, told.adapter, mapping.source)
    shop.rt.sources = {**shop.rt.sources, "hubspot": source}
    shop.crm.objects = ("contact", "deal", "meeting")
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("901", mobilephone=PHONE, firstname="Ann")
    shop.polls()
    shop.consent("service")
    return shop


def met(room: Desk, outcome: str) -> None:
    """A colleague says in HubSpot what came of the meeting in two days."""
    begins = (room.clock() + 2 * DAY).isoformat()
    held = {"hs_meeting_title": "Demo", "hs_meeting_start_time": begins}
    known = {} if ("meeting", "m1") in room.crm.held else held
    room.crm.put("m1", "meeting", people=("901",), hs_meeting_outcome=outcome, **known)
    room.polls()


def test_a_missed_meeting_in_hubspot_is_followed_by_one_text_an_hour_later(room: Desk) -> None:
    met(room, "SCHEDULED")
    assert room.go() == 1
    met(room, "NO_SHOW")
    assert room.go(HOUR) == 1
    assert "another time, Ann" in room.carrier.sent[-1].text

    [enrolment] = [row for row in room.enrolments() if row["play"] == "no_show"]
    assert (enrolment["key"], enrolment["mode"]) == ("m1", "live")


def test_somebody_who_came_late_after_all_gets_none(room: Desk) -> None:
    met(room, "NO_SHOW")
    met(room, "COMPLETED")
    room.go(HOUR)

    assert room.carrier.sent == []
    assert [state for key, state, _ in room.begun("no_show")] == ["ended"]


def test_a_meeting_booked_in_hubspot_is_confirmed_and_its_cancelling_ends_the_play(
    room: Desk,
) -> None:
    met(room, "SCHEDULED")
    assert room.go() == 1
    met(room, "CANCELED")

    [enrolment] = [row for row in room.enrolments() if row["play"] == "meeting_booked"]
    assert enrolment["exit_reason"] == "exit:meeting_cancelled"


def test_a_meeting_deleted_in_hubspot_is_cancelled_unless_it_was_held(room: Desk) -> None:
    met(room, "SCHEDULED")
    room.walk()
    room.hears(room.crm.ends("m1", Fate.deleted, object="meeting"))
    room.polls()
    [enrolment] = [row for row in room.enrolments() if row["play"] == "meeting_booked"]
    assert enrolment["exit_reason"] == "exit:meeting_cancelled"

    room.crm.put("m2", "meeting", people=("901",), hs_meeting_outcome="COMPLETED")
    room.polls()
    room.hears(room.crm.ends("m2", Fate.deleted, object="meeting"))
    room.polls()
    assert [row["name"] for row in room.rows("SELECT name FROM signals WHERE key = 'm2'")] == [
        "meeting_held"
    ]


def test_a_meeting_that_was_held_reaches_the_goal(room: Desk) -> None:
    met(room, "SCHEDULED")
    assert room.go() == 1
    room.tick(DAY)
    met(room, "COMPLETED")

    [enrolment] = [row for row in room.enrolments() if row["play"] == "meeting_booked"]
    assert (enrolment["exit_reason"], enrolment["goal_kind"]) == ("goal", "converted")


def test_a_deal_read_first_when_it_is_won_was_won_when_hubspot_says(room: Desk) -> None:
    start = room.clock() - 5 * DAY
    told = {"amount": "500", "deal_currency_code": "USD"}
    room.crm.put("d1", "deal", at=start, people=("901",), dealstage="new", **told)
    room.crm.put("d1", "deal", at=start + DAY, dealstage="won", hs_is_closed_won="true")
    room.crm.put("d1", "deal", pipeline="other")
    room.polls()

    [outcome] = room.rows("SELECT * FROM outcomes")
    assert (outcome["kind"], outcome["value_micros"]) == ("converted", 500_000_000)
    assert outcome["occurred_at"][:10] == (start + DAY).isoformat()[:10]
