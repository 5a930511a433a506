"""Which fields of a CRM make a person, and where they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.model import Event, Json, Signal, Subject, Trust
from connector.rules.crm import CONTACT_SIGNAL, CrmMapping
from connector.rules.mapping import Unmapped, apply
from tests.config.crm_file import CONTACT, faultless, read, shipped, told

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def heard(
    found: CrmMapping,
    name: str,
    now: dict[str, Json],
    was: dict[str, Json] | None = None,
    **item: Json,
) -> Signal | Unmapped:
    """What the file says of a changed record."""
    assert found.source is not None
    body: dict[str, Json] = {
        "object": name,
        "id": "7",
        "person": "901",
        "now": now,
        "was": was or {},
        "changed": [field for field in now if now[field] != (was or {}).get(field)],
        **item,
    }
    payload: Json = {"name": name, "item": body, "headers": {}}
    event = Event("evt_1", found.name, "1", "webhook", name, AT, AT, payload)
    return apply(found.source, event, Trust.trusted, "US")


def signal(found: CrmMapping, name: str, now: dict[str, Json], **item: Json) -> Signal:
    said = heard(found, name, now, **item)
    assert isinstance(said, Signal)
    return said


def test_a_contact_of_hubspot_is_a_person_with_a_number_a_name_and_a_stage() -> None:
    said = signal(
        shipped("hubspot"),
        "contact",
        {
            "mobilephone": "(202) 555-0123",
            "phone": "+1 202 555 0199",
            "email": "Ann@Corner.example",
            "firstname": "Ann",
            "lastname": "Example",
            "zip": "94107",
            "lifecyclestage": "marketingqualifiedlead",
        },
    )
    assert said.name == CONTACT_SIGNAL
    assert said.subject == Subject(
        phone="+12025550123", email="ann@corner.example", crm="hubspot", crm_id="901"
    )
    assert said.traits == {"first_name": "Ann", "last_name": "Example", "postal": "94107"}
    assert (said.stage, said.activity, said.dropped) == ("lead", False, ())


def test_a_lead_and_a_contact_of_salesforce_have_their_own_fields() -> None:
    found = shipped("salesforce")
    now = {"Phone": "+12025550123", "Status": "Closed - Converted", "State": "CA"}
    lead, contact = signal(found, "lead", now), signal(found, "contact", now)
    assert (lead.stage, lead.traits["region"]) == ("opportunity", "CA")
    assert (contact.stage, contact.traits) == ("", {})
    assert lead.subject == contact.subject


@pytest.mark.parametrize(
    ("mobile", "phone", "number"),
    [
        ("", "+12025550199", "+12025550199"),
        (None, "+12025550199", "+12025550199"),
        ("not a number", "+12025550199", "+12025550199"),
        ("+442079460958", "+447400123456", "+447400123456"),
        ("+442079460958", "", "+442079460958"),
        ("+12025550123", "+12025550199", "+12025550123"),
        ([1], {"a": 1}, ""),
    ],
)
def test_of_several_numbers_it_is_the_first_that_texts_can_reach(
    mobile: Json, phone: Json, number: str
) -> None:
    said = signal(shipped("hubspot"), "contact", {"mobilephone": mobile, "phone": phone})
    assert said.subject.phone == number


def test_a_number_that_is_none_is_left_out_and_told() -> None:
    said = signal(shipped("hubspot"), "contact", {"mobilephone": "call me", "phone": ""})
    assert said.subject.phone == ""
    assert [each.partition(":")[0] for each in said.dropped] == ["subject.phone"]


def test_a_stage_that_the_file_does_not_name_moves_nobody() -> None:
    found = shipped("hubspot")
    for stands in ("4815162342", "", None, 7, ["lead"]):
        assert signal(found, "contact", {"lifecyclestage": stands}).stage == ""


def test_a_trait_may_be_an_expression_for_all_or_for_each_object(tmp_path: Path) -> None:
    found = faultless(
        tmp_path,
        """[contact]
objects = ["contact", "lead"]
phone = "Phone"
language = { value = "item.now.Language__c | truncate(2, '')" }
company = { contact = "item.now.Account_Name__c", lead = "item.now.Company" }
""",
        "salesforce",
    )
    now: dict[str, Json] = {"Language__c": "de_AT", "Company": "Mugs", "Account_Name__c": "Plates"}
    assert signal(found, "lead", now).traits == {"language": "de", "company": "Mugs"}
    assert signal(found, "contact", now).traits == {"language": "de", "company": "Plates"}
    assert found.wanted.fields == {
        "contact": ("Phone", "Language__c", "Account_Name__c"),
        "lead": ("Phone", "Language__c", "Company"),
    }


def test_of_two_stages_of_theirs_that_are_one_of_ours_the_first_is_written() -> None:
    found = shipped("hubspot")
    assert found.writes_stage
    assert found.stage_there("lead") == "lead"
    assert found.stage_there("customer") == "customer"
    assert found.stage_there("former_customer") == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[contact]\nfirst_name = 'a'", "1: contact.phone is missing"),
        ("[contact]\nphone = 'a b'", "2: contact.phone holds 'a b'"),
        ("[contact]\nphone = ['a', 'lead.b']", "2: contact.phone names 'lead.b'"),
        ("[contact]\nphone = 'a'\nphones = 'b'", "3: contact.phones is not known here"),
        ("[contact]\nphone = 'a'\nFirst = 'b'", "3: contact.First cannot be a trait's name"),
        ("[contact]\nphone = 'a'\nx = { values = 'b' }", "3: contact.x.values is not known here"),
        ("[contact]\nphone = 'a'\nx = {}", "3: contact.x is empty"),
        (
            "[contact]\nphone = 'a'\nx = { value = 'item.new.b' }",
            "3: contact.x.value reads item.new.b, which no event has",
        ),
        (
            "[contact]\nphone = 'a'\nx = { value = 'properties.b' }",
            "3: contact.x.value reads properties.b, which no event has",
        ),
        ("[contact]\nphone = 'a'\nobjects = ['deal']", "3: contact.objects holds 'deal'"),
        (f"{CONTACT}[stage]\nfield = 'a'", "3: stage.values is missing"),
        (f"{CONTACT}[stage.values]\na = 'lead'", "1: stage.field is missing"),
        (
            f"{CONTACT}[stage]\nfield = 'a'\n[stage.values]\nb = 'laed'",
            "6: stage.values.b is 'laed'",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    _, faults = read(tmp_path, text)
    assert told(faults) == [message]
    assert faults[0].remedy
