"""The shipped mapping beside each CRM's own description of its fields, as its server gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.crms import Crm
from connector.rules.crmcheck import Finding, Verdict, check, is_faultless
from tests.config.crm_file import STAGES, shipped
from tests.crms.hubspot_place import hubspot
from tests.crms.hubspot_server import HubSpotServer
from tests.crms.salesforce_server import Server
from tests.crms.test_salesforce import opened
from tests.rules.test_crmcheck import CHOICES, shape

PLURAL = {"contact": "contacts", "deal": "deals", "meeting": "meetings", "case": "tickets"}
NAMES = {"text": "string", "flag": "bool", "number": "number", "instant": "datetime"}
SOBJECTS = {"contact": "Contact", "lead": "Lead", "deal": "Opportunity", "case": "Case"}


@pytest.fixture
def account() -> Iterator[HubSpotServer]:
    """A HubSpot account that has every property of the shipped file."""
    server = HubSpotServer()
    for use in shipped("hubspot").uses:
        if use.field not in CHOICES:
            kind = NAMES.get(shape(use.field).type, "string")
            server.defined[PLURAL[use.object]].setdefault(use.field, kind)
    yield server
    server.close()


@pytest.fixture
def org() -> Iterator[Server]:
    """A Salesforce org that has every field of the shipped file."""
    with Server() as server:
        for use in shipped("salesforce").uses:
            server.org.state.fields[SOBJECTS[use.object]].add(use.field)
        yield server


def amiss(name: str, crm: Crm) -> list[Finding]:
    found = check(shipped(name), crm.schema(), STAGES)
    assert any(each.verdict is Verdict.fits for each in found)
    return [each for each in found if each.verdict is Verdict.fails]


def test_hubspot_describes_what_the_shipped_file_reads_and_writes(account: HubSpotServer) -> None:
    told = amiss("hubspot", hubspot(account))
    missing = {each.field for each in told if " has no field " in each.says}
    assert missing <= set(CHOICES), "the account has them all, but for the choices of its own"
    del account.defined["contacts"]["mobilephone"]
    again = amiss("hubspot", hubspot(account))
    assert {each.field for each in again} - {each.field for each in told} == {"mobilephone"}


def test_a_scope_that_hubspot_did_not_grant_is_an_object_that_cannot_be_read(
    account: HubSpotServer,
) -> None:
    account.fail(
        "properties/deals",
        status=403,
        times=9,
        body={"status": "error", "category": "MISSING_SCOPES", "message": "needs scopes"},
    )
    crm = hubspot(account)
    schema = crm.schema()
    assert "deal" not in schema.objects and schema.notes
    told = check(shipped("hubspot"), schema, STAGES)
    assert [each.object for each in told if each.verdict is Verdict.fails and not each.field] == [
        "deal"
    ]


def test_salesforce_describes_what_the_shipped_file_reads_and_writes(org: Server) -> None:
    told = amiss("salesforce", opened(org))
    assert not [each for each in told if " has no field " in each.says]
    org.org.state.fields["Lead"].remove("IsConverted")
    again = amiss("salesforce", opened(org))
    assert {each.field for each in again} - {each.field for each in told} == {"IsConverted"}
    assert not is_faultless(again)
