"""When a segment is asked about again: by what it reads, and where it reads the time itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.expressions import compile_expression
from connector.rules.plays import Segment
from connector.rules.triggers import edges

NOW = datetime(2026, 11, 17, 17, tzinfo=UTC)


def segment(source: str, name: str = "some") -> Segment:
    when = compile_expression(source, strict=True)
    return Segment(name, when, source, "", when.signals, when.paths)


@pytest.mark.parametrize(
    ("source", "signal", "changed", "is_asked"),
    [
        ("did('viewed')", "viewed", (), True),
        ("did('viewed')", "ordered", (), False),
        ("did('viewed')", "ordered", ("contact.plan",), False),
        ("contact.plan == 'pro'", "viewed", (), False),
        ("contact.plan == 'pro'", "viewed", ("contact.plan",), True),
        ("contact.plan == 'pro'", "viewed", ("contact.age", "crm.plan"), False),
        ("contact.stage == 'lead'", "", ("stage",), True),
        ("crm.tier == 'gold'", "", ("crm.tier",), True),
        ("contact == 'x'", "", ("contact.plan",), True),
        ("days_since(last_seen) > 3", "viewed", (), True),
        ("days_since(last_seen) > 3", "", (), False),
        ("days_since(first_seen) > 3", "viewed", (), False),
    ],
)
def test_a_segment_is_asked_about_by_what_it_reads(
    source: str, signal: str, changed: tuple[str, ...], is_asked: bool
) -> None:
    assert edges.reads(segment(source), signal, changed) is is_asked


def test_a_segment_of_which_nobody_knows_what_it_reads_is_asked_about_at_any_change() -> None:
    unknown = Segment("some", lambda context: True, "")
    assert edges.reads(unknown, "", ("contact.plan",))
    assert not edges.reads(unknown, "viewed", ())


@pytest.mark.parametrize(
    ("source", "is_timely"),
    [
        ("did('viewed', within='3d')", True),
        ("days_since(first_seen) < 7", True),
        ("contact.plan == 'pro'", False),
    ],
)
def test_time_alone_moves_people_where_it_is_read(source: str, is_timely: bool) -> None:
    assert edges.is_timely(segment(source)) is is_timely


def test_only_a_segment_that_reads_the_time_is_asked_about_by_the_clock() -> None:
    assert edges.look_again(segment("did('viewed', within='3d')"), "con_1", NOW) is None
    assert edges.look_again(segment("days_since(last_seen) > 3"), "con_1", NOW) is not None


@given(
    st.text(min_size=1),
    st.timedeltas(timedelta(days=-4_000), timedelta(days=4_000)),
    st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_a_person_is_asked_about_at_the_same_instants_whenever_they_were_asked_last(
    who: str, first: timedelta, gap: timedelta
) -> None:
    quiet = segment("days_since(last_seen) > 3")
    at = NOW + first
    later = at + gap
    after = edges.look_again(quiet, who, at)
    assert after is not None
    while after <= later:
        assert after > at
        assert after - at <= edges.LOOK_AGAIN
        at, found = after, edges.look_again(quiet, who, after)
        assert found is not None
        after = found
    assert edges.look_again(quiet, who, later) == after


def test_people_are_not_all_asked_about_at_the_same_instant() -> None:
    quiet = segment("days_since(last_seen) > 3")
    assert len({edges.look_again(quiet, f"con_{each}", NOW) for each in range(50)}) == 50


def test_a_segment_means_something_else_once_it_or_one_that_it_asks_for_was_edited() -> None:
    vip, warm = segment("contact.vip", "vip"), segment("did('viewed')", "warm")
    told = edges.meaning([vip, warm])
    assert edges.meaning([warm, vip]) == told
    assert edges.meaning([vip, segment("did('ordered')", "warm")]) != told
    assert edges.meaning([vip]) != told
