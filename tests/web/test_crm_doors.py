"""``/in/hubspot`` and ``/in/salesforce``: proven, on disk, answered as the CRM wants to hear it."""

from __future__ import annotations

import gzip
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.errors import Overloaded, StorageRefused
from connector.sources.hubspot import HubSpot
from connector.sources.hubspot_signatures import v1, v2, v3
from connector.sources.salesforce import Salesforce
from connector.web.app import create_app
from tests.sources.test_hubspot import event, step
from tests.sources.test_salesforce import CONTACT, ORG, SECRET, message
from tests.web.conftest import NOW, MappingFile, Opened, Runtime

APP = "client-secret"
BODY = json.dumps([event("contact.creation")]).encode()
BASE = "https://sms.example.org"
STEP = json.dumps(step(play="welcome")).encode()


@pytest.fixture
def rt() -> Runtime:
    made = Runtime()
    hubspot = HubSpot(
        source="hubspot", client_secrets=[APP], workflow_keys=["wf-key"], portal_id="33"
    )
    salesforce = Salesforce(source="salesforce", path_secrets=[SECRET], organization_id=ORG)
    nothing = MappingFile(None)
    made.sources |= {
        "hubspot": Opened(hubspot, nothing),
        "salesforce": Opened(salesforce, nothing),
    }
    return made


def by_v3(path: str, body: bytes = BODY, minutes: float = 0, base: str = BASE) -> dict[str, str]:
    stamp = str(int((NOW + timedelta(minutes=minutes)).timestamp() * 1000))
    return {
        "X-HubSpot-Signature-v3": v3(APP, "POST", base + path, body, stamp),
        "X-HubSpot-Request-Timestamp": stamp,
        "Content-Type": "application/json",
    }


def by_v1(body: bytes = BODY) -> dict[str, str]:
    return {"X-HubSpot-Signature": v1(APP, body), "X-HubSpot-Signature-Version": "v1"}


def by_v2(path: str, body: bytes) -> dict[str, str]:
    return {
        "X-HubSpot-Signature": v2(APP, "POST", BASE + path, body),
        "X-HubSpot-Signature-Version": "v2",
    }


def post(client: FlaskClient, path: str, body: bytes, headers: dict[str, str]) -> int:
    return client.post(path, data=body, headers=headers).status_code


def test_what_hubspot_signed_is_on_disk_before_it_is_answered(client: FlaskClient, rt: Any) -> None:
    answer = client.post("/in/hubspot", data=BODY, headers=by_v3("/in/hubspot"))
    assert (answer.status_code, answer.data) == (200, b'{"success": true}')
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.source, delivery.body) == ("events", "hubspot", BODY)
    assert (delivery.url, delivery.headers) == (f"{BASE}/in/hubspot", {})


def test_forged_stale_and_future_requests_are_refused_and_nothing_is_kept(
    client: FlaskClient, rt: Any
) -> None:
    path = "/in/hubspot"
    for headers in (
        {},
        by_v1(b"[]"),
        by_v3(path, b"[]"),
        by_v3(path, minutes=-6),
        by_v3(path, minutes=6),
        {**by_v1(), **by_v3(path, minutes=-6)},
        {**by_v1(), "X-HubSpot-Signature-v3": "bad"},
        by_v3("/in/hubspot/action"),
        by_v3(path, base="http://sms.example.org"),
        {"X-Connector-Key": "wf-key"},
    ):
        assert post(client, path, BODY, headers) == 401
    assert post(client, path, BODY + b" ", by_v3(path)) == 401
    assert rt.inbox.deliveries == []
    assert post(client, path, BODY, by_v1()) == 200


@pytest.mark.parametrize(
    "query", ["?src=hs%3Aapp%2Fv3&q=a%20b", "?a=%C3%BC", "?x=1%2C2%3b3", "?event=%2A", "?"]
)
def test_the_address_is_signed_as_it_was_sent_behind_a_proxy(query: str, rt: Runtime) -> None:
    rt.settings.web.trusted_proxies = 1
    client = create_app(rt).test_client()
    forwarded = {
        "Host": "10.0.0.7:8080",
        "X-Forwarded-Host": "somewhere.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "203.0.113.9",
    }
    signed = "" if query == "?" else query
    headers = {**by_v3(f"/in/hubspot{signed}"), **forwarded}
    assert post(client, f"/in/hubspot{query}", BODY, headers) == 200


def test_a_verified_subscription_is_answered_200_whatever_it_says(
    client: FlaskClient, rt: Any
) -> None:
    for body in (b"[]", b"{", b"null", b'[{"subscriptionType": "what.ever"}]', b"[1]", b"\xff"):
        assert post(client, "/in/hubspot", body, by_v3("/in/hubspot", body)) == 200
    assert len(rt.inbox.deliveries) == 6


def test_a_request_may_come_twice_and_is_kept_twice(client: FlaskClient, rt: Any) -> None:
    for _ in range(2):
        assert post(client, "/in/hubspot", BODY, by_v3("/in/hubspot")) == 200
    assert len(rt.inbox.deliveries) == 2


def test_a_body_beyond_a_megabyte_is_not_taken(client: FlaskClient, rt: Any) -> None:
    large = b"[" + b" " * 1_048_576 + b"]"
    assert post(client, "/in/hubspot", large, by_v3("/in/hubspot", large)) == 413
    packed = gzip.compress(large)
    assert post(client, f"/in/salesforce/{SECRET}", packed, {}) == 413
    assert rt.inbox.deliveries == []


def test_a_workflow_bears_a_key_or_a_signature(client: FlaskClient, rt: Any) -> None:
    path, body = "/in/hubspot/workflow?event=demo_booked", b'{"vid": 901}'
    assert post(client, path, body, {"X-Connector-Key": "wf-key"}) == 200
    assert post(client, path, body, by_v2(path, body)) == 200
    assert post(client, path, body, {"X-Connector-Key": "wf-kez"}) == 401
    assert post(client, path, body, by_v1(body)) == 401
    assert [each.url for each in rt.inbox.deliveries] == [BASE + path] * 2
    assert all(each.headers == {} for each in rt.inbox.deliveries)


def test_a_workflow_that_names_no_record_is_told_so_and_kept_to_be_looked_at(
    client: FlaskClient, rt: Any
) -> None:
    headers = {"X-Connector-Key": "wf-key"}
    answer = client.post("/in/hubspot/workflow", data=b'{"name": "Ann"}', headers=headers)
    assert answer.status_code == 400 and b"hs_object_id" in answer.data
    (delivery,) = rt.inbox.deliveries
    assert delivery.kind == "unreadable" and "hs_object_id" in delivery.reason


def test_a_workflows_step_is_told_to_wait_once_it_is_on_disk(client: FlaskClient, rt: Any) -> None:
    path = "/in/hubspot/action"
    for headers in (by_v2(path, STEP), by_v3(path, STEP)):
        answer = client.post(path, data=STEP, headers=headers)
        assert answer.status_code == 200
        assert answer.json == {
            "outputFields": {"hs_execution_state": "BLOCK", "hs_expiration_duration": "P8D"}
        }
    assert len(rt.inbox.deliveries) == 2
    assert post(client, path, STEP, by_v1(STEP)) == 401
    assert post(client, path, STEP, {"X-Connector-Key": "wf-key"}) == 401


def test_where_nothing_could_be_kept_a_step_is_not_told_to_wait(
    client: FlaskClient, rt: Any
) -> None:
    path = "/in/hubspot/action"
    rt.inbox.error = StorageRefused()
    answer = client.post(path, data=STEP, headers=by_v2(path, STEP))
    assert answer.status_code == 503 and b"BLOCK" not in answer.data


def test_an_outbound_message_is_acknowledged_once_it_is_on_disk(
    client: FlaskClient, rt: Any
) -> None:
    path, body = f"/in/salesforce/{SECRET}", message(CONTACT)
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
    answer = client.post(path, data=body, headers=headers)
    assert answer.status_code == 200 and b"<Ack>true</Ack>" in answer.data
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    (delivery,) = rt.inbox.deliveries
    assert (delivery.url, delivery.body) == (f"{BASE}/in/salesforce", body)
    for error, status in ((Overloaded(), 429), (StorageRefused(), 503)):
        rt.inbox.error = error
        answer = client.post(path, data=body, headers=headers)
        assert answer.status_code == status and b"Ack" not in answer.data


def test_a_stranger_to_salesforce_is_refused(client: FlaskClient, rt: Any) -> None:
    body = message(CONTACT)
    for path in ("/in/salesforce/guess", "/in/salesforce"):
        assert post(client, path, body, {}) == 401
    other = message(CONTACT, org="00D5g000004XyZyEAK")
    assert post(client, f"/in/salesforce/{SECRET}", other, {}) == 401
    assert rt.inbox.deliveries == []


def test_xml_that_declares_anything_is_kept_and_never_expanded(
    client: FlaskClient, rt: Any
) -> None:
    body = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    answer = client.post(f"/in/salesforce/{SECRET}", data=body)
    assert answer.status_code == 400 and b"root" not in answer.data
    (delivery,) = rt.inbox.deliveries
    assert (delivery.kind, delivery.body) == ("unreadable", body)


def test_a_flow_may_send_json_with_the_secret_in_a_header(client: FlaskClient, rt: Any) -> None:
    body = json.dumps({"event": "case.escalated", "id": CONTACT}).encode()
    headers = {"X-Connector-Secret": SECRET}
    answer = client.post("/in/salesforce?event=x", data=body, headers=headers)
    assert (answer.status_code, answer.json) == (200, {"success": True})
    (delivery,) = rt.inbox.deliveries
    assert SECRET not in repr(delivery)


def test_the_secret_of_an_address_is_in_no_log_and_in_no_answer(
    client: FlaskClient, rt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"/in/salesforce/{SECRET}"
    told = [client.post(path, data=message(CONTACT)), client.post(path, data=b"<x")]
    told += [client.post(f"{path}x", data=b"{}"), client.get(path), client.post(f"{path}/{SECRET}")]
    rt.clock = broken
    told.append(client.post(path, data=b"{}"))
    assert [each.status_code for each in told] == [200, 400, 401, 405, 404, 500]
    assert "/in/salesforce" in caplog.text
    assert SECRET not in caplog.text
    assert all(SECRET.encode() not in each.data for each in told)
    assert SECRET not in repr(rt.inbox.deliveries)


def broken() -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "path", ["/in/hubspot/else", "/in/hubspot/action/more", "/in/shop/below", "/in/nobody/x"]
)
def test_there_is_nothing_elsewhere(path: str, client: FlaskClient) -> None:
    assert client.post(path, data=BODY).status_code == 404
