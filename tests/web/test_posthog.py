"""PostHog's doors: what its libraries send is taken, and what they ask beside is answered."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.parse
from ipaddress import ip_network
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import Overloaded, StorageRefused
from connector.rules.traffic import Traffic
from connector.sources.posthog import SENT_AT
from connector.sources.segment import IP_NETWORK
from connector.web.app import create_app
from connector.web.posthog import EVENTS, EVENTS_V1, MAX_BYTES

EVENT = {"event": "order completed", "distinct_id": "u-7", "uuid": "0197-1", "properties": {}}
BATCH = {"api_key": "project-key", "batch": [EVENT], "sent_at": "2026-11-20T10:00:00Z"}
PAGE = [{**EVENT, "properties": {"token": "project-key"}}]
PLAIN = json.dumps(BATCH).encode()


@pytest.mark.parametrize("path", EVENTS)
def test_a_batch_is_on_disk_when_it_is_answered(client: FlaskClient, rt: Any, path: str) -> None:
    answer = client.post(path, data=gzip.compress(PLAIN), headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json) == (200, {"status": "Ok"})
    (kept,) = rt.inbox.deliveries
    assert (kept.kind, kept.source, kept.url) == ("events", "product", path)
    assert json.loads(kept.body) == BATCH


WRAPPED = {
    "a list, as a page's library sends it": json.dumps(PAGE).encode(),
    "gzip that is labelled text": gzip.compress(json.dumps(PAGE).encode()),
    "base64 in a form": b"data="
    + urllib.parse.quote(base64.b64encode(json.dumps(PAGE).encode())).encode(),
    "base64 alone": base64.b64encode(json.dumps(PAGE).encode()),
    "JSON in a form": b"data=" + urllib.parse.quote(json.dumps(PAGE)).encode(),
}


@pytest.mark.parametrize("how", WRAPPED)
def test_a_page_may_wrap_it_in_every_way_its_library_does(
    client: FlaskClient, rt: Any, how: str
) -> None:
    packing = "base64" if "base64" in how else "gzip-js" if "gzip" in how else ""
    path = f"/i/v0/e/?ip=0&_=1763632800000&ver=1.2&compression={packing}".removesuffix(
        "&compression="
    )
    answer = client.post(path, data=WRAPPED[how], headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200, answer.data
    (kept,) = rt.inbox.deliveries
    assert json.loads(kept.body) == PAGE
    assert kept.headers[SENT_AT].startswith("2025-11-20T10:00:00")


def test_the_newer_protocol_is_told_that_every_event_was_taken(
    client: FlaskClient, rt: Any
) -> None:
    headers = {
        "Authorization": "Bearer project-key",
        "PostHog-Request-Timestamp": "2026-11-20T10:00:00+00:00",
    }
    answer = client.post(EVENTS_V1, data=json.dumps({"batch": [EVENT]}), headers=headers)
    assert (answer.status_code, answer.json) == (200, {"results": {}})
    assert rt.inbox.deliveries[0].headers[SENT_AT] == "2026-11-20T10:00:00+00:00"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (json.dumps({**BATCH, "api_key": "another"}).encode(), 401, "unverified"),
        (json.dumps({**BATCH, "api_key": "site-key"}).encode(), 401, "unverified"),
        (b"{", 400, "unreadable"),
        (b"7", 400, "unreadable"),
        (b"data=", 400, "unreadable"),
        (b"data=e30%3D%3D&" + b"x=&" * 20, 400, "unreadable"),
        (gzip.compress(b" " * (MAX_BYTES + 1)), 413, "too_large"),
        (json.dumps({**BATCH, "batch": [1] * 5_001}).encode(), 413, "too_large"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_not_kept(
    client: FlaskClient, rt: Any, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/batch/", data=body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert rt.inbox.deliveries == []


def test_a_known_sender_that_cannot_be_read_is_kept_for_a_replay(
    client: FlaskClient, rt: Any
) -> None:
    client.post(EVENTS_V1, data=b"{", headers={"Authorization": "Bearer project-key"})
    (kept,) = rt.inbox.deliveries
    assert (kept.kind, kept.source, kept.body) == ("unreadable", "product", b"{")


def test_a_key_of_posthog_opens_no_door_of_segments_and_none_of_theirs_opens_this(
    client: FlaskClient, rt: Any
) -> None:
    segment = {"type": "track", "event": "x", "userId": "u", "writeKey": "project-key"}
    assert client.post("/v1/track", data=json.dumps(segment)).status_code == 401
    basic = {"Authorization": "Basic " + base64.b64encode(b"project-key:").decode()}
    assert client.post("/v1/track", data=json.dumps(segment), headers=basic).status_code == 401
    assert rt.inbox.deliveries == []


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("full"), 429), (StorageRefused("full"), 503)]
)
def test_a_sender_is_told_when_to_come_again(rt: Any, error: Exception, status: int) -> None:
    rt.inbox.error = error
    answer = create_app(rt).test_client().post("/batch/", data=PLAIN)
    assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["/flags/?v=4", "/flags", "/decide/?v=3"])
def test_there_are_no_flags(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data=b'{"token": "project-key", "distinct_id": "u-7"}')
    assert answer.status_code == 200
    told = answer.get_json()
    assert told["flags"] == {} and told["errorsWhileComputingFlags"] is False


def test_a_page_is_told_to_record_and_ask_nothing(client: FlaskClient) -> None:
    answer = client.get("/array/project-key/config")
    assert answer.status_code == 200
    assert (answer.get_json()["sessionRecording"], answer.get_json()["surveys"]) == (False, False)
    assert client.get("/array/another/config").status_code == 404
    assert client.get("/array/site-key/config").status_code == 404


@pytest.mark.parametrize("path", ["/i/v0/e/", "/batch", EVENTS_V1, "/flags/"])
def test_a_page_elsewhere_may_send_with_the_headers_its_library_has(
    client: FlaskClient, path: str
) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = client.options(path, headers=origin)
    assert asked.status_code == 204
    assert "posthog-sdk-info" in asked.headers["Access-Control-Allow-Headers"]
    sent = client.post(path, data=PLAIN, headers=origin)
    assert sent.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    refused = client.post(path, data=b"{" if path != "/flags/" else PLAIN, headers=origin)
    assert refused.headers.getlist("Access-Control-Allow-Origin") == ["*"]


def test_an_address_of_the_operators_network_is_told_and_never_kept(
    client: FlaskClient, rt: Any
) -> None:
    rt.settings.traffic = Traffic(staff_networks=(ip_network("203.0.113.0/24"),))
    for address in ("203.0.113.9", "198.51.100.9"):
        client.post("/batch/", data=PLAIN, environ_base={"REMOTE_ADDR": address})
    inside, outside = rt.inbox.deliveries
    assert (inside.headers, outside.headers) == ({IP_NETWORK: "staff"}, {})
    assert b"203.0.113" not in inside.body
