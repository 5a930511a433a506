"""Look-ups: what providers tell of a number itself."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import responses

from connector.config.adapters import load_class
from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import LookedUp
from connector.providers import ADAPTERS, LooksUp
from connector.providers.sandbox import Sandbox
from connector.providers.telnyx import Telnyx
from connector.providers.twilio import Twilio

ANN = "+12125550101"
TELNYX = "https://api.telnyx.com/v2/number_lookup/%2B12125550101"
ADDRESS = "https://lookups.twilio.com/v2/PhoneNumbers/%2B12125550101"
DAY = date(2026, 3, 1)


@pytest.fixture
def twilio() -> Twilio:
    return Twilio(account_sid="AC1", auth_tokens=["token"], from_number="+18005550100")


def answer(**packages: Any) -> dict[str, Any]:
    return {"phone_number": ANN, "country_code": "US", "valid": True, **packages}


def line(kind: str | None = "mobile", error: int | None = None) -> dict[str, Any]:
    return {"line_type_intelligence": {"type": kind, "error_code": error}}


def test_three_providers_look_numbers_up() -> None:
    able = {name for name, adapter in ADAPTERS.items() if hasattr(load_class(adapter), "lookup")}
    assert able == {"sandbox", "twilio", "telnyx"}


def telnyx() -> Telnyx:
    public = base64.b64encode(bytes(32)).decode()
    return Telnyx(api_key="token", public_keys=[public], from_number="+18005550100")


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("mobile", "mobile"),
        ("fixed line", "fixed_line"),
        ("voip", "voip"),
        ("toll free", "toll_free"),
        ("fixed line or mobile", ""),
        ("unknown", ""),
        (None, ""),
        (["mobile"], ""),
    ],
)
@responses.activate
def test_telnyxs_line_types_are_told_in_our_words(told: object, kind: str) -> None:
    data = {"record_type": "number_lookup", "valid_number": True, "carrier": {"type": told}}
    responses.get(TELNYX, json={"data": data})
    assert telnyx().lookup(ANN, DAY) == LookedUp(kind, None)
    assert str(responses.calls[0].request.url).endswith("%2B12125550101?type=carrier")


@responses.activate
def test_a_number_that_telnyx_calls_invalid_is_invalid() -> None:
    responses.get(TELNYX, json={"data": {"valid_number": False, "carrier": None}})
    assert telnyx().lookup(ANN) == LookedUp("invalid")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"errors": [{"code": "10009"}]}, Deferred),
        (429, {}, Deferred),
        (503, {}, Uncertain),
        (200, {"data": {"valid_number": True}}, Uncertain),
        (200, {}, Uncertain),
        (400, {"errors": [{"code": "10002"}]}, Refused),
    ],
)
@responses.activate
def test_a_look_up_that_telnyx_does_not_answer_tells_nothing(
    status: int, body: dict[str, Any], kind: type[SendFailed]
) -> None:
    responses.get(TELNYX, status=status, json=body)
    with pytest.raises(kind):
        telnyx().lookup(ANN)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("mobile", "mobile"),
        ("landline", "fixed_line"),
        ("fixedVoip", "voip"),
        ("nonFixedVoip", "voip"),
        ("tollFree", "toll_free"),
        ("sharedCost", "shared_cost"),
        ("unknown", ""),
        (None, ""),
    ],
)
@responses.activate
def test_twilios_line_types_are_told_in_our_words(
    twilio: Twilio, told: str | None, kind: str
) -> None:
    responses.get(ADDRESS, json=answer(**line(told)))
    assert twilio.lookup(ANN) == LookedUp(kind)
    [call] = responses.calls
    assert call.request.url is not None
    assert call.request.url.endswith("?Fields=line_type_intelligence")
    assert call.request.headers["Authorization"].startswith("Basic ")


@responses.activate
def test_a_number_that_twilio_calls_invalid_is_invalid(twilio: Twilio) -> None:
    responses.get(ADDRESS, json={"phone_number": ANN, "valid": False})
    assert twilio.lookup(ANN) == LookedUp("invalid")


@pytest.mark.parametrize(
    ("told", "owner"), [("yes", True), ("no", False), ("no_data_available", None)]
)
@responses.activate
def test_whether_a_number_has_a_new_owner_is_asked_since_the_newest_consent(
    twilio: Twilio, told: str, owner: bool | None
) -> None:
    package = {"is_number_reassigned": told, "error_code": None}
    responses.get(ADDRESS, json=answer(**line(), reassigned_number=package))
    assert twilio.lookup(ANN, DAY) == LookedUp("mobile", owner)
    [call] = responses.calls
    assert call.request.url is not None
    wanted = "Fields=line_type_intelligence%2Creassigned_number&LastVerifiedDate=20260301"
    assert call.request.url.endswith(wanted)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, answer(**line(None, 60601)), Refused),
        (200, answer(**line(None, 60600)), Deferred),
        (200, answer(), Uncertain),
        (200, {"surprise": 1}, Uncertain),
        (401, {"code": 20003}, Deferred),
        (404, {"code": 20404}, Deferred),
        (429, {"code": 20429}, Deferred),
        (500, {}, Uncertain),
    ],
)
@responses.activate
def test_what_twilio_cannot_tell_is_no_answer_and_names_no_number(
    twilio: Twilio, status: int, body: dict[str, Any], kind: type[SendFailed]
) -> None:
    responses.get(ADDRESS, status=status, json=body)
    with pytest.raises(SendFailed) as caught:
        twilio.lookup(ANN)
    assert type(caught.value) is kind
    assert ANN[1:] not in str(caught.value)


def test_the_sandbox_tells_what_its_script_says(tmp_path: Path) -> None:
    script: list[dict[str, Any]] = [
        {"to": ANN, "number_type": "fixed_line", "reassigned": True},
        {"to": "+12125550102", "fails": "deferred"},
        {"contains": "hello", "number_type": "voip"},
    ]
    sandbox = Sandbox(outbox=tmp_path / "out.jsonl", script=script)
    assert isinstance(sandbox, LooksUp)
    assert sandbox.lookup(ANN) == LookedUp("fixed_line")
    assert sandbox.lookup(ANN, DAY) == LookedUp("fixed_line", reassigned=True)
    assert sandbox.lookup("+12125550103") == LookedUp("mobile")
    with pytest.raises(Deferred):
        sandbox.lookup("+12125550102")
