"""Listings: the newest first, bounded, by an index, and nothing of what is over left out."""

from __future__ import annotations

from typing import Any

import pytest

from connector.ledger import events, listings, merges, sends
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.model import SendState
from tests.ledger import build
from tests.ledger.build import Recording, at


@pytest.fixture
def texts(store: SqliteStore) -> SqliteStore:
    """Five texts, one of a state each; the last planned is due first."""
    with store.write() as tx:
        build.contact(tx)
        for name in "12345":
            play = "welcome" if name == "5" else "cart_abandoned"
            minutes = 60 - int(name) if name in "45" else 60
            build.send(tx, name, cause_id=name, play=play, minutes=minutes)
        build.accept(tx, "snd_1", 60)
        sends.close(tx, "snd_2", "cancelled", "no_consent", at(60))
        build.accept(tx, "snd_3", 60)
        tx.run("UPDATE sends SET state = 'uncertain' WHERE id = 'snd_3'")
        tx.run("UPDATE sends SET planned_at = due_at WHERE state <> 'planned'")
    return store


def listed(store: SqliteStore, **asked: Any) -> list[str]:
    with store.read() as tx:
        return [str(item["id"]) for item in listings.sends(tx, **asked)]


def test_texts_come_newest_first_and_bounded(texts: SqliteStore) -> None:
    assert listed(texts) == ["snd_5", "snd_4", "snd_3", "snd_2", "snd_1"]
    assert listed(texts, limit=2) == ["snd_5", "snd_4"]


@pytest.mark.parametrize(
    ("state", "ids"),
    [
        ("planned", ["snd_5", "snd_4"]),  # the next due first
        ("accepted", ["snd_1"]),
        ("cancelled", ["snd_2"]),
        ("uncertain", ["snd_3"]),
        ("sending", []),
        ("refused", []),
    ],
)
def test_texts_of_one_state(texts: SqliteStore, state: str, ids: list[str]) -> None:
    assert listed(texts, state=state) == ids


def test_texts_of_one_play_and_of_a_play_in_a_state(texts: SqliteStore) -> None:
    assert listed(texts, play="welcome") == ["snd_5"]
    assert listed(texts, play="welcome", state="cancelled") == []
    assert listed(texts, play="nothing") == []


def test_texts_since_an_instant(texts: SqliteStore) -> None:
    assert listed(texts, since=at(58)) == ["snd_3", "snd_2", "snd_1"]
    assert listed(texts, since=at(61)) == []


@pytest.mark.parametrize("state", list(SendState))
def test_every_state_can_be_asked_for(texts: SqliteStore, state: str) -> None:
    listed(texts, state=state)


@pytest.mark.parametrize("state", ["planned", "sending", "uncertain"])
def test_rare_states_are_found_by_their_own_index(store: SqliteStore, state: str) -> None:
    with store.read() as tx:
        recording = Recording(tx)
        listings.sends(recording, state=state)
        [(_, plan)] = recording.plans()
    assert any("sends_due" in line or "sends_open" in line for line in plan), plan


@pytest.fixture
def heard(store: SqliteStore) -> SqliteStore:
    """Events done, failed and unmapped, and a piece that could not be read."""
    with store.write() as tx:
        build.contact(tx)
        build.event(tx, "Done", signal="cart_updated")
        build.event(tx, "Bad", state="failed", reason="mapping_error: x", minutes=1)
        build.event(tx, "Odd", state="unmapped", reason="unknown_event", minutes=2)
        keep(tx, "unr_1")
    return store


def keep(tx: Tx, unreadable_id: str) -> None:
    events.keep_unreadable(tx, unreadable_id, "shop", "not JSON", b"{", at(3), "/in/shop")


def test_events_come_newest_first_with_what_became_of_them(heard: SqliteStore) -> None:
    with heard.read() as tx:
        found = listings.events(tx)
        assert sorted(item["state"] for item in found) == ["done", "failed", "unmapped"]
        assert all("payload" not in item for item in found)
        assert [item["name"] for item in listings.events(tx, state="failed")] == ["Bad"]
        assert listings.events(tx, source="nobody") == []
        assert listings.events(tx, state="unmapped", since=at(3)) == []


def test_what_is_kept_aside_is_found_until_something_comes_of_it(heard: SqliteStore) -> None:
    with heard.write() as tx:
        assert listings.aside(tx, "failed") == ["evt_bad"]
        assert listings.aside(tx, "failed", "nobody") == []
        assert listings.kept_aside(tx, "evt_bad")
        assert listings.kept_aside(tx, "evt_done") is None
        events.settle(tx, "evt_bad", "done")
        assert listings.aside(tx, "failed") == []


def test_an_unreadable_piece_is_listed_without_its_body_and_can_be_forgotten(
    heard: SqliteStore,
) -> None:
    with heard.write() as tx:
        [item] = listings.unreadable(tx)
        assert "body" not in item
        assert listings.unreadable(tx, source="nobody") == []
        row = listings.piece(tx, "unr_1")
        assert row is not None
        assert row["body"] == "{"
        listings.forget_piece(tx, "unr_1")
        assert listings.piece(tx, "unr_1") is None


def test_people_are_listed_without_those_merged_away(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx, "1")
        build.contact(tx, "2", phone="")
        merges.merge(tx, "con_2", "con_1", "evt_9", at(5), merge_id="mrg_1")
        assert [item["id"] for item in listings.people(tx, 10)] == ["con_2"]
        [merge] = listings.merges(tx, 10)
        assert (merge["winner"], merge["loser"]) == ("con_2", "con_1")
        assert merge["moved"] == {"identities": 3}
        assert listings.merge(tx, "mrg_none") is None


def test_a_person_is_told_with_names_and_visits(store: SqliteStore) -> None:
    with store.write() as tx:
        build.contact(tx)
        found = listings.person(tx, "con_1")
        assert found is not None
        assert {item["kind"] for item in found["identities"]} == {"user_id", "phone", "email"}
        assert found["traits"]["first_name"] == "Ann"
        assert listings.person(tx, "con_none") is None


def test_a_household_shares_a_number(store: SqliteStore) -> None:
    with store.write() as tx:
        for name in ("1", "2", "3"):
            build.contact(tx, name)
        found = listings.bearers(tx, "phone", build.PHONE)
        assert sorted(found) == ["con_1", "con_2", "con_3"]
        assert len(listings.bearers(tx, "phone", build.PHONE, limit=2)) == 2
