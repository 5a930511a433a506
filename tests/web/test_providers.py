"""``/providers/<provider>``: callbacks are proven by the public address and never lost to load."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import Overloaded, StorageRefused
from connector.web.app import create_app

RECEIPT = b"MessageSid=SM1&MessageStatus=delivered"
FORM = "application/x-www-form-urlencoded"


def signed(path: str, body: bytes = RECEIPT, base: str = "https://sms.example.org") -> Any:
    signature = hmac.digest(b"token", (base + path).encode() + body, "sha256").hex()
    return {"X-Twilio-Signature": signature, "Content-Type": FORM}


@pytest.mark.parametrize(
    "path",
    [
        "/providers/twilio",
        "/providers/twilio/inbound",
        "/providers/twilio/status?send=snd_1&x=a%20b",
        "/providers/twilio/a%20b/c",
    ],
)
def test_a_callback_is_proven_by_the_public_address_and_kept(
    path: str, client: FlaskClient, rt: Any
) -> None:
    answer = client.post(path, data=RECEIPT, headers=signed(path))
    assert answer.status_code == 200
    assert answer.data == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert answer.content_type == "text/xml; charset=utf-8"
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source, delivery.body) == ("callback", "twilio", RECEIPT)
    assert delivery.url == "https://sms.example.org" + path
    assert delivery.headers == {"content-type": FORM}


def test_a_json_callback_is_answered_in_json(client: FlaskClient) -> None:
    path = "/providers/twilio"
    headers = {**signed(path, b"{}"), "Content-Type": "application/json"}
    answer = client.post(path, data=b"{}", headers=headers)
    assert (answer.status_code, answer.data) == (200, b'{"success": true}')


def test_the_host_header_is_believed_only_without_a_public_address(rt: Any) -> None:
    path = "/providers/twilio"
    spoofed = signed(path, base="http://evil.example")
    sent = {"data": RECEIPT, "headers": spoofed, "base_url": "http://evil.example"}
    assert create_app(rt).test_client().post(path, **sent).status_code == 401
    rt.settings.web.public_url = ""
    assert create_app(rt).test_client().post(path, **sent).status_code == 200


def test_forwarding_headers_are_believed_only_from_configured_proxies(rt: Any) -> None:
    path = "/providers/twilio"
    rt.settings.web.public_url = ""
    headers = {
        **signed(path, base="https://sms.example.org"),
        "X-Forwarded-Host": "sms.example.org",
        "X-Forwarded-Proto": "https",
    }
    assert create_app(rt).test_client().post(path, data=RECEIPT, headers=headers).status_code == 401
    rt.settings.web.trusted_proxies = 1
    assert create_app(rt).test_client().post(path, data=RECEIPT, headers=headers).status_code == 200


def test_a_public_address_with_a_path_stands_before_the_request_s(rt: Any) -> None:
    rt.settings.web.public_url = "https://example.org/sms/"
    headers = signed("/providers/twilio", base="https://example.org/sms")
    answer = create_app(rt).test_client().post("/providers/twilio", data=RECEIPT, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/providers/other", RECEIPT, 404, "unknown_provider"),
        ("/providers/other/inbound", RECEIPT, 404, "unknown_provider"),
        ("/providers/", RECEIPT, 404, "not_found"),
        ("/providers/twilio", RECEIPT + b"x", 401, "unverified"),
        ("/providers/twilio", b"x" * 65_537, 413, "too_large"),
    ],
)
def test_each_bad_callback_has_its_answer(
    path: str, body: bytes, status: int, code: str, client: FlaskClient, rt: Any
) -> None:
    answer = client.post(path, data=body, headers=signed(path))
    assert (answer.status_code, json.loads(answer.data)["code"]) == (status, code)
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize("error", [Overloaded(), StorageRefused()])
def test_a_callback_that_cannot_be_kept_is_to_be_sent_again(
    error: Exception, client: FlaskClient, rt: Any
) -> None:
    rt.inbox.error = error
    path = "/providers/twilio"
    answer = client.post(path, data=RECEIPT, headers=signed(path))
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


def test_a_proof_that_cannot_be_had_just_now_is_no_forgery(
    client: FlaskClient, rt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(*told: Any) -> None:
        raise Overloaded("the certificate cannot be fetched; send it again", retry_after=20)

    monkeypatch.setattr(rt.providers["twilio"], "verify", verify, raising=False)
    answer = client.post("/providers/twilio", data=RECEIPT, headers=signed("/providers/twilio"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert rt.inbox.deliveries == []
