"""The clocks that the other tables stand on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.rules.triggers.clocks import A_DAY, DAY, INSTANT, LEAPS, TWICE, on, utc


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_day_later_is_24_hours_whatever_the_clock_shows(
    zone: str, shown: str, later: str
) -> None:
    assert on(zone, later) - on(zone, shown) == DAY


@pytest.mark.parametrize(("zone", "leap"), LEAPS)
def test_each_clock_changes_about_its_leap(zone: str, leap: str) -> None:
    place = ZoneInfo(zone)
    before, after = utc(leap) - INSTANT, utc(leap)
    assert before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset()


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_an_hour_that_comes_twice_is_two_instants(zone: str, shown: str) -> None:
    assert on(zone, shown, second=True) > on(zone, shown)
