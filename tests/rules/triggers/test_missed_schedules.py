"""A time of a schedule: which one it was, and when it is too long ago to be kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.triggers import schedules
from tests.rules.triggers.clocks import A_DAY, DAY, HOUR, INSTANT, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours_ago", "is_missed"), [(-1, False), (0, False), (1, False), (48, False), (49, True)]
)
def test_a_time_that_nobody_worked_at_is_made_up_for_within_48_hours(
    hours_ago: int, is_missed: bool
) -> None:
    assert schedules.is_missed(NOW - hours_ago * HOUR, NOW) is is_missed


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_48_hours_are_elapsed_time_through_any_change_of_the_clock(
    zone: str, shown: str, later: str
) -> None:
    at, last = on(zone, shown), on(zone, later) + DAY
    assert not schedules.is_missed(at, last)
    assert schedules.is_missed(at, last + INSTANT)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_two_like_hours_are_two_times(zone: str, shown: str) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert schedules.occurrence(first) != schedules.occurrence(second)


def test_one_time_has_one_key_on_both_sides_of_the_date_line() -> None:
    west = on("Pacific/Pago_Pago", "2028-02-29 09:00")
    east = on("Pacific/Kiritimati", "2028-03-01 10:00")
    assert schedules.occurrence(west) == schedules.occurrence(east) == "2028-02-29T20:00:00Z"


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_keys_stand_in_the_order_of_their_times(one: int, other: int) -> None:
    early, late = (datetime.fromtimestamp(each, UTC) for each in (one, other))
    keys = schedules.occurrence(early), schedules.occurrence(late)
    assert (keys[0] < keys[1]) == (early < late)
    assert (keys[0] == keys[1]) == (early == late)
