"""The inbox: every delivery once and in order, each source its share, the disk's no, and after."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import Overloaded, StorageRefused
from connector.ledger import inbox
from connector.ledger.inbox import Delivery, Inbox, InboxReader

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


class Desk:
    """An inbox, its reader, and the worker's cursor in plain sight."""

    def __init__(self, folder: Path, **bounds: int) -> None:
        self.path = folder / "inbox.db"
        self.moved = 0
        self.wakes = 0
        self._bounds = bounds
        self.reader = InboxReader(self.path)
        self.open()

    def open(self) -> None:
        self.inbox = Inbox(self.path, moved=lambda: self.moved, wake=self.wake, **self._bounds)

    def wake(self) -> None:
        self.wakes += 1

    def put(self, source: str = "site", body: bytes = b"{}", kind: str = "events") -> None:
        self.inbox.append(Delivery(kind, source, NOW, body))

    def all(self) -> list[Delivery]:
        return self.reader.after(0, 100_000)

    def close(self) -> None:
        self.reader.close()
        self.inbox.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_delivery_is_read_as_it_was_written(desk: Desk) -> None:
    told = Delivery(
        "unreadable", "shop", NOW, b"\xff{", "https://x.example/in/shop?a=1", {"x-topic": "o"}, "no"
    )
    desk.inbox.append(told)
    [read] = desk.all()
    assert (read.seq, read.kind, read.source, read.received_at) == (1, "unreadable", "shop", NOW)
    assert (read.body, read.url, read.headers, read.reason) == (
        b"\xff{",
        "https://x.example/in/shop?a=1",
        {"x-topic": "o"},
        "no",
    )


def test_it_is_on_disk_when_append_returns(desk: Desk) -> None:
    desk.put(body=b"1")
    other = sqlite3.connect(desk.path)
    assert other.execute("SELECT body FROM inbox").fetchall() == [(b"1",)]
    other.close()
    assert desk.wakes == 1, "and the worker has been called"


def test_the_reader_goes_on_after_a_number_in_order_and_in_pieces(desk: Desk) -> None:
    for number in range(7):
        desk.put(body=b"%d" % number)
    first = desk.reader.after(0, 3)
    second = desk.reader.after(first[-1].seq, 3)
    rest = desk.reader.after(second[-1].seq, 3)
    assert [each.body for each in (*first, *second, *rest)] == [b"%d" % n for n in range(7)]
    assert desk.reader.after(rest[-1].seq, 3) == []


def test_there_is_nothing_to_read_before_the_web_has_opened_the_file(tmp_path: Path) -> None:
    reader = InboxReader(tmp_path / "inbox.db")
    assert reader.after(0, 10) == []
    made = Desk(tmp_path)
    made.put()
    assert len(reader.after(0, 10)) == 1
    reader.close()
    made.close()


def test_threads_hammering_at_once_lose_and_double_nothing(desk: Desk) -> None:
    """Two doors of one web process, each waiting for its answer before it goes on."""
    each, names = 400, ("left", "right")
    gate = threading.Barrier(len(names))

    def hammer(source: str) -> None:
        gate.wait()
        for number in range(each):
            desk.put(source, b"%d" % number)

    threads = [threading.Thread(target=hammer, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = desk.all()
    assert [delivery.seq for delivery in kept] == list(range(1, len(names) * each + 1))
    for name in names:
        bodies = [delivery.body for delivery in kept if delivery.source == name]
        assert bodies == [b"%d" % number for number in range(each)]
    assert desk.inbox.accepted == dict.fromkeys(names, each)


# -- shares ------------------------------------------------------------------------------------


def test_a_source_past_its_share_is_refused_while_others_and_callbacks_pass(tmp_path: Path) -> None:
    desk = Desk(tmp_path, share=3)
    for _ in range(3):
        desk.put("site")
    with pytest.raises(Overloaded, match="3 deliveries of site") as refusal:
        desk.put("site")
    assert refusal.value.retry_after > 0
    with pytest.raises(Overloaded):
        desk.put("site", kind="unreadable")
    desk.put("shop")
    for _ in range(5):
        desk.put("twilio", kind="callback")
    assert len(desk.all()) == 9
    assert desk.inbox.waiting() == {"site": 3, "shop": 1, "twilio": 5}
    desk.close()


def test_the_share_is_free_again_as_the_worker_moves_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, share=2)
    desk.put("site")
    desk.put("site")
    desk.moved = 1
    desk.put("site")
    with pytest.raises(Overloaded):
        desk.put("site")
    desk.moved = 3
    desk.put("site")
    assert desk.inbox.waiting() == {"site": 1}
    desk.close()


def test_a_large_delivery_takes_as_much_of_the_share_as_it_has_kib(tmp_path: Path) -> None:
    desk = Desk(tmp_path, share=100)
    desk.put("site", b"x" * 98 * 1024)
    assert desk.inbox.waiting() == {"site": 99}
    desk.put("site")
    with pytest.raises(Overloaded):
        desk.put("site")
    desk.put("shop")
    desk.moved = 1
    desk.inbox.refresh()
    assert desk.inbox.waiting() == {"site": 1, "shop": 1}
    desk.close()


def test_large_deliveries_are_read_a_few_at_a_time(desk: Desk) -> None:
    for _ in range(5):
        desk.put(body=b"x" * 400_000)
    desk.put(body=b"y" * 4_000_000)
    assert [each.seq for each in desk.reader.after(0, 64)] == [1, 2, 3]
    assert [each.seq for each in desk.reader.after(3, 64)] == [4, 5, 6]
    assert [each.seq for each in desk.reader.after(5, 64)] == [6]


def test_the_share_counts_what_waited_before_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path, share=2)
    desk.put("site")
    desk.put("site")
    desk.inbox.close()
    desk.open()
    with pytest.raises(Overloaded):
        desk.put("site")
    desk.close()


# -- the disk ----------------------------------------------------------------------------------

LARGE = b"x" * 40_000


def fill(desk: Desk) -> int:
    """Append until the disk refuses; how many were taken."""
    for taken in range(1_000):
        try:
            desk.put(body=LARGE)
        except StorageRefused:
            return taken
    raise AssertionError("the bound was never met")


def test_a_full_disk_refuses_and_keeps_all_that_was_taken(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_pages=100)
    taken = fill(desk)
    assert taken > 3
    assert [delivery.seq for delivery in desk.all()] == list(range(1, taken + 1))
    desk.close()


def test_after_a_full_disk_there_is_room_again_as_soon_as_the_worker_has_moved_on(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, max_pages=100)
    taken = fill(desk)
    desk.moved = taken
    again = fill(desk)
    assert again >= taken - 1, "the very next one is taken"
    assert [each.seq for each in desk.all()][-again:] == list(range(taken + 1, taken + again + 1))
    desk.close()


def test_a_small_delivery_may_still_find_room_on_a_full_disk(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_pages=100)
    taken = fill(desk)
    desk.put("twilio", b"STOP", "callback")
    assert desk.all()[-1].seq == taken + 1
    desk.close()


def refusing(desk: Desk, body: bytes) -> sqlite3.Connection:
    """Another hand on the file, under which the disk gives out at a delivery with this body."""
    hand = sqlite3.connect(desk.path, isolation_level=None)
    hand.execute(
        f"CREATE TRIGGER gives_out BEFORE INSERT ON inbox WHEN NEW.body = x'{body.hex()}' "
        "BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END"
    )
    return hand


def together(desk: Desk, bodies: list[bytes]) -> list[bytes]:
    """Append all in one commit, one thread each; the bodies that were refused."""
    refused = []

    def put(body: bytes) -> None:
        try:
            desk.put(body=body)
        except StorageRefused:
            refused.append(body)

    threads = [threading.Thread(target=put, args=(body,)) for body in bodies]
    with desk.inbox._lock:  # the disk is busy while they come
        for thread in threads:
            thread.start()
        while len(desk.inbox._queue) < len(threads):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    return sorted(refused)


def test_those_who_wait_together_share_one_commit(desk: Desk) -> None:
    assert together(desk, [b"%d" % number for number in range(12)]) == []
    assert len(desk.all()) == 12
    assert desk.wakes == 1


@pytest.mark.parametrize("bad", [0, 2, 4])
def test_a_batch_that_fails_midway_is_refused_to_all_of_it_and_nothing_of_it_is_kept(
    desk: Desk, bad: int
) -> None:
    desk.put(body=b"before")
    bodies = [b"%d" % number for number in range(5)]
    hand = refusing(desk, bodies[bad])
    assert together(desk, bodies) == bodies
    assert [delivery.body for delivery in desk.all()] == [b"before"]
    hand.execute("DROP TRIGGER gives_out")
    hand.close()
    assert together(desk, bodies) == []
    kept = desk.all()
    assert [each.seq for each in kept] == [1, 2, 3, 4, 5, 6]
    assert kept[0].body == b"before"
    assert sorted(each.body for each in kept[1:]) == bodies
    assert desk.inbox.waiting() == {"site": 6}


# -- forgetting --------------------------------------------------------------------------------


def test_what_the_worker_has_moved_is_forgotten_later(tmp_path: Path) -> None:
    desk = Desk(tmp_path, forget_at=3)
    for _ in range(6):
        desk.put()
    desk.moved = 2
    desk.inbox.refresh()
    assert len(desk.all()) == 6, "too few to be worth it"
    desk.moved = 4
    desk.inbox.refresh()
    assert [delivery.seq for delivery in desk.all()] == [5, 6]
    assert desk.inbox.waiting() == {"site": 2}
    desk.close()


def test_what_was_moved_does_not_stand_long_however_little_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    for _ in range(3):
        desk.put()
    desk.moved = 2
    desk.inbox.close()
    desk.open()  # also what was moved before a restart
    desk.inbox.refresh()
    assert len(desk.all()) == 3
    monkeypatch.setattr(inbox, "FORGET_SECONDS", 0.0)
    desk.inbox.refresh()
    assert [delivery.seq for delivery in desk.all()] == [3]
    desk.close()


def test_a_number_is_never_given_again_even_when_all_before_is_forgotten(tmp_path: Path) -> None:
    desk = Desk(tmp_path, forget_at=1)
    for _ in range(4):
        desk.put()
    desk.moved = 4
    desk.inbox.refresh()
    assert desk.all() == []
    desk.inbox.close()
    desk.open()
    desk.put()
    assert [delivery.seq for delivery in desk.all()] == [5]
    desk.close()


@given(st.lists(st.sampled_from(["put", "move", "refresh", "restart"]), max_size=25))
@settings(max_examples=20, deadline=None)
def test_the_worker_meets_every_delivery_once_and_in_order_whatever_happens_between(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"), forget_at=2)
    met: list[bytes] = []
    put = 0
    try:
        for act in [*acts, "move"]:
            if act == "put":
                desk.put(body=b"%d" % put)
                put += 1
            elif act == "move":
                for delivery in desk.reader.after(desk.moved, 2):
                    met.append(delivery.body)
                    desk.moved = delivery.seq
            elif act == "refresh":
                desk.inbox.refresh()
            else:
                desk.inbox.close()
                desk.open()
        while found := desk.reader.after(desk.moved, 2):
            met += [delivery.body for delivery in found]
            desk.moved = found[-1].seq
    finally:
        desk.close()
    assert met == [b"%d" % number for number in range(put)]
