"""Coming into a segment or out of it, and which crossing it was."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.plays import Edge
from connector.rules.triggers import edges
from tests.rules.triggers.clocks import A_DAY, INSTANT, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
ENTERS, LEAVES = Edge("vip", entering=True), Edge("vip", entering=False)


@pytest.mark.parametrize(
    ("edge", "before", "after", "starts"),
    [
        (ENTERS, False, True, True),
        (ENTERS, True, True, False),
        (ENTERS, False, False, False),
        (ENTERS, True, False, False),
        (LEAVES, True, False, True),
        (LEAVES, False, False, False),
        (LEAVES, True, True, False),
        (LEAVES, False, True, False),
    ],
)
def test_only_its_own_edge_starts_a_play(
    edge: Edge, before: bool, after: bool, starts: bool
) -> None:
    assert edges.crossed(edge, "vip", before, after) is starts


def test_the_edge_of_another_segment_starts_nothing() -> None:
    for edge, before, after in product((ENTERS, LEAVES), (True, False), (True, False)):
        assert not edges.crossed(edge, "new", before, after)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_crossings_in_two_like_hours_are_two_occurrences(zone: str, shown: str) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert edges.occurrence(first) < edges.occurrence(second)


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_crossings_are_kept_apart_on_any_day(zone: str, shown: str, later: str) -> None:
    begun, end = on(zone, shown), on(zone, later)
    keys = [edges.occurrence(at) for at in (begun, begun + INSTANT, end)]
    assert len(set(keys)) == 3
    assert keys == sorted(keys)


def test_one_crossing_has_one_key_on_both_sides_of_the_date_line() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 09:00")
    east = on("Pacific/Kiritimati", "2026-11-18 10:00")
    assert edges.occurrence(west) == edges.occurrence(east)


@given(st.lists(st.booleans(), max_size=12))
def test_who_comes_and_goes_enters_and_leaves_by_turns(inside: list[bool]) -> None:
    told = [
        edge.entering
        for before, after in pairwise([False, *inside])
        for edge in (ENTERS, LEAVES)
        if edges.crossed(edge, "vip", before, after)
    ]
    assert told == [n % 2 == 0 for n in range(len(told))]
    assert (told[-1] if told else False) == (inside[-1] if inside else False)
