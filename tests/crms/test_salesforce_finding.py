"""Whom Salesforce knows: by id, number or e-mail, with open cases and deals beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.model import Subject
from connector.records import Wanted
from tests.crms.salesforce_server import Org, Server
from tests.crms.test_salesforce import Keyed, opened
from tests.crms.test_salesforce_reading import MINUTE, WANTED


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def org(server: Server) -> Org:
    return server.org


@pytest.fixture
def crm(server: Server) -> Keyed:
    return opened(server, WANTED)


def test_a_person_is_found_by_number_however_it_was_typed(org: Org, crm: Keyed) -> None:
    typed = {
        "+12125550101": "(212) 555-0101",
        "+12125550102": "1-212-555.0102",
        "+33612345678": "+33 (0)6 12 34 56 78",
        "+33612345679": "06.12.34.56.79",
        "+442071838750": "00 44 20 7183 8750",
    }
    for number, text in typed.items():
        object = "Lead" if number.startswith("+33") else "Contact"
        org.state.add(object, LastName=number, Phone=text)
    org.state.add("Contact", LastName="other", MobilePhone="(917) 555-0101")
    found = crm.fetch([Subject(phone=number) for number in typed])
    assert [one and one["LastName"] for one in found[:4]] == list(typed)[:4]


def test_exactly_one_record_counts_and_a_converted_lead_gives_way(org: Org, crm: Keyed) -> None:
    ann = org.state.add("Contact", LastName="Ann", MobilePhone="+12125550101", Email="A@x.org")
    lead = org.state.add("Lead", LastName="Ann", MobilePhone="+1 212 555 0101", Email="a@x.org")
    ask = [Subject(phone="+12125550101"), Subject(email="a@x.org"), Subject(crm_id=lead)]
    assert [one and one["id"] for one in crm.fetch(ask)] == [None, None, lead]
    org.state.convert(lead, ann)
    found = crm.fetch(ask)
    assert [one and (one["id"], one["object"]) for one in found] == [(ann, "contact")] * 3
    org.state.change(ann, MobilePhone=None, Email=None)  # only the lead still bears them
    assert [one and one["id"] for one in crm.fetch(ask)] == [ann] * 3


def test_whom_the_number_does_not_find_alone_the_e_mail_may(org: Org, crm: Keyed) -> None:
    ann = org.state.add("Contact", LastName="Ann", Phone="+12125550101", Email="ann@x.org")
    org.state.add("Contact", LastName="Bob", Phone="+12125550101", Email="bob@x.org")
    cid = org.state.add("Lead", LastName="Cid", Email="+cid@x.org")
    found = crm.fetch(
        [
            Subject(phone="+12125550101"),
            Subject(phone="+12125550101", email="Ann@x.org"),
            Subject(phone="+12125550199", email="+cid@x.org"),
            Subject(crm_id="0035g00000Zz9yXAAR", email="ann@x.org"),
        ]
    )
    assert [one and one["id"] for one in found] == [None, ann, cid, None]


def test_a_field_that_only_contacts_have_is_not_asked_of_leads(server: Server, org: Org) -> None:
    org.state.fields["Contact"].add("HomePhone")
    contact, lead = ("HomePhone", "Email"), ("Phone", "Email")
    names = {"contact": contact, "lead": lead}
    wanted = Wanted(fields=names, phone=("HomePhone", "Phone"), email=("Email",))
    ann = org.state.add("Contact", LastName="Ann", HomePhone="212 555 0101")
    bob = org.state.add("Lead", LastName="Bob", Phone="212 555 0102")
    numbers = ("+12125550101", "+12125550102")
    found = opened(server, wanted).fetch([Subject(phone=number) for number in numbers])
    assert [one and one["id"] for one in found] == [ann, bob]


def test_cases_and_deals_stand_beside_a_person(org: Org, crm: Keyed) -> None:
    ann, bob = (org.state.add("Contact", LastName=name) for name in ("Ann", "Bob"))
    lead = org.state.add("Lead", LastName="Cid")
    for is_closed in (True, False, False):
        org.state.add("Case", ContactId=ann, IsClosed=is_closed)
    deals = []
    for stage in ("Won", "Open"):
        org.state.now += MINUTE
        deals.append(org.state.add("Opportunity", Name=stage, StageName=stage, Amount=5))
        for _ in range(2):
            org.state.add("OpportunityContactRole", OpportunityId=deals[-1], ContactId=ann)
    found = crm.fetch([Subject(crm_id=id) for id in (ann, bob, lead)])
    assert [one and one["open_cases"] for one in found] == [2, 0, 0]
    assert found[0] and found[0]["deals"] == [
        {"id": deals[1], "Name": "Open", "StageName": "Open", "Amount": 5},
        {"id": deals[0], "Name": "Won", "StageName": "Won", "Amount": 5},
    ]
    assert found[1] and found[1]["deals"] == []


def test_200_people_are_fetched_in_a_handful_of_calls(org: Org, crm: Keyed) -> None:
    ids = [org.state.add(("Contact", "Lead")[n % 2], LastName=str(n)) for n in range(200)]
    assert all(crm.fetch([Subject(crm_id=id) for id in ids]))
    assert crm.calls["fetch"] == 4


def test_nobody_is_fetched_by_nothing(org: Org, crm: Keyed) -> None:
    org.state.add("Contact", LastName="Ann", Phone="", Email="")
    nobody = [Subject(), Subject(phone="0101"), Subject(email=""), Subject(user_id="u-1")]
    assert crm.fetch(nobody) == [None] * 4
    assert org.sent() == []
