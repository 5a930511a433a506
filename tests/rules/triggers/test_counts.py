"""The Nth such signal inside a window, and the first ever, in whatever order they are heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Purpose
from connector.rules import triggers
from connector.rules.plays import Play, Role, Start
from tests.rules.triggers.clocks import A_DAY, DAY, HOUR, INSTANT, MINUTE, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
PLAY = Play(
    name="pricing",
    version="v1",
    description="",
    role=Role.conversion,
    purpose=Purpose.marketing,
    scopes=(),
    start=Start("pricing_viewed"),
    audience=None,
    steps=(),
    goal=None,
    exits=(),
    stages=(),
)
minutes = st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=8)


def the(count: int, within: timedelta | None = DAY) -> Play:
    return replace(PLAY, start=Start("pricing_viewed", count=count, within=within))


# -- the Nth in a window -----------------------------------------------------------------------


def test_without_a_count_each_counts() -> None:
    assert triggers.counted(PLAY, [], NOW)


def test_the_first_of_two_does_not_count_and_the_second_does() -> None:
    assert not triggers.counted(the(2), [NOW], NOW)
    assert triggers.counted(the(2), [NOW - HOUR, NOW], NOW)


def test_a_third_counts_as_well_as_the_second() -> None:
    assert triggers.counted(the(2), [NOW - 2 * HOUR, NOW - HOUR, NOW], NOW)


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_window_of_24_hours_is_24_hours_through_any_change_of_the_clock(
    zone: str, shown: str, later: str
) -> None:
    begun, end = on(zone, shown), on(zone, later)
    assert triggers.counted(the(2), [begun, end - INSTANT], end - INSTANT)
    assert not triggers.counted(the(2), [begun, end], end)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_two_visits_at_an_hour_that_comes_twice_are_two_visits(zone: str, shown: str) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert triggers.counted(the(2), [first, second], second)
    assert not triggers.counted(the(2), [first, second], first)
    assert not triggers.counted(the(2, MINUTE), [first, second], second)


def test_visits_on_both_sides_of_the_date_line_are_ordered_by_instant() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")  # a calendar day before, an hour after
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    assert triggers.counted(the(2, 2 * HOUR), [west, east], west)
    assert not triggers.counted(the(2, 2 * HOUR), [west, east], east)


def test_a_late_one_counts_what_had_occurred_by_then_and_not_what_came_after() -> None:
    late = NOW - 2 * HOUR
    assert not triggers.counted(the(2), [NOW, late], late)
    assert triggers.counted(the(2), [NOW, late], NOW)


def test_a_late_one_may_be_the_second_of_its_own_window() -> None:
    assert triggers.counted(the(2), [NOW, NOW - 3 * HOUR, NOW - 2 * HOUR], NOW - 2 * HOUR)


def test_without_a_window_all_that_ever_occurred_counts() -> None:
    leap = on("America/New_York", "2024-02-29 12:00")
    assert triggers.counted(the(3, None), [leap, NOW - DAY, NOW], NOW)


@given(minutes, st.integers(2, 4), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_hearing_changes_nothing_of_the_count(
    ages: list[int], count: int, chance: Random
) -> None:
    times = [NOW - age * MINUTE for age in ages]
    heard = list(times)
    chance.shuffle(heard)
    for at in times:
        inside = [each for each in times if at - DAY < each <= at]
        assert triggers.counted(the(count), heard, at) == (len(inside) >= count)


# -- the first ever ----------------------------------------------------------------------------


def test_the_only_one_is_the_first_and_the_second_is_not() -> None:
    assert triggers.first([NOW], NOW)
    assert not triggers.first([NOW - DAY, NOW], NOW)


def test_one_that_is_heard_late_is_the_first_where_it_occurred_before_all_others() -> None:
    late = NOW - DAY
    assert triggers.first([NOW, late], late)
    assert not triggers.first([NOW, late], NOW)


def test_however_long_ago_the_first_was_a_second_is_none() -> None:
    assert not triggers.first([NOW - 3_000 * DAY, NOW], NOW)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_the_first_is_told_in_an_hour_that_comes_twice(zone: str, shown: str) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert triggers.first([second, first], first)
    assert not triggers.first([second, first], second)


def test_the_first_is_told_across_the_date_line() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    assert triggers.first([west, east], east)
    assert not triggers.first([west, east], west)


@given(st.sets(st.integers(0, 10_000), min_size=1, max_size=8), st.randoms())
def test_in_whatever_order_they_are_heard_exactly_the_earliest_is_the_first(
    ages: set[int], chance: Random
) -> None:
    heard = [NOW - age * MINUTE for age in ages]
    chance.shuffle(heard)
    assert [at for at in heard if triggers.first(heard, at)] == [min(heard)]
