"""A CRM is read by its hints and by asking; each record once, and nothing while it is away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from connector.errors import CrmUnavailable
from connector.steps import crmread, crmtake
from tests.steps.build import HOUR, MINUTE, PHONE, SECOND, Shop
from tests.steps.desk import Desk, open_desk

OpenShop = Callable[..., Shop]


@pytest.fixture
def desk(open_shop: OpenShop) -> Desk:
    """A shop whose CRM was connected a minute ago."""
    shop = open_desk(open_shop)
    shop.reads()
    shop.tick(MINUTE)
    return shop


def test_what_a_crm_held_before_it_was_connected_starts_nothing(open_shop: OpenShop) -> None:
    shop = open_desk(open_shop)
    shop.crm.put("1", phone=PHONE, plan="pro")
    shop.tick(HOUR)

    assert shop.reads() == 0
    assert shop.polls() == 0
    assert shop.events() == []


def test_an_old_record_that_is_heard_of_first_through_a_change_enrols_nobody(
    open_shop: OpenShop,
) -> None:
    shop = open_desk(open_shop)
    shop.crm.put("1", phone=PHONE, plan="free")
    shop.tick(HOUR)
    shop.reads()
    shop.tick(HOUR)
    shop.crm.put("1", plan="pro")
    shop.polls()

    [event] = shop.events()
    assert event["back_fill"] == 1
    assert shop.bearers("phone", PHONE) == {"con_000001"}


def test_of_an_old_record_whose_history_the_crm_tells_the_change_itself_is_news(
    open_shop: OpenShop,
) -> None:
    shop = open_desk(open_shop, tells=("plan",))
    shop.crm.put("1", phone=PHONE, plan="free")
    shop.tick(HOUR)
    shop.reads()
    shop.tick(HOUR)
    shop.crm.put("1", plan="pro")
    shop.polls()

    [event] = shop.events()
    assert event["back_fill"] == 0
    told = orjson.loads(event["payload"])["item"]
    assert (told["was"]["plan"], told["now"]["plan"]) == ("free", "pro")
    assert told["changed"] == ["plan"]


def test_a_new_record_is_heard_once_by_hint_and_poll_together(desk: Desk) -> None:
    desk.hears(desk.crm.put("1", phone=PHONE, plan="pro"))
    desk.polls()
    desk.polls()

    [event] = desk.events()
    assert (event["name"], event["state"], event["back_fill"]) == ("contact", "done", 0)
    assert desk.bearers("crm_id", "desk:1") == {"con_000001"}
    assert desk.waiting() == []


def test_a_hint_that_a_poll_has_read_already_costs_no_call_of_its_own(desk: Desk) -> None:
    told = desk.crm.put("1", phone=PHONE)
    page = crmread._page(desk.rt, desk.crm, "contact")
    desk.tick(SECOND)
    newer = desk.crm.put("2", plan="pro")
    desk.hears(told, newer, replace(told, record="2"))
    crmread._take_page(desk.rt, "contact", page)
    assert desk.waiting() == [("contact", "2"), ("facts", "1")]


def test_a_change_that_came_behind_the_page_is_read_for_its_hint(desk: Desk) -> None:
    desk.rt.poll_every = timedelta(days=1)
    desk.crm.put("1", phone=PHONE, plan="free")
    page = crmread._page(desk.rt, desk.crm, "contact")
    desk.tick(SECOND)
    desk.hears(desk.crm.put("1", plan="pro"))
    crmread._take_page(desk.rt, "contact", page)
    desk.reads()
    assert '"plan":"pro"' in desk.record("1")["fields"]


def test_what_is_taken_over_before_a_crm_was_ever_read_enrols_nobody(open_shop: OpenShop) -> None:
    shop = open_desk(open_shop)
    shop.crm.put("1", phone=PHONE)
    [record] = shop.crm.read("contact", ["1"])
    with shop.store.write() as tx:
        assert crmtake.take(tx, shop.rt, "desk", record, shop.clock())
    [event] = shop.events()
    assert event["back_fill"] == 1


def test_a_hint_that_came_while_its_record_was_being_read_is_read_again(desk: Desk) -> None:
    desk.rt.poll_every = timedelta(days=1)
    desk.hears(desk.crm.put("1", phone=PHONE, plan="free"))
    [waiting] = desk.rows("SELECT * FROM crm_hints")
    read = desk.crm.read

    def meanwhile(object: str, ids: list[str]) -> object:
        found = read(object, ids)
        desk.tick(SECOND)
        desk.hears(desk.crm.put("1", plan="pro"))
        desk.crm.read = read  # type: ignore[method-assign]
        return found

    desk.crm.read = meanwhile  # type: ignore[method-assign, assignment]
    desk.reads()

    assert waiting["revision"] == 1
    assert len(desk.events()) == 2
    assert '"plan":"pro"' in desk.record("1")["fields"]


def test_a_thousand_hints_are_read_a_hundred_at_a_time(desk: Desk) -> None:
    desk.hears(*(desk.crm.put(str(number), plan="pro") for number in range(250)))
    desk.crm.calls.clear()
    crmread.round(desk.rt, 2)
    assert [call for call in desk.crm.calls if call[0] == "read"] == [("read", 100)] * 2


def test_a_record_told_twice_is_heard_once_and_an_older_reading_is_ignored(desk: Desk) -> None:
    hint = desk.crm.put("1", phone=PHONE, plan="pro")
    [new] = desk.crm.read("contact", ["1"])
    old = replace(new, modified_at=new.modified_at - HOUR, values={"plan": "free"})
    desk.hears(hint, hint)
    desk.reads()
    desk.crm.read = lambda object, ids: [old]  # type: ignore[method-assign]
    desk.hears(hint)
    desk.reads()

    assert len(desk.events()) == 1
    assert desk.facts()["plan"] == "pro"


def test_during_an_outage_nothing_is_asked_and_afterwards_nothing_is_lost(desk: Desk) -> None:
    desk.hears(desk.crm.put("1", phone=PHONE))
    remedy = "make a new access token in HubSpot and put it into config.toml"
    desk.crm.error = CrmUnavailable("401 from HubSpot", code="unauthorized", remedy=remedy)
    assert desk.reads() == 0
    asked = len(desk.crm.calls)
    for _ in range(5):
        desk.tick(SECOND / 2)
        assert desk.reads() == 0
    assert len(desk.crm.calls) == asked
    [alarm] = desk.rows("SELECT * FROM alarms WHERE kind = 'crm_not_read'")
    assert "401 from HubSpot" in alarm["says"]
    assert "Make a new access token in HubSpot and put it into config.toml." in alarm["says"]

    for _ in range(7 * 24):
        desk.tick(HOUR)
        desk.reads()
    week = len(desk.crm.calls) - asked
    assert week <= 7 * 24
    desk.crm.error = None
    desk.tick(HOUR)
    desk.reads()

    assert len(desk.events()) == 1
    [alarm] = desk.rows("SELECT * FROM alarms WHERE kind = 'crm_not_read'")
    assert alarm["cleared_at"]


def test_a_crm_that_asks_for_patience_is_left_alone_for_as_long(desk: Desk) -> None:
    desk.hears(desk.crm.put("1", phone=PHONE))
    desk.crm.error = CrmUnavailable("429", code="rate_limited", retry_after=600)
    desk.reads()
    asked = len(desk.crm.calls)
    desk.tick(timedelta(seconds=590))
    assert desk.reads() == 0
    assert len(desk.crm.calls) == asked
    desk.tick(timedelta(seconds=120))
    desk.crm.error = None
    assert desk.reads() > 0


def test_one_record_that_breaks_every_answer_does_not_hold_up_the_others(desk: Desk) -> None:
    desk.crm.poison = "7"
    desk.rt.poll_every = timedelta(days=1)
    desk.hears(*(desk.crm.put(str(number), plan="pro") for number in range(20)))
    for _ in range(40):
        desk.tick(timedelta(minutes=5))
        crmread.round(desk.rt)

    assert desk.waiting() == [("contact", "7")]
    heard = {event["payload"].split('"id":"')[1].split('"')[0] for event in desk.events()}
    assert heard >= {str(number) for number in range(20) if number != 7}


def test_a_poll_goes_on_page_by_page_within_its_share(desk: Desk) -> None:
    for number in range(250):
        desk.crm.put(str(number), plan="pro")
    desk.tick(MINUTE)
    desk.crm.calls.clear()
    first = crmread.round(desk.rt, 1)
    assert first == 100
    desk.reads()
    assert len(desk.events()) == 250


def test_a_death_between_two_slices_of_a_page_loses_and_doubles_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(80):
        desk.crm.put(str(number), plan="pro")
    desk.tick(MINUTE)
    take, taken = crmread._take_polled, []

    def dies(*told: object) -> None:
        taken.append(told)
        if len(taken) == 50:
            raise KeyboardInterrupt
        take(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(crmread, "_take_polled", dies)
    with pytest.raises(KeyboardInterrupt):
        crmread.round(desk.rt)
    assert len(desk.events()) == 32
    monkeypatch.undo()
    desk.reads()
    assert len(desk.events()) == 80


def test_what_is_due_next_is_the_sooner_of_hint_and_poll(desk: Desk) -> None:
    desk.reads()
    polled = crmread.next_due(desk.rt, desk.clock())
    assert polled == desk.clock() + MINUTE
    desk.hears(desk.crm.put("1", plan="pro"))
    assert crmread.next_due(desk.rt, desk.clock()) == desk.clock()


def test_a_shop_without_a_crm_elsewhere_reads_nothing(shop: Shop) -> None:
    assert crmread.round(shop.rt) == 0
    assert crmread.next_due(shop.rt, shop.clock()) is None
    assert crmread.poll(shop.rt) == 0


def test_after_a_restore_all_that_changed_meanwhile_is_told(desk: Desk) -> None:
    for number in range(150):
        desk.crm.put(str(number), plan="pro")
    assert crmread.poll(desk.rt) == 150
    assert len(desk.events()) == 150
