"""What is read of Salesforce: by id, what changed, everything; and what stands beside a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connector import clock
from connector.crms.salesforce import reading
from connector.errors import CrmUnavailable
from connector.model import Fate, Json
from connector.records import Record, Wanted
from tests.crms.salesforce_server import Org, Server
from tests.crms.test_salesforce import Keyed, opened

WANTED = Wanted(
    fields={
        "contact": ("LastName", "Account.Name"),
        "lead": ("LastName", "Status"),
        "deal": ("Name", "StageName", "Amount"),
        "meeting": ("Subject", "StartDateTime"),
        "case": ("Subject", "IsClosed"),
    },
    history={"deal": ("StageName", "Name"), "lead": ("Status",)},
    phone=("MobilePhone", "Phone"),
    email=("Email",),
    beside=frozenset({"deals", "cases"}),
)
MINUTE = timedelta(minutes=1)


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


class Poll:
    """Polls one object from now on, as the connector does."""

    def __init__(self, crm: Keyed, object: str = "contact") -> None:
        self.crm, self.object = crm, object
        self.cursor = crm.changes(object, None).cursor

    def told(self) -> list[Record]:
        found: list[Record] = []
        for _ in range(100):
            page = self.crm.changes(self.object, self.cursor)
            self.cursor, found = page.cursor, [*found, *page.records]
            if page.is_last:
                return found
        raise AssertionError("the cursor sticks")


def test_a_first_connection_takes_nothing_that_was_there_for_news(org: Org, crm: Keyed) -> None:
    for _ in range(5):
        org.state.add("Contact", LastName="Old")
    org.state.now += timedelta(seconds=30)
    page = crm.changes("contact", None)
    assert (page.records, page.is_last) == ((), True)
    poll = Poll(crm)
    for _ in range(12):  # nor later, when the last minutes are looked at again
        org.state.now += MINUTE
        assert poll.told() == []


def test_what_changes_is_told_with_its_wanted_fields(org: Org, crm: Keyed) -> None:
    company = org.state.add("Account", Name="Acme")
    ann = org.state.add("Contact", LastName="Ann", AccountId=company)
    org.state.now += MINUTE
    poll = Poll(crm)
    org.state.now += MINUTE
    org.state.change(ann, LastName="Anna")
    [record] = poll.told()
    assert (record.object, record.id, record.fate) == ("contact", ann, None)
    assert record.values == {"LastName": "Anna", "Account.Name": "Acme"}
    assert record.modified_at == org.state.now
    assert record.related == {"company": company}


def test_a_change_that_was_committed_late_is_told_all_the_same(org: Org, crm: Keyed) -> None:
    poll = Poll(crm)
    org.state.now += 10 * MINUTE
    poll.told()
    ann = org.state.add("Contact", LastName="Ann")
    org.state.row(ann)["SystemModstamp"] = clock.text(org.state.now - 4 * MINUTE)[:23] + "+0000"
    org.state.now += MINUTE
    assert [record.id for record in poll.told()] == [ann]


def test_a_bulk_load_with_one_stamp_is_told_whole_and_the_cursor_does_not_stick(
    org: Org, crm: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 10)
    org.state.page = 7  # and Salesforce gives each answer in parts
    poll = Poll(crm)
    org.state.now += MINUTE
    loaded = [org.state.add("Contact", LastName=str(n)) for n in range(45)]
    assert [record.id for record in poll.told()] == loaded
    org.state.now += 20 * MINUTE
    poll.told()
    before = crm.calls["poll"]
    assert poll.told() == []  # and is not read again for ever
    assert crm.calls["poll"] == before + 1


def test_paging_never_goes_back_before_the_first_connection(
    org: Org, crm: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 3)
    old = {org.state.add("Contact", LastName="Old") for _ in range(4)}
    org.state.now += timedelta(seconds=10)
    poll = Poll(crm)
    org.state.now += timedelta(seconds=10)
    new = {org.state.add("Contact", LastName="New") for _ in range(7)}
    for _ in range(3):
        assert {record.id for record in poll.told()} == new
        org.state.now += MINUTE
    assert not old & new


def test_the_cursor_goes_by_salesforces_clock_not_by_ours(server: Server, org: Org) -> None:
    crm = opened(server, WANTED, clock=lambda: org.state.now + timedelta(hours=1))
    poll = Poll(crm)
    org.state.now += MINUTE
    ann = org.state.add("Contact", LastName="Ann")
    assert [record.id for record in poll.told()] == [ann]


def test_deleted_merged_and_converted_records_say_what_became_of_them(org: Org, crm: Keyed) -> None:
    people = [org.state.add("Contact", LastName=str(n)) for n in range(3)]
    lead = org.state.add("Lead", LastName="Bob")
    org.state.now += MINUTE
    contacts, leads = Poll(crm), Poll(crm, "lead")
    org.state.now += MINUTE
    org.state.delete(people[0])
    org.state.delete(people[1], master=people[2])
    org.state.convert(lead, people[2])
    told = {record.id: record for record in contacts.told()}
    assert (told[people[0]].fate, told[people[0]].became) == (Fate.deleted, "")
    assert (told[people[1]].fate, told[people[1]].became) == (Fate.merged, people[2])
    [gone] = leads.told()
    assert (gone.fate, gone.became, gone.values) == (Fate.converted, people[2], {})
    read = {record.id: record.fate for record in crm.read("contact", people)}
    assert read == {people[0]: Fate.deleted, people[1]: Fate.merged, people[2]: None}
    assert [record.became for record in crm.read("lead", [lead[:15]])] == [people[2]]


def test_a_back_fill_tells_everything_once_the_oldest_change_first(
    org: Org, crm: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 10)
    ids = []
    for n in range(34):
        ids.append(org.state.add("Lead", LastName=str(n)))
        org.state.now += timedelta(seconds=n % 2)
    org.state.delete(ids[3])
    org.state.convert(ids[4], org.state.add("Contact", LastName="x"))
    org.state.change(ids[0], Status="Working")
    told: list[Record] = []
    cursor, is_last = None, False
    while not is_last:
        page = crm.history("lead", cursor)
        told, cursor, is_last = [*told, *page.records], page.cursor, page.is_last
    assert [record.id for record in told] == [*ids[1:3], *ids[5:], ids[0]]
    assert crm.history("lead", cursor).records == ()


def test_a_deal_comes_with_its_people_and_its_past(org: Org, crm: Keyed) -> None:
    one, two = (org.state.add("Contact", LastName=name) for name in ("One", "Two"))
    deal = org.state.add("Opportunity", Name="Big", StageName="Prospecting", Amount=10)
    org.state.add("OpportunityContactRole", OpportunityId=deal, ContactId=one, IsPrimary=False)
    org.state.add("OpportunityContactRole", OpportunityId=deal, ContactId=two, IsPrimary=True)
    began = org.state.now
    for stage, amount in (("Prospecting", 10), ("Prospecting", 20), ("Closed Won", 20)):
        org.state.add("OpportunityHistory", OpportunityId=deal, StageName=stage, Amount=amount)
        org.state.now += MINUTE
    org.state.add("OpportunityFieldHistory", OpportunityId=deal, Field="Name", NewValue="Big")
    org.state.add("OpportunityFieldHistory", OpportunityId=deal, Field="Other", NewValue="x")
    [record] = crm.read("deal", [deal])
    assert record.people == (two, one)
    assert record.history == {
        "StageName": ((began, "Prospecting"), (began + 2 * MINUTE, "Closed Won")),
        "Name": ((began + 3 * MINUTE, "Big"),),
    }


def test_a_deals_past_says_when_it_was_won_by_what_its_stages_mean(
    org: Org, server: Server
) -> None:
    history = {"deal": ("StageName", "IsWon", "IsClosed")}
    crm = opened(server, replace(WANTED, history=history))
    org.state.fields["Opportunity"] |= {"IsWon", "IsClosed"}
    org.state.fields["OpportunityStage"] = {"Id", "ApiName", "MasterLabel", "IsWon", "IsClosed"}
    org.state.tables["OpportunityStage"] = {
        "01J000000000001AAA": stage("Prospecting", won=False),
        "01J000000000002AAA": stage("Closed Won", won=True),
    }
    deal, dark = (org.state.add("Opportunity", Name=name) for name in ("Big", "Odd"))
    began = org.state.now
    for name in ("Prospecting", "Closed Won"):
        org.state.add("OpportunityHistory", OpportunityId=deal, StageName=name)
        org.state.now += MINUTE
    org.state.add("OpportunityHistory", OpportunityId=dark, StageName="Of another time")

    won, odd = crm.read("deal", [deal, dark])
    assert won.history["IsWon"] == ((began, False), (began + MINUTE, True))
    assert won.history["IsClosed"] == won.history["IsWon"]
    assert set(odd.history) == {"StageName"}  # nobody can say what that stage meant


def stage(name: str, *, won: bool) -> dict[str, Json]:
    """A stage of deals, as an administrator has it."""
    names = {"ApiName": name, "MasterLabel": name}
    return {"Id": f"01J{name}", **names, "IsWon": won, "IsClosed": won}


def test_a_deal_that_is_seen_again_is_not_asked_after_again(org: Org, crm: Keyed) -> None:
    poll = Poll(crm, "deal")
    org.state.now += MINUTE
    ann = org.state.add("Contact", LastName="Ann")
    deal = org.state.add("Opportunity", Name="Big", StageName="Open")
    org.state.add("OpportunityContactRole", OpportunityId=deal, ContactId=ann)
    first = poll.told()
    asked = crm.calls["beside"]
    org.state.now += MINUTE
    assert poll.told() == first and first[0].people == (ann,)
    assert crm.calls["beside"] == asked
    org.state.change(deal, StageName="Won")
    assert poll.told()[0].people == (ann,)
    assert crm.calls["beside"] == 2 * asked


def test_a_meeting_comes_with_everyone_in_it_and_its_deal(org: Org, crm: Keyed) -> None:
    lead = org.state.add("Lead", LastName="Bob")
    ann = org.state.add("Contact", LastName="Ann")
    deal = org.state.add("Opportunity", Name="Big")
    event = org.state.add(
        "Event", WhoId=lead, WhatId=deal, StartDateTime="2026-11-21T09:00:00.000+0000"
    )
    org.state.add("EventRelation", EventId=event, RelationId=ann)
    org.state.add("EventRelation", EventId=event, RelationId="0055g00000AbCdEAAV")
    [record] = crm.read("meeting", [event])
    assert record.people == (lead, ann)
    assert record.related == {"deal": deal}
    assert record.values["StartDateTime"] == "2026-11-21T09:00:00.000000Z"


def test_an_org_without_shared_meetings_still_tells_of_meetings(org: Org, crm: Keyed) -> None:
    del org.state.tables["EventRelation"]
    lead = org.state.add("Lead", LastName="Bob")
    event = org.state.add("Event", WhoId=lead)
    for _ in range(2):
        [record] = crm.read("meeting", [event])
        assert record.people == (lead,)
    assert crm.calls["beside"] == 1  # and is not asked for what it has not


def test_a_case_is_about_its_contact(org: Org, crm: Keyed) -> None:
    ann = org.state.add("Contact", LastName="Ann")
    case = org.state.add("Case", Subject="Broken", ContactId=ann)
    [record] = crm.read("case", [case])
    assert record.people == (ann,)


def test_500_records_are_read_in_three_calls(org: Org, crm: Keyed) -> None:
    ids = [org.state.add("Contact", LastName=str(n)) for n in range(500)]
    assert len(crm.read("contact", ids)) == 500
    assert crm.calls["read"] == 3
    assert max(len(one.query["q"]) for one in org.sent("queryAll")) < 16_000


def test_a_cursor_of_another_making_is_refused(crm: Keyed) -> None:
    with pytest.raises(CrmUnavailable, match="cursor cannot be read"):
        crm.changes("contact", "12345")
