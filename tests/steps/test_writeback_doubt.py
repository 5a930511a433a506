"""What a CRM may have made is looked up before it is made; nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.ledger import writebacks
from connector.ledger.claims import LEASE, claim
from connector.records import Writeback, Written
from connector.rules.outages import LOOK_AFTER
from tests.crms.remote import ACTED, BUSY, HALF, LOST, WELL, RemoteCrm
from tests.steps.outbox import MINUTE, NOW, SECOND, Outbox, opened

SAID = (WELL, LOST, ACTED, BUSY, HALF)


class Died(BaseException):
    """The process ended here."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Outbox]:
    place = opened(tmp_path)
    place.flush_after = timedelta(0)
    yield place
    place.store.close()


def told(place: Outbox) -> list[list[Writeback]]:
    """The changes of each call from now on."""
    calls: list[list[Writeback]] = []
    write = place.crm_there.write

    def writing(changes: Sequence[Writeback]) -> list[Written]:
        calls.append(list(changes))
        return write(changes)

    place.crm_there.write = writing  # type: ignore[method-assign]
    return calls


def test_a_worker_that_starts_again_does_not_wait_for_a_dead_ones_lease(place: Outbox) -> None:
    place.note("a")
    with place.store.write() as tx:
        claim(tx, "remote", place.now, 10)
        writebacks.free(tx, "remote", place.now, LOOK_AFTER)
    assert place.next_due() == place.now + LOOK_AFTER
    calls = told(place)
    place.drain()
    assert [change.in_doubt for [change] in calls] == [True]


def test_what_a_back_fill_is_about_to_write_is_not_taken_from_it(place: Outbox) -> None:
    place.note("a")
    with place.store.write() as tx:
        claim(tx, "remote", place.now, 10, lease=6 * LEASE)
        assert writebacks.free(tx, "remote", place.now, LOOK_AFTER) == 0
    assert place.next_due() == place.now + 6 * LEASE


@pytest.mark.parametrize("said", [LOST, ACTED])
def test_after_a_time_out_it_is_looked_up_half_a_minute_later(place: Outbox, said: str) -> None:
    place.crm_there.says = lambda route, changes: said
    calls = told(place)
    place.note("a")
    place.flush()
    [[first]] = calls
    assert (first.in_doubt, first.made, first.record) == (False, "", "rec1")
    row = place.rows("in_doubt, code")["note:a"]
    assert (row["in_doubt"], row["code"]) == (1, "timeout")
    due = place.next_due()
    assert due is not None
    with place.store.read() as tx:
        [kept] = tx.all("SELECT due_at FROM writebacks")
    assert kept["due_at"] >= (NOW + 30 * SECOND).isoformat()[:19]
    place.crm_there.says = lambda route, changes: WELL
    place.drain()
    assert calls[-1][0].in_doubt
    assert place.crm_there.keys() == {"note:a": 1}
    assert place.rows("in_doubt, state")["note:a"] == {
        "key": "note:a",
        "in_doubt": 0,
        "state": "written",
    }


def test_what_it_says_it_did_not_do_is_in_no_doubt(place: Outbox) -> None:
    place.crm_there.says = lambda route, changes: BUSY
    place.note("a")
    place.flush()
    assert place.rows("in_doubt")["note:a"]["in_doubt"] == 0


def test_what_was_in_doubt_and_could_not_be_looked_up_still_is(place: Outbox) -> None:
    place.note("a")
    for said in (ACTED, BUSY, BUSY):
        place.crm_there.says = lambda route, changes, said=said: said  # type: ignore[misc]
        place.flush()
        place.now += timedelta(hours=1)
    assert place.rows("in_doubt")["note:a"]["in_doubt"] == 1
    place.crm_there.says = lambda route, changes: WELL
    place.drain()
    assert place.crm_there.keys() == {"note:a": 1}


@pytest.mark.parametrize("permanent", [True, False])
def test_what_was_in_doubt_and_is_then_refused_is_looked_up_again(
    place: Outbox, permanent: bool
) -> None:
    place.crm_there.says = lambda route, changes: ACTED
    place.note("a")
    place.flush()
    write = place.crm_there.write
    place.crm_there.write = lambda changes: [  # type: ignore[method-assign]
        Written(change.id, False, permanent, error="locked") for change in changes
    ]
    place.drain(0.1)
    place.crm_there.write = write  # type: ignore[method-assign]
    place.crm_there.says = lambda route, changes: WELL
    place.note("a", status="Delivered")
    place.drain()
    assert place.crm_there.keys() == {"note:a": 1}


@pytest.mark.parametrize("acted", [True, False])
def test_a_process_that_dies_in_the_call_leaves_it_in_doubt(place: Outbox, acted: bool) -> None:
    write = place.crm_there.write

    def dies(changes: Sequence[Writeback]) -> list[Written]:
        if acted:
            write(changes)
        raise Died

    place.crm_there.write = dies  # type: ignore[method-assign]
    place.note("a")
    with pytest.raises(Died):
        place.flush()
    place.crm_there.write = write  # type: ignore[method-assign]
    calls = told(place)
    assert place.flush() == 0, "it is under lease"
    assert place.next_due() == NOW + LEASE
    place.now = NOW + LEASE
    place.flush()
    [[again]] = calls
    assert again.in_doubt
    assert place.crm_there.keys() == {"note:a": 1}


def test_verdicts_that_came_before_the_outage_are_kept(place: Outbox) -> None:
    place.note("a")
    place.changed("con_2")
    place.crm_there.says = lambda route, changes: LOST if route == "fields" else WELL
    place.flush()
    rows = place.rows("state, in_doubt")
    assert rows["note:a"]["state"] == "written"
    assert (rows["fields:con_2"]["state"], rows["fields:con_2"]["in_doubt"]) == ("owed", 1)


def test_half_a_batch_is_settled_and_half_comes_again(place: Outbox) -> None:
    for name in "abcd":
        place.note(name)
    place.crm_there.says = lambda route, changes: HALF
    place.flush()
    assert sorted(row["state"] for row in place.rows("state").values()) == [
        *("owed", "owed"),
        *("written", "written"),
    ]
    place.crm_there.says = lambda route, changes: WELL
    place.drain()
    assert set(place.crm_there.keys().values()) == {1}
    assert len(place.crm_there.made) == 4


def test_a_change_of_what_was_made_names_it(place: Outbox) -> None:
    calls = told(place)
    send_id = place.text(1)
    place.flush()
    place.now += MINUTE
    place.receipt(send_id)
    place.flush()
    [made] = place.crm_there.made
    [again] = [change for change in calls[-1] if change.kind == "activity"]
    assert (again.made, again.record) == (made, "rec1")
    assert place.crm_there.what(f"send:{send_id}")["status"] == "Delivered"


def test_a_text_that_did_not_leave_after_all_is_put_right_where_it_may_stand(
    place: Outbox,
) -> None:
    send_id = place.text(1)
    place.crm_there.says = lambda route, changes: WELL if route == "fields" else ACTED
    place.flush()
    with place.store.write() as tx:
        tx.run("UPDATE sends SET state = 'expired', counts_at = NULL")
    place.crm_there.says = lambda route, changes: WELL
    place.drain()
    status = place.crm_there.what(f"send:{send_id}")["status"]
    assert status == "Not sent, its time had passed"


class Weather(RuleBasedStateMachine):
    """Changes come, time passes, the CRM does what it likes, and processes die."""

    people = st.integers(1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.place = opened(Path(self.folder.name))
        self.said: list[str] = []
        self.wanted: dict[str, str] = {}
        self.tasks: set[str] = set()
        self.place.crm_there.batch = 2
        self.place.crm_there.says = lambda route, changes: self.said.pop() if self.said else WELL

    @property
    def there(self) -> RemoteCrm:
        return self.place.crm_there

    @rule(seconds=st.integers(0, 400))
    def time_passes(self, seconds: int) -> None:
        self.place.now += seconds * SECOND

    @rule(person=people, thing=st.integers(1, 2), status=st.integers(0, 9))
    def something_changes(self, person: int, thing: int, status: int) -> None:
        self.place.now += timedelta(microseconds=1)
        key = f"{person}_{thing}"
        self.place.note(key, f"con_{person}", status=str(status))
        self.wanted[f"note:{key}"] = str(status)

    @rule(person=people)
    def fields_change(self, person: int) -> None:
        self.place.now += timedelta(microseconds=1)
        self.place.changed(f"con_{person}")

    @rule(person=people)
    def a_hot_reply_comes(self, person: int) -> None:
        self.place.now += timedelta(microseconds=1)
        self.tasks.add(f"task:reply:{self.place.reply(person, hot=True)}")

    @rule(said=st.lists(st.sampled_from(SAID), max_size=3))
    def the_step_runs(self, said: list[str]) -> None:
        self.said = said
        self.place.flush()

    @rule(said=st.lists(st.sampled_from(SAID), max_size=2), acts=st.booleans())
    def the_process_dies(self, said: list[str], acts: bool) -> None:
        self.said, write = said, self.there.write

        def dies(changes: Sequence[Writeback]) -> list[Written]:
            if acts:
                write(changes)
            raise Died

        self.there.write = dies  # type: ignore[method-assign]
        try:
            self.place.flush()
        except Died:
            pass
        finally:
            self.there.write = write  # type: ignore[method-assign]

    @invariant()
    def nothing_stands_there_twice(self) -> None:
        assert all(count == 1 for count in self.there.keys().values())

    def teardown(self) -> None:
        self.said = []
        self.place.drain(hours=24)
        try:
            assert self.place.next_due() is None
            found = self.there.keys()
            for key, status in self.wanted.items():
                assert found[key] == 1
                assert self.there.what(key)["status"] == status
            assert {key for key in found if key.startswith("task:")} == self.tasks
            assert {row["state"] for row in self.place.rows("state").values()} <= {"written"}
        finally:
            self.place.store.close()
            self.folder.cleanup()


Weather.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestWeather = Weather.TestCase
