from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.crms.local import LocalCrm
from connector.ledger import claims, local_crm, migrations, writebacks
from connector.ledger.claims import LEASE, Claim
from connector.ledger.sqlite import SqliteStore
from connector.ledger.writebacks import Outage, Refusal
from connector.records import Owed, Writeback, Written

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUSY = Refusal("busy")


def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "ledger.db")
    migrations.migrate(store.database())
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def owe(store: SqliteStore, owed: Owed, at: datetime = NOW, contact: str = "con_1") -> None:
    with store.write() as tx:
        writebacks.owe(tx, "local", contact, owed, at)


def claim(store: SqliteStore, at: datetime = NOW, limit: int = 100) -> list[Claim]:
    with store.write() as tx:
        return claims.claim(tx, "local", at, limit)


def row(store: SqliteStore, key: str) -> dict[str, object]:
    with store.read() as tx:
        found = tx.one("SELECT * FROM writebacks WHERE key = :key", key=key)
    assert found is not None
    return {name: found[name] for name in found.keys()}  # noqa: SIM118


def activity(key: str, status: str = "Sent") -> Owed:
    return Owed("activity", key, {"status": status}, send_id=key.partition(":")[2])


def fields(**values: object) -> Owed:
    return Owed("fields", "fields:con_1", {"always": values} if values else {})


def test_what_is_owed_is_claimed_once_and_settled(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [taken] = claim(store)
    assert (taken.key, taken.change, taken.send_id) == ("send:snd_1", {"status": "Sent"}, "snd_1")
    assert not taken.known
    assert claim(store) == []
    with store.write() as tx:
        writebacks.settle(tx, taken, "rec_1", NOW)
    kept = row(store, "send:snd_1")
    assert (kept["state"], kept["record"], kept["change"]) == ("written", "rec_1", "{}")
    assert claim(store, NOW + LEASE) == []


def test_a_newer_wording_replaces_the_owed_one_and_keeps_its_place(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    owe(store, activity("send:snd_2"), NOW + MINUTE)
    owe(store, activity("send:snd_1", "Delivered"), NOW + 2 * MINUTE)
    first, second = claim(store, NOW + 2 * MINUTE)
    assert (first.key, first.change, first.revision) == ("send:snd_1", {"status": "Delivered"}, 2)
    assert second.key == "send:snd_2"


def test_what_came_while_the_crm_was_called_stays_owed(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [taken] = claim(store)
    owe(store, activity("send:snd_1", "Delivered"), NOW + MINUTE)
    assert claim(store, NOW + MINUTE) == [], "it is leased: two calls about one thing could cross"
    with store.write() as tx:
        writebacks.settle(tx, taken, "rec_1", NOW + MINUTE)
    [again] = claim(store, NOW + MINUTE)
    assert (again.change, again.known) == ({"status": "Delivered"}, True)


def test_a_claim_whose_process_died_is_due_again_after_the_lease(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    assert claim(store)
    assert claim(store, NOW + LEASE - MINUTE) == []
    assert [taken.key for taken in claim(store, NOW + LEASE)] == ["send:snd_1"]


def test_a_later_change_of_a_contact_waits_behind_an_earlier_one(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    owe(store, activity("send:snd_2"), NOW + MINUTE)
    owe(store, activity("send:snd_3"), NOW + MINUTE, contact="con_2")
    [first] = claim(store)
    with store.write() as tx:
        writebacks.retry(tx, first, NOW + timedelta(hours=1), BUSY)
    assert [taken.key for taken in claim(store, NOW + MINUTE)] == ["send:snd_3"]
    with store.read() as tx:
        assert writebacks.next_due(tx, "local") == NOW + MINUTE + LEASE, "con_2's lease"
    waited = claim(store, NOW + timedelta(hours=1))
    assert [(taken.key, taken.attempt) for taken in waited if taken.contact_id == "con_1"] == [
        ("send:snd_1", 1),
        ("send:snd_2", 0),
    ]


def test_what_waits_behind_another_wakes_nobody(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [first] = claim(store)
    with store.write() as tx:
        writebacks.retry(tx, first, NOW + timedelta(hours=1), BUSY)
    owe(store, activity("send:snd_2"), NOW + MINUTE)
    assert claim(store, NOW + MINUTE) == []
    with store.read() as tx:
        assert writebacks.next_due(tx, "local") == NOW + timedelta(hours=1)


def test_a_claim_is_bounded_and_takes_each_contact_in_order(store: SqliteStore) -> None:
    for place in range(6):
        owe(store, activity(f"send:snd_{place}"), NOW + place * MINUTE)
    later = NOW + timedelta(hours=1)
    taken = [item.key for item in claim(store, later, limit=4)]
    assert taken == [f"send:snd_{place}" for place in range(4)]


def test_a_parked_change_keeps_the_crms_words_and_lets_others_pass(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    owe(store, activity("send:snd_2"), NOW + MINUTE)
    [taken] = claim(store)
    with store.write() as tx:
        writebacks.park(tx, taken, Refusal("PROPERTY_DOESNT_EXIST: lead_score"), NOW)
        assert writebacks.counts(tx) == {"local": {"owed": 1, "parked": 1}}
    assert row(store, "send:snd_1")["error"] == "PROPERTY_DOESNT_EXIST: lead_score"
    assert [item.key for item in claim(store, NOW + MINUTE)] == ["send:snd_2"]


def test_a_newer_wording_of_a_parked_change_is_tried_again(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [taken] = claim(store)
    with store.write() as tx:
        writebacks.park(tx, taken, Refusal("no"), NOW)
    owe(store, activity("send:snd_1", "Delivered"), NOW + MINUTE)
    assert [item.change for item in claim(store, NOW + MINUTE)] == [{"status": "Delivered"}]


def test_a_refused_wording_does_not_park_a_newer_one(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [taken] = claim(store)
    owe(store, activity("send:snd_1", "Delivered"))
    with store.write() as tx:
        writebacks.park(tx, taken, Refusal("no"), NOW)
    assert [item.change for item in claim(store)] == [{"status": "Delivered"}]


def test_changes_of_fields_merge_and_the_newer_value_wins(store: SqliteStore) -> None:
    owe(store, fields(score=1, plan="free"))
    owe(store, fields())
    owe(store, fields(score=2))
    [taken] = claim(store)
    assert taken.change == {"always": {"score": 2, "plan": "free"}}
    assert taken.revision == 3


def test_marking_fields_that_are_marked_already_raises_the_revision(store: SqliteStore) -> None:
    owe(store, fields())
    [taken] = claim(store)
    owe(store, fields())
    with store.write() as tx:
        writebacks.settle(tx, taken, "rec_1", NOW)
    assert [item.revision for item in claim(store)] == [2]


def test_touching_owes_again_only_what_the_crm_was_told_of(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    with store.write() as tx:
        assert writebacks.touch(tx, "local", "send:snd_1", NOW)
        assert not writebacks.touch(tx, "local", "send:snd_2", NOW)
        assert not writebacks.touch(tx, "hubspot", "send:snd_1", NOW)


def test_a_claim_with_nothing_to_tell_is_forgotten_unless_news_came(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    [taken] = claim(store)
    owe(store, activity("send:snd_1", "Delivered"))
    with store.write() as tx:
        writebacks.forget(tx, taken, NOW)
    [again] = claim(store)
    with store.write() as tx:
        writebacks.forget(tx, again, NOW)
        assert tx.one("SELECT 1 FROM writebacks") is None


def test_an_outage_is_kept_and_delays_what_is_due_next(store: SqliteStore) -> None:
    owe(store, activity("send:snd_1"))
    with store.write() as tx:
        assert writebacks.outage(tx, "local") is None
        writebacks.note_outage(tx, "local", Outage(3, NOW + MINUTE))
        assert writebacks.outage(tx, "local") == Outage(3, NOW + MINUTE)
        assert writebacks.next_due(tx, "local") == NOW + MINUTE
        writebacks.note_outage(tx, "local", None)
        assert writebacks.next_due(tx, "local") == NOW


def test_what_another_crm_is_owed_is_left_alone(store: SqliteStore) -> None:
    with store.write() as tx:
        writebacks.owe(tx, "hubspot", "con_1", activity("send:snd_1"), NOW)
        writebacks.owe(tx, "local", "con_1", activity("send:snd_1"), NOW + MINUTE)
    assert [item.crm for item in claim(store, NOW + MINUTE)] == ["local"]


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (claims.HEADS, "writebacks_due (crm=? AND waits=? AND due_at<?)"),
        (writebacks.NEXT, "writebacks_due (crm=? AND waits=?)"),
        (writebacks.LEASED, "writebacks_leased (crm=?"),
        (claims.LINE, "writebacks_contact (contact_id=? AND crm=?)"),
        (claims.TAKE, "(id=?)"),
    ],
)
def test_a_claim_reads_only_what_is_due(store: SqliteStore, sql: str, index: str) -> None:
    names = ("crm", "now", "due", "waits", "limit", "contact", "until", "id", "seen")
    used = {name: "" for name in names if f":{name}" in sql}
    with store.read() as tx:
        [plan, *_] = tx.all(f"EXPLAIN QUERY PLAN {sql}", **used)
    assert index in plan["detail"]


class Interleaving(RuleBasedStateMachine):
    """Owing, claiming, dying and settling in any order; the CRM is the local one."""

    contacts = st.sampled_from(["con_1", "con_2"])
    values = st.integers(0, 9)

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = opened(Path(self.folder.name))
        self.now = NOW
        records = local_crm.LocalRecords(self.store)
        self.crm = LocalCrm(records=records, clock=lambda: self.now)
        self.fields: dict[str, dict[str, int]] = {}
        self.activities: dict[str, tuple[str, str]] = {}
        self.flying: list[Claim] = []
        self.answers: dict[str, Written] = {}

    def teardown(self) -> None:
        for _ in range(100):
            self.now += timedelta(hours=2)
            self.flying = claim(self.store, self.now)
            if not self.flying:
                break
            self.write()
            self.settle(refuse=False)
        self.check()
        self.store.close()
        self.folder.cleanup()

    def check(self) -> None:
        with self.store.read() as tx:
            for contact, wanted in self.fields.items():
                found = local_crm.record_of(tx, contact)
                assert found is not None and found[1] == wanted
            rows = tx.all("SELECT key, status, record FROM local_activities")
            assert writebacks.next_due(tx, "local") is None
        assert sorted(row["key"] for row in rows) == sorted(self.activities)
        for row in rows:
            contact, status = self.activities[row["key"]]
            assert row["status"] == status
            assert row["record"] == f"rec_{contact.partition('_')[2]}"

    @rule(minutes=st.integers(0, 5))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(contact=contacts, name=st.sampled_from(["score", "plan"]), value=values)
    def owe_field(self, contact: str, name: str, value: int) -> None:
        self.now += timedelta(microseconds=1)
        self.fields.setdefault(contact, {})[name] = value
        change = {"always": {name: value}}
        owe(self.store, Owed("fields", f"fields:{contact}", change), self.now, contact)

    @rule(contact=contacts, thing=st.integers(1, 3), status=values)
    def owe_activity(self, contact: str, thing: int, status: int) -> None:
        self.now += timedelta(microseconds=1)
        key = f"send:{contact}_{thing}"
        self.activities[key] = (contact, str(status))
        change = dict.fromkeys(("kind", "subject", "body", "occurred_at"), "")
        owed = Owed("activity", key, {**change, "status": str(status)})
        owe(self.store, owed, self.now, contact)

    @precondition(lambda self: not self.flying)
    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        self.flying = claim(self.store, self.now, limit)

    @precondition(lambda self: self.flying and not self.answers)
    @rule()
    def write(self) -> None:
        changes = [
            Writeback(c.id, c.crm, c.contact_id, c.record, c.kind, c.key, c.change)
            for c in self.flying
        ]
        self.answers = {answer.id: answer for answer in self.crm.write(changes)}

    @precondition(lambda self: self.answers)
    @rule(refuse=st.booleans())
    def settle(self, refuse: bool) -> None:
        with self.store.write() as tx:
            for taken in self.flying:
                if refuse:
                    writebacks.retry(tx, taken, self.now + 3 * MINUTE, BUSY)
                else:
                    writebacks.settle(tx, taken, self.answers[taken.id].record, self.now)
        self.flying, self.answers = [], {}

    @precondition(lambda self: self.flying)
    @rule()
    def die(self) -> None:
        """The process ends, and its successor cannot claim before the lease is over."""
        self.flying, self.answers = [], {}

    @invariant()
    def each_contact_is_taken_from_its_oldest_change_on(self) -> None:
        places: dict[str, list[tuple[str, str]]] = {}
        with self.store.read() as tx:
            for row in tx.all(
                """SELECT id, contact_id, owed_at FROM writebacks
                    WHERE state = 'owed' AND kind = 'activity'"""
            ):
                place = (row["owed_at"], row["id"])
                places.setdefault(row["contact_id"], []).append(place)
        held = {taken.id for taken in self.flying}
        for line in places.values():
            taken = [name in held for _, name in sorted(line)]
            assert taken == sorted(taken, reverse=True)


Interleaving.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestInterleaving = Interleaving.TestCase
