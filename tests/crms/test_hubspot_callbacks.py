"""Steps of workflows that wait are told what came of their text, in as few calls as can be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from connector.crms.hubspot.adapter import HubSpotCrm
from connector.errors import CrmUnavailable
from connector.records import Writeback

HOST = "http://hubspot.test"
ACTIONS = f"{HOST}/automation/v4/actions/callbacks"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def crm() -> HubSpotCrm:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return HubSpotCrm(
        access_token="pat-1", clock=lambda: at, base_url=HOST, http=requests.Session()
    )


def change(name: str, *, went: bool = True, in_doubt: bool = False) -> Writeback:
    told = {"callback": name, "went": went, "result": "delivered" if went else "refused"}
    return Writeback(
        id=f"hubspot:callback:{name}",
        crm="hubspot",
        contact_id="",
        record="",
        kind="callback",
        key=f"callback:{name}",
        change={**told, "reason": "" if went else "not_mobile"},
        in_doubt=in_doubt,
    )


def said(mock: responses.RequestsMock, place: int = 0) -> Any:
    return json.loads(mock.calls[place].request.body or b"")


def test_one_step_is_completed_by_its_id(wire: Any, crm: HubSpotCrm) -> None:
    wire.post(f"{ACTIONS}/ap-1-2/complete", status=204)
    (written,) = crm.write([change("ap-1-2")])
    assert written.ok
    assert wire.calls[0].request.headers["Authorization"] == "Bearer pat-1"
    assert said(wire) == {
        "outputFields": {
            "hs_execution_state": "SUCCESS",
            "sms_result": "delivered",
            "sms_reason": "",
        }
    }


def test_many_steps_are_completed_in_one_call(wire: Any, crm: HubSpotCrm) -> None:
    wire.post(f"{ACTIONS}/complete", status=204)
    found = crm.write([change("a"), change("b", went=False)])
    assert [each.ok for each in found] == [True, True]
    first, second = said(wire)["inputs"]
    assert first["callbackId"] == "a"
    assert second["outputFields"] == {
        "hs_execution_state": "FAIL_CONTINUE",
        "sms_result": "refused",
        "sms_reason": "not_mobile",
    }
    assert crm.route("callback", made=False) == "callback"


def test_where_one_is_refused_the_others_are_completed_alone(wire: Any, crm: HubSpotCrm) -> None:
    gone = {"message": "no such callback", "category": "OBJECT_NOT_FOUND"}
    wire.post(f"{ACTIONS}/complete", status=400, json=gone)
    wire.post(f"{ACTIONS}/a/complete", status=204)
    wire.post(f"{ACTIONS}/b/complete", status=404, json=gone)
    first, second = crm.write([change("a"), change("b")])
    assert first.ok and not second.ok and second.permanent
    assert "no such callback" in second.error


def test_one_that_may_have_been_completed_before_is_not_told_as_a_fault(
    wire: Any, crm: HubSpotCrm
) -> None:
    wire.post(f"{ACTIONS}/a/complete", status=404, json={})
    (written,) = crm.write([change("a", in_doubt=True)])
    assert written.ok


def test_a_missing_scope_is_named_and_stops_nothing_else(wire: Any, crm: HubSpotCrm) -> None:
    wire.post(f"{ACTIONS}/a/complete", status=403, json={"message": "scope"})
    (written,) = crm.write([change("a")])
    assert written.permanent and not written.ok
    assert "scope automation" in written.remedy


def test_an_id_stays_inside_its_path(wire: Any, crm: HubSpotCrm) -> None:
    wire.post(f"{ACTIONS}/..%2F..%2Fcontacts%3Fx/complete", status=204)
    (written,) = crm.write([change("../../contacts?x")])
    assert written.ok


def test_after_a_time_out_the_changes_of_the_call_are_in_doubt(wire: Any, crm: HubSpotCrm) -> None:
    wire.post(f"{ACTIONS}/a/complete", body=requests.ReadTimeout())
    with pytest.raises(CrmUnavailable) as caught:
        crm.write([change("a")])
    assert caught.value.in_doubt == {"hubspot:callback:a"}
