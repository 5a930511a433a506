"""Two contacts proven to be one: everything follows, nothing is lost, and it can be undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.errors import ConnectorError
from connector.ledger import (
    assignments,
    contacts,
    decisions,
    enrolments,
    events,
    frequency,
    merges,
    outcomes,
    reports,
    sends,
    writebacks,
)
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.messages import Reply
from connector.model import Decision, Event, Signal, Subject, Verdict
from connector.records import Owed

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
KEPT, LOST, THIRD = "con_1", "con_2", "con_3"
ONE, TWO = "+12125550101", "+12125550102"


@pytest.fixture
def tx(store: SqliteStore) -> Any:
    with store.write() as tx:
        for minute, who in enumerate((KEPT, LOST, THIRD)):
            contacts.create(tx, who, NOW + minute * MINUTE)
        yield tx


def name(tx: Tx, who: str, kind: str, value: str, minutes: int = 0) -> None:
    link_id = f"lnk_{who}_{kind}_{value}_{minutes}"
    at = NOW + minutes * MINUTE
    contacts.link(tx, kind, value, who, "evt_1", at, confirmed=True, link_id=link_id)


def merge(tx: Tx, winner: str = KEPT, loser: str = LOST, merge_id: str = "mrg_1") -> None:
    merges.merge(tx, winner, loser, "evt_9", NOW, merge_id=merge_id)


def enrol(tx: Tx, who: str, play: str = "cart", key: str = "k") -> str:
    enrolment_id = f"enr_{who}_{play}_{key}"
    opening = enrolments.Opening(enrolment_id, play, "v1", who, key, "sig_1", "live", NOW, NOW, NOW)
    assert enrolments.open_(tx, opening, NOW)
    return enrolment_id


def text(tx: Tx, who: str, enrolment: str, phone: str = ONE, *, begun: bool = True) -> str:
    send_id = f"snd_{enrolment}"
    plan = sends.Plan(
        id=send_id,
        cause="play",
        cause_id=enrolment,
        step="s",
        contact_id=who,
        phone=phone,
        purpose="marketing",
        template="t",
        due_at=NOW,
        expires_at=NOW + DAY,
        enrolment_id=enrolment,
        play="cart",
    )
    assert sends.plan(tx, plan, NOW)
    if begun:
        sends.begin(
            tx,
            send_id,
            text="t",
            language="en",
            encoding="GSM-7",
            segments=1,
            provider="p",
            phone=phone,
            at=NOW,
        )
    return send_id


def owners(tx: Tx, table: str) -> dict[str, str]:
    return {row["id"]: row["contact_id"] for row in tx.all(f"SELECT id, contact_id FROM {table}")}


def live(tx: Tx, who: str) -> set[tuple[str, str]]:
    return {(row["kind"], row["value"]) for row in contacts.identities(tx, who)}


def everything(tx: Tx, who: str) -> None:
    """One row for the contact in every table whose rows follow a person."""
    event = Event(f"evt_{who}", "site", who, "track", "x", NOW, NOW, {})
    events.record(tx, event)
    events.settle(tx, event.id, "done", contact_id=who)
    events.add_signal(tx, Signal("x", Subject(), {}, {}), event, who, f"sig_{who}")
    contacts.stage_changed(tx, who, "", "lead", NOW, NOW, event.id, change_id=f"stg_{who}")
    text(tx, who, enrol(tx, who, key=who))
    outcomes.add(tx, outcomes.Heard(f"out_{who}", who, who, "replied", NOW), NOW)
    reply = Reply("p", who, ONE, TWO, "hi", NOW)
    outcomes.add_reply(
        tx,
        reply,
        reply_id=f"rpl_{who}",
        label="none",
        why="nothing",
        contact_id=who,
        send_id="",
        occurred_at=NOW,
        now=NOW,
    )
    tx.run(
        "INSERT INTO touches VALUES (:id, :who, 'email', 'marketing', '', '')",
        id=f"tch_{who}",
        who=who,
    )
    tx.run(
        "INSERT INTO clicks VALUES (:id, 's', :who, 'l', 'human', '', 'GET', '', '', '', '')",
        id=f"clk_{who}",
        who=who,
    )
    tx.run(
        "INSERT INTO crm_changes VALUES (:id, :who, 'local', '{}', '')", id=f"crc_{who}", who=who
    )
    writebacks.owe(tx, "local", who, Owed("activity", f"send:{who}", {}), NOW)


TABLES = (*merges.FOLLOWING, "enrolments")


def test_every_row_of_a_person_follows_the_merge(tx: Tx) -> None:
    everything(tx, KEPT)
    everything(tx, LOST)
    everything(tx, THIRD)
    merge(tx)
    for table in TABLES:
        found = list(owners(tx, table).values())
        assert (found.count(KEPT), found.count(LOST), found.count(THIRD)) == (2, 0, 1), table


def test_every_table_that_names_a_contact_is_followed_or_known_not_to_be(
    store: SqliteStore,
) -> None:
    with store.read() as tx:
        tables = [
            row["name"] for row in tx.all("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        named = {
            table
            for table in tables
            if any(row["name"] == "contact_id" for row in tx.all(f"PRAGMA table_info({table})"))
        }
    keyed_by_person = {"identities", "identity_links", "assignments", "crm_facts", "local_records"}
    led_to_the_winner = {"timers", "memberships", "links", "readings", "decisions"}
    led_to_the_winner |= {"crm_records", "crm_history"}
    assert named == {*TABLES, *keyed_by_person, *led_to_the_winner}


def test_decisions_stay_under_the_name_they_were_made_for_and_are_found_by_the_winners(
    tx: Tx,
) -> None:
    for who in (KEPT, LOST, THIRD):
        about = decisions.About("trigger", who, event_id=f"evt_{who}")
        decisions.add(tx, about, Decision(Verdict.stop), {}, NOW, decision_id=f"dec_{who}")
    merge(tx, LOST, THIRD, "mrg_1")
    merge(tx, KEPT, LOST, "mrg_2")
    assert owners(tx, "decisions") == {f"dec_{who}": who for who in (KEPT, LOST, THIRD)}
    found = {row["id"] for row in tx.all(reports.STARTS, contact=KEPT, limit=9)}
    assert found == {f"dec_{who}" for who in (KEPT, LOST, THIRD)}
    assert [row["id"] for row in tx.all(reports.STARTS, contact=THIRD, limit=9)] == ["dec_con_3"]


def test_caps_add_up_since_texts_follow_the_person(tx: Tx) -> None:
    text(tx, KEPT, enrol(tx, KEPT, key="a"), ONE)
    text(tx, LOST, enrol(tx, LOST, key="b"), TWO)
    merge(tx)
    to_person, to_number = frequency.said(tx, KEPT, ONE, NOW - DAY)
    assert (len(to_person), len(to_number)) == (2, 1)


def test_names_follow_and_one_that_both_bore_is_borne_once(tx: Tx) -> None:
    name(tx, KEPT, "user_id", "u-1")
    name(tx, KEPT, "phone", ONE)
    name(tx, LOST, "phone", ONE)
    name(tx, LOST, "anonymous_id", "a-1")
    merge(tx)
    assert live(tx, KEPT) == {("user_id", "u-1"), ("phone", ONE), ("anonymous_id", "a-1")}
    assert live(tx, LOST) == set()
    assert contacts.bearers(tx, "phone", ONE) == [KEPT]


def test_a_name_once_taken_from_the_winner_comes_back_with_the_loser(tx: Tx) -> None:
    name(tx, KEPT, "anonymous_id", "a-1")
    contacts.detach(tx, "anonymous_id", "a-1", KEPT, "evt_2", NOW, link_id="lnk_d")
    name(tx, LOST, "anonymous_id", "a-1", 1)
    merge(tx)
    assert live(tx, KEPT) == {("anonymous_id", "a-1")}
    merges.undo(tx, "mrg_1", NOW)
    assert live(tx, KEPT) == set()
    assert live(tx, LOST) == {("anonymous_id", "a-1")}


def test_the_winner_keeps_what_it_knows_and_takes_what_it_lacks(tx: Tx) -> None:
    def see(who: str, at: datetime, **told: Any) -> None:
        row = contacts.row(tx, who)
        assert row is not None
        contacts.see(tx, row, stage="", at=at, activity=True, trusted=True, **told)

    see(KEPT, NOW + 5 * MINUTE, traits={"first_name": "Ann", "country": "US"}, visit={"page": "b"})
    see(
        LOST,
        NOW - 5 * MINUTE,
        traits={"first_name": "?", "plan": "pro", "region": "NY", "country": "DE"},
        visit={"page": "a"},
    )
    merge(tx)
    contact = contacts.get(tx, LOST)
    assert contact is not None
    assert contact.id == KEPT
    assert contact.traits == {"first_name": "Ann", "plan": "pro"}
    assert (contact.country, contact.region) == ("US", "NY")
    assert (contact.first_visit, contact.last_visit) == ({"page": "a"}, {"page": "b"})
    assert contact.first_seen_at == NOW - 5 * MINUTE
    assert contact.last_seen_at == NOW + 5 * MINUTE


def test_where_both_walk_the_same_occurrence_one_goes_on(tx: Tx) -> None:
    kept, lost = enrol(tx, KEPT), enrol(tx, LOST)
    other = enrol(tx, LOST, key="other")
    planned = text(tx, LOST, lost, begun=False)
    merge(tx)
    rows = {row["id"]: row for row in tx.all("SELECT * FROM enrolments")}
    assert (rows[kept]["state"], rows[kept]["contact_id"]) == ("waiting", KEPT)
    assert (rows[lost]["state"], rows[lost]["exit_reason"]) == ("ended", "merged")
    assert (rows[lost]["due_at"], rows[lost]["contact_id"]) == (None, LOST)
    assert (rows[other]["state"], rows[other]["contact_id"]) == ("waiting", KEPT)
    send = sends.get(tx, planned)
    assert send is not None
    assert (send["state"], send["reason"]) == ("cancelled", "merged")


def test_the_earlier_arm_of_an_experiment_stays_and_the_person_is_marked_mixed(tx: Tx) -> None:
    arms = {"holdout": 0.5, "treated": 0.5}
    for experiment, kept, kept_at, lost, lost_at in (
        ("earlier", "holdout", 0, "treated", 1),
        ("later", "treated", 1, "holdout", 0),
        ("same", "treated", 0, "treated", 1),
    ):
        assignments.assign(tx, experiment, KEPT, kept, arms, NOW + kept_at * MINUTE)
        assignments.assign(tx, experiment, LOST, lost, arms, NOW + lost_at * MINUTE)
    assignments.assign(tx, "only the loser", LOST, "holdout", arms, NOW)
    merge(tx)
    found = {
        row["experiment"]: (row["arm"], row["mixed_at"] is not None)
        for row in tx.all("SELECT * FROM assignments WHERE contact_id = :c", c=KEPT)
    }
    assert found == {
        "earlier": ("holdout", True),
        "later": ("holdout", True),
        "same": ("treated", False),
        "only the loser": ("holdout", True),
    }


def test_undoing_a_merge_gives_everything_back(tx: Tx) -> None:
    for who, phone in ((KEPT, ONE), (LOST, TWO)):
        everything(tx, who)
        name(tx, who, "phone", phone)
        name(tx, who, "email", "both@corner.example")
        name(tx, who, "anonymous_id", f"a-{who}")
    before = {table: owners(tx, table) for table in TABLES}
    names = {who: live(tx, who) for who in (KEPT, LOST)}
    merge(tx)
    assert merges.undo(tx, "mrg_1", NOW) == (KEPT, LOST)
    assert {table: owners(tx, table) for table in TABLES} == before
    assert {who: live(tx, who) for who in (KEPT, LOST)} == names
    row = contacts.row(tx, LOST)
    assert row is not None
    assert row["id"] == LOST


def test_what_came_after_the_merge_stays_with_the_winner(tx: Tx) -> None:
    name(tx, LOST, "anonymous_id", "a-1")
    merge(tx)
    name(tx, KEPT, "anonymous_id", "a-2")
    later = enrol(tx, KEPT, key="later")
    merges.undo(tx, "mrg_1", NOW)
    assert live(tx, KEPT) == {("anonymous_id", "a-2")}
    assert owners(tx, "enrolments")[later] == KEPT


def test_a_merge_is_undone_also_when_the_winner_was_merged_on(tx: Tx) -> None:
    name(tx, LOST, "anonymous_id", "a-1")
    enrolment = enrol(tx, LOST)
    merge(tx)
    merge(tx, winner=THIRD, loser=KEPT, merge_id="mrg_2")
    assert live(tx, THIRD) == {("anonymous_id", "a-1")}
    merges.undo(tx, "mrg_1", NOW)
    assert live(tx, LOST) == {("anonymous_id", "a-1")}
    assert live(tx, THIRD) == set()
    assert owners(tx, "enrolments")[enrolment] == LOST


def test_a_merge_is_undone_once(tx: Tx) -> None:
    merge(tx)
    merges.undo(tx, "mrg_1", NOW)
    for merge_id in ("mrg_1", "mrg_9"):
        with pytest.raises(ConnectorError, match="no merge"):
            merges.undo(tx, merge_id, NOW)


def test_a_contact_that_is_not_there_cannot_be_merged(tx: Tx) -> None:
    with pytest.raises(ConnectorError, match="not in the ledger"):
        merge(tx, loser="con_9")
