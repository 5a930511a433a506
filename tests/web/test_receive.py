"""``/v1/*``: what every tracking client sends is taken, and each bad request has its answer."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import Overloaded, StorageRefused
from connector.sources.segment import IP_COUNTRY
from connector.web.app import create_app

SINGLE = ["identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g", "a"]
BATCH = ["batch", "b", "import"]
TRACK = {"type": "track", "messageId": "m-1", "userId": "u-7", "event": "Order Completed"}
MANY = {"batch": [TRACK], "sentAt": "2026-11-20T10:00:00Z"}


def basic(key: str = "site-key") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode()


CLIENTS = {
    "segment-analytics-python": (
        "/v1/batch",
        as_json({**MANY, "writeKey": "site-key"}),
        {"Content-Type": "application/json", "User-Agent": "analytics-python/2.4.0", **basic()},
    ),
    "segment-analytics-python, gzip": (
        "/v1/batch",
        gzip.compress(as_json({**MANY, "writeKey": "site-key"})),
        {"Content-Type": "application/json", "Content-Encoding": "gzip", **basic()},
    ),
    "segment-analytics-python before 2.3: no Authorization": (
        "/v1/batch",
        as_json({**MANY, "writeKey": "site-key"}),
        {"Content-Type": "application/json"},
    ),
    "rudder-sdk-python": (
        "/v1/batch",
        gzip.compress(as_json(MANY)),
        {"Content-Type": "application/json", "Content-Encoding": "gzip", **basic()},
    ),
    "@segment/analytics-node": (
        "/v1/batch",
        as_json({**MANY, "writeKey": "site-key"}),
        {"Content-Type": "application/json", **basic()},
    ),
    "@rudderstack/rudder-sdk-node": (
        "/v1/batch",
        gzip.compress(as_json(MANY)),
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Encoding": "gzip",
            **basic(),
        },
    ),
    "analytics-next": (
        "/v1/t",
        as_json({**TRACK, "writeKey": "site-key"}),
        {"Content-Type": "text/plain", "Origin": "https://shop.example", **basic()},
    ),
    "analytics-next, batching": (
        "/v1/b",
        as_json({**MANY, "writeKey": "site-key"}),
        {"Content-Type": "text/plain", "Origin": "https://shop.example"},
    ),
    "nulls": (
        "/v1/batch",
        as_json({"batch": [{**TRACK, "anonymousId": None, "userId": None}], "context": None}),
        basic(),
    ),
    "gzip that nothing announces": ("/v1/batch", gzip.compress(as_json(MANY)), basic()),
    "plain that is announced as gzip": (
        "/v1/batch",
        as_json(MANY),
        {"Content-Encoding": "gzip", **basic()},
    ),
    "gzip in two members": (
        "/v1/batch",
        gzip.compress(as_json(MANY)[:20]) + gzip.compress(as_json(MANY)[20:]),
        {"Content-Encoding": "gzip", **basic()},
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_what_each_client_sends_is_taken(name: str, client: FlaskClient, rt: Any) -> None:
    path, body, headers = CLIENTS[name]
    answer = client.post(path, data=body, headers=headers)
    assert (answer.status_code, answer.data) == (200, b'{"success": true}')
    assert answer.content_type == "application/json"
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source, delivery.url) == ("events", "site", path)
    assert delivery.headers == {}
    assert "event" in json.loads(delivery.body) or json.loads(delivery.body)["batch"]


@pytest.mark.parametrize(
    ("header", "sent", "kept"),
    [
        ("CF-IPCountry", "FR", {IP_COUNTRY: "FR"}),
        ("CF-IPCountry", "", {}),
        ("", "FR", {}),
        ("X-Country", "FR", {}),
    ],
)
def test_the_country_that_the_configured_header_tells_is_kept(
    header: str, sent: str, kept: dict[str, str], rt: Any
) -> None:
    rt.settings.web.country_header = header
    client = create_app(rt).test_client()
    told = {**basic(), "CF-IPCountry": sent}
    assert client.post("/v1/track", json=TRACK, headers=told).status_code == 200
    assert rt.inbox.deliveries[0].headers == kept


@pytest.mark.parametrize("door", SINGLE + BATCH)
def test_every_door_is_open(door: str, client: FlaskClient, rt: Any) -> None:
    body = MANY if door in BATCH else TRACK
    assert client.post(f"/v1/{door}", json=body, headers=basic("backend-key")).status_code == 200
    assert rt.inbox.deliveries[0].source == "backend"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "basic " + base64.b64encode(b"site-key:").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"site-key").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"site-key:anything").decode()},
    ],
)
def test_a_write_key_may_be_spelled_as_basic_allows(
    headers: dict[str, str], client: FlaskClient
) -> None:
    assert client.post("/v1/t", json=TRACK, headers=headers).status_code == 200


ROOM = 32 * 1024 - len(as_json({**TRACK, "pad": ""}))
BAD: dict[str, tuple[str, bytes, dict[str, str], int, str]] = {
    "no key": ("/v1/t", as_json(TRACK), {}, 401, "unverified"),
    "unknown key": ("/v1/t", as_json(TRACK), basic("other"), 401, "unverified"),
    "unknown key in the body": ("/v1/t", as_json({"writeKey": "no"}), {}, 401, "unverified"),
    "a key that is no text": ("/v1/t", as_json({"writeKey": {"a": 1}}), {}, 401, "unverified"),
    "a bearer token": (
        "/v1/t",
        as_json(TRACK),
        {"Authorization": "Bearer site-key"},
        401,
        "unverified",
    ),
    "half a basic header": (
        "/v1/t",
        as_json(TRACK),
        {"Authorization": "Basic x"},
        401,
        "unverified",
    ),
    "broken JSON": ("/v1/t", b'{"a":', basic(), 400, "unreadable"),
    "an empty body": ("/v1/t", b"", basic(), 400, "unreadable"),
    "a form": ("/v1/t", b"event=A&userId=7", basic(), 400, "unreadable"),
    "a list": ("/v1/t", b"[]", basic(), 400, "unreadable"),
    "a number": ("/v1/t", b"7", basic(), 400, "unreadable"),
    "no batch": ("/v1/batch", as_json(TRACK), basic(), 400, "unreadable"),
    "a batch that is no list": ("/v1/b", b'{"batch":{}}', basic(), 400, "unreadable"),
    "deep JSON": ("/v1/batch", b"[" * 100_000, basic(), 400, "unreadable"),
    "deep and balanced JSON": (
        "/v1/batch",
        b'{"batch":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        basic(),
        400,
        "unreadable",
    ),
    "broken UTF-8": ("/v1/t", b'{"event":"\xff"}', basic(), 400, "unreadable"),
    "a long number": ("/v1/t", b'{"event":' + b"1" * 20_000 + b"x}", basic(), 400, "unreadable"),
    "gzip cut short": ("/v1/batch", gzip.compress(as_json(MANY))[:-9], basic(), 400, "unreadable"),
    "broken gzip": ("/v1/batch", b"\x1f\x8b" + b"x" * 50, basic(), 400, "unreadable"),
    "gzip in many members": ("/v1/batch", gzip.compress(b"") * 2_000, basic(), 400, "unreadable"),
    "deflate": (
        "/v1/batch",
        zlib.compress(as_json(MANY)),
        {"Content-Encoding": "deflate", **basic()},
        415,
        "encoding_unknown",
    ),
    "brotli": ("/v1/t", b"x", {"Content-Encoding": "br", **basic()}, 415, "encoding_unknown"),
    "an event over 32 KB": (
        "/v1/t",
        as_json({**TRACK, "pad": "x" * (ROOM + 1)}),
        basic(),
        413,
        "too_large",
    ),
    "a batch over 500 KB": (
        "/v1/batch",
        as_json({"batch": [{**TRACK, "pad": "x" * 30_000}] * 18}),
        basic(),
        413,
        "too_large",
    ),
    "10 MB": ("/v1/batch", b"x" * 10_000_000, basic(), 413, "too_large"),
    "a batch of too many": (
        "/v1/batch",
        as_json({"batch": [0] * 5_001}),
        basic(),
        413,
        "too_large",
    ),
    "a gzip bomb": ("/v1/batch", gzip.compress(b" " * 50_000_000), basic(), 413, "too_large"),
    "a small gzip bomb": ("/v1/t", gzip.compress(b" " * 40_000), basic(), 413, "too_large"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_request_has_its_answer(name: str, client: FlaskClient, rt: Any) -> None:
    path, body, headers, status, code = BAD[name]
    answer = client.post(path, data=body, headers=headers)
    assert answer.status_code == status
    problem = json.loads(answer.data)
    assert problem["code"] == code and len(problem["message"]) > 15
    assert all(delivery.kind == "unreadable" for delivery in rt.inbox.deliveries)


def test_an_event_of_32_kb_is_taken(client: FlaskClient) -> None:
    body = as_json({**TRACK, "pad": "x" * ROOM})
    assert len(body) == 32 * 1024
    assert client.post("/v1/t", data=body, headers=basic()).status_code == 200


@pytest.mark.parametrize(
    ("agent", "library"),
    [("rudderstack-python/2.1.9", "other"), ("axios/1.7", "RudderLabs Node SDK")],
)
def test_rudderstack_s_batches_may_have_4_mb(agent: str, library: str, client: FlaskClient) -> None:
    event = {**TRACK, "context": {"library": {"name": library}}, "pad": "x" * 30_000}
    headers = {"User-Agent": agent, **basic()}
    for count, status in ((130, 200), (141, 413)):
        body = gzip.compress(as_json({"batch": [event] * count}), 1)
        assert client.post("/v1/batch", data=body, headers=headers).status_code == status


def test_what_a_known_sender_sent_and_we_could_not_read_is_kept(
    client: FlaskClient, rt: Any
) -> None:
    client.post("/v1/t", data=b'{"a":', headers=basic())
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source, delivery.body) == ("unreadable", "site", b'{"a":')
    assert "not JSON" in delivery.reason


def test_what_an_unknown_sender_sent_and_we_could_not_read_is_not_kept(
    client: FlaskClient, rt: Any
) -> None:
    for headers in ({}, basic("other")):
        assert client.post("/v1/t", data=b'{"a":', headers=headers).status_code == 400
    assert rt.inbox.deliveries == []


def test_overload_is_429_with_the_time_to_come_again(client: FlaskClient, rt: Any) -> None:
    rt.inbox.error = Overloaded(retry_after=7)
    answer = client.post("/v1/t", json=TRACK, headers=basic())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert json.loads(answer.data)["code"] == "overloaded"


def test_a_refusing_disk_is_503_and_tells_no_path(client: FlaskClient, rt: Any) -> None:
    rt.inbox.error = StorageRefused("the inbox could not be written: /srv/data is full")
    answer = client.post("/v1/t", json=TRACK, headers=basic())
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert b"/srv" not in answer.data


def test_what_nobody_expected_is_500_and_tells_nothing(
    client: FlaskClient, rt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rt.inbox.error = RuntimeError("secret detail")
    answer = client.post("/v1/t", json=TRACK, headers=basic())
    assert answer.status_code == 500
    assert set(json.loads(answer.data)) == {"code", "message"}
    assert b"secret" not in answer.data
    assert "act=receive" in caplog.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_told_which_to_use(method: str, client: FlaskClient) -> None:
    answer = client.open("/v1/track", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS, POST")
    assert json.loads(answer.data)["code"] == "method_not_allowed"


def test_a_body_shorter_than_it_says_is_unreadable(client: FlaskClient) -> None:
    answer = client.post(
        "/v1/t", data=b"{}", headers=basic(), environ_overrides={"CONTENT_LENGTH": "9"}
    )
    assert answer.status_code == 400 and b"ends after 2 of 9" in answer.data


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "9" * 30, " "])
def test_a_content_length_that_is_no_number_is_unreadable(length: str, client: FlaskClient) -> None:
    answer = client.post(
        "/v1/t", data=b"{}", headers=basic(), environ_overrides={"CONTENT_LENGTH": length}
    )
    assert answer.status_code == 400


def test_a_body_without_length_is_read_to_its_end_and_bound(client: FlaskClient) -> None:
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    for body, status in ((as_json(TRACK), 200), (b" " * 40_000, 413)):
        answer = client.post("/v1/t", data=body, headers=basic(), environ_overrides=chunked)
        assert answer.status_code == status


def test_a_body_without_length_is_none_where_the_server_sets_no_end(client: FlaskClient) -> None:
    answer = client.post(
        "/v1/t", data=as_json(TRACK), headers=basic(), environ_overrides={"CONTENT_LENGTH": ""}
    )
    assert answer.status_code == 400


def test_debug_says_one_line_and_no_body(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "connector")
    client.post("/v1/t", json=TRACK, headers=basic())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "act=receive path=/v1/t result=200"


def test_a_key_that_was_taken_out_or_added_counts_from_the_reload_on(
    client: FlaskClient, rt: Any
) -> None:
    """A reload makes the table of keys anew; one that leaked must open nothing any more."""
    body = as_json(TRACK)
    assert client.post("/v1/track", data=body, headers=basic()).status_code == 200
    rt.write_keys = {b"new-key": "site"}
    assert client.post("/v1/track", data=body, headers=basic()).status_code == 401
    leaked = as_json({**TRACK, "writeKey": "site-key"})
    assert client.post("/v1/track", data=leaked).status_code == 401
    assert client.post("/v1/track", data=body, headers=basic("new-key")).status_code == 200
    assert [kept.source for kept in rt.inbox.deliveries] == ["site", "site"]
