from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.crms import ADAPTERS
from connector.crms.salesforce.adapter import Salesforce
from connector.crms.salesforce.ids import external_id, known_id, record_id
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import NOTHING_WANTED, Wanted, Writeback, Written
from tests.crms.contract import TEXT, CrmContract, activity, change, fields
from tests.crms.salesforce_server import KEY, SECRET, Fault, Server
from tests.crms.salesforce_state import Refused

PERSON = Wanted(
    fields={"contact": ("LastName", "stage", "plan", "touches"), "lead": ("LastName", "stage")}
)


class Keyed(Salesforce):
    """Knows the people's records, as the ledger does, for a contract that names people alone."""

    known: Mapping[str, str] = {}

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        return super().write(
            [
                one if one.record else replace(one, record=self.known[one.contact_id])
                for one in changes
            ]
        )


class SalesforcePlace:
    """An org with two people, reached through HTTP."""

    def __init__(self, server: Server, wanted: Wanted = PERSON, **settings: Any) -> None:
        self.server, self.org, self.state = server, server.org, server.org.state
        self.people = {
            "con_1": self.state.add("Contact", LastName="Ann", MobilePhone="(212) 555-0101"),
            "con_2": self.state.add("Lead", LastName="Bob", Phone="+33 6 12 34 56 78"),
        }
        self.crm = opened(server, wanted, **settings)
        self.crm.known = self.people

    def activities(self, contact_id: str) -> dict[str, dict[str, Any]]:
        rows = self.state.tables["Task"].values()
        here = [row for row in rows if row["WhoId"] == self.people[contact_id]]
        return {_key(row): _told(row) for row in here}

    def fields(self, contact_id: str) -> dict[str, Json]:
        return self.state.row(self.people[contact_id])


def opened(server: Server, wanted: Wanted = NOTHING_WANTED, **settings: Any) -> Keyed:
    """The adapter on the org's clock, logged in by client credentials unless said otherwise."""
    given: dict[str, Any] = {"consumer_key": KEY, "consumer_secret": SECRET, "domain": "acme.my"}
    given |= {"base_url": server.url, "clock": lambda: server.org.state.now, "wanted": wanted}
    return Keyed(**given | settings)


def _key(row: Mapping[str, Any]) -> str:
    reference = str(row.get("SMS_Id__c") or row.get("CallObject"))
    known = {external_id(key): key for key in ("task:enr_1:call",)}
    return known.get(reference, reference.replace("-", ":", 1))


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    body, _, below = str(row["Description"]).partition("\n\n")
    return {"subject": row["Subject"], "body": body, "status": below.split(" · ")[0]}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def place(server: Server) -> SalesforcePlace:
    return SalesforcePlace(server)


class TestSalesforce(CrmContract):
    @pytest.fixture
    def place(self, server: Server) -> SalesforcePlace:
        return SalesforcePlace(server)


class TestSalesforceWithoutFieldsOfOurs(CrmContract):
    @pytest.fixture
    def place(self, server: Server) -> SalesforcePlace:
        for table in server.org.state.fields.values():
            table.discard("SMS_Id__c")
        return SalesforcePlace(server, task_field="CallObject")


def written(place: SalesforcePlace, *changes: Writeback) -> list[Written]:
    return place.crm.write(changes)


def _of(place: SalesforcePlace, one: Writeback) -> Writeback:
    return replace(one, record=place.people[one.contact_id])


def test_it_is_registered() -> None:
    assert ADAPTERS["salesforce"] == f"{Salesforce.__module__}:{Salesforce.__name__}"


def test_a_text_is_a_completed_task_on_the_person(place: SalesforcePlace) -> None:
    [answer] = written(place, activity("send:snd_019e5c"))
    row = place.state.row(answer.record)
    assert row["SMS_Id__c"] == "send-snd_019e5c"
    assert (row["Status"], row["WhoId"]) == ("Completed", place.people["con_1"])
    assert (row["Subject"], row["ActivityDate"]) == (TEXT["subject"], "2026-11-20")
    assert row["Description"] == (
        "Your cart is waiting.\n\nSent · to the person · 2026-11-20 12:00 UTC\nPlay: cart_abandoned"
    )


def test_a_task_is_open_for_its_owner_with_a_reminder(place: SalesforcePlace) -> None:
    asked = replace(change("task", "task:t1", TEXT), owner="0055g00000AbCdEAAV")
    [answer] = written(place, asked)
    row = place.state.row(answer.record)
    assert (row["Status"], row["OwnerId"]) == ("Not Started", "0055g00000AbCdEAAV")
    assert (row["IsReminderSet"], row["ReminderDateTime"]) == (True, "2026-11-20T12:00:00.000Z")


def test_a_task_that_its_owner_has_closed_is_not_opened_again(place: SalesforcePlace) -> None:
    asked = change("task", "task:t1", TEXT)
    [answer] = written(place, asked)
    place.state.change(answer.record, Status="Completed", OwnerId="0055g00000ZzZzZAAV")
    written(place, replace(asked, made=answer.record, owner="0055g00000AbCdEAAV"))
    row = place.state.row(answer.record)
    assert (row["Status"], row["OwnerId"]) == ("Completed", "0055g00000ZzZzZAAV")


def test_an_activity_stands_on_the_deal_too_but_for_a_lead(place: SalesforcePlace) -> None:
    deal = place.state.add("Opportunity", Name="Big")
    related = {"deal": deal, "company": place.state.add("Account")}
    of_contact = replace(activity(), related=related)
    of_lead = replace(activity("send:snd_2", "con_2"), related=related)
    [one, two] = written(place, of_contact, of_lead)
    assert place.state.row(one.record)["WhatId"] == deal
    assert two.ok and "WhatId" not in place.state.row(two.record)
    assert place.crm.calls["task"] == 1


def test_200_changes_of_either_kind_are_one_call_each(place: SalesforcePlace) -> None:
    people = [place.state.add(("Contact", "Lead")[n % 2], LastName=str(n)) for n in range(100)]
    changes = [replace(activity(f"send:s{n}"), record=people[n % 100]) for n in range(200)]
    changes += [
        replace(fields(f"con_{n}", always={"stage": "x"}), record=people[n], id=f"f{n}")
        for n in range(100)
    ]
    assert all(one.ok for one in place.crm.write(changes))
    assert dict(place.crm.calls) == {"login": 1, "task": 1, "fields": 1}


def test_verdicts_are_by_row(place: SalesforcePlace) -> None:
    people = [place.state.add("Contact", LastName=str(n)) for n in range(4)]
    changes = [replace(activity(f"send:s{n}"), record=people[n]) for n in range(4)]
    long = replace(fields(always={"plan": "x" * 50}), record=people[0], id="f1")
    good = replace(fields(always={"plan": "gold"}), record=people[1], id="f2")
    place.state.delete(people[2])
    answers = {one.id: one for one in place.crm.write([*changes, long, good])}
    assert [answers[f"wbk:send:s{n}"].ok for n in range(4)] == [True, True, False, True]
    gone = answers["wbk:send:s2"]
    assert (gone.permanent, gone.code) == (True, "gone")
    assert answers["f2"].ok and not answers["f1"].ok
    assert answers["f1"].permanent and answers["f1"].code == "STRING_TOO_LONG"
    assert "plan" in answers["f1"].error and "crm check" in answers["f1"].remedy


def test_a_person_without_a_record_is_refused_without_a_call(server: Server) -> None:
    crm = opened(server)
    crm.known = {"con_1": ""}
    [one, two] = crm.write([activity(), fields(always={"stage": "x"})])
    assert one.permanent and two.permanent
    assert one.code == "no_record" and "no lead and no contact" in one.error
    assert not server.org.calls


def test_what_is_converted_is_written_to_the_contact(place: SalesforcePlace) -> None:
    contact = place.state.add("Contact", LastName="Bob", touches=1)
    place.state.convert(place.people["con_2"], contact)
    text, told = written(
        place,
        activity(contact="con_2"),
        fields("con_2", always={"stage": "customer"}, if_empty={"plan": "gold"}),
    )
    assert text.ok and place.state.row(text.record)["WhoId"] == contact
    assert (told.ok, told.record) == (True, contact)
    assert place.state.row(contact)["stage"] == "customer"
    assert place.state.row(contact)["plan"] == "gold"


def test_what_is_merged_is_written_to_the_one_that_stayed(place: SalesforcePlace) -> None:
    winner = place.state.add("Contact", LastName="Ann")
    place.state.delete(place.people["con_1"], master=winner)
    [text] = written(place, activity())
    assert text.ok and place.state.row(text.record)["WhoId"] == winner


def test_a_deal_that_has_gone_does_not_keep_a_text_off_the_person(place: SalesforcePlace) -> None:
    deal = place.state.add("Opportunity", Name="Gone")
    place.state.delete(deal)
    [text] = written(place, replace(activity(), related={"deal": deal}))
    assert text.ok and "WhatId" not in place.state.row(text.record)


def test_a_text_is_an_sms_message_too_where_that_is_installed(server: Server) -> None:
    place = SalesforcePlace(server, message_object=True)
    written(place, activity(), change("task", "task:t1", TEXT))
    written(place, activity(status="Delivered"))
    [row] = place.state.tables["SMS_Message__c"].values()
    assert (row["Status__c"], row["Body__c"]) == ("Delivered", "Your cart is waiting.")
    assert row["Contact__c"] == place.people["con_1"]
    assert row["Occurred_At__c"] == "2026-11-20T12:00:00.000Z"


def test_a_text_is_written_only_when_it_stands_in_both_places(server: Server) -> None:
    server.org.state.fields["SMS_Message__c"].discard("SMS_Id__c")
    place = SalesforcePlace(server, message_object=True)
    [answer] = written(place, activity())
    assert not answer.ok and not answer.permanent
    assert "crm install" in answer.remedy


def test_a_growth_is_added_once_although_its_answer_was_lost(place: SalesforcePlace) -> None:
    written(place, fields(always={"touches": 10}), fields(increment={"touches": 2}))
    for acts in (True, False):
        place.org.fails(Fault(None, acts=acts, path="composite/sobjects"))
        total = 5 if acts else 9
        with pytest.raises(Exception, match="broke off"):
            written(place, fields(increment={"touches": total}))
        written(place, fields(increment={"touches": total}))
        assert place.fields("con_1")["touches"] == 10 + total


def test_a_reference_that_stands_there_already_is_a_text_that_was_written(
    place: SalesforcePlace,
) -> None:
    [first] = written(place, activity())
    for says in (
        "duplicate value found: SMS_Id__c duplicates value on record with id: " + first.record[:15],
        "duplicate value found: SMS_Id__c",
    ):
        place.state.refusing["send-snd_1"] = Refused("DUPLICATE_VALUE", says, ("SMS_Id__c",))
        [again] = written(place, activity())
        assert again.ok and again.record[:15] == first.record[:15]


@pytest.mark.parametrize(
    ("code", "permanent", "remedy"),
    [
        ("UNABLE_TO_LOCK_ROW", False, ""),
        ("SERVER_UNAVAILABLE", False, ""),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", True, "validation rule"),
        ("DUPLICATES_DETECTED", True, "duplicate rule"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", True, "permission set SMS_Connector"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", False, "trigger"),
        ("SOMETHING_NEW", True, ""),
    ],
)
def test_errors_are_told_apart(
    place: SalesforcePlace, code: str, permanent: bool, remedy: str
) -> None:
    place.state.refusing["send-snd_1"] = Refused(code, "because", ("Status",))
    [answer] = written(place, activity())
    assert (answer.ok, answer.permanent, answer.code) == (False, permanent, code)
    assert answer.error == f"{code} (Status): because"
    assert remedy in answer.remedy
    [later] = written(place, replace(activity(), attempt=1))
    assert later.permanent is (permanent or code.startswith("CANNOT_"))


def test_many_thousand_rows_go_by_jobs_with_a_verdict_each(place: SalesforcePlace) -> None:
    place.org.job_looks, waits = 3, list[float]()
    people = [place.state.add("Contact", LastName=str(n)) for n in range(5)]
    changes = [
        replace(activity(f"send:s{n}", body='He said "hi",\nthen left'), record=people[n % 5])
        for n in range(300)
    ]
    set_ = replace(fields(always={"stage": None, "plan": "gold"}), record=people[0], id="f")
    place.state.change(people[0], stage="lead")
    place.state.refusing["send-s7"] = Refused("STRING_TOO_LONG", "Subject: too large", ("Subject",))
    answers = place.crm.bulk_write([*changes, set_], wait=waits.append)
    bad = [one for one in answers if not one.ok]
    assert [(one.id, one.code, one.permanent) for one in bad] == [
        ("wbk:send:s7", "STRING_TOO_LONG", True)
    ]
    assert len(place.state.tables["Task"]) == 299
    assert 'said "hi",\nthen' in place.state.row(answers[0].record)["Description"]
    assert place.state.row(people[0])["stage"] is None
    assert place.state.row(people[0])["plan"] == "gold"
    assert place.crm.calls["bulk"] <= 20 and waits[:3] == [1.0, 2.0, 3.0]
    assert all(one.ok for one in place.crm.bulk_write([changes[0]], wait=waits.append))
    assert len(place.state.tables["Task"]) == 299


def test_a_job_that_does_not_end_is_in_doubt_and_not_waited_for(place: SalesforcePlace) -> None:
    place.org.job_looks, waits = 10_000, list[float]()
    with pytest.raises(CrmUnavailable) as raised:
        place.crm.bulk_write([_of(place, activity())], wait=waits.append)
    assert raised.value.code == "timeout"
    assert raised.value.in_doubt == {"wbk:send:snd_1"}
    assert sum(waits) < timedelta(minutes=11).total_seconds()


def test_the_schema_is_told_in_our_words(place: SalesforcePlace) -> None:
    del place.state.fields["Case"]
    place.state.fields["Task"].discard("SMS_Id__c")
    told = place.crm.schema()
    assert "case" not in told.objects
    status = told.objects["task"]["Status"]
    assert (status.type, status.choices[0], status.writable) == ("choice", "Not Started", True)
    assert told.objects["contact"]["SMS_Opt_Out__c"].type == "flag"
    assert not told.objects["contact"]["IsDeleted"].writable
    notes = " ".join(told.notes)
    assert "Case cannot be read" in notes and "no field SMS_Id__c" in notes
    assert "of 100,000 API calls" in notes


def test_a_status_that_the_org_has_not_is_found_out_by_the_check(server: Server) -> None:
    told = opened(server, task_status="Done").schema()
    assert any("no status 'Done'" in note for note in told.notes)


def test_ids_of_15_letters_are_the_same_as_of_18() -> None:
    assert record_id("0035g00000Zz9yX") == record_id(record_id("0035g00000Zz9yX"))
    assert record_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert known_id("0035g00000Zz9yX!") == ""


def test_external_ids_are_of_our_own_alphabet_and_differ_by_key() -> None:
    keys = ["send:snd_1", "send:snd-1", "task:enr_1:call", "task:ENR_1:call", "a" * 200, "..", ""]
    found = [external_id(key) for key in keys]
    assert len(set(found)) == len(keys)
    assert found[0] == "send-snd_1"
    assert all(
        len(one) <= 64 and set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        for one in found
    )
