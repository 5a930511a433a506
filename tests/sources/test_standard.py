"""Any signed JSON webhook becomes events as its mapping locates them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import ExpressionFailed, Unreadable, Unverified
from connector.model import Hook, Json, Parsed, Trust
from connector.sources.standard import Locate, Standard

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Verify:
    scheme: str = "hmac"
    header: str = "X-Shop-Hmac"
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    tolerance: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Found:
    id: str
    name: str
    occurred_at: datetime | None
    item: Json


def whole_body(body: Json, headers: Mapping[str, str]) -> Sequence[Found]:
    return [Found(headers.get("x-shop-event-id", ""), "orders/create", None, body)]


def each(body: Json, headers: Mapping[str, str]) -> Sequence[Found]:
    return [Found(str(item["id"]), "event", AT - timedelta(hours=72), item) for item in body]


def source(locate: Locate = whole_body, trust: Trust = Trust.trusted) -> Standard:
    return Standard(
        source="shop", trust=trust, secrets=[b"old", b"hush"], verify=Verify(), locate=locate
    )


def parse(
    body: bytes, locate: Locate = whole_body, trust: Trust = Trust.trusted, **headers: str
) -> Parsed:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    hook = Hook("POST", "https://sms.example.org/in/shop", named, body)
    return source(locate, trust).parse(hook, AT)


def test_a_body_becomes_an_event_with_all_that_its_mapping_reads() -> None:
    (event,) = parse(b'{"total": "42.50"}', x_shop_event_id="e-1").events
    assert (event.source, event.source_event_id, event.type) == ("shop", "e-1", "webhook")
    assert event.name == "orders/create"
    assert event.occurred_at == event.received_at == AT
    assert event.payload == {
        "name": "orders/create",
        "item": {"total": "42.50"},
        "headers": {"x-shop-event-id": "e-1"},
    }


def test_an_event_without_an_id_is_a_new_one_each_time() -> None:
    (first,), (second,) = parse(b"{}").events, parse(b"{}").events
    assert first.source_event_id == first.id != second.source_event_id


def test_one_body_may_hold_many_events() -> None:
    parsed = parse(b'[{"id": 1}, {"id": 2}]', each)
    assert [event.source_event_id for event in parsed.events] == ["1", "2"]
    assert parsed.events[1].payload["item"] == {"id": 2}


def test_no_event_is_later_than_its_receipt_or_from_a_browser_older_than_48_hours() -> None:
    def tomorrow(body: Json, headers: Mapping[str, str]) -> Sequence[Found]:
        return [Found("1", "event", AT + timedelta(days=1), body)]

    assert parse(b"{}", tomorrow).events[0].occurred_at == AT
    old = b'[{"id": 1}]'
    assert parse(old, each).events[0].occurred_at == AT - timedelta(hours=72)
    assert parse(old, each, Trust.browser).events[0].occurred_at == AT - timedelta(hours=48)


def test_an_item_nested_too_deeply_is_kept_aside_alone() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    parsed = parse(b'[{"id": 1}, {"id": 2, "x": ' + deep + b"}]", each)
    assert [event.source_event_id for event in parsed.events] == ["1"]
    assert [reason for reason, _ in parsed.rejected] == ["too_deep"]


@pytest.mark.parametrize("body", [b"", b"{", b"\x00", b"[" * 50_000])
def test_a_body_that_is_not_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_a_body_the_mapping_cannot_read_is_unreadable_and_says_why() -> None:
    def fails(body: Json, headers: Mapping[str, str]) -> Sequence[Found]:
        raise ExpressionFailed("event.id: the value is too large")

    with pytest.raises(Unreadable, match=r"event\.id: the value is too large"):
        parse(b"{}", fails)


def test_the_request_is_proven_as_the_mapping_says_with_any_of_the_secrets() -> None:
    for secret in (b"old", b"hush"):
        signature = hmac.digest(secret, b"{}", "sha256").hex()
        hook = Hook("POST", "", {"x-shop-hmac": signature}, b"{}")
        source().verify(hook, AT)
    with pytest.raises(Unverified):
        source().verify(Hook("POST", "", {"x-shop-hmac": "0" * 64}, b"{}"), AT)


def test_a_source_without_a_secret_is_a_fault() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        Standard(source="shop", trust=Trust.trusted, secrets=[], verify=Verify(), locate=whole_body)
