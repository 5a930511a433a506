"""What a CRM knows of a person is known here under the mapping's names, and as young as said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.errors import CrmUnavailable
from connector.expressions import compile_all
from connector.ledger import consents, refreshes
from connector.model import Json, Subject
from connector.steps import crmread, owed
from connector.steps.drift import drift
from connector.steps.refresh import refresh
from tests.steps.build import DAY, HOUR, MINUTE, OTHER, PHONE, SECOND, Shop
from tests.steps.desk import FIELD, MAPPING, Desk, open_desk

OpenShop = Callable[..., Shop]


@pytest.fixture
def desk(open_shop: OpenShop) -> Desk:
    """A shop whose CRM was connected a minute ago, and knows one person."""
    shop = open_desk(open_shop)
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("1", phone=PHONE, plan="free")
    shop.polls()
    return shop


def waits_for_facts(desk: Desk) -> None:
    """A text waits for what the CRM knows of the person."""
    send_id = desk.plan_by_hand()
    with desk.store.write() as tx:
        refreshes.ask(tx, refreshes.CRM, "con_000001", send_id, desk.clock())


def test_facts_stand_under_the_names_of_the_mapping_file_with_what_is_asked_beside(
    desk: Desk,
) -> None:
    assert desk.facts() == {
        "id": "1",
        "object": "contact",
        "plan": "free",
        "has_open_case": False,
    }


def test_a_webhook_refreshes_the_facts_at_once(desk: Desk) -> None:
    desk.tick(SECOND)
    desk.hears(desk.crm.put("1", plan="pro"))
    desk.reads()
    assert desk.facts()["plan"] == "pro"


def test_a_case_that_was_opened_is_known_of_the_person_at_once(desk: Desk) -> None:
    desk.tick(SECOND)
    desk.hears(desk.crm.put("c1", "case", people=("1",), open=True))
    desk.reads()
    assert desk.facts()["has_open_case"] is True
    desk.tick(SECOND)
    desk.hears(desk.crm.put("c1", "case", open=False))
    desk.reads()
    assert desk.facts()["has_open_case"] is False


def test_a_hundred_people_are_asked_about_in_one_call(desk: Desk) -> None:
    for number in range(2, 102):
        desk.crm.put(str(number), plan="pro")
    desk.crm.calls.clear()
    desk.polls()
    assert [size for what, size in desk.crm.calls if what == "fetch"] == [100]


def test_facts_that_could_not_be_asked_for_are_asked_for_again(desk: Desk) -> None:
    desk.tick(SECOND)
    desk.hears(desk.crm.put("1", plan="pro"))
    fetch = desk.crm.fetch
    desk.crm.fetch = away  # type: ignore[method-assign, assignment]
    desk.reads()
    assert desk.waiting() == [("facts", "1")]
    desk.crm.fetch = fetch  # type: ignore[method-assign]
    desk.tick(MINUTE)
    desk.reads()
    assert desk.facts()["plan"] == "pro"
    assert desk.waiting() == []


def test_a_text_that_waits_is_told_the_facts_by_the_same_names(desk: Desk) -> None:
    waits_for_facts(desk)
    desk.crm.put("1", plan="pro")
    assert refresh(desk.rt) == 1
    assert desk.facts()["plan"] == "pro"
    assert "phone" not in desk.facts()


def test_a_crm_that_refuses_while_a_text_waits_says_what_to_do(desk: Desk) -> None:
    waits_for_facts(desk)
    remedy = "add the scope crm.objects.contacts.read"
    desk.crm.error = CrmUnavailable("403", code="forbidden", remedy=remedy, retry_after=900)
    refresh(desk.rt)
    [alarm] = desk.rows("SELECT * FROM alarms WHERE kind = 'crm_not_asked'")
    assert alarm["says"].endswith("Add the scope crm.objects.contacts.read.")
    [due] = desk.rows("SELECT due_at FROM refreshes")
    assert due["due_at"] >= (desk.clock() + 900 * SECOND).isoformat()[:19]


def test_a_fact_whose_expression_fails_is_left_out_and_the_others_stand(
    open_shop: OpenShop,
) -> None:
    facts = compile_all({"plan": "plan", "odd": "plan / 0"}, strict=False)
    shop = open_desk(open_shop)
    shop.rt.crm_mappings = {"desk": replace(MAPPING, facts=facts)}
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("1", phone=PHONE, plan="free")
    shop.polls()
    assert shop.facts()["plan"] == "free"
    assert "odd" not in shop.facts()


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), (True, False)])
def test_a_box_ticked_in_the_crm_stops_texts_within_one_poll_and_un_ticked_frees_them(
    desk: Desk, yes: Json, no: Json
) -> None:
    desk.consent()
    desk.crm.put("1", **{FIELD: yes})
    desk.polls()
    assert desk.live().stopped == "all"
    desk.crm.put("1", **{FIELD: no})
    desk.polls()
    assert desk.live().stopped == ""


def test_a_box_un_ticked_in_the_crm_does_not_lift_what_the_person_said(desk: Desk) -> None:
    desk.consent()
    desk.reply("STOP")
    desk.writes()
    assert desk.crm.held["contact", "1"].values[FIELD] == "true"
    desk.polls()
    desk.crm.put("1", **{FIELD: "false"})
    desk.polls()
    assert desk.live().stopped == "all"
    desk.writes()
    assert desk.crm.held["contact", "1"].values[FIELD] == "true"


def test_our_own_tick_coming_back_is_no_news(desk: Desk) -> None:
    desk.consent()
    desk.reply("STOP")
    desk.writes()
    heard, given = desk.events(), desk.rows("SELECT * FROM consents")
    desk.hears(*desk.crm.hints[-1:])
    for _ in range(5):
        desk.polls()
        desk.writes()
    assert desk.events() == heard
    assert desk.rows("SELECT * FROM consents") == given
    assert [what for what, _ in desk.crm.calls].count("write") == 1
    assert desk.facts()[FIELD] == "true"


def test_the_daily_sweep_repairs_both_directions(desk: Desk) -> None:
    desk.crm.put("2", phone=OTHER)
    desk.polls()
    with desk.store.write() as tx:
        for contact_id in ("con_000001", "con_000002"):
            owed.contact_changed(tx, "desk", contact_id, desk.clock())
    desk.writes()
    desk.consent()
    desk.reply("STOP")
    desk.writes()
    quietly(desk, "1", "false")
    quietly(desk, "2", "true")
    desk.tick(DAY)
    assert drift(desk.rt) == 1

    with desk.store.read() as tx:
        stopped = consents.number(tx, OTHER)
    assert stopped is not None
    assert stopped["blocked_scope"] == "all"
    desk.writes()
    assert desk.crm.held["contact", "1"].values[FIELD] == "true"


def test_the_sweep_leaves_a_crm_alone_that_asked_for_patience(desk: Desk) -> None:
    desk.crm.error = CrmUnavailable("used up", code="daily_limit", retry_after=7200)
    desk.tick(DAY)
    assert drift(desk.rt) == 0
    asked = len(desk.crm.calls)
    desk.tick(HOUR)
    assert drift(desk.rt) == 0
    assert crmread.round(desk.rt) == 0
    assert len(desk.crm.calls) == asked
    desk.crm.error = None
    desk.tick(2 * HOUR)
    drift(desk.rt)
    assert len(desk.crm.calls) == asked + 1


def away(subjects: list[Subject]) -> list[None]:
    raise CrmUnavailable("no answer", code="timeout")


def quietly(desk: Desk, record: str, value: Json) -> None:
    """A value changes in the CRM of which no webhook and no poll tells."""
    desk.crm.held["contact", record].values[FIELD] = value


def test_who_comes_with_the_box_ticked_is_stopped_before_any_fact_is_asked_for(
    desk: Desk,
) -> None:
    desk.crm.fetch = away  # type: ignore[method-assign, assignment]
    desk.crm.put("2", phone=OTHER, **{FIELD: "true"})
    desk.polls()
    assert desk.live(OTHER).stopped == "all"
    [row] = desk.rows("SELECT * FROM consents WHERE phone = :phone", phone=OTHER)
    assert (row["method"], row["source"], row["recorded_by"]) == ("crm_field", "desk", "desk")


def test_a_number_that_is_added_to_a_record_with_the_box_ticked_is_stopped_too(desk: Desk) -> None:
    desk.crm.put("2", **{FIELD: "true"})
    desk.polls()
    desk.crm.put("2", phone=OTHER)
    desk.polls()
    assert desk.live(OTHER).stopped == "all"


def test_the_box_of_a_person_without_a_number_is_left_as_it_is(desk: Desk) -> None:
    desk.crm.put("2", **{FIELD: "true"})
    desk.polls()
    desk.tick(DAY)
    drift(desk.rt)
    with desk.store.write() as tx:
        owed.contact_changed(tx, "desk", "con_000002", desk.clock())
    desk.writes()
    assert desk.crm.held["contact", "2"].values[FIELD] == "true"


def test_who_answers_start_is_not_stopped_again_by_the_box_that_is_still_ticked(
    desk: Desk,
) -> None:
    desk.consent()
    desk.crm.put("1", **{FIELD: "true"})
    desk.polls()
    desk.reply("START")
    desk.crm.put("1", plan="pro")
    desk.polls()
    assert desk.live().stopped == ""
    desk.writes()
    assert desk.crm.held["contact", "1"].values[FIELD] == "false"
