"""PostHog's capture protocol: what its libraries send becomes events of Segment's shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.sources import load_source
from connector.errors import Fault, Unreadable, Unverified
from connector.model import Event, Hook, Parsed, Signal, Trust
from connector.rules import identity, mapping
from connector.sources.posthog import SENT_AT, PostHog
from connector.sources.segment import IP_COUNTRY, IP_NETWORK

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]

#: As posthog-python 7.91.1 and posthog-node 5.70.0 put them on the wire.
PYTHON = {
    "properties": {"order_id": "50314", "$lib": "posthog-python", "$is_server": True},
    "timestamp": "2026-11-20T09:59:00+00:00",
    "distinct_id": "u-7",
    "event": "order completed",
    "uuid": "0197-1",
}
NODE = {
    "distinct_id": "u-7",
    "event": "$identify",
    "properties": {
        "$set": {"email": "ann@shop.example", "first_name": "Ann"},
        "$set_once": {"first_name": "Anna", "plan": "trial"},
        "$anon_distinct_id": "a-1",
        "$lib": "posthog-node",
    },
    "type": "identify",
    "library": "posthog-node",
    "timestamp": "2026-11-20T09:59:00.000Z",
    "uuid": "0197-2",
}
#: As posthog-js sends a page view to /i/v0/e/ before anybody is identified.
PAGE = {
    "uuid": "0197-3",
    "event": "$pageview",
    "properties": {
        "token": "project-key",
        "distinct_id": "0197-dev",
        "$device_id": "0197-dev",
        "$is_identified": False,
        "$current_url": "https://shop.example/pricing?utm_source=ad",
        "$pathname": "/pricing",
        "$referrer": "https://search.example/",
        "$raw_user_agent": "Mozilla/5.0",
        "$session_id": "s-1",
        "utm_source": "ad",
        "title": "Pricing",
    },
    "offset": 2_000,
}


def parse(
    body: Any,
    trust: Trust = Trust.trusted,
    headers: dict[str, str] | None = None,
    at: datetime = AT,
) -> Parsed:
    hook = Hook("POST", "/batch/", headers or {}, json.dumps(body).encode())
    return PostHog(source="product", trust=trust, keys=[b"project-key"]).parse(hook, at)


def one(item: Any, **more: Any) -> Event:
    parsed = parse({"api_key": "project-key", "batch": [item], **more})
    assert parsed.rejected == ()
    (event,) = parsed.events
    return event


def test_a_thing_that_somebody_did_is_a_track_by_its_own_name() -> None:
    event = one(PYTHON)
    assert (event.type, event.name) == ("track", "order completed")
    assert (event.source, event.source_event_id) == ("product", "0197-1")
    assert event.payload["userId"] == "u-7"
    assert event.payload["properties"]["order_id"] == "50314"
    assert event.occurred_at == AT - timedelta(minutes=1)


def test_an_identify_tells_traits_and_who_they_were_before() -> None:
    event = one(NODE)
    assert event.type == "identify"
    assert event.payload["traits"] == {
        "email": "ann@shop.example",
        "first_name": "Ann",
        "plan": "trial",
    }
    assert (event.payload["userId"], event.payload["anonymousId"]) == ("u-7", "a-1")


@pytest.mark.parametrize("name", ["$set", "$set_once"])
def test_what_is_set_beside_the_properties_is_a_trait_too(name: str) -> None:
    event = one({"event": name, name: {"plan": "paid"}, "distinct_id": "u-7", "uuid": "1"})
    assert (event.type, event.payload["traits"]) == ("identify", {"plan": "paid"})


@pytest.mark.parametrize(
    "told",
    [
        {"event": "order completed"},
        {"event": "$identify", "properties": {"$anon_distinct_id": "u-7"}},
        {"event": "$create_alias", "properties": {"distinct_id": "u-7", "alias": "a-1"}},
    ],
)
def test_a_users_id_is_no_browsers_id_too(told: dict[str, Any]) -> None:
    """Else whoever writes it as an anonymous one is taken for that user, signed or not."""
    payload = one({"distinct_id": "u-7", "uuid": "1", **told}).payload
    assert (payload["userId"], payload["anonymousId"]) == ("u-7", None)


def test_a_page_may_bear_the_signature_of_its_user_which_is_kept_nowhere() -> None:
    secret = b"a-secret-of-enough-letters"
    proof = identity.signature("u-7", secret)
    for borne, found in ((proof, "u-7"), ("0" * 64, ""), (None, "")):
        item = {**PYTHON, "properties": {"userHash": borne, "order_id": "1"}}
        (event,) = parse([item], Trust.browser).events
        checked = identity.checked(event, Trust.browser, [secret])
        assert identity.proven(checked.payload) == found
        assert proof not in json.dumps(checked.payload)


def test_a_request_holds_a_bounded_number_of_events() -> None:
    with pytest.raises(Unreadable, match="at most 5000"):
        parse([0] * 5_001)


def test_a_page_view_of_somebody_unknown_bears_the_id_that_the_library_made_up() -> None:
    (event,) = parse([PAGE], Trust.browser).events
    assert (event.type, event.name) == ("page", "Pricing")
    assert (event.payload["userId"], event.payload["anonymousId"]) == (None, "0197-dev")
    context = event.payload["context"]
    assert context["page"]["path"] == "/pricing"
    assert context["page"]["referrer"] == "https://search.example/"
    assert (context["userAgent"], context["sessionId"]) == ("Mozilla/5.0", "s-1")
    assert context["campaign"] == {"source": "ad"}
    assert event.occurred_at == AT - timedelta(seconds=2)


def test_an_alias_joins_whichever_way_round_a_library_writes_it() -> None:
    event = one(
        {
            "event": "$create_alias",
            "distinct_id": "u-7",
            "properties": {"distinct_id": "u-7", "alias": "a-1"},
            "uuid": "1",
        }
    )
    assert (event.type, event.payload["userId"]) == ("alias", "u-7")
    assert event.payload["previousId"] == "a-1"


def test_a_group_is_no_person() -> None:
    properties = {"$group_type": "company", "$group_key": "c-1", "$group_set": {"name": "Corner"}}
    event = one(
        {"event": "$groupidentify", "distinct_id": "$company_c-1", "properties": properties}
    )
    assert (event.type, event.payload["groupId"]) == ("group", "c-1")
    assert event.payload["userId"] is None


def test_a_clock_that_is_wrong_is_corrected_by_when_the_request_was_sent() -> None:
    day = timedelta(days=1)
    stamp, sent_at = (AT - day).isoformat(), (AT - day + timedelta(minutes=2)).isoformat()
    assert one({**PYTHON, "timestamp": stamp}, sent_at=sent_at).occurred_at == AT - timedelta(
        minutes=2
    )
    kept = parse([{**PYTHON, "timestamp": stamp}], headers={SENT_AT: sent_at}).events[0]
    assert kept.occurred_at == AT - timedelta(minutes=2)
    asked = {**PYTHON, "timestamp": stamp, "options": {"disable_skew_correction": True}}
    assert one(asked, sent_at=sent_at).occurred_at == AT - day


def test_nothing_happened_after_it_was_received_nor_long_before_in_a_page() -> None:
    assert one({**PYTHON, "timestamp": "2027-01-01T00:00:00Z"}).occurred_at == AT
    old = {**PYTHON, "timestamp": "2026-01-01T00:00:00Z"}
    assert parse([old], Trust.browser).events[0].occurred_at == AT - timedelta(hours=48)


def test_a_migration_is_a_back_fill() -> None:
    assert one(PYTHON, historical_migration=True).back_fill
    assert not one(PYTHON).back_fill


def test_no_key_is_kept() -> None:
    item = {**PYTHON, "api_key": "project-key", "token": "project-key"}
    event = one({**item, "properties": {"token": "project-key"}})
    assert "project-key" not in json.dumps(event.payload)
    parsed = parse({**item, "event": None, "properties": {"token": "project-key"}})
    assert "project-key" not in parsed.rejected[0][1].decode()


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("text", "not_an_object"),
        ({"distinct_id": "u-7"}, "event_name_missing"),
        ({**PYTHON, "uuid": "x" * 400}, "message_id_too_long"),
        ({**PYTHON, "uuid": [1]}, "message_id_unreadable"),
        ({**PYTHON, "timestamp": "yesterday"}, "timestamp_unreadable"),
        ({**PYTHON, "properties": {"text": "x" * 40_000}}, "too_large"),
        ({**PYTHON, "properties": json.loads("[" * 120 + "]" * 120)}, ""),
        ({**PYTHON, "properties": {"a": json.loads("[" * 120 + "]" * 120)}}, "too_deep"),
    ],
)
def test_one_bad_event_is_kept_aside_and_the_others_are_taken(item: Any, reason: str) -> None:
    parsed = parse({"batch": [item, {**PYTHON, "uuid": "good"}]})
    assert parsed.events[-1].source_event_id == "good"
    assert [why for why, _ in parsed.rejected] == ([reason] if reason else [])


@pytest.mark.parametrize("body", [1, "text", None, {"batch": {}}, {"batch": 1}])
def test_a_body_without_events_is_unreadable(body: Any) -> None:
    with pytest.raises(Unreadable):
        parse(body)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"api_key": "project-key", "batch": []}, {}),
        ({"token": "project-key"}, {}),
        ([{"properties": {"token": "project-key"}}], {}),
        ({}, {"authorization": "Bearer project-key"}),
    ],
)
def test_the_key_is_found_wherever_a_library_puts_it(body: Any, headers: dict[str, str]) -> None:
    source = PostHog(source="product", trust=Trust.trusted, keys=[b"project-key"])
    source.verify(Hook("POST", "/batch/", headers, json.dumps(body).encode()), AT)
    with pytest.raises(Unverified):
        source.verify(Hook("POST", "/batch/", {}, b'{"api_key": "another", "batch": []}'), AT)


def mapped(item: Any, trust: Trust = Trust.trusted) -> Signal:
    faults: list[Fault] = []
    read = load_source(ROOT / "mappings/sources/posthog_capture.toml", faults)
    assert not faults
    (event,) = parse([item], trust).events
    signal = mapping.apply(read, event, trust, "US")
    assert isinstance(signal, Signal)
    return signal


def test_the_shipped_mapping_reads_it_as_it_reads_segments_events() -> None:
    order = mapped(PYTHON)
    assert (order.name, order.key, order.subject.user_id) == ("order_completed", "50314", "u-7")
    identified = mapped(NODE)
    assert identified.merges is not None and identified.merges.anonymous_id == "a-1"
    assert identified.traits["first_name"] == "Ann"
    page = mapped(PAGE, Trust.browser)
    assert (page.name, page.visit["page"][:29]) == (
        "pricing_viewed",
        "https://shop.example/pricing?",
    )


def test_from_a_page_no_phone_no_consent_and_no_merge_is_believed() -> None:
    told = {"phone": "+12025550123", "sms_consent": True, "sms_consent_wording": "Text me"}
    item = {**NODE, "properties": {"$set": told, "$anon_distinct_id": "a-1"}}
    trusted, page = mapped(item), mapped(item, Trust.browser)
    assert trusted.subject.phone == "+12025550123" and trusted.consents and trusted.merges
    assert (page.subject.phone, page.consents, page.merges) == ("", (), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-9, 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMED = st.dictionaries(
    st.sampled_from(
        ["event", "distinct_id", "uuid", "properties", "timestamp", "offset", "$set", "options"]
    ),
    JSON,
)


@settings(max_examples=150, deadline=None)
@given(items=st.lists(JSON | NAMED, max_size=4))
def test_whatever_comes_each_piece_is_an_event_or_kept_aside(items: list[Any]) -> None:
    parsed = parse({"batch": items})
    assert len(parsed.events) + len(parsed.rejected) == len(items)
    assert all(event.occurred_at <= AT for event in parsed.events)


def test_what_the_web_found_of_the_address_stands_in_a_page_and_nowhere_else() -> None:
    found = {IP_COUNTRY: "FR", IP_NETWORK: "staff"}
    said: dict[str, Any] = json.loads(json.dumps(PAGE))
    said["properties"]["$ip"] = "203.0.113.9"
    for trust, told in ((Trust.browser, ("FR", "staff")), (Trust.trusted, (None, None))):
        (event,) = parse([said], trust, found).events
        context = event.payload["context"]
        assert (context.get("ip_country"), context.get("network")) == told
