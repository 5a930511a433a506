"""When a step may act, on whatever clock, through any change of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules import moments
from connector.rules.plays import Moment

NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
ZONES = (
    *(NEW_YORK, LOS_ANGELES, "America/Havana", "Asia/Kolkata", "Asia/Tehran", "UTC"),
    *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati"),
)
OFFICE = (time(9), time(17))
WEEKEND = frozenset({5, 6})
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("2026-11-17T14:59:59", "2026-11-17T15:00:00"),  # a second before ten in New York
        ("2026-11-17T15:00:00", "2026-11-17T15:00:00"),
        ("2026-11-17T15:00:01", "2026-11-18T15:00:00"),  # past it: tomorrow's
        ("2026-11-17T04:59:59", "2026-11-17T15:00:00"),  # the evening before, there
        ("2026-03-07T16:00:00", "2026-03-08T14:00:00"),  # the clock leaps in the night between
        ("2026-10-31T15:00:00", "2026-11-01T15:00:00"),  # and goes back
    ],
)
def test_an_hour_of_the_day_is_the_next_one_on_the_persons_clock(base: str, expected: str) -> None:
    assert moments.adjust(Moment(at=time(10)), utc(base), NEW_YORK) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "hour", "base", "expected"),
    [
        # leapt over: the first instant after the leap
        (NEW_YORK, time(2, 30), "2026-03-08T05:00:00", "2026-03-08T07:00:00"),
        (NEW_YORK, time(2), "2026-03-08T05:00:00", "2026-03-08T07:00:00"),
        (NEW_YORK, time(3), "2026-03-08T05:00:00", "2026-03-08T07:00:00"),
        ("America/Havana", time(0), "2026-03-07T12:00:00", "2026-03-08T05:00:00"),
        ("Australia/Lord_Howe", time(2, 10), "2026-10-03T12:00:00", "2026-10-03T15:30:00"),
        # twice: the first
        (NEW_YORK, time(1, 30), "2026-11-01T04:00:00", "2026-11-01T05:30:00"),
        ("Australia/Lord_Howe", time(1, 40), "2026-04-04T12:00:00", "2026-04-04T14:40:00"),
        # both sides of the date line, and half an hour
        ("Pacific/Kiritimati", time(10), "2026-11-17T00:00:00", "2026-11-17T20:00:00"),
        ("Pacific/Pago_Pago", time(10), "2026-11-17T00:00:00", "2026-11-17T21:00:00"),
        ("Asia/Kolkata", time(10), "2026-11-17T00:00:00", "2026-11-17T04:30:00"),
        # a day that Samoa never had: the next that it had
        ("Pacific/Apia", time(10), "2011-12-29T21:00:00", "2011-12-30T20:00:00"),
    ],
)
def test_an_hour_in_a_night_in_which_the_clock_changes(
    zone: str, hour: time, base: str, expected: str
) -> None:
    assert moments.adjust(Moment(at=hour), utc(base), zone) == utc(expected)


def test_past_the_first_of_two_like_hours_the_second_is_not_the_hour_again() -> None:
    second = utc("2026-11-01T06:10:00")  # ten past one for the second time
    found = moments.adjust(Moment(at=time(1, 30)), second, NEW_YORK)
    assert found == utc("2026-11-02T06:30:00")


@pytest.mark.parametrize(
    ("moment", "base", "expected"),
    [
        (Moment(window=OFFICE), "2026-11-17T13:00:00", "2026-11-17T14:00:00"),
        (Moment(window=OFFICE), "2026-11-17T18:30:00", "2026-11-17T18:30:00"),
        (Moment(window=OFFICE), "2026-11-17T22:00:00", "2026-11-18T14:00:00"),  # its end is out
        (Moment(days=WEEKEND), "2026-11-17T18:30:00", "2026-11-21T05:00:00"),
        (Moment(days=WEEKEND), "2026-11-21T18:30:00", "2026-11-21T18:30:00"),
        (Moment(days=WEEKEND, window=OFFICE), "2026-11-22T22:00:00", "2026-11-28T14:00:00"),
        (Moment(days=frozenset({1}), at=time(12)), "2026-11-17T17:00:00", "2026-11-17T17:00:00"),
        (Moment(days=frozenset({1}), at=time(12)), "2026-11-17T17:00:01", "2026-11-24T17:00:00"),
        (Moment(window=OFFICE, at=time(16)), "2026-11-17T21:30:00", "2026-11-18T21:00:00"),
        (Moment(window=(time(1), time(3))), "2026-03-08T05:30:00", "2026-03-08T06:00:00"),
        (Moment(window=(time(2), time(3))), "2026-03-08T05:30:00", "2026-03-09T06:00:00"),
    ],
)
def test_days_and_windows_on_the_persons_clock(moment: Moment, base: str, expected: str) -> None:
    assert moments.adjust(moment, utc(base), NEW_YORK) == utc(expected)


def test_what_says_nothing_leaves_the_instant_as_it_is() -> None:
    base = utc("2026-11-17T03:12:45.123456")
    assert moments.adjust(Moment(), base, NEW_YORK) == base


# -- the best hour -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("best", "expected"),
    [
        (19, "2026-11-18T00:00:00"),
        (0, "2026-11-18T05:00:00"),  # midnight is an hour too
        (None, "2026-11-17T15:00:00"),
    ],
)
def test_the_best_hour_goes_before_the_hour_of_the_file(best: int | None, expected: str) -> None:
    moment = Moment(at=time(10), best_hour=True)
    assert moments.adjust(moment, utc("2026-11-17T14:00:00"), NEW_YORK, best=best) == utc(expected)


def test_a_best_hour_outside_the_window_is_not_kept() -> None:
    base = utc("2026-11-17T14:30:00")
    moment = Moment(at=time(10), window=OFFICE, best_hour=True)
    for best in (3, 8, 17, 22):
        assert moments.adjust(moment, base, NEW_YORK, best=best) == utc("2026-11-17T15:00:00")
    bare = Moment(window=OFFICE, best_hour=True)
    assert moments.adjust(bare, base, NEW_YORK, best=22) == base
    assert moments.adjust(moment, base, NEW_YORK, best=16) == utc("2026-11-17T21:00:00")


def test_without_best_hour_the_best_hour_is_not_asked() -> None:
    base = utc("2026-11-17T14:30:00")
    assert moments.adjust(Moment(at=time(10)), base, NEW_YORK, best=19).hour == 15


def test_the_best_hour_is_that_of_most_of_at_least_three_times_on_their_own_clocks() -> None:
    seven = [(utc(f"2026-11-{day}T00:10:00"), "") for day in (10, 11)]  # the evening, there
    assert moments.best_hour(seven, NEW_YORK) is None
    nine = [(utc("2026-11-12T14:10:00"), "")]
    assert moments.best_hour([*seven, *nine], NEW_YORK) == 19
    assert moments.best_hour([*nine, *nine, *seven], NEW_YORK) == 9, "of two alike the earlier"
    west = [(utc("2026-11-12T17:10:00"), LOS_ANGELES)] * 2
    assert moments.best_hour([*nine, *west], NEW_YORK) == 9


def test_the_best_hour_is_the_same_on_both_sides_of_a_change_of_the_clock() -> None:
    summer, winter = utc("2026-10-20T23:05:00"), utc("2026-11-20T00:05:00")
    assert moments.best_hour([(summer, ""), (summer, ""), (winter, "")], NEW_YORK) == 19


# -- spreading ---------------------------------------------------------------------------------


def test_each_person_has_a_place_within_the_spread() -> None:
    moment, base = Moment(at=time(10), spread=2 * HOUR), utc("2026-11-17T14:00:00")
    ten = utc("2026-11-17T15:00:00")
    assert moments.adjust(moment, base, NEW_YORK, place=0.0) == ten
    assert moments.adjust(moment, base, NEW_YORK, place=0.25) == ten + HOUR / 2


def test_a_place_beyond_the_window_or_the_day_is_the_next_that_suits() -> None:
    late = Moment(window=OFFICE, spread=4 * HOUR)
    base = utc("2026-11-17T20:00:00")  # three in the afternoon
    assert moments.adjust(late, base, NEW_YORK, place=0.9) == utc("2026-11-18T14:00:00")
    sunday = Moment(days=WEEKEND, spread=DAY)
    base = utc("2026-11-22T15:00:00")
    assert moments.adjust(sunday, base, NEW_YORK, place=0.9) == utc("2026-11-28T05:00:00")


# -- whose clock -------------------------------------------------------------------------------


def test_the_clock_is_the_stated_one_else_the_one_furthest_behind_else_the_operators() -> None:
    at = utc("2026-11-17T15:00:00")
    assert moments.zone_of("Asia/Kolkata", {NEW_YORK}, "UTC", at) == "Asia/Kolkata"
    assert moments.zone_of("", {NEW_YORK, LOS_ANGELES, "UTC"}, "UTC", at) == LOS_ANGELES
    assert moments.zone_of("", (), "Europe/Vienna", at) == "Europe/Vienna"


def test_of_two_zones_that_change_differently_the_one_behind_on_that_day_counts() -> None:
    both = {"America/Phoenix", LOS_ANGELES}
    assert moments.zone_of("", both, "UTC", utc("2026-07-01T15:00:00")) == LOS_ANGELES
    assert moments.zone_of("", both, "UTC", utc("2026-12-01T15:00:00")) == LOS_ANGELES


# -- whatever it says --------------------------------------------------------------------------

INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - local times, as the rule gives them
HOURS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
WINDOWS = (
    st.tuples(st.integers(0, 22), st.integers(1, 23))
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: (time(pair[0]), time(pair[1])))
)
MOMENTS = st.builds(
    Moment,
    at=st.none() | HOURS,
    days=st.frozensets(st.integers(0, 6)),
    window=st.none() | WINDOWS,
    best_hour=st.booleans(),
    spread=st.sampled_from((timedelta(0), HOUR, 6 * HOUR, DAY)),
)


@given(
    MOMENTS,
    INSTANTS,
    st.sampled_from(ZONES),
    st.none() | st.integers(0, 23),
    st.floats(0, 0.999),
)
def test_it_is_never_before_its_instant_and_always_on_a_day_and_in_a_window_that_suits(
    moment: Moment, base: datetime, zone: str, best: int | None, place: float
) -> None:
    found = moments.adjust(moment, base, zone, best=best, place=place)
    here = found.astimezone(ZoneInfo(zone))
    assert found.tzinfo is UTC
    assert base <= found <= base + timedelta(days=24)
    assert not moment.days or here.weekday() in moment.days
    if moment.window is not None:
        start, end = moment.window
        assert start <= here.time() < end


@given(INSTANTS, st.sampled_from(ZONES), HOURS)
def test_an_hour_comes_within_a_day_and_a_change_of_the_clock(
    base: datetime, zone: str, hour: time
) -> None:
    found = moments.adjust(Moment(at=hour), base, zone)
    assert base <= found <= base + timedelta(hours=26)
    assert moments.adjust(Moment(at=hour), found, zone) == found, "asked again it stays"
