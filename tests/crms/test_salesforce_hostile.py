"""What a hostile value can do: nothing. No id, no page and no redirect leads a call elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connector.crms.salesforce import org
from connector.errors import CrmUnavailable
from connector.model import Subject
from tests.crms.contract import activity, fields
from tests.crms.salesforce_server import HOST, Fault, Server
from tests.crms.test_salesforce import SalesforcePlace, opened


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


HOSTILE = [
    "https://evil.example/x",
    "//evil.example/x",
    "../../tooling/query",
    "..",
    "003000000000000/../x",
    "@evil.example",
    "003' OR Name != '",
    "0035g00000Zz9yX\n",
    "٠٠٣5g00000Zz9yX",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_id_leaves_by_no_door(server: Server, hostile: str) -> None:
    crm = opened(server)
    text, told = (
        replace(one, record=hostile) for one in (activity(), fields(always={"stage": "x"}))
    )
    assert all(one.permanent for one in crm.write([text, told]))
    assert all(one.permanent for one in crm.bulk_write([text, told], wait=lambda _: None))
    assert crm.fetch([Subject(crm_id=hostile), Subject(email="")]) == [None, None]
    assert crm.read("contact", [hostile]) == []
    with pytest.raises((CrmUnavailable, ValueError)):
        crm.changes("contact", f"2026-11-20T00:00:00.000000Z|{hostile}")
    with pytest.raises(ValueError):
        crm.read(hostile, [])
    assert not server.org.calls


def test_hostile_values_stay_values(server: Server) -> None:
    place = SalesforcePlace(server)
    deal = {"deal": "https://evil.example/x", "case": "../.."}
    odd = replace(activity("send:../../x?y#z"), related=deal, owner="//evil.example", made="..")
    fielded = fields(always={"../x": 1}), fields(always={"Id": "x"}), fields(always={"a b": 1})
    answers = place.crm.write([odd, *(replace(f, id=str(n)) for n, f in enumerate(fielded))])
    assert [one.ok for one in answers] == [True, False, False, False]
    row = place.state.row(answers[0].record)
    assert "WhatId" not in row and row["SMS_Id__c"].startswith("key--")
    hostile = "x' OR Email != '"
    assert place.crm.fetch([Subject(email=hostile), Subject(phone=hostile)]) == [None, None]


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}@evil.example/services/data/x",
        "https://evil.example/services/data/x",
        f"http://{HOST}/services/data/x",
        f"https://{HOST}.evil.example/x",
        f"https://{HOST}\\@evil.example/x",
    ],
)
def test_the_session_calls_nobody_but_the_org(url: str) -> None:
    here = org.OrgSession("", lambda response: None)
    here.homes = {HOST}
    with pytest.raises(org.Strayed):
        here.get(url)


def test_a_page_that_points_elsewhere_is_not_followed(server: Server) -> None:
    place = SalesforcePlace(server)
    told = b'{"done": false, "records": [], "nextRecordsUrl": "@evil.example/services/data/x"}'
    server.org.fails(Fault(raw=told, path="queryAll"))
    with pytest.raises(CrmUnavailable, match="no end"):
        place.crm.read("contact", [place.people["con_1"]])
