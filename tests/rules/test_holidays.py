"""Holidays: the library's calendars held against the law, and days written by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from connector.config.hours import load
from connector.rules.holidays import calendar, falls_on, is_known, read
from connector.rules.hours import is_holiday, learn_holidays

HOURS = load(Path(__file__).parents[2] / "mappings" / "hours.toml", [])
YEARS = range(2025, 2039)

FEDERAL = [  # 5 U.S.C. 6103
    *("01-01 observed", "3rd monday of january", "3rd monday of february", "last monday of may"),
    *("06-19 observed", "07-04 observed", "1st monday of september", "2nd monday of october"),
    *("11-11 observed", "4th thursday of november", "12-25 observed"),
]
FRENCH = [  # Code du travail L3133-1
    *("01-01", "easter + 1", "05-01", "05-08", "easter + 39", "easter + 50"),
    *("07-14", "08-15", "11-01", "11-11", "12-25"),
]
OF_STATES = {
    "US-AL": ["easter - 47", "4th monday of april", "1st monday of june"],
    "US-LA": ["easter - 47", "easter - 2", "11-01"],
    "US-ME": ["3rd monday of april"],
    "US-PA": ["easter - 2", "06-14", "1st monday of november + 1", "4th thursday of november + 1"],
    "US-RI": ["2nd monday of august", "1st monday of november + 1"],
    "US-UT": ["07-24 observed"],
}


def days(written: list[str], year: int) -> set[date]:
    """The days of a list by our own rules, with those that a neighbouring year observes in it."""
    every = {day for one in written for near in (-1, 0, 1) for day in read(one)(year + near)}
    return {day for day in every if day.year == year}


def banned(place: str, year: int) -> set[date]:
    """The days of a year on which the shipped file has a place keep a holiday."""
    first = date(year, 1, 1)
    each = (first + timedelta(days=number) for number in range(366))
    return {day for day in each if day.year == year and is_holiday(place, day, HOURS)}


@pytest.mark.parametrize("year", YEARS)
def test_the_library_knows_the_federal_holidays_and_the_days_they_are_observed(year: int) -> None:
    assert {day for day in calendar("US")(year) if day.year == year} == days(FEDERAL, year)


@pytest.mark.parametrize("year", YEARS)
def test_the_library_knows_the_french_holidays(year: int) -> None:
    assert set(calendar("FR")(year)) == days(FRENCH, year)
    assert banned("FR", year) == days(FRENCH, year)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("place", OF_STATES)
def test_no_holiday_of_a_state_is_missing_and_none_is_made_up(place: str, year: int) -> None:
    elections = ["1st monday of november + 1"] if place == "US-LA" and year % 2 == 0 else []
    wanted = days([*FEDERAL, *OF_STATES[place], *elections], year)
    assert banned(place, year) == wanted


@pytest.mark.parametrize(
    ("year", "kept"), [(2026, True), (2027, False), (2028, True), (2029, False), (2030, True)]
)
def test_election_day_is_a_holiday_of_louisiana_only_in_years_that_have_one(
    year: int, kept: bool
) -> None:
    (day,) = days(["1st monday of november + 1"], year)
    assert is_holiday("US-LA", day, HOURS) is kept


@pytest.mark.parametrize("year", YEARS)
def test_where_the_state_is_unknown_every_states_holidays_count(year: int) -> None:
    states = set().union(*(banned(place, year) for place in OF_STATES))
    assert banned("US-unknown", year) == states


@pytest.mark.parametrize("place", ["AS", "GU", "MP", "PR", "VI"])
def test_a_territory_keeps_the_federal_holidays_beside_its_own(place: str) -> None:
    assert banned(place, 2026) > days(FEDERAL, 2026)


def test_a_part_of_a_country_that_the_library_does_not_know_has_the_countrys() -> None:
    assert calendar("FR-75")(2026) == calendar("FR")(2026)
    assert [is_known(place) for place in ("US-LA", "FR-75", "FR", "XX")] == [
        *(True, False, True, False)
    ]


def test_a_country_that_nobody_knows_is_no_day_without_holidays() -> None:
    with pytest.raises(NotImplementedError):
        calendar("XX")(2026)
    assert calendar("XX", False)(2026) == ()


def test_the_library_is_loaded_only_when_a_day_is_asked_for() -> None:
    program = (
        "import sys; from pathlib import Path; from connector.config.hours import load; "
        "load(Path('mappings/hours.toml'), []); print('holidays' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_worker_learns_them_before_its_first_text() -> None:
    program = (
        "import sys; from datetime import date; from pathlib import Path; "
        "from connector.config.hours import load; from connector.rules.hours import learn_holidays;"
        "learn_holidays(load(Path('mappings/hours.toml'), []), date(2026, 11, 21)); "
        "print('holidays.countries.united_states' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
    hours = replace(HOURS, holidays={"XX": (calendar("XX"),)})
    learn_holidays(hours, date(2026, 11, 21))  # a country that nobody knows holds nothing up


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
