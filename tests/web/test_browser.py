"""Pages: a browser that asks first is told, and analytics.js finds its settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.web.app import create_app

SHOP = {"Origin": "https://shop.example"}
ASKS = {
    **SHOP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
PATHS = ["/v1/t", "/v1/i", "/v1/b", "/v1/batch", "/v1/projects/site-key/settings"]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_allows_the_headers_that_page_libraries_send(
    path: str, client: FlaskClient
) -> None:
    answer = client.options(path, headers=ASKS)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed.split(", "))
    assert {"anonymousid", "rsa-retry-attempt", "sentat"} <= set(allowed.split(", "))  # RudderStack
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", PATHS)
def test_only_configured_origins_are_allowed(path: str, rt: Any) -> None:
    rt.settings.web.cors_origins = ("https://shop.example", "https://www.shop.example/")
    client = create_app(rt).test_client()
    for origin in ("https://shop.example", "https://www.shop.example"):
        answer = client.options(path, headers={**ASKS, "Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Vary"] == "Origin"
    for origin in ("https://evil.example", "https://shop.example.evil.example", "null"):
        answer = client.options(path, headers={**ASKS, "Origin": origin})
        assert answer.status_code == 204
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Headers" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_answers_and_refusals_can_be_read_by_the_page(client: FlaskClient) -> None:
    for body, status in ((b'{"writeKey":"site-key"}', 200), (b"{", 400), (b"{}", 401)):
        answer = client.post("/v1/t", data=body, headers=SHOP)
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def test_analytics_js_is_told_to_send_here_and_nowhere_else(client: FlaskClient) -> None:
    answer = client.get("/v1/projects/site-key/settings", headers=SHOP)
    read = json.loads(answer.data)
    assert read["integrations"] == {
        "Segment.io": {
            "apiKey": "site-key",
            "apiHost": "sms.example.org/v1",
            "protocol": "https",
        }
    }
    assert read["metrics"]["sampleRate"] == 0
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("public_url", "host", "protocol"),
    [("", "localhost/v1", "http"), ("https://example.org/sms", "example.org/sms/v1", "https")],
)
def test_the_settings_name_the_address_the_page_can_reach(
    public_url: str, host: str, protocol: str, rt: Any
) -> None:
    rt.settings.web.public_url = public_url
    answer = create_app(rt).test_client().get("/v1/projects/site-key/settings")
    segment = json.loads(answer.data)["integrations"]["Segment.io"]
    assert (segment["apiHost"], segment["protocol"]) == (host, protocol)


def test_an_unknown_key_has_no_settings(client: FlaskClient) -> None:
    answer = client.get("/v1/projects/other/settings", headers=SHOP)
    assert (answer.status_code, json.loads(answer.data)["code"]) == (404, "unknown_key")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
