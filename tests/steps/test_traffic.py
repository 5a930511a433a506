"""Robots, the operator's own people and tests are kept apart: no signal, no contact, no play."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from connector.expressions import compile_all
from connector.ledger import staff
from connector.model import Subject, Trust
from connector.rules.mapping import ConsentRule, EventRule, SourceMapping
from connector.rules.traffic import Traffic
from connector.sources.segment import Segment
from connector.steps.replay import replay_events
from connector.steps.setup import OpenSource
from tests.steps.build import WELCOME, Shop

OpenShop = Callable[..., Shop]
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
OURS = Traffic(
    staff_emails=frozenset({"@corner.example"}), staff_numbers=frozenset({"+12125550155"})
)
MAPPING = SourceMapping(
    "segment",
    "m1",
    "segment",
    (
        EventRule(
            0,
            frozenset({"signed_up"}),
            "",
            "signed_up",
            compile_all(
                {
                    "subject.user_id": "userId",
                    "subject.anonymous_id": "anonymousId",
                    "subject.email": "properties.email",
                    "subject.phone": "properties.phone",
                    "consents[0].granted": "properties.consent",
                },
                strict=False,
            ),
            consents=(ConsentRule("marketing", "web_form", "consents[0]"),),
        ),
    ),
)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    sources = {
        name: OpenSource(name, trust, Segment(source=name, trust=trust, keys=[b"key"]), MAPPING)
        for name, trust in (("backend", Trust.trusted), ("site", Trust.browser))
    }
    return open_shop(WELCOME, sources=sources, traffic=OURS)


def told(shop: Shop, source: str = "backend", **body: Any) -> tuple[str, str]:
    """One event is heard; (state, reason) of it."""
    shop.put({"event": "signed_up", **body}, source=source)
    shop.walk()
    row = shop.rows("SELECT state, reason FROM events ORDER BY rowid DESC LIMIT 1")[0]
    return row["state"], row["reason"]


def came(shop: Shop) -> tuple[int, int, int]:
    """How many signals, contacts and enrolments there are."""
    tables = ("signals", "contacts", "enrolments")
    return tuple(shop.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in tables)


@pytest.mark.parametrize(
    ("source", "body", "reason"),
    [
        ("site", {"userId": "u-7", "context": {"userAgent": GOOGLEBOT}}, "robot"),
        ("backend", {"userId": "u-7", "context": {"test": True}}, "test"),
        ("backend", {"userId": "u-7", "properties": {"email": "Ann@Corner.example"}}, "staff"),
        ("backend", {"userId": "u-7", "properties": {"phone": "+12125550155"}}, "staff"),
    ],
)
def test_what_is_no_customers_is_kept_and_nothing_comes_of_it(
    shop: Shop, source: str, body: dict[str, Any], reason: str
) -> None:
    assert told(shop, source, **body) == ("unmapped", reason)
    assert came(shop) == (0, 0, 0)
    assert told(shop, userId="u-8") == ("done", "")
    assert came(shop) == (1, 1, 1)


def test_staff_are_known_again_by_the_ids_they_came_with(shop: Shop) -> None:
    email = {"email": "ann@corner.example"}
    assert told(shop, userId="u-7", anonymousId="a-7", properties=email) == ("unmapped", "staff")
    assert told(shop, userId="u-7") == ("unmapped", "staff")
    assert told(shop, "site", anonymousId="a-7") == ("unmapped", "staff")
    assert told(shop, userId="u-8") == ("done", "")
    assert came(shop) == (1, 1, 1)


def test_a_browsers_word_makes_nobodys_user_id_one_of_ours(shop: Shop) -> None:
    """Whoever holds the public key could else keep every text from a customer."""
    email = {"email": "ann@corner.example"}
    body = {"userId": "victim", "anonymousId": "a-7", "properties": email}
    assert told(shop, "site", **body) == ("unmapped", "staff")
    assert told(shop, userId="victim") == ("done", "")
    assert told(shop, "site", anonymousId="a-7") == ("unmapped", "staff")


def test_whoever_is_taken_off_the_list_is_a_customer_again(shop: Shop) -> None:
    told(shop, userId="u-7", properties={"email": "ann@corner.example"})
    shop.rt.traffic = Traffic(staff_users=frozenset({"u-9"}))
    assert told(shop, userId="u-7") == ("done", "")


def test_an_opt_out_of_staff_is_heard(shop: Shop) -> None:
    body = {"phone": "+12125550155", "consent": False}
    assert told(shop, userId="u-7", properties=body)[0] == "done"
    assert shop.rows("SELECT action FROM consents") == [{"action": "revoked"}]
    assert shop.enrolments() == [], "it starts nothing all the same"
    assert shop.decisions("trigger") == [("stop", "staff")]


def test_a_known_person_who_turns_out_to_be_staff_starts_nothing(shop: Shop) -> None:
    shop.rt.traffic = Traffic()
    told(shop, userId="u-7", properties={"email": "ann@corner.example"})
    shop.rt.traffic = OURS
    told(shop, userId="u-7")
    assert shop.decisions("trigger") == [("send", ""), ("stop", "staff")]


def test_a_start_by_hand_is_wanted_whoever_it_is_for(shop: Shop) -> None:
    shop.rt.traffic = Traffic()
    contact = shop.tell("other", Subject(user_id="u-7", email="ann@corner.example"))
    shop.rt.traffic = OURS
    shop.deliver(
        b'{"play": "welcome", "contact": {"contact_id": "%s"}, "facts": {}}' % contact.encode(),
        kind="hand",
    )
    shop.walk()
    assert shop.decisions("trigger") == [("send", "")]


def test_where_nobody_is_named_nothing_is_read_for_it(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(WELCOME)

    def asked(*_: object) -> list[str]:
        raise AssertionError("the ledger was asked")

    monkeypatch.setattr(staff, "entries", asked)
    shop.put({"event": "signed_up", "userId": "u-7", "properties": {"number": 1, "zero": 1}})
    shop.walk()
    assert len(shop.enrolments()) == 1


def test_what_the_web_found_of_the_address_is_judged_and_kept(shop: Shop) -> None:
    shop.rt.traffic = Traffic(staff_networks=(ip_network("203.0.113.0/24"),))
    seen = {"userId": "u-7", "context": {"network": "staff"}}
    assert told(shop, "site", **seen) == ("unmapped", "staff")
    assert told(shop, "site", userId="u-7", context={"ip": "203.0.113.9"}) == ("unmapped", "staff")
    assert told(shop, "site", userId="u-7", context={"ip": "203.0.114.9"}) == ("done", "")


def test_a_no_that_is_told_from_the_office_is_a_customers(shop: Shop) -> None:
    """Who answers the telephone there unticks the box for whoever calls."""
    told(shop, userId="u-7", properties={"phone": "+12125550101", "consent": True})
    shop.rt.traffic = Traffic(staff_networks=(ip_network("203.0.113.0/24"),))
    office: dict[str, Any] = {"userId": "u-7", "context": {"ip": "203.0.113.9"}}
    assert told(shop, **office, properties={"plan": "x"}) == ("unmapped", "staff")
    said = {"phone": "+12125550101", "consent": False}
    assert told(shop, "site", **office, properties=said) == ("unmapped", "staff")
    assert told(shop, **office, properties={**said, "consent": True}) == ("unmapped", "staff")
    assert told(shop, **office, properties=said)[0] == "done"
    assert [row["action"] for row in shop.rows("SELECT action FROM consents ORDER BY seq")] == [
        *("granted", "revoked")
    ]


def test_a_test_and_a_robot_end_nothing(shop: Shop) -> None:
    no: dict[str, Any] = {"properties": {"phone": "+12125550101", "consent": False}}
    assert told(shop, userId="u-7", context={"test": True}, **no) == ("unmapped", "test")
    robot = {"userAgent": GOOGLEBOT}
    assert told(shop, "site", userId="u-7", context=robot, **no) == ("unmapped", "robot")
    assert came(shop) == (0, 0, 0)


def test_a_fault_of_the_mark_is_a_fault_of_the_mapping(shop: Shop) -> None:
    broken = compile_all({"test": "properties.number / properties.zero"}, strict=False)
    test = broken.expressions["test"]
    own = shop.rt.sources["backend"]
    shop.rt.sources = {"backend": replace(own, mapping=replace(own.mapping, test=test))}
    state, reason = told(shop, userId="u-7", properties={"number": 1, "zero": 0})
    assert (state, reason.partition(": a")[0]) == ("failed", "mapping_error: source.test")


def test_once_robots_are_let_in_theirs_may_be_replayed(shop: Shop) -> None:
    told(shop, "site", userId="u-7", context={"userAgent": GOOGLEBOT})
    event = shop.rows("SELECT id FROM events")[0]["id"]
    [became] = replay_events(shop.rt, [event])
    assert (became.state, became.reason) == ("unmapped", "robot")
    shop.rt.traffic = Traffic(robots=False)
    [became] = replay_events(shop.rt, [event])
    assert became.state == "done"
    assert came(shop) == (1, 1, 1)
