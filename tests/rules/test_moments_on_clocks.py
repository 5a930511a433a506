"""When a step may act on the person's own clock: hours, days, windows, places in a spread."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.moments import adjust, best_hour, zone_of
from connector.rules.plays import Moment

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
LORD_HOWE, SANTIAGO = "Australia/Lord_Howe", "America/Santiago"
KIRITIMATI, APIA, PAGO = "Pacific/Kiritimati", "Pacific/Apia", "Pacific/Pago_Pago"
TEN, NINE, FIVE = time(10), time(9), time(17)
WEEKDAYS = frozenset(range(5))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def when(base: str, zone: str = NEW_YORK, best: int | None = None, **moment: Any) -> str:
    place = moment.pop("place", 0.0)
    found = adjust(Moment(**moment), utc(base), zone, best=best, place=place)
    return f"{found.astimezone(UTC):%Y-%m-%dT%H:%M}"


def test_a_step_that_says_nothing_acts_at_once() -> None:
    assert when("2026-11-17T03:21") == "2026-11-17T03:21"


@pytest.mark.parametrize(
    ("base", "zone", "instant"),
    [
        ("2026-11-17T12:00", NEW_YORK, "2026-11-17T15:00"),
        ("2026-11-17T15:00", NEW_YORK, "2026-11-17T15:00"),
        ("2026-11-17T15:01", NEW_YORK, "2026-11-18T15:00"),
        ("2026-03-08T01:00", NEW_YORK, "2026-03-08T14:00"),  # over the leap
        ("2026-03-07T16:00", NEW_YORK, "2026-03-08T14:00"),
        ("2026-10-31T15:00", NEW_YORK, "2026-11-01T15:00"),  # 25 hours later
        ("2026-03-28T12:00", BERLIN, "2026-03-29T08:00"),
        ("2026-10-03T00:00", LORD_HOWE, "2026-10-03T23:00"),
        ("2026-09-05T20:00", SANTIAGO, "2026-09-06T13:00"),
        ("2028-02-28T18:00", NEW_YORK, "2028-02-29T15:00"),
        ("2027-02-28T18:00", NEW_YORK, "2027-03-01T15:00"),
        ("2026-11-17T12:00", KIRITIMATI, "2026-11-17T20:00"),
        ("2026-11-17T20:01", KIRITIMATI, "2026-11-18T20:00"),
        ("2026-11-17T12:00", PAGO, "2026-11-17T21:00"),
        ("2011-12-29T21:00", APIA, "2011-12-30T20:00"),  # the day between never was
    ],
)
def test_an_hour_is_the_next_such_hour_on_their_clock(base: str, zone: str, instant: str) -> None:
    assert when(base, zone, at=TEN) == instant


@pytest.mark.parametrize(
    ("hour", "base", "zone", "instant"),
    [
        (time(2, 30), "2026-03-08T05:00", NEW_YORK, "2026-03-08T07:00"),
        (time(1, 30), "2026-11-01T04:00", NEW_YORK, "2026-11-01T05:30"),
        (time(1, 30), "2026-11-01T05:45", NEW_YORK, "2026-11-02T06:30"),  # the second 01:45
        (time(0), "2026-09-06T03:00", SANTIAGO, "2026-09-06T04:00"),
        (time(2, 15), "2026-10-03T15:00", LORD_HOWE, "2026-10-03T15:30"),
    ],
)
def test_an_hour_that_does_not_exist_is_the_first_after_the_leap_and_a_double_one_the_first(
    hour: time, base: str, zone: str, instant: str
) -> None:
    assert when(base, zone, at=hour) == instant


@pytest.mark.parametrize(
    ("base", "zone", "instant"),
    [
        ("2026-11-17T17:00", NEW_YORK, "2026-11-17T17:00"),  # Tuesday
        ("2026-11-21T17:00", NEW_YORK, "2026-11-23T05:00"),  # Saturday: Monday's midnight
        ("2026-11-21T04:00", NEW_YORK, "2026-11-21T04:00"),  # Friday night there
        ("2026-11-20T12:00", KIRITIMATI, "2026-11-22T10:00"),  # Saturday there already
        ("2026-11-23T10:00", PAGO, "2026-11-23T11:00"),  # Sunday there still
    ],
)
def test_days_are_those_of_their_own_calendar(base: str, zone: str, instant: str) -> None:
    assert when(base, zone, days=WEEKDAYS) == instant


@pytest.mark.parametrize(
    ("base", "instant"),
    [
        ("2026-11-17T13:00", "2026-11-17T14:00"),  # 08:00: opens at nine
        ("2026-11-17T14:00", "2026-11-17T14:00"),
        ("2026-11-17T21:59", "2026-11-17T21:59"),
        ("2026-11-17T22:00", "2026-11-18T14:00"),  # 17:00 is not in it
        ("2026-03-07T23:00", "2026-03-08T13:00"),
        ("2026-10-31T22:00", "2026-11-01T14:00"),
    ],
)
def test_a_window_opens_and_closes_on_their_clock(base: str, instant: str) -> None:
    assert when(base, window=(NINE, FIVE)) == instant


def test_a_window_that_the_clock_leaps_over_whole_is_not_open_that_day() -> None:
    assert when("2026-03-08T00:00", window=(time(2), time(3))) == "2026-03-09T06:00"
    assert when("2011-12-30T09:00", APIA, window=(NINE, FIVE)) == "2011-12-30T19:00"


def test_days_a_window_and_an_hour_hold_together() -> None:
    moment: dict[str, Any] = {"at": TEN, "days": frozenset({0}), "window": (NINE, FIVE)}
    assert when("2026-11-17T17:00", **moment) == "2026-11-23T15:00"
    assert when("2026-11-23T15:01", **moment) == "2026-11-30T15:00"


# -- their best hour ---------------------------------------------------------------------------


def test_the_best_hour_goes_before_the_hour_of_the_file_and_is_it_where_none_is_known() -> None:
    moment: dict[str, Any] = {"at": TEN, "best_hour": True}
    assert when("2026-11-17T12:00", best=19, **moment) == "2026-11-18T00:00"
    assert when("2026-11-17T12:00", best=None, **moment) == "2026-11-17T15:00"
    assert when("2026-11-17T12:00", best=19, at=TEN) == "2026-11-17T15:00"


@pytest.mark.parametrize("best", [0, 7, 8, 17, 22])
def test_a_best_hour_outside_the_window_gives_way_to_the_window(best: int) -> None:
    found = when("2026-11-17T12:00", best=best, best_hour=True, window=(NINE, FIVE))
    assert found == "2026-11-17T14:00"
    found = when("2026-11-17T12:00", best=best, best_hour=True, at=TEN, window=(NINE, FIVE))
    assert found == "2026-11-17T15:00"


@pytest.mark.parametrize(
    ("hours", "best"), [([], None), ([9, 9], None), ([9, 9, 20], 9), ([20, 20, 9, 9], 9)]
)
def test_the_best_hour_is_the_one_with_most_and_of_equals_the_earliest(
    hours: list[int], best: int | None
) -> None:
    day = datetime(2026, 11, 17, tzinfo=ZoneInfo(NEW_YORK))
    assert best_hour([(day.replace(hour=hour), "") for hour in hours], NEW_YORK) == best


def test_an_hour_is_that_of_the_clock_on_that_day_and_in_that_place() -> None:
    winter, summer = utc("2026-01-15T15:00"), utc("2026-07-15T14:00")
    assert best_hour([(winter, ""), (summer, ""), (summer, "")], NEW_YORK) == 10
    east, west = utc("2026-07-15T20:00"), utc("2026-07-15T21:00")
    assert best_hour([(east, KIRITIMATI), (west, PAGO), (winter, "")], NEW_YORK) == 10


# -- a spread ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "instant"),
    [(0.0, "2026-11-17T15:00"), (0.25, "2026-11-17T15:30"), (0.75, "2026-11-17T16:30")],
)
def test_each_person_has_a_place_within_the_spread(place: float, instant: str) -> None:
    found = when("2026-11-17T12:00", at=TEN, spread=2 * HOUR, place=place)
    assert found == instant


def test_a_place_beyond_the_window_waits_for_the_next_one() -> None:
    moment: dict[str, Any] = {"window": (NINE, FIVE), "spread": 4 * HOUR}
    assert when("2026-11-17T20:00", place=0.25, **moment) == "2026-11-17T21:00"
    assert when("2026-11-17T20:00", place=0.75, **moment) == "2026-11-18T14:00"


# -- whose clock -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "candidates", "zone"),
    [
        (BERLIN, [NEW_YORK], BERLIN),
        ("", [NEW_YORK, "America/Los_Angeles"], "America/Los_Angeles"),
        ("", [KIRITIMATI, PAGO], PAGO),
        ("", [], "UTC"),
    ],
)
def test_the_stated_zone_goes_alone_else_the_one_furthest_behind(
    stated: str, candidates: list[str], zone: str
) -> None:
    assert zone_of(stated, candidates, "UTC", utc("2026-11-17T12:00")) == zone


def test_which_zone_is_behind_may_change_with_the_clocks() -> None:
    zones = ["America/Phoenix", "America/Denver"]
    assert zone_of("", zones, "", utc("2026-07-01T12:00")) == "America/Phoenix"
    assert zone_of("", zones, "", utc("2026-01-01T12:00")) == "America/Denver"


# -- whatever is asked -------------------------------------------------------------------------

ZONES = (NEW_YORK, BERLIN, LORD_HOWE, SANTIAGO, KIRITIMATI, PAGO)


@given(
    st.integers(0, 600 * 24 * 60),
    st.sampled_from(ZONES),
    st.frozensets(st.integers(0, 6)),
    st.none() | st.tuples(st.integers(0, 11), st.integers(13, 23)),
    st.none() | st.integers(0, 23),
    st.floats(0, 0.999),
    st.sampled_from([timedelta(0), HOUR, 5 * HOUR, 3 * DAY]),
)
@settings(max_examples=250, deadline=None)
def test_a_moment_is_never_before_its_base_never_on_another_day_and_never_outside_its_window(
    minutes: int,
    zone: str,
    days: frozenset[int],
    window: tuple[int, int] | None,
    best: int | None,
    place: float,
    spread: timedelta,
) -> None:
    base = utc("2026-01-01T00:00") + timedelta(minutes=minutes)
    hours = (time(window[0]), time(window[1])) if window else None
    moment = Moment(days=days, window=hours, best_hour=True, spread=spread)
    found = adjust(moment, base, zone, best=best, place=place)
    here = found.astimezone(ZoneInfo(zone))
    assert found >= base
    assert not days or here.weekday() in days
    assert hours is None or hours[0] <= here.time() < hours[1]
    assert found - base <= 15 * DAY + spread
