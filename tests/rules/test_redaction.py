"""What is captured names nobody and lets nobody in, and its shape is still the sender's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import phone
from connector.rules.redaction import EMAIL, redacted, redacted_headers, redacted_text

SAMPLES = Path(__file__).parents[1] / "samples"


def kinds(value: Any) -> Any:
    """The shape of a JSON value: its keys, and what kind each value is."""
    if isinstance(value, dict):
        return {key: kinds(each) for key, each in value.items()}
    if isinstance(value, list):
        return [kinds(each) for each in value]
    return type(value)


SENT = sorted(path for path in SAMPLES.glob("*.json") if "openapi" not in path.name)


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_the_shape_of_what_senders_send_stays(path: Path) -> None:
    body = json.loads(path.read_bytes())
    assert kinds(redacted(body)) == kinds(body)


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("+1 (212) 555-9876", "+1 (212) 555-0100"),
        ("2125559876", "2125550100"),
        ("+447911123456", "+447900000000"),
        ("+33 6 12 34 56 78", "+33 6 10 00 00 00"),
        ("+4915123456789", "+4915000000000"),
    ],
)
def test_a_masked_number_is_a_number_of_the_same_country(written: str, masked: str) -> None:
    assert redacted({"phone": written}) == {"phone": masked}
    assert phone.parse(masked, "US").e164[:3] == phone.parse(written, "US").e164[:3]


@pytest.mark.parametrize(
    "text",
    [
        *("call +442079460958 now", "(212) 555-9876", "212-555-9876 or 212.555.9876"),
        *("ann@shop.example", "Ann <ann.smith+x@mail.shop.example>", "mailto:ann@shop.example"),
    ],
)
def test_numbers_and_addresses_go_wherever_they_stand(text: str) -> None:
    for name in ("note", "name", "q"):
        found = redacted({name: text})[name]
        assert "ann" not in found
        assert not re.search(r"946.?0958|555.?9876", found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "abc123"),
        ("api_key", "k-9"),
        ("client_secret", "hush"),
        ("password", "swordfish"),
        ("session_id", "s-1"),
        ("note", "sk_live_51HabcdEFGH12345678zzzz"),
        ("url", "https://shop.example/c?sig=9f2cAbCd9f2cAbCd9f2cAbCd"),
        ("jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc"),
        ("first_name", "Ann"),
        ("lastName", "Smith"),
        ("address1", "5 Main Street"),
        ("browser_ip", "203.0.113.9"),
    ],
)
def test_secrets_names_and_addresses_go(name: str, value: str) -> None:
    found = redacted({name: value})[name]
    assert found != value
    assert len(found) == len(value), "its shape stays"
    assert not re.search(r"abc123|hush|swordfish|51Habcd|9f2cAb|eyJh|Ann|Smith|Main|203", found)


@pytest.mark.parametrize(
    "body",
    [
        {"customer": {"id": 12, "name": "Bob Day"}},
        {"attendees": [{"name": "Bob Day", "timeZone": "Europe/Paris"}]},
        {"payload": {"name": "Bob Day", "email": "bob@shop.example"}},
        {"data": {"booked_by": {"name": "Bob Day", "mobile": "2125559876"}}},
        {"customerName": "Bob Day", "guest_name": "Bob Day"},
    ],
)
def test_a_name_beside_a_number_or_below_a_person_is_a_person_s(body: Any) -> None:
    found = json.dumps(redacted(body))
    assert "Xxx Xxx" in found and "Bob" not in found and "Day" not in found


@pytest.mark.parametrize(
    "body",
    [
        {"name": "#1001", "email": "masked@example.com", "line_items": [{"name": "A mug"}]},
        {"name": "Wholesale 1001", "email": "masked@example.com"},
        {"order": {"name": "#1001", "email": "masked@example.com"}},
        {"event": {"name": "booking.made"}, "customer": {"plan": {"name": "Pro"}}},
    ],
)
def test_a_name_of_a_thing_stays(body: Any) -> None:
    assert redacted(body) == body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", "customers_marketing_consent/update"),
        ("type", "checkout.session.async_payment_succeeded"),
        ("id", 820982911946154508),
        ("order_id", "820982911946154"),
        ("created", 1763719200),
        ("created_at", "2026-11-20T10:30:00+01:00"),
        ("total_price", "42.10"),
        ("currency", "EUR"),
        ("state", "subscribed"),
        ("phone", None),
        ("sms_consent", True),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
        ("zip", "94103"),
    ],
)
def test_what_a_mapping_reads_stays(name: str, value: Any) -> None:
    assert redacted({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"number": "2125559876"}, {"number": "2125550100"}),
        ({"phone": {"number": "2125559876"}}, {"phone": {"number": "2125550100"}}),
        ({"numbers": ["12125559876"]}, {"numbers": ["12125550100"]}),
        ({"customer_number": "12125559876"}, {"customer_number": "12125550100"}),
        ({"order_number": "2125559876"}, {"order_number": "2125559876"}),
        ({"invoiceNumber": "2125559876"}, {"invoiceNumber": "2125559876"}),
    ],
)
def test_digits_that_are_only_called_a_number_are_taken_for_a_telephones(
    value: Any, masked: Any
) -> None:
    assert redacted(value) == masked


def test_a_name_that_is_somebodys_address_or_number_is_masked_as_a_value_is() -> None:
    told = {"by": {"ann@shop.example": 1, "+12125559876": {"plan": "pro"}}}
    assert redacted(told) == {"by": {EMAIL: 1, "+12125550100": {"plan": "pro"}}}


def test_a_number_that_is_no_text_is_masked_too() -> None:
    assert redacted({"phone": 12125559876, "token": 42}) == {"phone": 12125550100, "token": 0}


def test_of_a_header_that_may_let_somebody_in_only_the_length_stays() -> None:
    headers = {"x-shop-hmac": "c2VjcmV0", "x-topic": "orders/create", "x-mail": "a@b.example"}
    found = redacted_headers(headers, {name: headers[name] for name in ("x-topic", "x-mail")})
    assert found == {
        "x-shop-hmac": "redacted (8 characters)",
        "x-topic": "orders/create",
        "x-mail": EMAIL,
    }
    told = {name: "abc" for name in ("x-sig", "x-hub-key", "x-body-hash", "x-kind")}
    found = redacted_headers(told, told)
    assert [name for name, value in found.items() if value == "abc"] == ["x-kind"]


@settings(deadline=None)
@given(st.emails(), st.text(max_size=20), st.sampled_from(["a", "email", "note", "phone"]))
def test_no_address_ever_stays(email: str, around: str, name: str) -> None:
    email = f"somebody{abs(hash(email)) % 97}@{email.rpartition('@')[2]}"
    if not re.fullmatch(r"[\w.@-]+\.[\w]+", email) or "@[" in email:
        return
    found = json.dumps(redacted({name: f"{around} {email} {around}"}), ensure_ascii=False)
    assert email not in found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON)
def test_anything_that_is_json_can_be_redacted(value: Any) -> None:
    found = redacted(value)
    json.dumps(found)
    if not isinstance(value, dict | list):
        assert isinstance(found, type(value))
    assert redacted(found) == found, "once is enough"


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_redacted_and_keeps_no_long_number(text: str) -> None:
    found = redacted_text(f"{text} 4123456789")
    assert "4123456789" not in found


def test_what_is_nested_too_deeply_or_too_long_is_cut() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    assert json.dumps(redacted(deep)).count("[") < 60
    assert len(redacted("x" * 10_000)) == 4_000
