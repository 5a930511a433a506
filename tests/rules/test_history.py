"""What a person did, from a plain list: counts, windows, edges, and segments within segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ExpressionFailed
from connector.expressions import compile_expression
from connector.rules.history import Segments, Told, sooner
from connector.rules.plays import Segment

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENTS = st.integers(0, 40).map(lambda hours: NOON - timedelta(hours=hours))
SPANS = st.sampled_from([timedelta(hours=hours) for hours in (1, 2, 24, 40)])


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


def segment(name: str, when: str) -> Segment:
    expression = compile_expression(when, strict=True)
    return Segment(name, expression, when, "", expression.signals, expression.paths)


def person(*segments: Segment, **contact: Any) -> Told:
    """The history of somebody who ordered a day ago, with segments to ask for."""
    history = Told([("order", ago(days=1))], NOON)
    context = {"contact": contact, "history": history, "now": NOON.isoformat()}
    known = {each.name: each for each in segments}
    history._segments = Segments(known, lambda: context)
    return history


def test_a_window_holds_what_is_younger_than_it_and_nothing_of_tomorrow() -> None:
    told = Told(
        [("seen", ago(days=1)), ("seen", ago(hours=23)), ("seen", NOON), ("seen", ago(hours=-1))],
        NOON,
    )
    assert told.count("seen", DAY) == 2
    assert told.count("seen", DAY + timedelta(seconds=1)) == 3
    assert told.count("seen", None) == 3
    assert (told.first("seen"), told.last("seen")) == (ago(days=1), NOON)
    assert told.count("other", None) == 0
    assert told.first("other") is None and told.last("other") is None


def test_a_count_changes_as_its_oldest_leaves_and_a_yes_as_its_last_leaves() -> None:
    seen = [("seen", ago(hours=20)), ("seen", ago(hours=5))]
    counted, asked = Told(seen, NOON), Told(seen, NOON)
    counted.count("seen", DAY)
    asked.count("seen", DAY, 1)
    assert counted.changes_at == ago(hours=20) + DAY
    assert asked.changes_at == ago(hours=5) + DAY


def test_what_has_no_window_never_changes_by_time_alone() -> None:
    told = Told([("seen", ago(days=1))], NOON)
    told.count("seen", None)
    told.count("seen", timedelta(hours=1))
    told.first("seen")
    told.last("seen")
    assert told.changes_at is None


@given(st.lists(st.tuples(st.sampled_from("ab"), MOMENTS), max_size=12), SPANS, st.integers(0, 2))
def test_until_it_changes_an_answer_stays_and_then_it_is_another(
    signals: list[tuple[str, datetime]], span: timedelta, enough: int
) -> None:
    told = Told(signals, NOON)
    found = told.count("a", span, enough)
    if told.changes_at is None:
        assert found == 0 or found < enough
        return
    just_before = Told(signals, told.changes_at - timedelta(microseconds=1))
    then = Told(signals, told.changes_at)
    if enough:
        assert min(just_before.count("a", span), enough) == min(found, enough)
        assert min(then.count("a", span), enough) < max(1, min(found, enough))
    else:
        assert just_before.count("a", span) == found > then.count("a", span)


def test_the_sooner_of_two_instants_may_be_the_only_one() -> None:
    assert sooner(NOON, ago(days=1)) == ago(days=1)
    assert sooner(None, NOON) == sooner(NOON, None) == NOON
    assert sooner(None, None) is None


def test_segments_ask_for_segments() -> None:
    history = person(
        segment("buyer", "did('order', within='30d')"),
        segment("vip_buyer", "in_segment('buyer') and contact.vip"),
        vip=True,
    )
    assert history.in_segment("vip_buyer")
    assert history.changes_at == ago(days=1) + timedelta(days=30)


def test_a_segment_is_asked_once_for_a_person() -> None:
    asked = []

    def when(context: Any) -> bool:
        asked.append(context)
        return True

    history = person(Segment("vip", when, ""))
    assert history.in_segment("vip") and history.in_segment("vip")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ([], "there is no segment a"),
        ([("a", "in_segment('a')")], "segment a: the segment a asks for itself"),
        (
            [("a", "in_segment('b')"), ("b", "not in_segment('a')")],
            "segment a: segment b: the segment a asks for itself",
        ),
        ([("a", "contact.vip")], "segment a: contact.vip has no value"),
    ],
)
def test_what_cannot_be_told_is_a_fault_and_no_answer(
    segments: list[tuple[str, str]], says: str
) -> None:
    history = person(*(segment(*each) for each in segments))
    with pytest.raises(ExpressionFailed) as caught:
        history.in_segment("a")
    assert str(caught.value) == says
    assert caught.value.code == ("fact_missing" if "no value" in says else "expression_failed")


def test_after_a_fault_the_segment_may_be_asked_again() -> None:
    context: dict[str, Any] = {"contact": {}}
    segments = Segments({"a": segment("a", "contact.vip")}, lambda: context)
    with pytest.raises(ExpressionFailed):
        segments.hold("a")
    context["contact"] = {"vip": True}
    assert segments.hold("a")


def test_nobody_is_in_a_segment_where_there_are_none() -> None:
    assert not Told([], NOON).in_segment("vip")
