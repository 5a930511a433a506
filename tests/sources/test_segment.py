"""Segment's API: what each client sends becomes events, and what cannot be one says why."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import Unreadable, Unverified
from connector.model import Event, Hook, Parsed, Trust
from connector.sources.segment import IP_COUNTRY, MAX_EVENT_BYTES, Segment

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TRACK = {
    "type": "track",
    "messageId": "m-1",
    "userId": "u-7",
    "event": "Checkout Started",
    "properties": {"order_id": "50314"},
    "timestamp": "2026-11-20T09:59:00.000Z",
}


def hook(body: bytes, path: str = "/v1/batch", headers: dict[str, str] | None = None) -> Hook:
    return Hook("POST", path, headers or {}, body)


def parse(
    body: Any, path: str = "/v1/batch", trust: Trust = Trust.trusted, at: datetime = AT
) -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Segment(source="site", trust=trust).parse(hook(raw, path), at)


def one(item: dict[str, Any], path: str = "/v1/track", trust: Trust = Trust.trusted) -> Event:
    parsed = parse(item, path, trust)
    assert parsed.rejected == ()
    (event,) = parsed.events
    return event


def test_a_track_call_becomes_an_event() -> None:
    event = one({**TRACK, "writeKey": "k"})
    assert event.id.startswith("evt_")
    assert (event.source, event.source_event_id, event.type) == ("site", "m-1", "track")
    assert event.name == "Checkout Started"
    assert event.occurred_at == AT - timedelta(minutes=1)
    assert event.received_at == AT
    assert event.payload["properties"] == {"order_id": "50314"}
    assert not event.back_fill


def test_the_write_key_is_not_kept() -> None:
    parsed = parse({"writeKey": "k", "batch": [{**TRACK, "writeKey": "k"}, {"writeKey": "k"}]})
    assert "writeKey" not in parsed.events[0].payload
    assert b"writeKey" not in parsed.rejected[0][1]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/identify", "identify"),
        ("/v1/i", "identify"),
        ("/v1/track", "track"),
        ("/v1/t", "track"),
        ("/v1/page", "page"),
        ("/v1/p", "page"),
        ("/v1/screen", "screen"),
        ("/v1/s", "screen"),
        ("/v1/group", "group"),
        ("/v1/g", "group"),
        ("/v1/alias", "alias"),
        ("/v1/a", "alias"),
    ],
)
def test_the_path_tells_the_type_where_the_body_does_not(path: str, kind: str) -> None:
    event = one({"userId": "u-7", "event": "Signed Up", "name": "Pricing"}, path)
    assert event.type == event.payload["type"] == kind
    assert event.name == ("Signed Up" if kind == "track" else "Pricing")


def test_an_event_without_a_message_id_is_a_new_one_each_time() -> None:
    first, second = one({"event": "A"}), one({"event": "A"})
    assert first.source_event_id == first.id != second.id


def test_nulls_are_normal() -> None:
    event = one({**TRACK, "anonymousId": None, "userId": None, "properties": None, "context": None})
    assert event.payload["userId"] is None


def test_a_batch_is_taken_event_by_event() -> None:
    parsed = parse({"batch": [TRACK, 7, {"type": "track"}, {**TRACK, "messageId": "m-2"}]})
    assert [event.source_event_id for event in parsed.events] == ["m-1", "m-2"]
    assert parsed.rejected == (
        ("not_an_object", b"7"),
        ("event_name_missing", b'{"type":"track"}'),
    )


def test_a_batch_s_context_goes_for_each_event_and_the_event_s_own_wins() -> None:
    body = {
        "batch": [{**TRACK, "context": {"ip": "1.1.1.1"}}],
        "context": {"ip": "0.0.0.0", "locale": "fr"},
    }
    assert parse(body).events[0].payload["context"] == {"ip": "1.1.1.1", "locale": "fr"}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "track"}, "event_name_missing"),
        ({"type": "track", "event": ""}, "event_name_missing"),
        ({"type": "track", "event": 7}, "event_name_missing"),
        ({"event": "A"}, "type_unknown"),
        ({"type": "purchase", "event": "A"}, "type_unknown"),
        ({"type": "t", "event": "A"}, "type_unknown"),
        ({"type": ["track"], "event": "A"}, "type_unknown"),
        ({**TRACK, "messageId": {"a": 1}}, "message_id_unreadable"),
        ({**TRACK, "messageId": "m" * 301}, "message_id_too_long"),
        ({**TRACK, "timestamp": "yesterday"}, "timestamp_unreadable"),
        ({**TRACK, "timestamp": [2026]}, "timestamp_unreadable"),
        ({**TRACK, "timestamp": True}, "timestamp_unreadable"),
        ({**TRACK, "timestamp": 1e300}, "timestamp_unreadable"),
        ({**TRACK, "timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp_unreadable"),
        ({**TRACK, "pad": "x" * MAX_EVENT_BYTES}, "too_large"),
        (None, "not_an_object"),
        ("track", "not_an_object"),
        ([], "not_an_object"),
    ],
)
def test_a_bad_event_is_kept_aside_with_its_reason(item: Any, reason: str) -> None:
    parsed = parse({"batch": [item, TRACK]})
    assert [found for found, _ in parsed.rejected] == [reason]
    assert len(parsed.events) == 1
    assert len(parsed.rejected[0][1]) <= MAX_EVENT_BYTES
    orjson.loads(parsed.rejected[0][1])


@pytest.mark.parametrize("depth", [150, 300, 900])
def test_an_event_nested_too_deeply_is_kept_aside(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = b'{"batch":[{"type":"track","event":"A","messageId":"m","properties":' + deep + b"}]}"
    ((reason, piece),) = parse(body).rejected
    assert reason == "too_deep"
    assert orjson.loads(piece)["event"] == "A"


def test_many_braces_side_by_side_are_not_deep() -> None:
    assert parse({"batch": [{**TRACK, "properties": {"products": [{}] * 500}}]}).events


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "/v1/track"),
        (b"{", "/v1/track"),
        (b"[]", "/v1/track"),
        (b"null", "/v1/track"),
        (b'"text"', "/v1/track"),
        (b"\xff\xfe\x00", "/v1/track"),
        (b"{}", "/v1/batch"),
        (b'{"batch":{}}', "/v1/batch"),
        (b'{"batch":null}', "/v1/import"),
        (b"[" * 100_000, "/v1/batch"),
        (b'{"a":' * 100_000, "/v1/batch"),
        (b"1" * 5000, "/v1/track"),
    ],
)
def test_a_body_that_cannot_be_read_as_a_whole_is_unreadable(body: bytes, path: str) -> None:
    with pytest.raises(Unreadable):
        parse(body, path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"NaN", None),
        (b"-Infinity", None),
        (b'"\\ud83d"', "?"),
        (b'"a\\\\ud83d"', "a\\ud83d"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"1" * 30, 1.111111111111111e29),
    ],
)
def test_what_clients_write_beside_json_is_read_as_they_mean_it(text: bytes, value: Any) -> None:
    body = b'{"event":"A","properties":{"value":' + text + b"}}"
    (event,) = parse(body, "/v1/track").events
    assert event.payload["properties"]["value"] == value


def test_of_a_repeated_name_the_last_stands() -> None:
    (event,) = parse(b'{"event":"A","event":"B"}', "/v1/track").events
    assert event.name == "B"


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "seconds_before"),
    [
        ("2026-11-20T09:59:00Z", None, 60),
        ("2026-11-20T09:59:00Z", "2026-11-20T10:00:00Z", 60),
        ("2026-11-20T08:59:00Z", "2026-11-20T09:00:00Z", 60),  # its clock is an hour behind
        ("2026-11-20T12:59:00Z", "2026-11-20T13:00:00Z", 60),  # three hours ahead
        ("2026-11-20T10:59:00+02:00", None, 3660),
        ("2026-11-20T09:59:00", None, 60),
        ("2026-11-20T09:59:00.123456789Z", None, 59.876544),
        (1795168740, None, 60),
        (1795168740000, None, 60),
        ("2026-11-20T11:00:00Z", None, 0),  # not later than it was received
        ("2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z", 0),
        (None, "2026-11-20T10:00:00Z", 0),
        ("", None, 0),
        ("2026-11-20T09:59:00Z", "soon", 60),
    ],
)
def test_the_sender_s_clock_is_corrected(
    timestamp: Any, sent_at: Any, seconds_before: float
) -> None:
    event = one({**TRACK, "timestamp": timestamp, "sentAt": sent_at})
    assert (AT - event.occurred_at).total_seconds() == seconds_before


def test_a_batch_s_sent_at_goes_for_each_event() -> None:
    body = {"batch": [TRACK], "sentAt": "2026-11-20T10:29:00Z"}
    assert parse(body).events[0].occurred_at == AT - timedelta(minutes=30)


def test_rudderstack_s_original_timestamp_is_the_sender_s_own() -> None:
    event = one({**TRACK, "originalTimestamp": "2026-11-20T09:00:00Z"})
    assert event.occurred_at == AT - timedelta(hours=1)


@settings(deadline=None, max_examples=100)
@given(
    st.datetimes(),
    st.datetimes(),
    st.sampled_from(Trust),
)
def test_no_event_is_later_than_its_receipt(
    stamp: datetime, sent_at: datetime, trust: Trust
) -> None:
    item = {**TRACK, "timestamp": stamp.isoformat(), "sentAt": sent_at.isoformat()}
    parsed = parse(item, "/v1/track", trust)
    for event in parsed.events:
        assert event.occurred_at <= AT
        assert trust is Trust.trusted or event.occurred_at >= AT - timedelta(hours=48)
    assert len(parsed.events) + len(parsed.rejected) == 1


def test_a_browser_s_event_is_at_most_48_hours_old() -> None:
    old = {**TRACK, "timestamp": "2026-11-01T00:00:00Z"}
    assert one(old, trust=Trust.browser).occurred_at == AT - timedelta(hours=48)
    assert one(old, trust=Trust.trusted).occurred_at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("mark", ["back_fill", "backfill", "historical"])
def test_imports_and_marked_events_are_back_fills(mark: str) -> None:
    (imported,) = parse({"batch": [TRACK]}, "/v1/import").events
    assert imported.back_fill
    assert one({**TRACK, "context": {mark: True}}).back_fill
    assert not one({**TRACK, "context": {mark: "no"}}).back_fill


def test_a_write_key_proves_a_request() -> None:
    source = Segment(source="site", trust=Trust.browser, keys=[b"old", b"new"])
    basic = {"authorization": "Basic " + base64.b64encode(b"new:").decode()}
    source.verify(hook(b"{}", headers=basic), AT)
    source.verify(hook(b'{"writeKey":"old"}'), AT)
    for refused in (hook(b"{}"), hook(b'{"writeKey":"other"}'), hook(b'{"writeKey":["old"]}')):
        with pytest.raises(Unverified):
            source.verify(refused, AT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("type", "event", "name", "messageId", "timestamp", "sentAt", "context", "batch"), JSON
        ),
    ),
    st.sampled_from(["/v1/track", "/v1/batch", "/v1/i", "/in/site?x=1"]),
)
def test_whatever_comes_is_an_event_a_reason_or_unreadable(body: Any, path: str) -> None:
    try:
        parsed = parse(body, path)
    except Unreadable:
        return
    for event in parsed.events:
        assert event.type and event.source_event_id
        orjson.dumps(event.payload)
    for reason, piece in parsed.rejected:
        assert reason.isidentifier()
        orjson.loads(piece)


def seen_in(country: str, trust: Trust, body: Any) -> list[Any]:
    """The country that each event of a request says, which came from somewhere by a CDN's word."""
    came = hook(json.dumps(body).encode(), headers={IP_COUNTRY: country})
    events = Segment(source="site", trust=trust).parse(came, AT).events
    return [(event.payload.get("context") or {}).get("ip_country") for event in events]


def test_the_country_a_cdn_tells_stands_whatever_the_browser_says() -> None:
    claims = {**TRACK, "context": {"ip_country": "US", "locale": "fr"}}
    batch = {"batch": [TRACK, claims], "context": {"ip_country": "US"}}
    assert seen_in("FR", Trust.browser, batch) == ["FR", "FR"]
    assert seen_in("FR", Trust.trusted, batch) == ["US", "US"], "a server's address is nobody's"


def test_a_request_holds_a_bounded_number_of_events() -> None:
    for path in ("/v1/batch", "https://sms.example.org/in/site"):
        with pytest.raises(Unreadable, match="at most 5000"):
            parse({"batch": [0] * 5_001}, path)
    with pytest.raises(Unreadable):
        parse([0] * 5_001, "https://sms.example.org/in/site")
