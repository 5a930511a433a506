"""``/in/<source>``: signed webhooks are proven over their raw bytes, kept, and answered."""

from __future__ import annotations

import gzip
import hmac
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import Overloaded, StorageRefused

ORDER = b'{"id": 7, "total": "42.50"}'


def signed(body: bytes, secret: bytes = b"hush") -> dict[str, str]:
    return {"X-Shop-Hmac": hmac.digest(secret, body, "sha256").hex()}


def test_a_signed_webhook_is_kept_with_what_reading_needs(client: FlaskClient, rt: Any) -> None:
    headers = {
        **signed(ORDER),
        "X-Shop-Topic": "orders/create",
        "X-Shop-Event-Id": "e-1",
        "Content-Type": "application/json",
        "Cookie": "a=b",
        "X-Shop-Access-Token": "t",
        "X-Api-Key": "k",
        "X-Forwarded-For": "10.0.0.1",
        "Idempotency-Key": "i-1",
        "X-Long": "x" * 2_000,
    }
    answer = client.post("/in/shop?a=1&b=%20", data=ORDER, headers=headers)
    assert (answer.status_code, answer.data) == (200, b'{"success": true}')
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source, delivery.body) == ("events", "shop", ORDER)
    assert delivery.url == "https://sms.example.org/in/shop?a=1&b=%20"
    assert delivery.headers["x-shop-topic"] == "orders/create"
    assert delivery.headers["x-shop-event-id"] == "e-1"
    assert delivery.headers["idempotency-key"] == "i-1"
    kept = set(delivery.headers)
    for gone in ("x-shop-hmac", "cookie", "x-shop-access-token", "x-api-key", "host", "x-long"):
        assert gone not in kept


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_any_content_type_is_read_as_json(content_type: str, client: FlaskClient, rt: Any) -> None:
    answer = client.post("/in/shop", data=ORDER, headers=signed(ORDER), content_type=content_type)
    assert answer.status_code == 200
    assert rt.inbox.deliveries[0].body == ORDER


def test_the_signature_is_over_the_inflated_bytes(client: FlaskClient, rt: Any) -> None:
    answer = client.post("/in/shop", data=gzip.compress(ORDER), headers=signed(ORDER))
    assert answer.status_code == 200
    assert rt.inbox.deliveries[0].body == ORDER


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("/in/other", ORDER, signed(ORDER), 404, "unknown_source"),
        ("/in/%2e%2e", ORDER, signed(ORDER), 404, "unknown_source"),
        ("/in/", ORDER, signed(ORDER), 404, "not_found"),
        ("/in/shop/x", ORDER, signed(ORDER), 404, "not_found"),
        ("/in/shop", ORDER, {}, 401, "unverified"),
        ("/in/shop", ORDER, signed(ORDER, b"other"), 401, "unverified"),
        ("/in/shop", ORDER + b" ", signed(ORDER), 401, "unverified"),
        ("/in/crm", ORDER, {"Authorization": "Bearer other"}, 401, "unverified"),
        ("/in/site", b'{"writeKey": "other"}', {}, 401, "unverified"),
        ("/in/shop", b"{", signed(b"{"), 400, "unreadable"),
        ("/in/shop", b"", signed(b""), 400, "unreadable"),
        ("/in/shop", b"[" * 9_999, signed(b"[" * 9_999), 400, "unreadable"),
        ("/in/shop", b" " * 1_048_577, signed(b" " * 1_048_577), 413, "too_large"),
        ("/in/shop", b"x", {"Content-Encoding": "br"}, 415, "encoding_unknown"),
    ],
)
def test_each_bad_webhook_has_its_answer(
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
    client: FlaskClient,
    rt: Any,
) -> None:
    answer = client.post(path, data=body, headers=headers)
    assert (answer.status_code, json.loads(answer.data)["code"]) == (status, code)
    assert [delivery for delivery in rt.inbox.deliveries if delivery.kind == "events"] == []


def test_an_unreadable_body_is_kept_from_a_proven_sender_only(client: FlaskClient, rt: Any) -> None:
    client.post("/in/shop", data=b"{", headers=signed(b"{", b"other"))
    assert rt.inbox.deliveries == []
    client.post("/in/shop", data=b"{", headers=signed(b"{"))
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.body) == ("unreadable", b"{")
    assert delivery.reason


def test_a_bearer_token_is_not_kept(client: FlaskClient, rt: Any) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    assert client.post("/in/crm", data=ORDER, headers=headers).status_code == 200
    assert "s3cret" not in str(rt.inbox.deliveries)


def test_woocommerce_s_unsigned_ping_is_answered_and_not_kept(client: FlaskClient, rt: Any) -> None:
    assert client.post("/in/shop", data={"webhook_id": "12"}).status_code == 200
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize(("error", "status"), [(Overloaded(), 429), (StorageRefused(), 503)])
def test_what_cannot_be_kept_is_not_answered_2xx(
    error: Exception, status: int, client: FlaskClient, rt: Any
) -> None:
    rt.inbox.error = error
    answer = client.post("/in/shop", data=ORDER, headers=signed(ORDER))
    assert answer.status_code == status and int(answer.headers["Retry-After"]) > 0


def test_other_methods_are_told_which_to_use(client: FlaskClient) -> None:
    for method in ("GET", "PUT", "OPTIONS"):
        answer = client.open("/in/shop", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
