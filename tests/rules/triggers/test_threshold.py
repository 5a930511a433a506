"""A measure passing a level: once for each crossing, re-armed below, judged by instants."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Json
from connector.rules.plays import Threshold
from connector.rules.triggers import threshold
from connector.rules.triggers.threshold import Reading
from tests.rules.triggers.clocks import A_DAY, DAY, HOUR, MINUTE, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
Told = tuple[datetime, Json]


def never(_: object) -> Json:
    raise AssertionError("the rule is told the reading, it does not measure")


USAGE = Threshold(never, level=80, rearm_below=70, own=80)
PLAIN = Threshold(never, level=80, rearm_below=80, own=80)
readings = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from([0.0, 69.9, 70.0, 75.0, 79.9, 80.0, 90.0])),
    max_size=12,
    unique_by=lambda each: each[0],
)


def told(form: Threshold, heard: list[Told]) -> list[datetime]:
    """When it fired over readings in the order in which they were heard."""
    known, fired = None, []
    for at, value in heard:
        kept, fires = threshold.read(form, known, value, at)
        known = kept or known
        fired += [at] if fires else []
    return fired


def hourly(*values: Json) -> list[Told]:
    return [(NOW + n * HOUR, value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "hours"),
    [
        ([50, 79.9], []),
        ([50, 80], [1]),
        ([50, 90], [1]),
        ([90], [0]),  # a first reading already above fires once
        ([90, 95, 99], [0]),
        ([50, 90, 95], [1]),
        ([50, 90, 75, 90], [1]),  # between the two levels nothing is armed again
        ([50, 90, 70, 90], [1]),  # at the lower level neither
        ([50, 90, 69.9, 90], [1, 3]),
        ([50, 90, 10, 75, 90], [1, 4]),
        ([75, 90], [1]),  # never fired: armed from the beginning
        ([75, 75, 79, 80], [3]),
        ([90, 10, 90, 10, 90], [0, 2, 4]),
    ],
)
def test_it_fires_once_for_each_crossing(values: list[Json], hours: list[int]) -> None:
    assert told(USAGE, hourly(*values)) == [NOW + hour * HOUR for hour in hours]


def test_where_nothing_else_is_said_it_is_armed_again_below_the_level_itself() -> None:
    assert told(PLAIN, hourly(80, 79.9, 80)) == [NOW, NOW + 2 * HOUR]
    assert told(PLAIN, hourly(80, 80, 80)) == [NOW]


@pytest.mark.parametrize("value", [None, True, False, "90", "", [90], {"n": 90}, float("nan")])
def test_what_is_no_number_is_no_reading(value: Json) -> None:
    known = Reading(NOW, 50, armed=True)
    assert threshold.read(USAGE, known, value, NOW + HOUR) == (None, False)
    assert threshold.read(USAGE, None, value, NOW) == (None, False)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 10**400])
def test_a_number_without_bounds_is_no_reading(value: float) -> None:
    assert threshold.read(USAGE, None, value, NOW) == (None, False)
    assert not threshold.reached(USAGE, value)


def test_a_reading_that_is_not_newer_than_the_newest_is_ignored() -> None:
    known = Reading(NOW, 50, armed=True)
    assert threshold.read(USAGE, known, 90, NOW - MINUTE) == (None, False)
    assert threshold.read(USAGE, known, 90, NOW) == (None, False)
    assert threshold.read(USAGE, known, 90, NOW + MINUTE)[1]


def test_a_late_low_reading_does_not_arm_it_again() -> None:
    assert told(USAGE, [(NOW, 90), (NOW - HOUR, 10), (NOW + HOUR, 90)]) == [NOW]


def test_a_late_high_reading_is_no_crossing() -> None:
    assert told(USAGE, [(NOW, 50), (NOW - HOUR, 90)]) == []


def test_what_is_kept_is_the_newest_reading() -> None:
    assert threshold.read(USAGE, None, 75, NOW) == (Reading(NOW, 75, armed=True), False)
    assert threshold.read(USAGE, None, 90, NOW) == (Reading(NOW, 90, armed=False), True)
    low = Reading(NOW - HOUR, 90, armed=False)
    assert threshold.read(USAGE, low, 60, NOW) == (Reading(NOW, 60, armed=True), False)


def test_a_file_that_arms_sooner_holds_for_the_reading_that_is_known() -> None:
    known = Reading(NOW - HOUR, 75, armed=False)
    assert threshold.read(PLAIN, known, 90, NOW)[1]
    assert not threshold.read(USAGE, known, 90, NOW)[1]


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_readings_in_an_hour_that_comes_twice_are_ordered_by_instant(zone: str, shown: str) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert told(USAGE, [(first, 50), (second, 90)]) == [second]
    assert told(USAGE, [(second, 50), (first, 90)]) == []
    assert threshold.occurrence("seats", first) != threshold.occurrence("seats", second)


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_crossing_on_any_day_is_one_crossing(zone: str, shown: str, later: str) -> None:
    begun, end = on(zone, shown), on(zone, later)
    assert told(USAGE, [(begun, 50), (end, 90), (end + DAY, 91)]) == [end]


def test_readings_from_both_sides_of_the_date_line_are_ordered_by_instant() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    assert told(USAGE, [(east, 50), (west, 90)]) == [west]
    assert told(USAGE, [(west, 50), (east, 90)]) == []


def test_an_arm_speaks_at_its_own_level() -> None:
    strict = Threshold(never, level=80, rearm_below=70, own=95)
    assert threshold.read(strict, None, 80, NOW)[1], "everybody enrols at the loosest level"
    assert not threshold.reached(strict, 94.9)
    assert threshold.reached(strict, 95)
    assert not threshold.reached(strict, None)


def test_the_key_of_a_crossing_is_what_is_measured_and_when() -> None:
    assert threshold.occurrence("seats", NOW) == "seats@2026-11-17T17:00:00.000000Z"
    assert len(threshold.occurrence("k" * 999, NOW)) <= 200


def crossings(form: Threshold, values: list[float]) -> int:
    """How often it is passed: runs of high readings, with those between the levels left out."""
    sides = [value >= form.level for value in values if not form.rearm_below <= value < form.level]
    return sum(is_high for is_high, _ in groupby(sides))


@given(readings, st.sampled_from([USAGE, PLAIN]))
@settings(max_examples=200, deadline=None)
def test_told_in_order_of_time_it_fires_exactly_once_for_each_crossing(
    heard: list[tuple[int, float]], form: Threshold
) -> None:
    in_order = [(NOW + n * MINUTE, value) for n, value in sorted(heard)]
    assert len(told(form, in_order)) == crossings(form, [value for _, value in sorted(heard)])


@given(readings, st.sampled_from([USAGE, PLAIN]), st.randoms())
@settings(max_examples=200, deadline=None)
def test_in_whatever_order_they_are_heard_only_the_newest_count_and_never_more_than_in_time(
    heard: list[tuple[int, float]], form: Threshold, chance: Random
) -> None:
    shuffled = list(heard)
    chance.shuffle(shuffled)
    newest = [each for n, each in enumerate(shuffled) if each[0] == max(shuffled[: n + 1])[0]]
    fired = told(form, [(NOW + n * MINUTE, value) for n, value in shuffled])
    assert fired == told(form, [(NOW + n * MINUTE, value) for n, value in newest])
    assert len(fired) <= crossings(form, [value for _, value in sorted(heard)])


@given(readings, st.randoms())
def test_hearing_a_reading_again_changes_nothing(
    heard: list[tuple[int, float]], chance: Random
) -> None:
    in_order: list[Told] = [(NOW + n * MINUTE, value) for n, value in sorted(heard)]
    again = [each for each in in_order for _ in range(chance.randint(1, 3))]
    assert told(USAGE, again) == told(USAGE, in_order)
