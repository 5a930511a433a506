"""Short links lead on, tell of whoever came by, and give nothing away."""

from __future__ import annotations

import logging
from html import escape
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Overloaded, StorageRefused
from connector.ledger.inbox import Delivery
from connector.web.app import create_app
from connector.web.links import LOST, _lost, network
from tests.web.conftest import NOW, Runtime

CODE = "RYYP8DBdBJJ"
URL = "https://corner.example/cart?c=1&u=2#top"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"


@pytest.fixture
def rt() -> Runtime:
    return Runtime(links={CODE: URL})


def told(rt: Runtime) -> dict[str, Any]:
    [delivery] = rt.inbox.deliveries
    found: dict[str, Any] = orjson.loads(delivery.body)
    return found


def test_a_link_leads_to_the_address_it_was_made_for(client: FlaskClient) -> None:
    answer = client.get(f"/l/{CODE}")
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_is_kept_by_no_cache_no_search_engine_and_no_referrer(
    method: str, client: FlaskClient
) -> None:
    answer = client.open(f"/l/{CODE}", method=method)
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in answer.headers
    assert CODE not in str(answer.headers) + answer.text


def test_a_head_request_has_no_body(client: FlaskClient) -> None:
    assert client.head(f"/l/{CODE}").data == b""


def test_whoever_came_by_is_told_to_the_worker(client: FlaskClient, rt: Runtime) -> None:
    headers = {"User-Agent": IPHONE, "Accept": "text/html", "Sec-Purpose": "prefetch;prerender"}
    client.get(f"/l/{CODE}", headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.77"})
    assert told(rt) == {
        "code": CODE,
        "method": "GET",
        "agent": IPHONE,
        "accept": "text/html",
        "purpose": "prefetch;prerender",
        "network": "203.0.113.0/24",
    }
    [delivery] = rt.inbox.deliveries
    assert delivery == Delivery("click", "links", NOW, delivery.body)


def test_what_is_kept_of_whoever_came_by_is_bounded(client: FlaskClient, rt: Runtime) -> None:
    client.head(f"/l/{CODE}", headers={"User-Agent": "\x7fa" * 5_000, "Purpose": "b" * 5_000})
    found = told(rt)
    assert (found["method"], found["accept"]) == ("HEAD", None)
    assert len(found["agent"]) <= 300
    assert len(found["purpose"]) <= 200
    assert found["agent"].isprintable()


@pytest.mark.parametrize(
    "error", [Overloaded("full"), StorageRefused("full"), RuntimeError("a fault of ours")]
)
def test_whoever_taps_gets_on_also_where_the_inbox_takes_nothing(
    error: Exception, client: FlaskClient, rt: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    rt.inbox.error = error
    answer = client.get(f"/l/{CODE}")
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert ("result=not_kept" in caplog.text) is isinstance(error, RuntimeError)


@pytest.mark.parametrize(
    "path",
    [
        "RYYP8DBdBJK",
        CODE.lower(),
        f"{CODE}x",
        "x",
        "x" * 5_000,
        f"{CODE}%20",
        "%00",
        "https:evil.example",
        "%0d%0aLocation:%20https:evil.example",
    ],
)
def test_an_unknown_code_is_a_page_that_a_person_can_read(
    path: str, client: FlaskClient, rt: Runtime
) -> None:
    answer = client.get(f"/l/{path}")
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "leads nowhere" in answer.text
    assert "Location" not in answer.headers
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize("language", LOST)
def test_it_is_told_in_the_operator_s_language_and_loads_nothing(language: str) -> None:
    title, says = LOST[language]
    found = _lost(f"{language}-CH").body.decode()
    assert f'<html lang="{language}-CH">' in found
    assert escape(title) in found and escape(says) in found
    assert "src=" not in found and "href=" not in found
    assert _lost("tlh").body.decode().startswith('<!doctype html><html lang="en">')


@pytest.mark.parametrize("query", ["url=https://evil.example", "to=//evil.example", "next=/x"])
def test_nothing_a_stranger_adds_changes_where_a_link_leads(
    query: str, client: FlaskClient
) -> None:
    answer = client.get(f"/l/{CODE}?{query}", headers={"Host": "evil.example"})
    assert answer.headers["Location"] == URL
    assert client.get(f"/l/unknown99?{query}").status_code == 404


@pytest.mark.parametrize("path", ["/l/", "/l", f"/l/{CODE}/more", f"//l/{CODE}"])
def test_only_the_plain_address_is_a_link(path: str, client: FlaskClient) -> None:
    assert client.get(path).status_code == 404


def test_only_get_and_head_are_taken(client: FlaskClient, rt: Runtime) -> None:
    answer = client.post(f"/l/{CODE}")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert rt.inbox.deliveries == []


def test_no_log_names_a_code(rt: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = create_app(rt).test_client()
    client.get(f"/l/{CODE}")
    client.get("/l/RYYP8DBdBJK")
    rt.inbox.error = RuntimeError(CODE)
    client.get(f"/l/{CODE}")
    assert "path=/l/" in caplog.text
    assert "RYYP8" not in caplog.text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str, expected: str) -> None:
    assert network(address) == expected


@given(st.text(max_size=60))
def test_any_address_is_answered_with_a_network_or_nothing(address: str) -> None:
    assert network(address) == "" or "/" in network(address)
