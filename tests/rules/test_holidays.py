"""Holidays by date, by weekday and from Easter."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.holidays import easter, falls_on, read


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("12-25", date(2026, 12, 25)),
        ("07-04 observed", date(2026, 7, 4)),  # a Saturday ...
        ("07-04 observed", date(2026, 7, 3)),  # ... kept on Friday too
        ("07-04 observed", date(2027, 7, 5)),  # a Sunday, kept on Monday
        ("01-01 observed", date(2027, 12, 31)),  # New Year's Day 2028 is a Saturday
        ("2026-12-24", date(2026, 12, 24)),
        ("02-29", date(2028, 2, 29)),
        ("3rd monday of january", date(2027, 1, 18)),
        ("last monday of may", date(2027, 5, 31)),
        ("5th sunday of march", date(2026, 3, 29)),
        ("4th thursday of november", date(2026, 11, 26)),
        ("1st monday of november + 1", date(2026, 11, 3)),
        ("easter", date(2027, 3, 28)),
        ("easter - 2", date(2027, 3, 26)),
        ("easter - 47", date(2027, 2, 9)),
        ("easter + 39", date(2026, 5, 14)),
    ],
)
def test_a_holiday_falls_on_its_day(written: str, day: date) -> None:
    assert falls_on((read(written),), day)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("12-25", date(2027, 12, 24)),
        ("12-25", date(2027, 12, 27)),
        ("2026-12-24", date(2027, 12, 24)),
        ("02-29", date(2027, 2, 28)),
        ("5th sunday of april", date(2027, 5, 2)),
        ("1st monday of november + 1", date(2026, 11, 2)),
    ],
)
def test_and_on_no_other(written: str, day: date) -> None:
    assert not falls_on((read(written),), day)


@pytest.mark.parametrize(
    "written",
    ["", "christmas", "13-01", "02-30", "6th monday of may", "1st moonday of may", "easter - 2 "],
)
def test_what_is_no_holiday_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(written)


@pytest.mark.parametrize(
    "day",
    [date(1961, 4, 2), date(2000, 4, 23), date(2008, 3, 23), date(2025, 4, 20), date(2038, 4, 25)],
)
def test_easter_is_where_the_calendar_has_it(day: date) -> None:
    assert easter(day.year) == day


@given(st.integers(1583, 4000))
def test_easter_is_a_sunday_between_22_march_and_25_april(year: int) -> None:
    assert easter(year).weekday() == 6
    assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)
