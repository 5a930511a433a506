"""Events are kept once, the first body stands, and what cannot be read is kept within bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import clock
from connector.ledger import cursors, events
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row
from connector.model import Event, Signal, Subject

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVENT = Event("evt_1", "site", "m-1", "track", "Cart Updated", NOW, NOW + MINUTE, {"value": 42.5})


def row(store: SqliteStore, event_id: str = "evt_1") -> Row:
    with store.read() as tx:
        found = tx.one("SELECT * FROM events WHERE id = :id", id=event_id)
    assert found is not None
    return found


def test_an_event_is_kept_as_it_was_told(store: SqliteStore) -> None:
    with store.write() as tx:
        assert events.record(tx, replace(EVENT, back_fill=True))
        assert events.get(tx, "evt_1") == replace(EVENT, back_fill=True)
        assert events.get(tx, "evt_2") is None


def test_the_same_key_again_is_counted_and_nothing_else(store: SqliteStore) -> None:
    with store.write() as tx:
        events.record(tx, EVENT)
        events.settle(tx, "evt_1", "failed", "mapping_error: value")
        assert not events.record(tx, replace(EVENT, id="evt_2"))
    kept = row(store)
    assert (kept["repeats"], kept["conflicts"], kept["state"]) == (1, 0, "failed")


def test_another_body_under_a_known_key_is_a_conflict_and_the_first_stands(
    store: SqliteStore,
) -> None:
    with store.write() as tx:
        events.record(tx, EVENT)
        assert not events.record(tx, replace(EVENT, id="evt_2", payload={"value": 1}))
        assert events.get(tx, "evt_1") == EVENT
    assert (row(store)["repeats"], row(store)["conflicts"]) == (1, 1)


def test_what_is_new_at_each_try_to_send_it_makes_no_other_body(store: SqliteStore) -> None:
    first = {"value": 1, "sentAt": "2026-11-17T17:00:00Z", "_metadata": {"bundled": []}}
    again = {"value": 1, "sentAt": "2026-11-17T17:00:09Z", "_metadata": {"retryCount": 2}}
    with store.write() as tx:
        events.record(tx, replace(EVENT, payload=first))
        assert not events.record(tx, replace(EVENT, id="evt_2", payload=again))
    assert (row(store)["repeats"], row(store)["conflicts"]) == (1, 0)


def test_a_key_is_its_sources_own(store: SqliteStore) -> None:
    with store.write() as tx:
        assert events.record(tx, EVENT)
        assert events.record(tx, replace(EVENT, id="evt_2", source="shop"))


def test_what_became_of_an_event_is_said_with_its_reason(store: SqliteStore) -> None:
    with store.write() as tx:
        events.record(tx, EVENT)
        events.settle(tx, "evt_1", "done", "why " * 500, "con_1", "segment@v1")
    kept = row(store)
    assert (kept["state"], kept["contact_id"], kept["mapping"]) == ("done", "con_1", "segment@v1")
    assert len(kept["reason"]) == 500


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 8, 2, 30, tzinfo=UTC),
    ],
)
def test_every_instant_that_a_sender_may_write_comes_back_and_sorts(instant: datetime) -> None:
    assert clock.instant(clock.text(instant)) == instant
    assert len(clock.text(instant)) == len(clock.text(NOW))
    assert (clock.text(instant) < clock.text(NOW)) == (instant < NOW)


def signal(**changes: object) -> Signal:
    made = Signal("cart_updated", Subject(user_id="u-7"), {"value": 42.5}, {}, key="cart-7")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_sensitive_facts_are_kept_and_told_apart(store: SqliteStore) -> None:
    secret = signal(facts={"value": 1, "a": "x", "b": "y"}, sensitive=frozenset({"a", "b"}))
    with store.write() as tx:
        events.add_signal(tx, secret, EVENT, "con_1", "sig_1")
        kept = tx.one("SELECT * FROM signals")
    assert kept is not None
    assert '"a":"x"' in kept["facts"]
    assert events.signal_facts(kept) == {"value": 1}


def test_signals_are_heard_by_name_after_an_instant_in_the_order_they_occurred(
    store: SqliteStore,
) -> None:
    with store.write() as tx:
        for number, minutes in enumerate((5, 1, 3)):
            event = replace(EVENT, id=f"evt_{number}", occurred_at=NOW + minutes * MINUTE)
            events.add_signal(tx, signal(), event, "con_1", f"sig_{number}")
        events.add_signal(tx, signal(), EVENT, "con_2", "sig_8")
        events.add_signal(tx, signal(name="other"), EVENT, "con_1", "sig_9")
    with store.read() as tx:
        heard = events.heard(tx, "con_1", "cart_updated", NOW)
        assert [each["id"] for each in heard] == ["sig_1", "sig_2", "sig_0"]
        assert len(events.heard(tx, "con_1", "cart_updated", NOW + MINUTE)) == 2, "not the instant"
        assert len(events.heard(tx, "con_1", "cart_updated", NOW, limit=1)) == 1


def keep(store: SqliteStore, count: int, size: int = 1, source: str = "site") -> None:
    with store.write() as tx:
        for number in range(count):
            events.keep_unreadable(
                tx, f"unr_{source}_{number:05}", source, "bad", b"x" * size, NOW + number * MINUTE
            )


def unreadable(store: SqliteStore, source: str = "site") -> list[str]:
    with store.read() as tx:
        rows = tx.all("SELECT id FROM unreadable WHERE source = :s ORDER BY id", s=source)
    return [str(each["id"]) for each in rows]


def test_what_cannot_be_read_is_kept_with_all_that_a_replay_needs(store: SqliteStore) -> None:
    with store.write() as tx:
        events.keep_unreadable(
            tx, "unr_1", "shop", "not JSON", b'{"a": \xff', NOW, "https://x/in/shop", {"h": "v"}
        )
        kept = tx.one("SELECT * FROM unreadable")
    assert kept is not None
    assert (kept["reason"], kept["url"], kept["headers"]) == (
        "not JSON",
        "https://x/in/shop",
        '{"h":"v"}',
    )
    assert (kept["body"], kept["bytes"]) == ('{"a": \ufffd', 7)


def test_a_source_keeps_its_last_thousand_unreadable_pieces_and_the_rest_are_counted(
    store: SqliteStore,
) -> None:
    keep(store, 1_003)
    keep(store, 1, source="shop")
    kept = unreadable(store)
    assert (len(kept), kept[0]) == (1_000, "unr_site_00003")
    assert len(unreadable(store, "shop")) == 1
    with store.read() as tx:
        assert cursors.counts(tx) == {"unreadable_dropped.site": 3}


def test_large_unreadable_pieces_are_bounded_by_their_bytes(store: SqliteStore) -> None:
    keep(store, 7, size=10_000_000)
    assert unreadable(store) == [f"unr_site_{number:05}" for number in range(2, 7)]


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS
JSON = st.recursive(
    PLAIN | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(WORDS, JSON, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_payload_comes_back_as_it_was(shared: SqliteStore, payload: dict[str, object]) -> None:
    event = replace(EVENT, payload=payload)
    with shared.write() as tx:
        tx.run("DELETE FROM events")
        events.record(tx, event)
        assert events.get(tx, "evt_1") == event
        assert not events.record(tx, event)
        kept = tx.one("SELECT conflicts FROM events")
    assert kept is not None
    assert kept["conflicts"] == 0
