"""While somebody waits for it, what comes to ``/in/<name>`` is kept, redacted, and not acted on."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.ledger import captures
from connector.ledger.captures import Capture
from connector.rules.traffic import Traffic
from connector.web.app import create_app
from tests.web.conftest import NOW, Runtime

BODY = {"event": "signup", "email": "ann@shop.example", "phone": "+12125559876", "plan": "pro"}


@pytest.fixture
def rt(tmp_path: Path) -> Runtime:
    return Runtime(ledger_folder=tmp_path)


def begin(rt: Any, name: str = "new_form", **changes: Any) -> None:
    asked = {"until": NOW + timedelta(hours=1), "count": 3, "opened_at": NOW, **changes}
    captures.open_(rt.ledger_folder, Capture(name, **asked))


def kept(rt: Any, name: str = "new_form") -> list[dict[str, Any]]:
    return [captures.read(path) for path in captures.kept(rt.ledger_folder, name)]


def signed(body: bytes, secret: bytes = b"hush") -> dict[str, str]:
    return {"X-Shop-Hmac": hmac.digest(secret, body, "sha256").hex()}


def test_a_new_webhook_is_kept_answered_and_not_acted_on(client: FlaskClient, rt: Any) -> None:
    begin(rt)
    headers = {"X-Form-Signature": "c2lnbmF0dXJl", "X-Form-Topic": "signup", "X-Api-Key": "abc"}
    answer = client.post("/in/new_form?key=k-1&topic=signup", json=BODY, headers=headers)
    assert (answer.status_code, answer.data) == (200, b'{"success": true}')
    [told] = kept(rt)
    assert told["body"] == {
        "event": "signup",
        "email": "masked@example.com",
        "phone": "+12125550100",
        "plan": "pro",
    }
    assert told["query"] == {"key": "x-0", "topic": "signup"}
    assert told["headers"]["x-form-topic"] == "signup"
    assert told["headers"]["x-form-signature"] == "redacted (12 characters)"
    assert told["headers"]["x-api-key"] == "redacted (3 characters)"
    assert "host" not in told["headers"]
    assert (told["proof"], told["path"]) == (
        "not configured, so nothing was proven",
        "/in/new_form",
    )
    assert rt.inbox.deliveries == []


def test_without_a_capture_there_is_no_such_door(client: FlaskClient, rt: Any) -> None:
    assert client.post("/in/new_form", json=BODY).status_code == 404
    begin(rt, until=NOW)
    assert client.post("/in/new_form", json=BODY).status_code == 404
    assert client.post("/in/new_form/below", json=BODY).status_code == 404
    assert client.post("/in/new_form", data=b"x" * 2_000_000).status_code == 404, "unread"
    assert kept(rt) == []


def test_a_stranger_fills_no_more_than_was_asked_for(client: FlaskClient, rt: Any) -> None:
    begin(rt)
    codes = [client.post("/in/new_form", data=b"x" * 100_000).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 404, 404]
    assert len(kept(rt)) == 3


def test_of_a_large_or_a_deep_body_only_its_size_is_kept(client: FlaskClient, rt: Any) -> None:
    begin(rt)
    client.post("/in/new_form", data=b'{"a": "' + b"x" * captures.MOST_BODY + b'"}')
    client.post("/in/new_form", data=b'{"a":' * 200 + b"1" + b"}" * 200)
    large, deep = kept(rt)
    assert large["left_out"].startswith("the body is larger than")
    assert large["bytes"] > captures.MOST_BODY
    assert deep["left_out"] == "the body is nested too deeply"
    assert "body" not in large
    assert "body" not in deep


def test_forms_and_texts_are_kept_redacted_too(client: FlaskClient, rt: Any) -> None:
    begin(rt)
    client.post("/in/new_form", data={"email": "ann@shop.example", "plan": "pro"})
    client.post("/in/new_form", data=b"hello ann@shop.example 4155559876 \xff")
    form, text = kept(rt)
    assert form["form"] == {"email": "masked@example.com", "plan": "pro"}
    assert text["text"] == "hello masked@example.com 4155550100 \ufffd"


def test_a_configured_source_goes_on_as_ever_and_is_kept_beside(
    client: FlaskClient, rt: Any
) -> None:
    begin(rt, "shop")
    body = json.dumps(BODY).encode()
    assert client.post("/in/shop", data=body, headers=signed(body)).status_code == 200
    assert client.post("/in/shop", data=body, headers=signed(body, b"x")).status_code == 401
    good, bad = kept(rt, "shop")
    assert (good["proof"], bad["proof"].partition(":")[0]) == ("verified", "not verified")
    assert good["headers"]["x-shop-hmac"] == "redacted (64 characters)"
    assert len(rt.inbox.deliveries) == 1


def test_only_what_is_verified_is_ever_kept_whole(client: FlaskClient, rt: Any) -> None:
    begin(rt, "shop", whole=True)
    begin(rt, "new_form", whole=True)
    body = json.dumps(BODY).encode()
    client.post("/in/shop", data=body, headers=signed(body))
    client.post("/in/shop", data=body, headers=signed(body, b"x"))
    client.post("/in/new_form", data=body)
    whole, forged = kept(rt, "shop")
    assert (whole["body"], whole["redacted"]) == (BODY, False)
    for told in (forged, *kept(rt)):
        assert told["redacted"] is True
        assert told["body"]["email"] == "masked@example.com"


def test_a_folder_that_refuses_writes_loses_only_the_capture(
    client: FlaskClient, rt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(rt, "shop")

    def full(*_: object) -> bool:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(captures, "keep", full)
    body = json.dumps(BODY).encode()
    assert client.post("/in/shop", data=body, headers=signed(body)).status_code == 200
    assert len(rt.inbox.deliveries) == 1


def test_an_address_of_the_operators_network_is_told_and_never_kept(tmp_path: Path) -> None:
    rt = Runtime(ledger_folder=tmp_path)
    rt.settings.traffic = Traffic(staff_networks=(ip_network("203.0.113.0/24"),))
    client = create_app(rt).test_client()
    event = {"writeKey": "site-key", "type": "track", "event": "Cart", "anonymousId": "a"}
    for address in ("203.0.113.9", "198.51.100.9"):
        client.post("/v1/track", json=event, environ_base={"REMOTE_ADDR": address})
    inside, outside = rt.inbox.deliveries
    assert (inside.headers, outside.headers) == ({"x-ip-network": "staff"}, {})
    assert b"203.0.113" not in inside.body


def test_a_capture_that_goes_wrong_costs_no_delivery(
    client: FlaskClient, rt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(rt, "shop")
    body = json.dumps(BODY).encode()
    many = "&".join(f"a{number}=1" for number in range(1_100))  # more than are taken apart
    assert client.post(f"/in/shop?{many}", data=body, headers=signed(body)).status_code == 200

    def gone(*_: object) -> None:
        raise FileNotFoundError("it was just forgotten")

    monkeypatch.setattr(captures, "current", gone)
    assert client.post("/in/shop", data=body, headers=signed(body)).status_code == 200
    assert client.post("/in/new_form", data=body).status_code == 404
    assert len(rt.inbox.deliveries) == 2
