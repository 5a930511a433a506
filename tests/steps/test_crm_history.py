"""Deals and meetings are read with their history: each change once, at its own time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from connector.rules.plays import Goal, Start, Step
from tests.steps.build import CART, DAY, HOUR, MINUTE, NOW, OTHER, PHONE, SECOND, WELCOME
from tests.steps.desk import Desk, OpenShop
from tests.steps.saleroom import open_saleroom, outcomes, signals

NO_SHOW = replace(
    WELCOME,
    name="no_show",
    start=Start("meeting_missed", after=HOUR, unless=("meeting_held",)),
    same_key=True,
    exits=("meeting_cancelled",),
)
SALE = replace(
    CART,
    name="sale",
    start=Start("signed_up"),
    steps=(Step("hello", template="welcome"), Step("more", wait=3 * DAY, template="cart")),
    goal=Goal("deal_won", 30 * DAY),
    exits=(),
)


@pytest.fixture
def room(open_shop: OpenShop) -> Desk:
    """A shop whose CRM was connected a minute ago; Ann is known there and here."""
    return connected(open_saleroom(open_shop, NO_SHOW, SALE))


def connected(shop: Desk) -> Desk:
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("7", plan="pro")
    shop.polls()
    return shop


def test_each_meeting_outcome_is_a_signal_at_the_time_it_was_set(room: Desk) -> None:
    room.crm.put("m1", "meeting", people=("7",), outcome="SCHEDULED", starts_at="noon")
    room.polls()
    room.tick(HOUR)
    room.crm.put("m1", "meeting", outcome="COMPLETED")
    room.polls()

    assert signals(room) == [
        ("meeting_booked", "m1", "11-17T17:02"),
        ("meeting_held", "m1", "11-17T18:03"),
    ]
    assert outcomes(room) == [("meeting_held", "m1", None, "")]


def test_changes_between_two_readings_are_told_one_by_one_with_what_they_were(room: Desk) -> None:
    room.crm.put("d1", "deal", people=("7",), stage="new", amount="10")
    room.polls()
    start = room.clock()
    room.crm.put("d1", "deal", at=start + SECOND, stage="offer")
    room.crm.put("d1", "deal", at=start + 2 * SECOND, amount="20")
    room.crm.put("d1", "deal", at=start + 3 * SECOND, stage="new")
    room.polls()

    told = [orjson.loads(event["payload"])["item"] for event in room.events()[-3:]]
    assert [item["changed"] for item in told] == [["stage"], ["amount"], ["stage"]]
    assert [(item["was"]["stage"], item["now"]["stage"]) for item in told] == [
        ("new", "offer"),
        ("offer", "offer"),
        ("offer", "new"),
    ]
    assert [item["now"]["amount"] for item in told] == ["10", "20", "20"]


def test_a_deal_that_moves_back_and_forth_tells_each_move(room: Desk) -> None:
    for stage in ("new", "offer", "new", "offer"):
        room.crm.put("d1", "deal", people=("7",), stage=stage)
        room.tick(SECOND)
    room.polls()
    room.polls()

    assert len(signals(room, "deal_moved")) == 4


def test_a_meeting_rescheduled_twice_tells_both(room: Desk) -> None:
    for outcome in ("SCHEDULED", "RESCHEDULED", "SCHEDULED", "RESCHEDULED"):
        room.crm.put("m1", "meeting", people=("7",), outcome=outcome)
        room.polls()

    assert len(signals(room, "meeting_rescheduled")) == 2


def test_a_change_of_currency_is_kept_and_told(room: Desk) -> None:
    room.crm.put("d1", "deal", people=("7",), stage="new", currency="USD")
    room.polls()
    room.crm.put("d1", "deal", currency="EUR")
    room.polls()

    assert [row for row in room.history() if row[0] == "currency"] == [
        ("currency", "null", '"USD"'),
        ("currency", '"USD"', '"EUR"'),
    ]
    assert len(signals(room, "deal_recoined")) == 1  # the first time the deal itself is the news


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("0", 0),
        (None, None),
        ("", None),
        ("49.90", 49_900_000),
        ("999999999999", 999_999_999_999_000_000),
        ("1e30", None),
    ],
)
def test_a_won_deal_is_a_conversion_of_its_amount(
    room: Desk, amount: str | None, micros: int | None
) -> None:
    room.crm.put(
        "d1", "deal", people=("7",), stage="won", won="true", amount=amount, currency="eur"
    )
    room.polls()

    [(kind, thing, value, currency)] = outcomes(room)
    assert (kind, thing, currency) == ("converted", "d1", "EUR")
    assert value == micros


def test_everybody_on_a_deal_hears_of_it_and_nobody_else(room: Desk) -> None:
    room.crm.put("8", phone=OTHER)
    room.crm.put("9")
    room.crm.put("d1", "deal", people=("7", "8"), stage="new")
    room.polls()

    heard = room.rows("SELECT contact_id FROM signals WHERE name = 'deal_moved'")
    assert {row["contact_id"] for row in heard} == {
        *room.bearers("crm_id", "desk:7"),
        *room.bearers("crm_id", "desk:8"),
    }


def test_a_deal_about_nobody_is_history_and_no_news(room: Desk) -> None:
    room.crm.put("d1", "deal", stage="new")
    room.polls()

    assert signals(room) == []
    assert room.history()[-1] == ("stage", "null", '"new"')


def test_somebody_added_to_a_deal_hears_of_it_from_then_on(room: Desk) -> None:
    room.crm.put("8", phone=OTHER)
    room.crm.put("d1", "deal", people=("7",), stage="new")
    room.polls()
    room.crm.put("d1", "deal", people=("7", "8"))
    room.polls()
    [late] = room.bearers("crm_id", "desk:8")
    of_late = "SELECT * FROM signals WHERE contact_id = :who AND name = 'deal_moved'"
    assert room.rows(of_late, who=late) == []

    room.crm.put("d1", "deal", stage="offer")
    room.polls()
    assert len(room.rows(of_late, who=late)) == 1
    assert len(signals(room, "deal_moved")) == 3


def test_somebody_added_does_not_hear_of_what_happened_before_they_came(room: Desk) -> None:
    room.crm.put("8", phone=OTHER)
    room.crm.put("d1", "deal", people=("7",), stage="new")
    earlier = room.clock() + SECOND
    room.polls()
    room.crm.put("d1", "deal", at=earlier, stage="offer")  # of which we are told late
    room.tick(SECOND)
    room.crm.put("d1", "deal", people=("7", "8"), stage="won")
    room.polls()

    [late] = room.bearers("crm_id", "desk:8")
    heard = room.rows("SELECT * FROM signals WHERE contact_id = :who AND key = 'd1'", who=late)
    assert [orjson.loads(row["facts"])["stage"] for row in heard] == ["won"]


def test_a_record_read_first_tells_its_old_past_as_a_back_fill(room: Desk) -> None:
    old = NOW - 30 * DAY
    room.crm.put("m1", "meeting", people=("7",), at=old, outcome="NO_SHOW")
    room.crm.put("m1", "meeting", outcome="COMPLETED")
    room.polls()

    assert [event["back_fill"] for event in room.events()[-2:]] == [1, 0]
    assert signals(room) == [
        ("meeting_missed", "m1", "10-18T17:00"),
        ("meeting_held", "m1", "11-17T17:02"),
    ]
    assert room.begun("no_show") == []


def test_of_a_record_without_a_past_only_what_changes_from_then_on_is_told(
    open_shop: OpenShop,
) -> None:
    room = open_saleroom(open_shop, NO_SHOW, tells=())
    room.crm.put("m1", "meeting", people=("7",), outcome="NO_SHOW")
    room.tick(DAY)
    connected(room)
    room.crm.put("m1", "meeting", starts_at="one")
    room.polls()
    assert signals(room) == []
    assert [row for row in room.history() if row[0] == "outcome"] == [
        ("outcome", "null", '"NO_SHOW"')
    ]

    room.crm.put("m1", "meeting", outcome="COMPLETED")
    room.polls()
    assert [name for name, *_ in signals(room)] == ["meeting_held"]


def test_a_new_record_without_a_past_is_told_whole(open_shop: OpenShop) -> None:
    room = connected(open_saleroom(open_shop, NO_SHOW, tells=()))
    room.crm.put("m1", "meeting", people=("7",), outcome="NO_SHOW")
    room.polls()

    [(name, _, _)] = signals(room)
    assert name == "meeting_missed"
    assert room.events()[-1]["back_fill"] == 0


def test_a_missed_meeting_starts_a_play_and_a_cancelled_one_ends_it(room: Desk) -> None:
    room.crm.put("m1", "meeting", people=("7",), outcome="NO_SHOW")
    room.polls()
    assert [(key, state) for key, state, _ in room.begun("no_show")] == [("m1", "waiting")]

    room.crm.put("m1", "meeting", outcome="CANCELED")
    room.polls()
    [enrolment] = [row for row in room.enrolments() if row["play"] == "no_show"]
    assert (enrolment["state"], enrolment["exit_reason"]) == ("ended", "exit:meeting_cancelled")


def test_a_meeting_missed_more_than_two_days_ago_starts_nothing(room: Desk) -> None:
    room.tick(3 * DAY)
    late = room.clock() - 2 * DAY - HOUR
    room.crm.put("m1", "meeting", people=("7",), at=late, outcome="NO_SHOW")
    room.polls()

    assert room.begun("no_show") == []
    assert ("stop", "stale_start") in room.decisions("trigger")


def test_a_won_deal_reaches_the_goal_of_a_play(room: Desk) -> None:
    room.consent()
    room.tell("signed_up")
    assert room.go() == 1
    room.crm.put("7", phone=PHONE)
    room.tick(HOUR)
    room.crm.put("d1", "deal", people=("7",), won="true", amount="100", currency="USD")
    room.polls()

    [enrolment] = [row for row in room.enrolments() if row["play"] == "sale"]
    assert (enrolment["exit_reason"], enrolment["goal_kind"]) == ("goal", "converted")
    assert ("goal_reached", "d1", 100_000_000, "USD") in outcomes(room)


def test_what_the_crm_told_of_is_not_written_back_to_it(room: Desk) -> None:
    room.crm.put("d1", "deal", people=("7",), won="true", amount="100")
    room.polls()

    assert [kind for kind, *_ in outcomes(room)] == ["converted"]
    assert room.rows("SELECT * FROM writebacks WHERE key LIKE 'outcome:%'") == []


def test_a_field_that_is_mapped_later_brings_its_past_and_starts_nothing(room: Desk) -> None:
    mapping = room.rt.crm_mappings["desk"]
    few = {**mapping.wanted.fields, "meeting": ("starts_at",)}
    room.rt.crm_mappings = {
        "desk": replace(mapping, wanted=replace(mapping.wanted, fields=few, history={}))
    }
    room.crm.put("m1", "meeting", people=("7",), starts_at="noon")
    room.crm.put("m1", "meeting", at=room.clock() + SECOND, outcome="NO_SHOW")
    room.polls()
    assert signals(room) == []

    room.rt.crm_mappings = {"desk": mapping}
    room.crm.put("m1", "meeting", starts_at="one")
    room.polls()
    assert [name for name, *_ in signals(room)] == ["meeting_missed"]
    assert room.begun("no_show") == []


def test_nobody_can_say_when_a_field_without_a_past_came_to_be_so(open_shop: OpenShop) -> None:
    room = open_saleroom(open_shop, tells=("stage",))
    room.crm.put("d1", "deal", people=("7",), stage="new", won="true", amount="10")
    room.tick(DAY)
    connected(room)
    room.crm.put("d1", "deal", stage="after sales")
    room.polls()

    assert [name for name, *_ in signals(room)] == ["deal_moved", "deal_moved"]
    assert outcomes(room) == []


def test_the_same_readings_again_change_nothing(room: Desk) -> None:
    room.crm.put("d1", "deal", people=("7",), stage="new")
    room.hears(*room.crm.hints)
    room.polls()
    before = (room.history(), signals(room), len(room.events()))
    for _ in range(3):
        room.hears(*room.crm.hints)
        room.tick(timedelta(seconds=90))
        room.polls()

    assert (room.history(), signals(room), len(room.events())) == before
