"""The catalogue counts each event once, however it is sliced, and outlives the events."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector import clock
from connector.ledger import catalogue, contacts, events
from connector.ledger.catalogue import Entry
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.model import Event
from tests.ledger.build import TEN, at

LATER = at(60)


def hear(
    tx: Tx,
    number: int,
    name: str = "Cart",
    *,
    source: str = "site",
    kind: str = "track",
    state: str = "done",
    reason: str = "",
    contact: str = "",
    minutes: float = 0,
) -> str:
    """One event, whose id tells when it was heard."""
    heard = at(minutes)
    event_id = f"{clock.first_id('evt', heard)[:-6]}{number:06x}"
    told = Event(event_id, source, str(number), kind, name, heard, heard, {})
    assert events.record(tx, told, state, reason, contact)
    return event_id


def fold(store: SqliteStore) -> int:
    """Count all that is counted for good, slice by slice; in how many."""
    slices = 0
    while True:
        with store.write() as tx:
            after, until = catalogue.span(tx, LATER)
            if not until:
                return slices
            catalogue.add(tx, *catalogue.counted(tx, after, until), until)
            slices += 1


def entries(store: SqliteStore) -> list[Entry]:
    with store.read() as tx:
        return catalogue.entries(tx)


def by_name(store: SqliteStore) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries(store)}


def test_each_name_of_each_source_is_counted_by_what_became_of_it(store: SqliteStore) -> None:
    with store.write() as tx:
        contacts.create(tx, "con_1", TEN)
        contacts.link(tx, "user_id", "u1", "con_1", "evt_0", TEN, confirmed=True, link_id="lnk_1")
        contacts.create(tx, "con_2", TEN)
        contacts.link(tx, "anonymous_id", "a", "con_2", "e", TEN, confirmed=False, link_id="lnk_2")
        hear(tx, 1, contact="con_1")
        hear(tx, 2, contact="con_2", minutes=30)
        hear(tx, 3, state="failed", reason="mapping_error")
        hear(tx, 4, state="unmapped", reason="unknown_event")
        for number, reason in enumerate(("robot", "staff", "test"), 5):
            hear(tx, number, state="unmapped", reason=reason)
        hear(tx, 8, source="shop")
        hear(tx, 9, "", kind="page")
    told = Entry("site", "track", "Cart", 7, 2, 1, 1, 1, 1, 1, clock.text(TEN), clock.text(at(30)))
    for _ in range(2):
        found = {(entry.source, entry.type): entry for entry in entries(store)}
        assert found["site", "track"] == told
        assert found["site", "track"].apart == 3
        assert (found["shop", "track"].heard, found["site", "page"].name) == (1, "")
        fold(store)  # counted for good, it is the same


def test_the_counts_outlive_the_events(store: SqliteStore) -> None:
    with store.write() as tx:
        for number in range(5):
            hear(tx, number)
    fold(store)
    with store.write() as tx:
        tx.run("DELETE FROM events")
        hear(tx, 9, minutes=90)
    assert by_name(store)["Cart"].heard == 6


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=25),
    st.integers(1, 7),
    st.integers(0, 24),
)
def test_however_it_is_sliced_each_event_counts_once(
    shared: SqliteStore, heard: list[tuple[str, str]], size: int, pause: int
) -> None:
    with shared.write() as tx:
        for table in ("events", "catalogue", "source_hours", "cursors"):
            tx.run(f"DELETE FROM {table}")
    usual, catalogue.SLICE = catalogue.SLICE, size  # type: ignore[misc]
    try:
        for number, (name, source) in enumerate(heard):
            with shared.write() as tx:
                hear(tx, number, name, source=source)
            if number == pause:
                fold(shared)
        before = [(entry.source, entry.name, entry.heard) for entry in entries(shared)]
        assert fold(shared) <= len(heard) // size + 1
        after = [(entry.source, entry.name, entry.heard) for entry in entries(shared)]
    finally:
        catalogue.SLICE = usual  # type: ignore[misc]
    wanted = sorted({(source, name, heard.count((name, source))) for name, source in heard})
    assert before == after == wanted
    with shared.read() as tx:
        hours = {source: catalogue.hours(tx, source) for source in ("x", "y")}
    told = {source: sum(int(row["heard"]) for row in rows) for source, rows in hours.items()}
    assert told == {each: sum(source == each for _, source in heard) for each in ("x", "y")}


def test_what_is_not_written_yet_is_left_for_the_next_time(store: SqliteStore) -> None:
    """An id is made before its event is written, so that the youngest are not counted for good."""
    with store.write() as tx:
        hear(tx, 2, minutes=58)
        after, until = catalogue.span(tx, LATER - catalogue.LATE)
        assert (after, until) == ("", "")
        hear(tx, 1, minutes=57)
    assert by_name(store)["Cart"].heard == 2


def test_names_that_a_stranger_makes_up_take_a_bounded_room(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_NAMES", 3)
    with store.write() as tx:
        for number in range(20):
            hear(tx, number, f"made up {number}", state="unmapped", reason="unknown_event")
        hear(tx, 30, "signed up")
        hear(tx, 31, "signed up")
        hear(tx, 32, "Cart" * 1_000, source="other")
    for _ in range(2):
        found = by_name(store)
        assert found["signed up"].heard == 2, "what means something goes first"
        assert found[catalogue.REST].heard == 18
        assert len([entry for entry in found.values() if entry.source == "site"]) == 4
        assert max(len(name) for name in found) == catalogue.MAX_NAME
        fold(store)


def test_an_event_that_is_mended_moves_within_the_count(store: SqliteStore) -> None:
    with store.write() as tx:
        mended = hear(tx, 1, state="unmapped", reason="unknown_event")
        hear(tx, 2, state="unmapped", reason="robot")
    fold(store)
    with store.write() as tx:
        before = tx.one(events.GET, id=mended)
        events.settle(tx, mended, "done", "", "con_1", "m@1")
        after = tx.one(events.GET, id=mended)
        assert before is not None
        assert after is not None
        catalogue.became(tx, before, after)
    found = by_name(store)["Cart"]
    assert (found.heard, found.done, found.known, found.robots) == (2, 1, 1, 1)


def test_an_event_not_counted_yet_is_counted_as_it_stands(store: SqliteStore) -> None:
    with store.write() as tx:
        mended = hear(tx, 1, state="failed", reason="x")
        before = tx.one(events.GET, id=mended)
        events.settle(tx, mended, "done", "", "", "m@1")
        after = tx.one(events.GET, id=mended)
        assert before is not None
        assert after is not None
        catalogue.became(tx, before, after)
    fold(store)
    assert (by_name(store)["Cart"].done, by_name(store)["Cart"].failed) == (1, 0)


def test_hours_of_which_no_habit_is_told_are_dropped(store: SqliteStore) -> None:
    with store.write() as tx:
        hear(tx, 1)
    fold(store)
    with store.write() as tx:
        catalogue.forget_hours(tx, at() + catalogue.KEPT_HOURS)
        assert len(catalogue.hours(tx, "site")) == 1
        catalogue.forget_hours(tx, at() + catalogue.KEPT_HOURS + timedelta(hours=1))
        assert catalogue.hours(tx, "site") == []
        assert catalogue.last_heard(tx) == {"site": clock.text(TEN)}
