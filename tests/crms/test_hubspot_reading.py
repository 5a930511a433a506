"""What is read of HubSpot: people found, records with their history, changes, and its schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.crms.hubspot.adapter import HubSpotCrm
from connector.errors import CrmUnavailable
from connector.model import Fate, Subject
from connector.records import Record, Wanted
from tests.crms.hubspot_place import hubspot
from tests.crms.hubspot_server import HubSpotServer

WANTED = Wanted(
    fields={
        "contact": ("firstname", "sms_opt_out", "touches", "sms_last_sent_at", "lifecyclestage"),
        "deal": ("dealname", "amount"),
        "meeting": ("hs_meeting_outcome",),
        "case": ("subject",),
    },
    history={"deal": ("dealstage",), "meeting": ("hs_meeting_outcome",)},
    phone=("mobilephone", "phone"),
    email=("email",),
    beside=frozenset({"deals", "cases"}),
)
PLAIN = Wanted(fields={"contact": ("firstname",)})


@pytest.fixture
def server() -> Iterator[HubSpotServer]:
    server = HubSpotServer()
    yield server
    server.close()


@pytest.fixture
def crm(server: HubSpotServer) -> HubSpotCrm:
    return hubspot(server, WANTED, default_region="US")


def test_a_person_is_found_by_id_number_or_mail_in_the_type_of_each_field(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    server.add(
        "contacts",
        "901",
        firstname="Ann",
        sms_opt_out="true",
        touches="3",
        phone="(212) 555-0101",
        sms_last_sent_at="2026-11-20T10:00:00.000Z",
    )
    server.add("contacts", "902", email="bob@example.org", hs_additional_emails="b@x.org;c@x.org")
    found = crm.fetch(
        [
            Subject(crm="hubspot", crm_id="901"),
            Subject(phone="+12125550101"),
            Subject(email="BOB@example.org"),
            Subject(phone="+12125559999", email="c@x.org"),
            Subject(crm="hubspot", crm_id="903"),
            Subject(crm="hubspot", crm_id="../secrets"),
            Subject(phone="+12125559999"),
            Subject(),
        ]
    )
    ids = [each and each["id"] for each in found]
    assert ids == ["901", "901", "902", "902", None, None, None, None]
    assert found[0] == {
        "id": "901",
        "object": "contact",
        "firstname": "Ann",
        "sms_opt_out": True,
        "touches": 3,
        "sms_last_sent_at": "2026-11-20T10:00:00.000000Z",
        "lifecyclestage": None,
        "mobilephone": None,
        "phone": "(212) 555-0101",
        "email": None,
        "open_cases": 0,
        "deals": [],
    }
    assert crm.calls["contacts-search"] == 1


def test_two_contacts_with_one_number_are_nobody_and_mail_may_tell_them_apart(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    server.add("contacts", "901", phone="+12125550101", email="a@x.org")
    server.add("contacts", "902", mobilephone="212-555-0101")
    found = crm.fetch(
        [Subject(phone="+12125550101"), Subject(phone="+12125550101", email="a@x.org")]
    )
    assert [each and each["id"] for each in found] == [None, "901"]


def test_the_same_digits_in_another_country_are_another_number(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    server.add("contacts", "901", phone="+33 6 12 34 56 78")
    server.add("contacts", "902", phone="+39 612345678")
    french, other = crm.fetch([Subject(phone="+33612345678"), Subject(phone="+34612345678")])
    assert french is not None and french["id"] == "901"
    assert other is None


def test_a_hundred_numbers_are_five_searches_that_hubspot_takes(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    numbers = [f"+1212555{n:04}" for n in range(100)]
    for n, number in enumerate(numbers):
        server.add("contacts", str(1000 + n), phone=number)
    slept: list[float] = crm.slept  # type: ignore[attr-defined]
    crm.wire.pace.seconds = lambda: 50.0 + sum(slept)
    found = crm.fetch([Subject(phone=number) for number in [*numbers, "+12125559999"]])
    assert [each and each["id"] for each in found] == [*(str(1000 + n) for n in range(100)), None]
    assert crm.calls["contacts-search"] == 6
    assert sum(slept) == pytest.approx(1.0)  # five searches in a second, and the sixth in the next


def test_an_account_without_international_numbers_is_searched_without_them(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    server.add("contacts", "901", phone="+12125550101")
    server.fail("contacts/search", status=400, body={"message": "There was a problem"})
    [found] = crm.fetch([Subject(phone="+12125550101")])
    assert found is not None and found["id"] == "901"
    crm.fetch([Subject(phone="+12125550101")])
    assert [len(body["filterGroups"]) for body in server.calls("contacts/search")] == [4, 2, 2]


def test_open_cases_are_counted_and_the_deal_changed_last_is_first(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    server.add("contacts", "901")
    for stage in ("1", "1", "4"):
        server.tie("contacts", "901", "tickets", server.add("tickets", hs_pipeline_stage=stage))
    old, new = server.add("deals", dealname="old"), server.add("deals", dealname="new", amount="5")
    for deal in (old, new):
        server.tie("contacts", "901", "deals", deal)
    [found] = crm.fetch([Subject(crm="hubspot", crm_id="901")])
    assert found is not None and found["open_cases"] == 2
    assert [deal["dealname"] for deal in found["deals"]] == ["new", "old"]
    server.set("deals", old, amount="7.5")
    [found] = crm.fetch([Subject(crm="hubspot", crm_id="901")])
    assert found is not None and found["deals"][0]["amount"] == 7.5


def test_what_became_of_a_record_is_told(server: HubSpotServer, crm: HubSpotCrm) -> None:
    for id in ("901", "902", "903"):
        server.add("contacts", id, firstname=f"n{id}", associatedcompanyid="77")
    server.merge("902", "901")
    records = crm.read("contact", ["901", "902", "903", "904", "905 OR 1"])
    assert [record.fate for record in records] == [
        None,
        Fate.merged,
        None,
        Fate.deleted,
        Fate.deleted,
    ]
    assert [record.became for record in records] == ["", "901", "", "", ""]
    assert records[0].values["firstname"] == "n901"
    assert (records[0].people, records[0].related) == (("901",), {"company": "77"})


def test_deals_and_meetings_come_with_their_history_and_their_people(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    people = [server.add("contacts") for _ in range(8)]
    meeting = server.add("meetings", hs_meeting_outcome="SCHEDULED")
    server.set("meetings", meeting, hs_meeting_outcome="NO_SHOW")
    for person in people:
        server.tie("meetings", meeting, "contacts", person)
    deal = server.add("deals", dealname="big", dealstage="s1")
    [read] = crm.read("meeting", [meeting])
    assert [value for _, value in read.history["hs_meeting_outcome"]] == ["SCHEDULED", "NO_SHOW"]
    assert read.history["hs_meeting_outcome"][0][0] < read.history["hs_meeting_outcome"][1][0]
    assert read.modified_at == read.history["hs_meeting_outcome"][1][0]
    assert read.people == tuple(people)  # over three pages of associations
    [read] = crm.read("deal", [deal])
    assert read.values == {"dealname": "big", "amount": None} and read.people == ()


def test_a_record_that_may_not_be_read_says_which_scope_is_missing(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    said = {"category": "MISSING_SCOPES", "message": "needs crm.objects.deals.read"}
    server.fail("deals/batch/read", status=403, body=said)
    with pytest.raises(CrmUnavailable) as caught:
        crm.read("deal", ["1"])
    assert caught.value.code == "forbidden"
    assert "crm.objects.deals.read" in caught.value.remedy


def test_a_read_is_not_repeated_behind_our_back(server: HubSpotServer, crm: HubSpotCrm) -> None:
    server.fail("properties", cuts=True, times=9)
    with pytest.raises(CrmUnavailable):
        crm.schema()
    assert len(server.asked) == 1


def test_without_a_cursor_nothing_has_changed(server: HubSpotServer, crm: HubSpotCrm) -> None:
    server.add("contacts", "901")
    page = crm.changes("contact", None)
    assert page.records == () and page.is_last
    assert crm.changes("contact", "none of ours").records == ()
    assert not server.asked


def test_a_change_is_told_once_though_each_poll_looks_back_a_minute(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    cursor = crm.changes("contact", None).cursor
    server.add("contacts", "901", firstname="Ann")
    told = []
    for step in (0, 0, 1, 0):
        if step:
            server.set("contacts", "901", firstname="Bea")
        page = crm.changes("contact", cursor)
        cursor = page.cursor
        told.append([record.values["firstname"] for record in page.records])
    assert told == [["Ann"], [], ["Bea"], []]
    server.now += timedelta(seconds=30)
    late = server.add("contacts", "902")
    server.now += timedelta(seconds=20)
    server.add("contacts", "903")
    hidden = server.records["contacts"].pop(late)  # the search lags by twenty seconds
    page = crm.changes("contact", cursor)
    assert [record.id for record in page.records] == ["903"]
    server.records["contacts"][late] = hidden
    assert [record.id for record in crm.changes("contact", page.cursor).records] == [late]
    assert len(page.cursor) < 2_000


def test_a_calm_account_is_not_searched_through_again_and_again(server: HubSpotServer) -> None:
    now = [server.now]
    crm = hubspot(server, PLAIN, clock=lambda: now[0])
    cursor = crm.changes("contact", None).cursor
    server.add("contacts", "901", firstname="Ann")
    cursor = crm.changes("contact", cursor).cursor
    now[0] += timedelta(hours=1)
    cursor = crm.changes("contact", cursor).cursor
    crm.changes("contact", cursor)
    began = server.calls("contacts/search")[-1]["filterGroups"][0]["filters"][0]["value"]
    assert int(began) == int((now[0] - timedelta(minutes=10)).timestamp()) * 1_000


def test_an_import_of_thousands_in_one_millisecond_is_told_whole(server: HubSpotServer) -> None:
    crm = hubspot(server, PLAIN)
    cursor = crm.changes("contact", None).cursor
    server.add("contacts", "1", firstname="first")
    stamp = "2026-11-20T12:00:01.000Z"
    for n in range(700):
        server.add("contacts", str(10_000 + n))
        server.records["contacts"][str(10_000 + n)]["properties"]["lastmodifieddate"] = stamp
    server.now = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
    server.add("contacts", "20000", firstname="last")
    assert len(_all(crm, cursor)) == 702


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90_000)), max_size=60),
    pages=st.lists(st.integers(0, 60), max_size=6),
)
def test_whatever_changes_while_we_page_no_change_is_missed(
    steps: list[tuple[int, int]], pages: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.crms.hubspot.polling.PAGE", 4)
        server = HubSpotServer()
        crm = hubspot(server, PLAIN)
        cursor = crm.changes("contact", None).cursor
        last: dict[str, object] = {}
        for place, (id, pause) in enumerate(steps):
            server.now += timedelta(milliseconds=pause)
            person, name = str(100 + id), f"n{place}"
            if person in server.records["contacts"]:
                server.set("contacts", person, firstname=name)
            else:
                server.add("contacts", person, firstname=name)
            if place in pages:
                page = crm.changes("contact", cursor)
                cursor = page.cursor
                last |= {record.id: record.values["firstname"] for record in page.records}
        last |= _all(crm, cursor)
        held = {
            id: each["properties"]["firstname"] for id, each in server.records["contacts"].items()
        }
        server.close()
        assert last == held


def _all(crm: HubSpotCrm, cursor: str) -> dict[str, object]:
    told: dict[str, object] = {}
    is_last, rounds = False, 0
    while not is_last and rounds < 100:
        page = crm.changes("contact", cursor)
        told |= {record.id: record.values["firstname"] for record in page.records}
        cursor, is_last, rounds = page.cursor, page.is_last, rounds + 1
    return told


def test_all_there_is_can_be_paged_through_and_resumed(server: HubSpotServer) -> None:
    crm = hubspot(server, WANTED)
    ids = [server.add("deals", dealname=f"d{n}", dealstage="s1") for n in range(120)]
    person = server.add("contacts")
    server.tie("deals", ids[0], "contacts", person)
    found: list[Record] = []
    cursor, is_last = None, False
    while not is_last:
        page = hubspot(server, WANTED).history("deal", cursor)
        found += page.records
        cursor, is_last = page.cursor, page.is_last
    assert [record.id for record in found] == ids
    assert found[0].people == (person,) and found[0].history["dealstage"][0][1] == "s1"
    assert crm.history("deal", cursor).records == ()


def test_more_fields_than_an_address_can_hold_are_read_in_batches(server: HubSpotServer) -> None:
    names = tuple(f"property_number_{n:03}_of_many" for n in range(300))
    crm = hubspot(server, Wanted(fields={"contact": names}))
    id = server.add("contacts")
    server.records["contacts"][id]["properties"][names[7]] = "x"
    [record] = crm.history("contact", None).records
    assert record.values[names[7]] == "x"
    assert len(max((path for _, path, _ in server.asked), key=len)) < 8_000


def test_the_schema_tells_types_options_and_who_may_write(
    server: HubSpotServer, crm: HubSpotCrm
) -> None:
    said = {"category": "MISSING_SCOPES", "message": "crm.schemas.deals.read is missing"}
    server.fail("properties/deals", status=403, body=said)
    schema = crm.schema()
    contact = schema.objects["contact"]
    assert contact["sms_opt_out"].type == "flag" and contact["touches"].type == "number"
    assert contact["lifecyclestage"].choices == ("subscriber", "lead", "opportunity", "customer")
    assert contact["birthday"].type == "date" and contact["sms_last_sent_at"].type == "instant"
    assert not contact["lastmodifieddate"].writable and contact["plan"].writable
    assert "deal" not in schema.objects and "crm.schemas.deals.read" in schema.notes[0]


def test_only_what_the_mapping_reads_is_polled(server: HubSpotServer) -> None:
    assert hubspot(server).objects == ("contact",)
    assert hubspot(server, WANTED).objects == ("contact", "deal", "meeting", "case")
