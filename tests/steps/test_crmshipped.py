"""The mapping files that are shipped carry opt-outs and facts, however a CRM spells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.ledger import crm_facts
from connector.model import Json
from connector.steps.drift import drift
from connector.steps.setup import OpenSource
from tests.config.crm_file import shipped
from tests.steps.build import DAY, MINUTE, PHONE, Shop
from tests.steps.desk import Desk, open_desk

OpenShop = Callable[..., Shop]
CRMS: dict[str, dict[str, Any]] = {
    "hubspot": {"box": "sms_opt_out", "phone": "mobilephone", "yes": "true", "no": "false"},
    "salesforce": {"box": "SMS_Opt_Out__c", "phone": "MobilePhone", "yes": True, "no": False},
}


@pytest.fixture(params=sorted(CRMS))
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(open_shop: OpenShop, crm: str) -> Desk:
    """Somebody of that CRM, connected a minute ago, who said yes to texts."""
    shop = open_desk(open_shop)
    mapping = shipped(crm)
    assert mapping.source is not None
    shop.rt.crm = shop.crm.name = crm
    shop.rt.crms, shop.rt.crm_mappings = {crm: shop.crm}, {crm: mapping}
    shop.rt.crm_fields, shop.rt.opt_out_fields = {crm: mapping.fields}, {crm: mapping.opt_out}
    told = shop.rt.sources["desk"]
    source = OpenSource(crm, told.trust, told.adapter, mapping.source)
    shop.rt.sources = {**shop.rt.sources, crm: source}
    shop.crm.spells = {True: CRMS[crm]["yes"], False: CRMS[crm]["no"]}
    shop.reads()
    shop.tick(MINUTE)
    shop.crm.put("1", **{CRMS[crm]["phone"]: PHONE})
    shop.polls()
    shop.consent()
    return shop


def says(desk: Desk, crm: str, what: str) -> None:
    """A person sets the box in the CRM, and within one poll it is known."""
    desk.crm.put("1", **{CRMS[crm]["box"]: CRMS[crm][what]})
    desk.polls()


def box(desk: Desk, crm: str) -> Json:
    return desk.crm.held["contact", "1"].values.get(CRMS[crm]["box"])


def test_a_box_ticked_there_stops_texts_and_un_ticked_frees_them(desk: Desk, crm: str) -> None:
    says(desk, crm, "yes")
    assert desk.live().stopped == "all"
    says(desk, crm, "no")
    assert desk.live().stopped == ""


def test_a_stop_by_text_ticks_the_box_there_and_comes_back_as_no_news(desk: Desk, crm: str) -> None:
    desk.reply("STOP")
    desk.writes()
    assert box(desk, crm) == CRMS[crm]["yes"]
    heard = len(desk.rows("SELECT id FROM events"))
    desk.polls()
    desk.writes()
    assert len(desk.rows("SELECT id FROM events")) == heard


def test_drift_is_found_in_a_day_and_put_right_both_ways(desk: Desk, crm: str) -> None:
    held = desk.crm.held["contact", "1"].values
    held[CRMS[crm]["box"]] = CRMS[crm]["yes"]  # of which nothing tells
    desk.tick(DAY)
    drift(desk.rt)
    assert desk.live().stopped == "all"
    desk.reply("START")
    desk.reply("STOP")
    desk.writes()
    held[CRMS[crm]["box"]] = CRMS[crm]["no"]
    desk.tick(DAY)
    drift(desk.rt)
    desk.writes()
    assert desk.live().stopped == "all"
    assert box(desk, crm) == CRMS[crm]["yes"]


def test_an_open_case_is_a_fact_within_one_poll(desk: Desk, crm: str) -> None:
    desk.hears(desk.crm.put("c1", "case", people=("1",), open=True))
    desk.reads()
    with desk.store.read() as tx:
        facts = crm_facts.of(tx, crm, "con_000001")
    assert facts["has_open_case"] is True
