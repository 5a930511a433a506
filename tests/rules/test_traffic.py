"""Robots, the operator's own people and tests are told from customers by what an event says."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.expressions import compile_expression
from connector.model import ConsentGiven, Event, Signal, Subject, Trust
from connector.rules import robots
from connector.rules.mapping import DELETED, MERGED, SourceMapping
from connector.rules.traffic import Traffic, is_robot, of_people, told

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SEGMENT = SourceMapping("segment", "v1", "segment")
SHOPIFY = SourceMapping("shopify", "v1", "standard")
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0 Safari/537.36"
USUAL = Traffic()
STAFF = Traffic(
    staff_emails=frozenset({"@corner.example", "boss@mail.example"}),
    staff_numbers=frozenset({"+12125550123"}),
    staff_users=frozenset({"u-1"}),
    staff_networks=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/48")),
    test_emails=frozenset({"@example.com"}),
    test_numbers=frozenset({"+12125550199"}),
)


def event(payload: dict[str, Any], kind: str = "track") -> Event:
    return Event("evt_1", "site", "1", kind, "Cart", NOW, NOW, payload)


def seen(agent: Any, **context: Any) -> Event:
    return event({"context": {"userAgent": agent, **context}})


def why(
    one: Event,
    trust: Trust = Trust.browser,
    source: SourceMapping = SEGMENT,
    traffic: Traffic = USUAL,
) -> str:
    return told(traffic, source, one, trust)


def signal(*consents: ConsentGiven, privacy: str = "", **who: str) -> Signal:
    return Signal("cart", Subject(**who), {}, {}, consents=consents, privacy=privacy)


def consent(granted: bool, phone: str = "") -> ConsentGiven:
    return ConsentGiven(phone, "marketing", granted, "web_form")


# Robots


@pytest.mark.parametrize("agent", [GOOGLEBOT, HEADLESS, "facebookexternalhit/1.1", "MyOwnBot/2.0"])
def test_a_browser_that_says_it_is_a_robot_is_one(agent: str) -> None:
    assert why(seen(agent)) == "robot"


@pytest.mark.parametrize(
    "agent",
    [
        *(PERSON, None, "", 7, ["Googlebot"]),
        "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)",  # an app that Segment's library is in
        "Shop/7.1 CFNetwork/1494.0.7 Darwin/23.4.0",
        "analytics-python/2.3.3",
    ],
)
def test_a_person_an_app_and_silence_are_no_robots(agent: Any) -> None:
    assert why(seen(agent)) == ""


def test_a_browser_that_is_driven_by_a_program_is_a_robot() -> None:
    assert why(seen(PERSON, automated=True)) == "robot"
    assert why(seen(PERSON, automated="yes")) == ""


def test_one_list_serves_clicks_and_events() -> None:
    kinds = {each.kind for each in robots.KNOWN}
    for each in robots.KNOWN:
        for word in each.words:
            agent = f"Mozilla/5.0 (X11) {word}"
            assert is_robot(agent) is (each.kind != "library"), agent
    assert kinds >= {"preview", "search", "scanner", "monitor", "browser", "library"}


def test_a_server_speaks_for_people_whatever_it_calls_itself() -> None:
    assert why(seen(GOOGLEBOT), Trust.trusted) == ""
    assert why(seen(GOOGLEBOT), Trust.form) == "robot"


def test_robots_may_be_let_in() -> None:
    assert why(seen(GOOGLEBOT), traffic=Traffic(robots=False)) == ""


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_nothing_that_an_event_says_of_itself_is_too_odd(odd: Any) -> None:
    assert why(event({"context": odd})) in ("", "robot", "staff", "test")
    assert why(seen(odd, ip=odd, test=odd, network=odd), traffic=STAFF) in ("", "robot", "test")
    assert why(event({"item": odd, "headers": odd}), source=SHOPIFY) in ("", "test")


# Tests


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        (SHOPIFY, {"item": {"test": True}}),
        (SHOPIFY, {"item": {"livemode": False}}),
        (SHOPIFY, {"item": {}, "headers": {"x-shopify-test": "true"}}),
        (SEGMENT, {"context": {"test": True}}),
        (SEGMENT, {"properties": {"test": True}}),
    ],
)
def test_what_its_sender_marks_as_a_test_is_one(
    source: SourceMapping, payload: dict[str, Any]
) -> None:
    assert why(event(payload), Trust.trusted, source) == "test"
    assert why(event(payload), Trust.trusted, source, Traffic(tests=False)) == ""


@pytest.mark.parametrize(
    "item", [{"test": False}, {"test": "true"}, {"test": 1}, {"livemode": True}, {"livemode": 0}]
)
def test_what_only_resembles_the_mark_is_none(item: dict[str, Any]) -> None:
    assert why(event({"item": item}), Trust.trusted, SHOPIFY) == ""
    assert why(event({"properties": item}), Trust.trusted) == ""


def test_a_mapping_says_for_itself_what_a_test_is() -> None:
    own = compile_expression("body.env == 'staging'", strict=False)
    source = SourceMapping("own", "v1", "standard", test=own)
    assert why(event({"item": {"env": "staging"}}), Trust.trusted, source) == "test"
    assert why(event({"item": {"env": "live", "test": True}}), Trust.trusted, source) == ""


# The operator's own people


@pytest.mark.parametrize(
    "who",
    [
        {"email": "ann@corner.example"},
        {"email": "ann@shop.corner.example"},
        {"email": "boss@mail.example", "user_id": "u-9"},
        {"phone": "+12125550123"},
        {"user_id": "u-1"},
    ],
)
def test_the_operators_own_people_are_known_by_any_of_their_names(who: dict[str, str]) -> None:
    assert of_people(STAFF, signal(**who)) == "staff"
    assert of_people(Traffic(), signal(**who)) == ""


@pytest.mark.parametrize(
    "who",
    [
        {"email": "ann@notcorner.example"},
        {"email": "corner.example@mail.example"},
        {"email": "otherboss@mail.example"},
        {"phone": "+12125550124", "user_id": "u-10"},
        {"anonymous_id": "u-1"},
        {},
    ],
)
def test_a_customer_whose_name_is_like_theirs_is_none(who: dict[str, str]) -> None:
    assert of_people(STAFF, signal(**who)) == ""


def test_addresses_and_numbers_for_tests_are_known_too() -> None:
    assert of_people(STAFF, signal(email="qa@example.com")) == "test"
    assert of_people(STAFF, signal(phone="+12125550199")) == "test"


def test_the_number_of_a_consent_counts_like_the_persons_own() -> None:
    assert of_people(STAFF, signal(consent(True, "+12125550123"), user_id="u-7")) == "staff"


def test_an_opt_out_and_a_right_are_heard_whoever_asks() -> None:
    assert of_people(STAFF, signal(consent(False), user_id="u-1")) == ""
    assert of_people(STAFF, signal(privacy="forget", user_id="u-1")) == ""


@pytest.mark.parametrize(
    "address", ["203.0.113.9", " 203.0.113.9 ", "::ffff:203.0.113.9", "2001:db8::1"]
)
def test_an_address_inside_their_network_is_theirs(address: str) -> None:
    assert why(seen(PERSON, ip=address), traffic=STAFF) == "staff"


@pytest.mark.parametrize("address", ["203.0.114.9", "2001:db9::1", "", "nonsense", "203.0.113"])
def test_an_address_outside_it_is_not(address: str) -> None:
    assert why(seen(PERSON, ip=address), traffic=STAFF) == ""


def test_what_the_web_found_of_the_address_counts_without_it() -> None:
    assert why(seen(PERSON, network="staff"), traffic=STAFF) == "staff"
    assert why(seen(PERSON, network="staff")) == "", "no network is named any more"


def test_a_record_that_a_crm_merged_or_lost_is_always_heard() -> None:
    for kind in (MERGED, DELETED):
        assert why(event({"item": {"test": True}}, kind), Trust.trusted, SHOPIFY) == ""


@given(st.emails())
def test_whoever_is_not_listed_is_a_customer(email: str) -> None:
    listed = Traffic(staff_emails=frozenset({"@corner.example", "boss@mail.example"}))
    is_theirs = email.lower().endswith(("@corner.example", ".corner.example"))
    expected = "staff" if is_theirs or email.lower() == "boss@mail.example" else ""
    assert of_people(listed, signal(email=email.lower())) == expected
