"""What goes to a CRM together, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.rules.flush import longest_wait
from tests.steps.outbox import MINUTE, NOW, SECOND, Outbox, opened

WAIT = longest_wait(MINUTE)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Outbox]:
    place = opened(tmp_path)
    yield place
    place.store.close()


def test_a_change_waits_so_that_others_go_along(place: Outbox) -> None:
    place.note("a")
    assert place.next_due() == NOW + WAIT
    place.now = NOW + WAIT - SECOND
    place.note("b", "con_2")
    assert place.flush() == 0
    place.now = NOW + WAIT
    assert place.flush() == 2, "what was owed a second ago goes along"
    assert place.crm_there.sizes == [("activity create", 2)]
    assert place.next_due() is None


def test_ten_changes_of_one_contact_are_one_update(place: Outbox) -> None:
    for _ in range(10):
        place.changed()
        place.now += SECOND
    place.drain()
    assert place.crm_there.sizes == [("fields", 1)]


def test_a_text_and_its_receipt_within_the_wait_are_one_activity(place: Outbox) -> None:
    send_id = place.text(1)
    place.now += 30 * SECOND
    place.receipt(send_id)
    place.drain()
    assert place.crm_there.calls == {"activity create": 1, "fields": 1}
    assert place.crm_there.what(f"send:{send_id}")["status"] == "Delivered"


def test_a_call_that_nothing_due_travels_in_is_not_made(place: Outbox) -> None:
    place.note("a")
    place.now += 50 * SECOND
    place.changed("con_2")
    place.now = NOW + WAIT
    place.flush()
    assert place.crm_there.calls == {"activity create": 1}, "the fields wait for their own time"
    assert place.next_due() == NOW + 50 * SECOND + WAIT


def test_each_kind_of_call_is_filled_up_by_itself(tmp_path: Path) -> None:
    place = opened(tmp_path, 12)
    place.crm_there.batch = 10
    for person in range(1, 13):
        place.text(person)
    place.now += WAIT
    place.flush()
    assert sorted(place.crm_there.sizes[:2]) == [("activity create", 10), ("fields", 10)]
    place.drain()
    assert place.crm_there.calls == {"activity create": 2, "fields": 2}
    place.store.close()


def test_what_waits_behind_a_full_call_keeps_its_order(place: Outbox) -> None:
    place.crm_there.batch = 2
    for name in "abc":
        place.note(name)
        place.now += SECOND
    place.changed()
    place.drain()
    assert place.crm_there.sizes == [("activity create", 2), ("activity create", 1), ("fields", 1)]


def test_a_hot_reply_is_a_task_at_once_and_takes_along_what_came_before_it(place: Outbox) -> None:
    place.text(1)
    place.now += SECOND
    reply = place.reply(1, "Call me, I want two of them!", hot=True)
    assert place.next_due() == place.now
    place.flush()
    task = place.crm_there.what(f"task:reply:{reply}")
    assert task["subject"] == "Reply: Call me, I want two of them!"
    assert "Call me" in task["body"] and task["status"] == "Open"
    assert set(place.crm_there.keys()) == {"send:snd_1", f"reply:{reply}", f"task:reply:{reply}"}


def test_a_hot_reply_passes_what_the_crm_was_too_busy_for(place: Outbox) -> None:
    place.note("a")
    with place.store.write() as tx:  # it was tried, and is far from due
        tx.run("UPDATE writebacks SET due_at = :at, waits = 0", at="2026-11-21T00:00:00.000000Z")
    reply = place.reply(1, "Call me", hot=True)
    place.flush()
    assert list(place.crm_there.keys()) == [f"task:reply:{reply}"]
    assert place.rows("state")["note:a"]["state"] == "owed"
    assert place.rows("state")[f"reply:{reply}"]["state"] == "owed", "a reply keeps its order"


def test_a_hot_reply_is_one_task_however_often_it_is_heard(place: Outbox) -> None:
    from connector.ledger import outcomes
    from connector.steps import owed

    reply = place.reply(1, "Call me", hot=True)
    place.flush()
    with place.store.write() as tx:
        owed.hot_reply(tx, place.crm, outcomes.get_reply(tx, reply), place.now)
    place.drain()
    assert place.crm_there.keys()[f"task:reply:{reply}"] == 1


def test_nobodys_words_wait_in_the_outbox_for_the_task(place: Outbox) -> None:
    place.reply(1, "My secret", hot=True)
    assert {row["change"] for row in place.rows("change").values()} == {"{}"}


def test_at_one_text_a_minute_each_is_on_the_record_within_ninety_seconds(place: Outbox) -> None:
    worst = timedelta(0)
    for minute in range(10):
        place.now = NOW + minute * MINUTE
        began, key = place.now, f"send:{place.text(1, f'_{minute}')}"
        while not place.crm_there.keys()[key]:
            place.now += SECOND
            place.flush()
        worst = max(worst, place.now - began)
        place.now = max(place.now, NOW + (minute + 1) * MINUTE)
    assert timedelta(0) < worst <= timedelta(seconds=90)


def test_without_a_wait_everything_goes_at_once(place: Outbox) -> None:
    place.flush_after = timedelta(0)
    place.text(1)
    assert place.next_due() == NOW
    assert place.flush() == 2


def test_a_thousand_texts_with_their_receipts_fill_their_calls(tmp_path: Path) -> None:
    place = opened(tmp_path, 300)
    for person in range(1, 301):
        place.now = NOW + person * SECOND
        place.text(person)
        place.receipt(f"snd_{person}")
        place.flush()
    place.drain()
    assert len(place.crm_there.made) == 300
    assert place.crm_there.calls.total() <= 10
    place.store.close()
