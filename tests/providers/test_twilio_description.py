"""What the tests let the Twilio adapter send is what Twilio's own description names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connector.providers.twilio_callbacks import INBOUND, STATUSES
from tests.providers.twilio_side import CREATE_PARAMETERS, LIST_PARAMETERS

DESCRIPTION = Path(__file__).parents[1] / "samples" / "twilio_messages_openapi.json"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
NOT_MENTIONED = {"partially_delivered"}  #: of several recipients, which our texts never have


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return found


def test_a_text_may_have_no_field_that_twilio_does_not_describe() -> None:
    body = described()["paths"][MESSAGES]["post"]["requestBody"]["content"]
    schema = body["application/x-www-form-urlencoded"]["schema"]
    assert set(schema["properties"]) >= CREATE_PARAMETERS
    assert {"To"} <= set(schema["required"]) <= CREATE_PARAMETERS


def test_a_list_may_be_asked_for_by_nothing_that_twilio_does_not_describe() -> None:
    named = {each["name"] for each in described()["paths"][MESSAGES]["get"]["parameters"]}
    assert named - {"AccountSid"} == LIST_PARAMETERS


def test_every_status_that_twilio_describes_has_its_meaning() -> None:
    schemas = described()["components"]["schemas"]
    (words,) = (each["enum"] for name, each in schemas.items() if name.endswith("enum_status"))
    assert set(words) - NOT_MENTIONED == {*STATUSES, *INBOUND}
