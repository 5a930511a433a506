"""On whose record a change goes, and what becomes of it where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from connector.ledger import contacts, crm_facts, merges, writebacks
from connector.records import Writeback, Written
from connector.steps import identify
from tests.steps.outbox import MINUTE, NOW, Outbox, opened, phone


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Outbox]:
    place = opened(tmp_path, 0)
    place.flush_after = timedelta(0)
    yield place
    place.store.close()


def test_a_person_is_found_once_by_their_number_and_linked(place: Outbox) -> None:
    place.know(1)
    place.crm_there.people["rec9"] = phone(1)
    place.note("a")
    place.flush()
    place.note("b")
    place.flush()
    assert place.crm_there.calls["fetch"] == 1
    assert {record for record, _, _ in place.crm_there.made.values()} == {"rec9"}
    with place.store.read() as tx:
        assert contacts.bearers(tx, "crm_id", "remote:rec9") == ["con_1"]
        [link] = tx.all("SELECT * FROM identity_links WHERE value = 'remote:rec9'")
        assert (link["act"], link["event_id"]) == ("link", "lookup:remote")
        assert crm_facts.fetched_at(tx, "remote", "con_1") is not None


def test_everybody_of_a_batch_is_asked_for_in_one_call(place: Outbox) -> None:
    for person in range(1, 6):
        place.know(person)
        place.crm_there.people[f"rec{person}"] = phone(person)
        place.note(f"n{person}", f"con_{person}")
    place.flush()
    assert place.crm_there.calls == {"fetch": 1, "activity create": 1}


def test_nothing_is_asked_about_a_person_whose_record_is_known(place: Outbox) -> None:
    place.know(1, "rec1")
    place.note("a")
    place.flush()
    assert place.crm_there.calls == {"activity create": 1}


def test_whom_the_crm_does_not_know_waits_with_words_that_say_what_to_do(place: Outbox) -> None:
    place.know(1)
    place.note("a")
    place.flush()
    row = place.rows("state, code, error, remedy")["note:a"]
    assert (row["state"], row["code"]) == ("parked", "no_record")
    assert "connector writebacks retry" in row["remedy"]
    assert place.alarms() == {}, "somebody unknown there is no fault"


def test_whom_the_crm_did_not_know_is_not_asked_for_again_within_the_hour(place: Outbox) -> None:
    place.know(1)
    for minute in range(5):
        place.now = NOW + minute * MINUTE
        place.note(f"n{minute}")
        place.flush()
    assert place.crm_there.calls == {"fetch": 1}
    place.now += timedelta(hours=2)
    place.note("later")
    place.flush()
    assert place.crm_there.calls == {"fetch": 2}


def test_a_record_that_becomes_known_lets_go_what_waited_for_it(place: Outbox) -> None:
    place.know(1)
    place.note("a")
    place.flush()
    with place.store.write() as tx:
        told = {"confirmed": True, "link_id": "lnk_9"}
        contacts.link(tx, "crm_id", "remote:rec9", "con_1", "evt", NOW, **told)  # type: ignore[arg-type]
        assert writebacks.record_found(tx, "con_1", place.now) == 1
    place.flush()
    assert place.crm_there.keys() == {"note:a": 1}


def test_an_event_that_names_the_record_lets_go_what_waited_for_it(place: Outbox) -> None:
    from connector.model import Event, Signal, Subject

    place.know(1)
    place.note("a")
    place.flush()
    event = Event("evt_1", "crm", "1", "webhook", "contact", place.now, place.now, {})
    subject = Subject(crm="remote", crm_id="rec9", phone=phone(1))
    with place.store.write() as tx:
        told = Signal("crm_contact", subject, {}, {})
        found = identify.identify(tx, cast(Any, place), told, event, trusted=True)
        assert found.contact_id == "con_1"
    place.flush()
    assert place.crm_there.keys() == {"note:a": 1}


def test_a_record_that_stands_for_another_contact_is_not_taken_from_them(place: Outbox) -> None:
    place.know(1)
    place.know(2, "rec9")
    place.crm_there.people["rec9"] = phone(1)
    place.note("a")
    place.flush()
    row = place.rows("state, code, error")["note:a"]
    assert (row["state"], row["code"]) == ("parked", "no_record")
    assert row["error"] == "record rec9 of remote stands for con_2, another contact here"
    with place.store.read() as tx:
        assert contacts.bearers(tx, "crm_id", "remote:rec9") == ["con_2"]


def test_two_records_with_one_number_are_nobodys(place: Outbox) -> None:
    place.know(1)
    place.crm_there.people |= {"rec8": phone(1), "rec9": phone(1)}
    place.note("a")
    place.flush()
    assert place.rows("code")["note:a"]["code"] == "no_record"


def test_after_a_merge_it_goes_on_the_record_of_the_one_who_is_left(place: Outbox) -> None:
    place.know(1)
    place.know(2, "rec2")
    place.text(1)
    with place.store.write() as tx:
        merges.merge(tx, "con_2", "con_1", "evt_1", NOW, merge_id="mrg_1")
    place.flush()
    assert {record for record, _, _ in place.crm_there.made.values()} == {"rec2"}


def test_the_deal_the_company_and_the_owner_go_along_where_they_are_known(place: Outbox) -> None:
    calls: list[Writeback] = []
    write = place.crm_there.write

    def writing(changes: Sequence[Writeback]) -> list[Written]:
        calls.extend(changes)
        return write(changes)

    place.crm_there.write = writing  # type: ignore[method-assign]
    place.know(1, "rec1")
    facts = {"owner": 42, "deal_id": "77", "company_id": None}
    with place.store.write() as tx:
        crm_facts.keep(tx, "remote", "con_1", facts, NOW)
    place.note("a")
    place.flush()
    assert (calls[0].owner, calls[0].related) == ("42", {"deal": "77"})


def test_a_crm_that_cannot_tell_whose_record_is_whose_is_asked_later(place: Outbox) -> None:
    place.know(1)
    fetch = place.crm_there.fetch
    place.crm_there.fetch = lambda subjects: 1 / 0  # type: ignore
    place.note("a")
    place.flush()
    row = place.rows("state, in_doubt")["note:a"]
    assert (row["state"], row["in_doubt"]) == ("owed", 0), "nothing was written, so no doubt"
    place.crm_there.fetch = fetch  # type: ignore[method-assign]
    place.crm_there.people["rec1"] = phone(1)
    place.drain()
    assert place.crm_there.keys() == {"note:a": 1}
