"""When a date in a field comes: on whose clock, in which year, and over changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Json
from connector.rules.plays import Date
from connector.rules.triggers import dates

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
LORD_HOWE, SANTIAGO = "Australia/Lord_Howe", "America/Santiago"
KIRITIMATI, APIA, PAGO = "Pacific/Kiritimati", "Pacific/Apia", "Pacific/Pago_Pago"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(
    value: Json, zone: str = NEW_YORK, after: str = "2026-01-01T00:00", **form: Any
) -> tuple[str, str] | None:
    """(key, when it is due in UTC) of the next occurrence after an instant."""
    found = dates.next_occurrence(Date("contact.x", **form), value, zone, utc(after))
    return (found.key, f"{found.at:%Y-%m-%dT%H:%M}") if found else None


# -- an hour of a day --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hour", "instant"),
    [
        # spring: 02:30 does not exist; the first instant after the leap
        (NEW_YORK, "2026-03-08", "01:59", "2026-03-08T06:59"),
        (NEW_YORK, "2026-03-08", "02:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "03:00", "2026-03-08T07:00"),
        (BERLIN, "2026-03-29", "02:30", "2026-03-29T01:00"),
        # autumn: 01:30 comes twice; the first
        (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),
        (NEW_YORK, "2026-11-01", "02:00", "2026-11-01T07:00"),
        (BERLIN, "2026-10-25", "02:30", "2026-10-25T00:30"),
        # half an hour only: 02:00 → 02:30 in October, 02:00 → 01:30 in April
        (LORD_HOWE, "2026-10-04", "02:15", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-10-04", "02:30", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05", "01:45", "2026-04-04T14:45"),
        # at midnight: the day begins at 01:00, or its last hour comes twice
        (SANTIAGO, "2026-09-06", "00:00", "2026-09-06T04:00"),
        (SANTIAGO, "2026-09-06", "00:59", "2026-09-06T04:00"),
        (SANTIAGO, "2026-04-04", "23:30", "2026-04-05T02:30"),
        # either side of the date line
        (KIRITIMATI, "2026-06-01", "10:00", "2026-05-31T20:00"),
        (PAGO, "2026-06-01", "10:00", "2026-06-01T21:00"),
        # a day that never was
        (APIA, "2011-12-29", "12:00", "2011-12-29T22:00"),
        (APIA, "2011-12-30", "00:00", "2011-12-30T10:00"),
        (APIA, "2011-12-30", "23:59", "2011-12-30T10:00"),
        (APIA, "2011-12-31", "00:00", "2011-12-30T10:00"),
    ],
)
def test_an_hour_of_a_day_is_one_instant_whatever_the_clock_does(
    zone: str, day: str, hour: str, instant: str
) -> None:
    found = dates.local(date.fromisoformat(day), time.fromisoformat(hour), zone)
    assert found == utc(instant)
    assert found.tzinfo is UTC


@given(
    st.dates(date(1990, 1, 1), date(2035, 12, 31)),
    st.times(),
    st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE, SANTIAGO, KIRITIMATI, APIA, PAGO, "UTC"]),
)
@settings(max_examples=150, deadline=None)
def test_no_clock_shows_an_earlier_time_than_was_asked_for(
    day: date, hour: time, zone: str
) -> None:
    found = dates.local(day, hour, zone)
    place = ZoneInfo(zone)
    shown = found.astimezone(place).replace(tzinfo=None)
    asked = datetime.combine(day, hour)
    assert shown >= asked
    if shown != asked:  # a leap: the instant before, the clock had not come so far
        before = (found - timedelta(microseconds=1)).astimezone(place)
        assert before.replace(tzinfo=None) < asked


def test_later_hours_of_a_day_are_never_earlier_instants() -> None:
    for zone, day in ((NEW_YORK, date(2026, 3, 8)), (APIA, date(2011, 12, 30))):
        found = [dates.local(day, time(n // 4, n % 4 * 15), zone) for n in range(96)]
        assert found == sorted(found)


# -- what a field may hold ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-11-17", date(2026, 11, 17)),
        (" 2026-11-17 ", date(2026, 11, 17)),
        ("20261117", date(2026, 11, 17)),
        ("2026-11-17T10:00:00-05:00", utc("2026-11-17T15:00")),
        ("2026-11-17T15:00:00Z", utc("2026-11-17T15:00")),
        ("2026-11-17 15:00", utc("2026-11-17T15:00")),
        (1794927600, utc("2026-11-17T15:00")),
        (1794927600000, utc("2026-11-17T15:00")),
        (1794927600.5, utc("2026-11-17T15:00") + timedelta(seconds=0.5)),
        ("--02-29", dates.Yearly(2, 29)),
        ("--1117", dates.Yearly(11, 17)),
    ],
)
def test_days_instants_and_birthdays_without_a_year_are_read(value: Json, wanted: object) -> None:
    assert dates.parse(value) == wanted


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "2026-02-30",
        "2026-13-01",
        "--02-30",
        "--13-01",
        True,
        ["2026-11-17"],
        {"day": 1},
        "x" * 500,
        1e300,
        "0001-01-01",
        "9999-12-31",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
@pytest.mark.parametrize("is_yearly", [True, False])
def test_what_is_no_day_that_anybody_means_never_comes(value: Json, is_yearly: bool) -> None:
    assert due(value, yearly=is_yearly, at=time(10), offset=-30 * DAY) is None
    assert dates.instant(Date("signal.x", offset=-30 * DAY), value, KIRITIMATI) is None


# -- once --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        (NEW_YORK, "2026-05-31T14:00"),
        (BERLIN, "2026-05-31T08:00"),
        (KIRITIMATI, "2026-05-30T20:00"),
        (PAGO, "2026-05-31T21:00"),
        (LORD_HOWE, "2026-05-30T23:30"),
    ],
)
def test_an_hour_on_the_day_before_is_on_the_persons_own_clock(zone: str, instant: str) -> None:
    found = due("2026-06-01", zone, offset=-DAY, at=time(10))
    assert found == ("2026-06-01", instant)


@pytest.mark.parametrize(
    ("value", "offset", "instant"),
    [
        ("2026-03-08", -DAY, "2026-03-07T15:00"),  # 10:00 in winter, the day before the leap
        ("2026-03-09", -DAY, "2026-03-08T14:00"),  # 10:00 in summer, on the day of the leap
        ("2026-03-30", -30 * DAY, "2026-02-28T15:00"),
        ("2026-03-31", -30 * DAY, "2026-03-01T15:00"),
        ("2028-03-30", -30 * DAY, "2028-02-29T15:00"),  # a leap year
        ("2026-11-02", -DAY, "2026-11-01T15:00"),
        ("2026-03-08", timedelta(0), "2026-03-08T14:00"),
        ("2026-03-07", DAY, "2026-03-08T14:00"),
    ],
)
def test_whole_days_of_an_offset_are_days_of_the_calendar(
    value: str, offset: timedelta, instant: str
) -> None:
    assert due(value, after="2026-01-01T00:00", offset=offset, at=time(10)) == (value, instant)


@pytest.mark.parametrize(
    ("value", "offset", "at", "instant"),
    [
        ("2026-03-08", -12 * HOUR, time(10), "2026-03-08T02:00"),
        ("2026-03-08", -36 * HOUR, time(10), "2026-03-07T03:00"),
        ("2026-11-01", 12 * HOUR, time(0), "2026-11-01T16:00"),
        ("2026-03-08T07:30:00Z", -2 * HOUR, None, "2026-03-08T05:30"),
        ("2026-03-08T07:30:00Z", -24 * HOUR, None, "2026-03-07T08:30"),  # 03:30 on both days
    ],
)
def test_what_is_less_than_a_day_of_an_offset_is_elapsed_time(
    value: str, offset: timedelta, at: time | None, instant: str
) -> None:
    found = due(value, offset=offset, at=at)
    assert found == (value, instant)


def test_a_day_without_an_hour_is_noon() -> None:
    assert due("2026-06-01") == ("2026-06-01", "2026-06-01T16:00")


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        (NEW_YORK, "2026-05-31T14:00"),  # 1 June 02:00 Z is 31 May there
        (BERLIN, "2026-06-01T08:00"),
        (KIRITIMATI, "2026-05-31T20:00"),
        (PAGO, "2026-05-31T21:00"),
    ],
)
def test_an_instant_with_an_hour_is_that_hour_of_the_day_it_then_is(
    zone: str, instant: str
) -> None:
    assert due("2026-06-01T02:00:00Z", zone, at=time(10)) == ("2026-06-01T02:00:00Z", instant)


def test_a_day_that_is_over_never_comes_again() -> None:
    assert due("2025-12-31", after="2025-12-31T17:00") is None
    assert due("2025-12-31", after="2025-12-31T16:59") == ("2025-12-31", "2025-12-31T17:00")


# -- every year --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leap_day", "after", "key"),
    [
        ("02-28", "2027-01-01", "2027-02-28"),
        ("03-01", "2027-01-01", "2027-03-01"),
        ("02-28", "2028-01-01", "2028-02-29"),
        ("03-01", "2028-01-01", "2028-02-29"),
        ("02-28", "2028-03-01", "2029-02-28"),
        ("03-01", "2099-12-01", "2100-03-01"),  # no leap year
    ],
)
@pytest.mark.parametrize("value", ["1996-02-29", "--02-29"])
def test_29_february_falls_on_another_day_in_common_years(
    value: str, leap_day: str, after: str, key: str
) -> None:
    found = due(value, after=f"{after}T00:00", yearly=True, leap_day=leap_day, at=time(10))
    assert found == (key, f"{key}T15:00")


def test_a_yearly_instant_keeps_its_hour_and_its_leap_day() -> None:
    found = due("2024-02-29T10:00:00Z", after="2027-01-01T00:00", yearly=True)
    assert found == ("2027-02-28T10:00:00Z", "2027-02-28T10:00")


@pytest.mark.parametrize(
    ("value", "offset", "after", "key"),
    [
        ("--01-01", -DAY, "2026-12-31T14:00", "2027-01-01"),
        ("--01-01", -DAY, "2026-12-31T15:00", "2028-01-01"),
        ("--01-10", -30 * DAY, "2026-12-01T00:00", "2027-01-10"),
        ("--12-31", 30 * DAY, "2027-01-15T00:00", "2026-12-31"),
        ("--12-31", 30 * DAY, "2027-02-01T00:00", "2027-12-31"),
        ("--06-01", -364 * DAY, "2026-06-01T00:00", "2027-06-01"),
    ],
)
def test_an_offset_may_lead_into_the_year_beside(
    value: str, offset: timedelta, after: str, key: str
) -> None:
    found = due(value, after=after, offset=offset, at=time(10), yearly=True)
    assert found is not None
    assert found[0] == key


def test_a_birthday_without_a_year_comes_every_year_also_where_the_play_does_not_say_so() -> None:
    assert due("--06-01", at=time(10)) == ("2026-06-01", "2026-06-01T14:00")


def test_nothing_comes_before_its_first_year() -> None:
    found = due("2030-06-01", yearly=True, at=time(10))
    assert found == ("2030-06-01", "2030-06-01T14:00")


def test_the_birthday_of_one_across_the_date_line_is_another_instant_of_the_same_day() -> None:
    east = due("--07-04", KIRITIMATI, yearly=True, at=time(9))
    west = due("--07-04", PAGO, yearly=True, at=time(9))
    assert east == ("2026-07-04", "2026-07-03T19:00")
    assert west == ("2026-07-04", "2026-07-04T20:00")


def test_a_birthday_on_the_day_that_was_left_out_comes_as_the_next_day_begins() -> None:
    found = due("--12-30", APIA, "2011-12-01T00:00", yearly=True, at=time(10))
    assert found == ("2011-12-30", "2011-12-30T10:00")


@given(
    st.dates(date(1920, 1, 1), date(2026, 12, 31)),
    st.sampled_from([NEW_YORK, LORD_HOWE, SANTIAGO, KIRITIMATI, APIA, PAGO]),
    st.integers(-364, 364),
    st.sampled_from(["02-28", "03-01"]),
    st.integers(0, 23),
)
@settings(max_examples=60, deadline=None)
def test_a_yearly_date_comes_once_in_each_year_and_none_is_left_out(
    day: date, zone: str, offset: int, leap_day: str, hour: int
) -> None:
    wanted = Date("contact.x", offset * DAY, time(hour), yearly=True, leap_day=leap_day)
    after = utc("2027-01-01T00:00")
    keys = []
    for _ in range(9):
        found = dates.next_occurrence(wanted, day.isoformat(), zone, after)
        assert found is not None
        assert found.at > after
        keys.append(int(found.key[:4]))
        after = found.at
    assert keys == list(range(keys[0], keys[0] + 9))


# -- in a signal -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "offset", "at", "instant"),
    [
        ("2026-03-08T13:00:00-04:00", -24 * HOUR, None, "2026-03-07T17:00"),
        ("2026-03-08T13:00:00-04:00", -24 * HOUR, time(10), "2026-03-07T15:00"),
        ("2026-11-01T13:00:00-05:00", -24 * HOUR, None, "2026-10-31T18:00"),
        ("2026-11-01T13:00:00-05:00", -24 * HOUR, time(10), "2026-10-31T14:00"),
        ("2026-11-01T13:00:00-05:00", -2 * HOUR, None, "2026-11-01T16:00"),
        ("2028-03-01", -DAY, time(18), "2028-02-29T23:00"),
        (1794927600, -HOUR, None, "2026-11-17T14:00"),
    ],
)
def test_an_appointment_is_spoken_of_once_however_long_ago_it_is(
    value: Json, offset: timedelta, at: time | None, instant: str
) -> None:
    wanted = Date("signal.starts_at", offset, at)
    assert dates.instant(wanted, value, NEW_YORK) == utc(instant)


def test_a_birthday_without_a_year_is_no_appointment() -> None:
    assert dates.instant(Date("signal.x"), "--06-01", NEW_YORK) is None
