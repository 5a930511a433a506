"""Consents are only ever added to; a number's block and hold stand on the number's own row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger import consents
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.model import ConsentRow
from connector.rules.consent import standing

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "+12125550123"


def add(
    tx: Tx, minute: int, purpose: str, granted: bool, method: str = "web_form", wording: str = ""
) -> bool:
    at = NOW + minute * MINUTE
    return consents.add(
        tx,
        consent_id=f"cns_{minute:04}",
        phone=PHONE,
        purpose=purpose,
        granted=granted,
        method=method,
        wording=wording,
        source="backend",
        recorded_by="connector",
        event_id="evt_1",
        occurred_at=at,
        now=at,
        evidence={"page": "/signup"},
    )


def test_a_consent_keeps_all_that_proves_it(store: SqliteStore) -> None:
    with store.write() as tx:
        assert add(tx, 0, "marketing", True, wording="Yes, text me")
        [kept] = consents.rows(tx, PHONE)
        assert consents.history(tx, PHONE) == [ConsentRow("marketing", True, "web_form", NOW)]
        assert consents.history(tx, "+12125550124") == []
    assert (kept["action"], kept["wording"], kept["source"]) == (
        "granted",
        "Yes, text me",
        "backend",
    )
    assert (kept["evidence"], kept["event_id"], kept["recorded_by"]) == (
        '{"page":"/signup"}',
        "evt_1",
        "connector",
    )


def test_the_same_consent_again_adds_nothing(store: SqliteStore) -> None:
    with store.write() as tx:
        assert add(tx, 0, "marketing", True)
        assert not add(tx, 1, "marketing", True)
        assert add(tx, 2, "marketing", True, wording="other words")
        assert add(tx, 3, "marketing", True, method="import", wording="other words")
        assert add(tx, 4, "marketing", False)
        assert add(tx, 5, "service", True)
        assert len(consents.rows(tx, PHONE)) == 5


def test_two_consents_told_again_with_every_event_add_nothing(store: SqliteStore) -> None:
    with store.write() as tx:
        for minute in range(6):
            add(tx, 2 * minute, "marketing", True)
            add(tx, 2 * minute + 1, "cart_reminders", True)
        assert len(consents.rows(tx, PHONE)) == 2


def test_rows_are_told_in_the_order_in_which_they_occurred(store: SqliteStore) -> None:
    with store.write() as tx:
        add(tx, 5, "all", False, "reply")
        add(tx, 2, "marketing", True)
        assert [row.purpose for row in consents.history(tx, PHONE)] == ["marketing", "all"]


STOP = ("all", False, "reply")
LIFTS = [("all", True, "reply"), ("marketing", True, "double_opt_in")]


@pytest.mark.parametrize("stop", [STOP, ("marketing", False, "reply")])
@pytest.mark.parametrize("lift", LIFTS)
def test_a_second_stop_after_its_lifting_is_kept_though_it_says_the_same(
    store: SqliteStore, stop: tuple[str, bool, str], lift: tuple[str, bool, str]
) -> None:
    with store.write() as tx:
        add(tx, 0, "marketing", True)
        for minute, (purpose, granted, method) in enumerate((stop, lift, stop), 1):
            assert add(tx, minute, purpose, granted, method, "STOP")
        assert standing(consents.history(tx, PHONE)).stopped


def test_a_consent_given_again_after_a_stop_is_kept(store: SqliteStore) -> None:
    with store.write() as tx:
        add(tx, 0, "marketing", True)
        add(tx, 1, *STOP)
        assert add(tx, 2, "marketing", True)


SAID = st.lists(
    st.tuples(
        st.sampled_from(["all", "marketing", "service", "cart_reminders"]),
        st.booleans(),
        st.sampled_from(["reply", "web_form", "double_opt_in", "provider"]),
    ),
    max_size=10,
)


@given(SAID)
@settings(max_examples=200, deadline=None)
def test_leaving_out_what_was_said_before_never_changes_what_stands(
    shared: SqliteStore, said: list[tuple[str, bool, str]]
) -> None:
    every = [
        ConsentRow(purpose, granted, method, NOW + minute * MINUTE)
        for minute, (purpose, granted, method) in enumerate(said)
    ]
    with shared.write() as tx:
        tx.run("DELETE FROM consents")
        for minute, (purpose, granted, method) in enumerate(said):
            add(tx, minute, purpose, granted, method)
        assert standing(consents.history(tx, PHONE)) == standing(every)


def test_a_number_is_touched_before_it_is_known_and_keeps_what_it_is(store: SqliteStore) -> None:
    with store.write() as tx:
        assert consents.number(tx, PHONE) is None
        consents.touch(tx, PHONE, "mobile", "US")
        consents.touch(tx, PHONE)
        number = consents.number(tx, PHONE)
        assert number is not None
        assert (number["type"], number["country"], number["touched"]) == ("mobile", "US", 2)
        consents.set_type(tx, PHONE, "fixed_line")
        assert consents.number(tx, PHONE)["type"] == "fixed_line"  # type: ignore[index]


def test_a_block_stands_on_the_number_until_it_is_lifted(store: SqliteStore) -> None:
    with store.write() as tx:
        consents.touch(tx, PHONE)
        consents.block(tx, PHONE, "all", "reply", NOW)
        number = consents.number(tx, PHONE)
        assert number is not None
        assert (number["blocked_scope"], number["blocked_by"]) == ("all", "reply")
        assert number["blocked_at"]
        consents.block(tx, PHONE, "", "", NOW)
        number = consents.number(tx, PHONE)
        assert number is not None
        assert (number["blocked_scope"], number["blocked_at"]) == ("", None)


def test_a_hold_waits_on_the_number_until_somebody_ends_it(store: SqliteStore) -> None:
    with store.write() as tx:
        consents.hold(tx, PHONE, "unclear", NOW)
        number = consents.number(tx, PHONE)
        assert number is not None
        assert (number["held_why"], bool(number["held_at"])) == ("unclear", True)
        consents.hold(tx, PHONE, "", None)
        assert consents.number(tx, PHONE)["held_at"] is None  # type: ignore[index]
