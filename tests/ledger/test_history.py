"""What a person did, out of the ledger: as the plain list tells it, by index, each asked once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import clock
from connector.expressions import compile_expression
from connector.ledger import history
from connector.ledger.history import LedgerHistory
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.rules.history import History, Segments, Told
from connector.rules.plays import Segment
from tests.ledger.build import at

HOUR = timedelta(hours=1)
ADD = """INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
    VALUES (:id, '', :name, :contact, '', :at, 1, '{}')"""
SIGNALS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(-50, 10).map(lambda hours: at(hours * 60))),
    max_size=15,
)
SPANS = st.none() | st.integers(1, 60).map(lambda hours: timedelta(hours=hours))
QUESTIONS = st.lists(
    st.tuples(st.sampled_from(["count", "did", "first", "last"]), st.sampled_from("ab"), SPANS),
    max_size=8,
)


def did(tx: Tx, name: str, *hours: float, contact: str = "con_1") -> None:
    """Signals of a contact, so many hours after ten."""
    for hour in hours:
        tell(tx, name, at(hour * 60), contact)


def tell(tx: Tx, name: str, moment: datetime, contact: str = "con_1") -> None:
    tx.run(ADD, id=clock.new_id("sig"), name=name, contact=contact, at=clock.text(moment))


def ask(told: History, question: tuple[str, str, timedelta | None]) -> Any:
    what, name, span = question
    if what in ("count", "did"):
        found = told.count(name, span, 1 if what == "did" else 0)
        return bool(found) if what == "did" else found
    return getattr(told, what)(name)


class Counting:
    """A transaction that counts what is asked of it."""

    skip_locked = ""
    for_update = ""
    heads: dict[str, tuple[int, str]] | None = None

    def __init__(self, tx: Tx) -> None:
        self._tx, self.asked = tx, 0

    def one(self, sql: str, **values: Any) -> Row | None:
        self.asked += 1
        return self._tx.one(sql, **values)

    def all(self, sql: str, **values: Any) -> list[Row]:
        raise AssertionError("a history asks for one row at a time")

    def run(self, sql: str, **values: Any) -> int:
        raise AssertionError("a history writes nothing")


@settings(max_examples=60, deadline=None)
@given(SIGNALS, QUESTIONS)
def test_the_ledger_tells_what_the_plain_list_tells(
    shared: SqliteStore,
    signals: list[tuple[str, datetime]],
    questions: list[tuple[str, str, timedelta | None]],
) -> None:
    with shared.write() as tx:
        tx.run("DELETE FROM signals")
        tell(tx, "a", at(-60), "con_2")
        for name, moment in signals:
            tell(tx, name, moment)
    with shared.read() as tx:
        read, plain = LedgerHistory(tx, "con_1", at()), Told(signals, at())
        for question in questions:
            assert ask(read, question) == ask(plain, question)
            assert read.changes_at == plain.changes_at


def test_the_instant_itself_counts_and_what_came_later_is_never_read(store: SqliteStore) -> None:
    with store.write() as tx:
        did(tx, "seen", -24, -1, 0, 0.001, 5)
        told = LedgerHistory(tx, "con_1", at())
        assert told.count("seen", None) == 3
        assert told.count("seen", 24 * HOUR) == 2
        assert told.last("seen") == at()
        assert told.first("seen") == at(-24 * 60)


def test_each_question_is_one_read_and_the_same_question_none(store: SqliteStore) -> None:
    with store.write() as tx:
        did(tx, "seen", -30, -1)
        counting = Counting(tx)
        told = LedgerHistory(counting, "con_1", at())
        assert counting.asked == 0
        asked = compile_expression(
            "did('seen') and did('seen', within='2h') and not did('seen', within='1h') "
            "and days_since(last('seen')) < 1 and count('seen') == 2 and count('seen') > 1 "
            "and count('seen', within='2d') == 2 and count('seen', within='2d') < 9",
            strict=True,
        )
        assert asked({"history": told, "now": clock.text(at())}) is True
        assert counting.asked == 3  # the last one; all of them; those of two days


def test_an_expression_without_history_reads_nothing(store: SqliteStore) -> None:
    with store.read() as tx:
        counting = Counting(tx)
        context = {"history": LedgerHistory(counting, "con_1", at()), "contact": {"age": 3}}
        assert compile_expression("contact.age > 2", strict=True)(context) is True
        assert counting.asked == 0


@pytest.mark.parametrize("sql", [history.COUNT, history.FIRST, history.LAST])
def test_every_question_is_answered_from_the_index_alone(store: SqliteStore, sql: str) -> None:
    with store.read() as tx:
        values = {"contact": "con_1", "name": "a", "until": "z", "since": "", "most": 9}
        plan = [row["detail"] for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", **values)]
    assert any("USING COVERING INDEX signals_contact" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line or line.startswith("SCAN signals") for line in plan), plan


def test_a_count_ends_at_its_bound(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.run(
            """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
            INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
            SELECT 'sig_' || i, '', 'seen', 'con_1', '', :at, 1, '{}' FROM n""",
            at=clock.text(at(-1)),
        )
        assert LedgerHistory(tx, "con_1", at()).count("seen", None) == history.MOST


def test_segments_are_asked_of_the_same_person(store: SqliteStore) -> None:
    with store.write() as tx:
        did(tx, "order", -1)
        did(tx, "order", -1, -2, contact="con_2")
        when = compile_expression("count('order', within='1d') == 1", strict=True)
        known = {"new": Segment("new", when, when.source)}
        answers = {}
        for contact in ("con_1", "con_2"):
            told = LedgerHistory(tx, contact, at())
            told.segments = Segments(known, partial(dict, history=told))
            answers[contact] = (told.in_segment("new"), told.changes_at)
        assert answers["con_1"] == (True, at(-60) + 24 * HOUR)
        assert answers["con_2"] == (False, at(-120) + 24 * HOUR)
        assert not LedgerHistory(tx, "con_1", at()).in_segment("new")
