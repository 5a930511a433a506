"""Contacts: who bears which name, what an event may teach, and what a browser may not."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.ledger import contacts
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.model import Contact, Subject

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE, TWO = "+12125550101", "+12125550102"


def create(store: SqliteStore, *names: str) -> None:
    with store.write() as tx:
        for name in names:
            contacts.create(tx, name, NOW)


def link(
    tx: Tx, kind: str, value: str, contact: str, minutes: int = 0, *, confirmed: bool = True
) -> None:
    at = NOW + minutes * MINUTE
    link_id = f"lnk_{kind}_{value}_{contact}_{minutes}"
    contacts.link(tx, kind, value, contact, "evt_1", at, confirmed=confirmed, link_id=link_id)


def see(store: SqliteStore, **changes: Any) -> Contact:
    """Teach ``con_1`` something; the contact after it."""
    told: dict[str, Any] = {
        "traits": {},
        "visit": {},
        "stage": "",
        "at": NOW,
        "activity": True,
        "trusted": True,
    }
    with store.write() as tx:
        contacts.see(tx, row(tx), **{**told, **changes})
        contact = contacts.get(tx, "con_1")
    assert contact is not None
    return contact


def row(tx: Tx, contact: str = "con_1") -> Row:
    found = contacts.row(tx, contact)
    assert found is not None
    return found


def test_a_contact_is_found_by_what_it_bears(store: SqliteStore) -> None:
    create(store, "con_1", "con_2")
    with store.write() as tx:
        link(tx, "user_id", "u-1", "con_1")
        link(tx, "phone", ONE, "con_1")
        link(tx, "phone", ONE, "con_2", 1)
        assert contacts.bearers(tx, "user_id", "u-1") == ["con_1"]
        assert contacts.bearers(tx, "user_id", "u-2") == []
        assert contacts.bearers(tx, "phone", ONE) == ["con_1", "con_2"]


def test_an_id_that_decides_has_one_bearer_and_the_ledger_sees_to_it(store: SqliteStore) -> None:
    create(store, "con_1", "con_2")
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        link(tx, "user_id", "u-1", "con_1")
        link(tx, "user_id", "u-1", "con_2")


def test_the_event_that_proved_a_link_is_kept_once(store: SqliteStore) -> None:
    create(store, "con_1")
    with store.write() as tx:
        for minutes in range(3):
            link(tx, "phone", ONE, "con_1", minutes)
        acts = tx.all("SELECT act, kind, value, contact_id, event_id FROM identity_links")
    assert [tuple(act) for act in acts] == [("link", "phone", ONE, "con_1", "evt_1")]


def test_the_number_most_recently_confirmed_is_the_contacts_number(store: SqliteStore) -> None:
    create(store, "con_1")

    def number() -> str:
        with store.read() as tx:
            contact = contacts.get(tx, "con_1")
        assert contact is not None
        return contact.phone

    for phone, minutes in ((ONE, 0), (TWO, 1)):
        with store.write() as tx:
            link(tx, "phone", phone, "con_1", minutes)
    assert number() == TWO
    with store.write() as tx:
        link(tx, "phone", ONE, "con_1", 2)
    assert number() == ONE
    with store.write() as tx:
        link(tx, "phone", TWO, "con_1", 1)
    assert number() == ONE, "an event that comes late confirms nothing anew"


def test_a_number_that_was_taken_away_is_no_longer_the_contacts(store: SqliteStore) -> None:
    create(store, "con_1")
    with store.write() as tx:
        link(tx, "phone", ONE, "con_1")
        contacts.detach(tx, "phone", ONE, "con_1", "evt_2", NOW, link_id="lnk_x")
        assert contacts.bearers(tx, "phone", ONE) == []
        assert contacts.phones(contacts.identities(tx, "con_1")) == []
        assert [act["act"] for act in tx.all("SELECT act FROM identity_links ORDER BY id")] == [
            "link",
            "detach",
        ]
        link(tx, "phone", ONE, "con_1", 5)
        assert contacts.bearers(tx, "phone", ONE) == ["con_1"], "until it is linked anew"


def test_a_contact_merged_away_leads_to_the_one_it_became(store: SqliteStore) -> None:
    create(store, "con_1", "con_2", "con_3")
    with store.write() as tx:
        for loser, winner in (("con_3", "con_2"), ("con_2", "con_1")):
            tx.run("UPDATE contacts SET merged_into = :w WHERE id = :l", w=winner, l=loser)
        assert row(tx, "con_3")["id"] == "con_1"
        contact = contacts.get(tx, "con_3")
        assert contact is not None
        assert contact.id == "con_1"
        assert contacts.get(tx, "con_9") is None


def test_a_ring_of_merges_made_by_hand_does_not_hang(store: SqliteStore) -> None:
    create(store, "con_1", "con_2")
    with store.write() as tx:
        tx.run("UPDATE contacts SET merged_into = 'con_2' WHERE id = 'con_1'")
        tx.run("UPDATE contacts SET merged_into = 'con_1' WHERE id = 'con_2'")
        assert contacts.row(tx, "con_1") is not None


def test_crm_links_are_told_by_crm(store: SqliteStore) -> None:
    create(store, "con_1")
    with store.write() as tx:
        link(tx, "crm_id", "hubspot:101", "con_1")
        link(tx, "crm_id", "salesforce:00Q:5", "con_1")
        contact = contacts.get(tx, "con_1")
    assert contact is not None
    assert contact.crm_links == {"hubspot": "101", "salesforce": "00Q:5"}


# -- what an event teaches ---------------------------------------------------------------------


def test_a_trusted_source_changes_what_is_known_and_says_nothing_by_silence(
    store: SqliteStore,
) -> None:
    create(store, "con_1")
    see(store, traits={"first_name": "Ann", "plan": "free", "timezone": "America/Chicago"})
    contact = see(
        store, traits={"first_name": "", "plan": "pro", "timezone": None, "postal": 10001}
    )
    assert contact.traits == {"first_name": "Ann", "plan": "pro"}
    assert (contact.timezone, contact.postal) == ("America/Chicago", "10001")


def test_a_browser_fills_what_is_empty_and_changes_nothing(store: SqliteStore) -> None:
    create(store, "con_1")
    see(store, traits={"first_name": "Ann", "country": "US"})
    contact = see(
        store,
        traits={"first_name": "Eve", "country": "DE", "language": "es", "plan": "pro"},
        trusted=False,
    )
    assert contact.traits == {"first_name": "Ann", "plan": "pro"}
    assert (contact.country, contact.language) == ("US", "es")


VISITS: tuple[Mapping[str, str], ...] = ({"campaign": "one"}, {"campaign": "two"}, {})


def test_the_first_visit_stays_and_the_last_moves_on(store: SqliteStore) -> None:
    create(store, "con_1")
    for visit in VISITS:
        contact = see(store, visit=visit)
    assert (contact.first_visit, contact.last_visit) == (VISITS[0], VISITS[1])


def test_late_events_stretch_the_time_in_which_somebody_was_seen(store: SqliteStore) -> None:
    create(store, "con_1")
    see(store, at=NOW + 9 * MINUTE)
    contact = see(store, at=NOW - 9 * MINUTE)
    assert contact.first_seen_at == NOW - 9 * MINUTE
    assert contact.last_seen_at == NOW + 9 * MINUTE


def test_activity_is_only_what_the_person_did(store: SqliteStore) -> None:
    create(store, "con_1")
    see(store, at=NOW, activity=False)
    with store.read() as tx:
        assert row(tx)["last_activity_at"] is None
    see(store, at=NOW + MINUTE)
    see(store, at=NOW + 2 * MINUTE, activity=False)
    see(store, at=NOW)
    with store.read() as tx:
        assert row(tx)["last_activity_at"].startswith("2026-11-17T17:01")


def test_a_change_of_stage_keeps_when_it_happened_and_when_it_was_heard(
    store: SqliteStore,
) -> None:
    create(store, "con_1")
    with store.write() as tx:
        contacts.stage_changed(
            tx, "con_1", "lead", "customer", NOW, NOW + MINUTE, "evt_1", change_id="stg_1"
        )
        [kept] = tx.all("SELECT * FROM stage_changes")
    assert (kept["from_stage"], kept["to_stage"], kept["event_id"]) == ("lead", "customer", "evt_1")
    assert kept["occurred_at"] < kept["heard_at"]


def test_a_subject_names_the_deciding_ids_first() -> None:
    everything = Subject("u-1", "a-1", ONE, "ann@corner.example", "hubspot", "7")
    assert contacts.named(everything) == [
        ("user_id", "u-1"),
        ("crm_id", "hubspot:7"),
        ("anonymous_id", "a-1"),
        ("phone", ONE),
        ("email", "ann@corner.example"),
    ]
    assert contacts.named(Subject()) == []
