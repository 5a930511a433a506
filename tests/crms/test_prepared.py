"""What is installed, what the shipped mappings write, and what the adapters write go together."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from connector.cli.crm_install import wanted
from connector.crms.hubspot.install import STANDARD, TYPES
from connector.crms.salesforce import rows
from connector.crms.salesforce.install import DESCRIBED
from connector.crms.salesforce.metadata import kind_of, shipped
from connector.crms.salesforce.schema import TYPES as SALESFORCE_TYPES
from connector.records import Writeback
from tests.config import crm_file

ROOT = Path(__file__).parents[2]
TOLD = {
    "kind": "text",
    "subject": "Text: welcome, hello",
    "body": "Welcome!",
    "direction": "outgoing",
    "status": "Delivered",
    "occurred_at": "2026-11-20T12:00:00.000000Z",
    "play": "welcome",
}


def test_install_makes_every_property_that_the_shipped_hubspot_file_writes() -> None:
    _, written = wanted(crm_file.shipped("hubspot"))
    assert {name for name in written if name.startswith("sms_")} <= STANDARD.keys()
    assert {shape.type for shape in STANDARD.values()} <= TYPES.keys()


@pytest.mark.parametrize("person", ["Contact", "Lead"])
def test_install_makes_every_field_that_the_shipped_salesforce_file_writes(person: str) -> None:
    _, written = wanted(crm_file.shipped("salesforce"))
    made = {name.partition(".")[2] for name in shipped().fields if name.startswith(f"{person}.")}
    assert {name for name in written if name.endswith("__c")} <= made


def test_an_sms_message_has_a_field_for_all_that_is_written_into_one() -> None:
    made = {name.partition(".")[2] for name in shipped().fields if name.startswith("SMS_Message")}
    related = {"deal": "0065g00000AbCdEAAV", "case": "5005g00000AbCdEAAV"}
    for who in ("0035g00000AbCdEAAV", "00Q5g00000AbCdEAAV"):
        change = Writeback(
            "w", "salesforce", "con_1", who, "activity", "send:snd_1", TOLD, related=related
        )
        assert rows.message(change).keys() - {"attributes"} <= made


def test_a_field_that_is_made_is_of_the_type_that_check_asks_for() -> None:
    for name, field in shipped().fields.items():
        described = DESCRIBED[kind_of(field)]
        assert described and all(each in SALESFORCE_TYPES for each in described), name


def test_everything_that_install_needs_is_in_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["packages"] == ["connector"]
    assert not {"exclude", "only-include"} & (build.keys() | build["targets"]["wheel"].keys())
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    files = [path for path in (ROOT / "connector/plugins").rglob("*") if path.is_file()]
    assert len(files) >= 40
    for path in files:
        parts = path.relative_to(ROOT)
        assert not any(parts.match(each) or each in parts.parts for each in ignored), path
