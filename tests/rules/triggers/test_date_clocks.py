"""Dates on every clock: in fields, every year and in signals, where days are no 24 hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.model import Json
from connector.rules.plays import Date
from connector.rules.triggers import dates
from tests.rules.triggers.clocks import A_DAY, DAY, HOUR, ZONES, on, utc

NEW_YORK, BERLIN, LORD_HOWE, KATHMANDU, APIA, KIRITIMATI, PAGO = ZONES
TEN, HALF_PAST_TWO = time(10), time(2, 30)


def due(value: Json, zone: str, after: str, **form: Any) -> tuple[str, str] | None:
    """The key of the next occurrence after an instant, and when it is due on the zone's clock."""
    found = dates.next_occurrence(Date("contact.x", **form), value, zone, utc(after))
    return (found.key, shown(found.at, zone)) if found else None


def shown(at: datetime, zone: str) -> str:
    assert at.tzinfo is UTC
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


# -- a day in a field --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "value", "offset", "at", "expected"),
    [
        (NEW_YORK, "2026-03-09", -DAY, HALF_PAST_TWO, "2026-03-08T03:00-04:00"),
        (NEW_YORK, "2026-11-02", -DAY, time(1, 30), "2026-11-01T01:30-04:00"),
        (NEW_YORK, "2026-03-08", -12 * HOUR, TEN, "2026-03-07T21:00-05:00"),
        (NEW_YORK, "2026-03-09", -36 * HOUR, TEN, "2026-03-07T21:00-05:00"),
        (NEW_YORK, "2026-10-31", 36 * HOUR, TEN, "2026-11-01T22:00-05:00"),
        (NEW_YORK, "2026-10-31", 15 * HOUR, TEN, "2026-11-01T01:00-04:00"),
        (NEW_YORK, "2026-10-31", 16 * HOUR, TEN, "2026-11-01T01:00-05:00"),
        (BERLIN, "2026-03-30", -DAY, HALF_PAST_TWO, "2026-03-29T03:00+02:00"),
        (BERLIN, "2026-10-26", -DAY, HALF_PAST_TWO, "2026-10-25T02:30+02:00"),
        (BERLIN, "2026-11-24", -30 * DAY, TEN, "2026-10-25T10:00+01:00"),
        (LORD_HOWE, "2026-10-05", -DAY, time(2, 10), "2026-10-04T02:30+11:00"),
        (LORD_HOWE, "2026-04-06", -DAY, time(1, 45), "2026-04-05T01:45+11:00"),
        (LORD_HOWE, "2026-10-04", -12 * HOUR, TEN, "2026-10-03T21:30+10:30"),
        (KATHMANDU, "2028-03-01", -DAY, TEN, "2028-02-29T10:00+05:45"),
        (KATHMANDU, "2027-03-01", -DAY, TEN, "2027-02-28T10:00+05:45"),
        (KATHMANDU, "2028-02-29", DAY, TEN, "2028-03-01T10:00+05:45"),
        (APIA, "2011-12-31", -DAY, TEN, "2011-12-31T00:00+14:00"),  # no 30 December there
        (APIA, "2012-01-01", -DAY, TEN, "2011-12-31T10:00+14:00"),
        (APIA, "2026-11-18", -DAY, TEN, "2026-11-17T10:00+13:00"),
        (KIRITIMATI, "2026-11-18", -DAY, TEN, "2026-11-17T10:00+14:00"),
        (PAGO, "2026-11-18", -DAY, TEN, "2026-11-17T10:00-11:00"),
    ],
)
def test_days_of_an_offset_are_the_calendars_and_hours_are_elapsed(
    zone: str, value: str, offset: timedelta, at: time, expected: str
) -> None:
    assert due(value, zone, "2011-01-01T00Z", offset=offset, at=at) == (value, expected)


# -- an instant in a field ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "value", "offset", "expected"),
    [
        (NEW_YORK, "2026-11-17T10:00-05:00", -30 * DAY, "2026-10-18T10:00-04:00"),
        (NEW_YORK, "2026-03-09T02:30-04:00", -DAY, "2026-03-08T03:00-04:00"),
        (NEW_YORK, "2026-11-02T01:30-05:00", -DAY, "2026-11-01T01:30-04:00"),
        (NEW_YORK, "2026-11-01T01:30-05:00", 0 * DAY, "2026-11-01T01:30-05:00"),
        (NEW_YORK, "2026-11-01T01:30-05:00", -DAY, "2026-10-31T01:30-04:00"),
        (NEW_YORK, "2026-11-01T01:30-05:00", -364 * DAY, "2025-11-02T01:30-04:00"),
        (NEW_YORK, "2026-03-08T10:00-04:00", -12 * HOUR, "2026-03-07T21:00-05:00"),
        (BERLIN, "2026-10-26T08:00+01:00", -7 * DAY, "2026-10-19T08:00+02:00"),
        (LORD_HOWE, "2026-10-05T08:00+11:00", -7 * DAY, "2026-09-28T08:00+10:30"),
        (KATHMANDU, "2028-03-01T00:15Z", -DAY, "2028-02-29T06:00+05:45"),
        (APIA, "2011-12-31T09:00+14:00", -2 * DAY, "2011-12-29T09:00-10:00"),
        (KIRITIMATI, "2026-11-17T20:00Z", -DAY, "2026-11-17T10:00+14:00"),
        (PAGO, "2026-11-17T20:00Z", -DAY, "2026-11-16T09:00-11:00"),
    ],
)
def test_an_instant_in_a_field_keeps_its_hour_on_the_persons_clock(
    zone: str, value: str, offset: timedelta, expected: str
) -> None:
    found = due(value, zone, "2011-01-01T00Z", offset=offset)
    assert found == (f"{utc(value):%Y-%m-%dT%H:%M:%SZ}", expected)


# -- every year --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "value", "after", "leap_day", "expected"),
    [
        # ten in the morning, in summer once and in winter then
        (NEW_YORK, "2020-03-10T14:00Z", "2027-01-01T00Z", "02-28", "2027-03-10T10:00-05:00"),
        (BERLIN, "2020-10-26T09:00Z", "2021-01-01T00Z", "02-28", "2021-10-26T10:00+02:00"),
        (LORD_HOWE, "2020-04-03T23:00Z", "2027-01-01T00Z", "02-28", "2027-04-04T10:00+10:30"),
        # an hour that does not come this year, and one that comes twice
        (NEW_YORK, "2020-03-08T02:00-05:00", "2026-01-01T00Z", "02-28", "2026-03-08T03:00-04:00"),
        (NEW_YORK, "2025-11-01T01:30-04:00", "2026-01-01T00Z", "02-28", "2026-11-01T01:30-04:00"),
        (NEW_YORK, "2026-11-01T01:30-05:00", "2026-01-01T00Z", "02-28", "2026-11-01T01:30-05:00"),
        # the year is the one on the person's clock
        (NEW_YORK, "2020-01-01T03:00Z", "2026-06-01T00Z", "02-28", "2026-12-31T22:00-05:00"),
        (KIRITIMATI, "2020-01-01T03:00Z", "2026-06-01T00Z", "02-28", "2027-01-01T17:00+14:00"),
        (PAGO, "2020-01-01T03:00Z", "2026-06-01T00Z", "02-28", "2026-12-31T16:00-11:00"),
        (KIRITIMATI, "2019-12-31T20:00Z", "2026-06-01T00Z", "02-28", "2027-01-01T10:00+14:00"),
        (KIRITIMATI, "2019-12-31T20:00Z", "2026-12-31T19:00Z", "02-28", "2027-01-01T10:00+14:00"),
        # and so is the leap day
        (NEW_YORK, "2000-03-01T02:00Z", "2027-01-01T00Z", "02-28", "2027-02-28T21:00-05:00"),
        (NEW_YORK, "2000-03-01T02:00Z", "2027-01-01T00Z", "03-01", "2027-03-01T21:00-05:00"),
        (NEW_YORK, "2000-03-01T02:00Z", "2028-01-01T00Z", "03-01", "2028-02-29T21:00-05:00"),
        (KATHMANDU, "2000-02-29T00:00Z", "2027-01-01T00Z", "03-01", "2027-03-01T05:45+05:45"),
    ],
)
def test_an_instant_comes_again_each_year_at_its_hour_on_the_persons_clock(
    zone: str, value: str, after: str, leap_day: str, expected: str
) -> None:
    found = due(value, zone, after, yearly=True, leap_day=leap_day)
    assert found is not None
    assert found[1] == expected


@pytest.mark.parametrize("zone", ZONES)
def test_the_key_of_a_year_is_the_same_wherever_the_person_moves(zone: str) -> None:
    for value, key in (("--12-31", "2026-12-31"), ("2020-01-01T03:00Z", "2027-01-01T03:00:00Z")):
        found = due(value, zone, "2026-06-01T00Z", yearly=True, at=TEN)
        assert found is not None
        assert found[0] == key


@pytest.mark.parametrize(
    ("offset", "leap_day", "after", "expected"),
    [
        (-DAY, "02-28", "2027-01-01T00Z", "2027-02-27T10:00+05:45"),
        (-DAY, "03-01", "2027-01-01T00Z", "2027-02-28T10:00+05:45"),
        (-DAY, "03-01", "2028-01-01T00Z", "2028-02-28T10:00+05:45"),
        (DAY, "02-28", "2027-01-01T00Z", "2027-03-01T10:00+05:45"),
        (DAY, "02-28", "2028-01-01T00Z", "2028-03-01T10:00+05:45"),
    ],
)
def test_an_offset_counts_from_where_29_february_falls(
    offset: timedelta, leap_day: str, after: str, expected: str
) -> None:
    found = due("--02-29", KATHMANDU, after, yearly=True, offset=offset, leap_day=leap_day, at=TEN)
    assert found is not None
    assert found[1] == expected


@pytest.mark.parametrize(("days", "key"), [(1200, "2024-06-01"), (-1200, "2030-06-01")])
def test_an_offset_may_be_of_years(days: int, key: str) -> None:
    found = due("--06-01", BERLIN, "2026-11-17T00Z", offset=days * DAY, at=TEN)
    assert found is not None
    assert found[0] == key


def test_a_date_that_is_years_away_is_waited_for() -> None:
    assert due("2041-05-05", BERLIN, "2026-11-17T00Z", yearly=True, at=TEN) == (
        "2041-05-05",
        "2041-05-05T10:00+02:00",
    )


def test_a_date_learned_late_comes_the_year_after_and_one_that_is_not_yearly_never() -> None:
    assert due("2020-11-17", BERLIN, "2026-11-17T09:00Z", yearly=True, at=TEN) == (
        "2027-11-17",
        "2027-11-17T10:00+01:00",
    )
    assert due("2026-11-17", BERLIN, "2026-11-17T09:00Z", at=TEN) is None


# -- in a signal -------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "begun", "starts"), A_DAY)
def test_24_hours_before_an_appointment_are_elapsed_hours(
    zone: str, begun: str, starts: str
) -> None:
    wanted = Date("signal.starts_at", offset=-24 * HOUR)
    assert dates.instant(wanted, on(zone, starts).isoformat(), zone) == on(zone, begun)


@pytest.mark.parametrize(
    ("zone", "starts", "offset", "at", "expected"),
    [
        # 24 elapsed hours before these would be two days before, or the same day
        (NEW_YORK, "2026-03-09T00:30-04:00", -DAY, TEN, "2026-03-08T10:00-04:00"),
        (NEW_YORK, "2026-11-01T23:30-05:00", -DAY, TEN, "2026-10-31T10:00-04:00"),
        (BERLIN, "2026-03-30T00:30+02:00", -DAY, TEN, "2026-03-29T10:00+02:00"),
        (BERLIN, "2026-10-25T23:30+01:00", -DAY, TEN, "2026-10-24T10:00+02:00"),
        (LORD_HOWE, "2026-10-05T00:15+11:00", -DAY, TEN, "2026-10-04T10:00+11:00"),
        (LORD_HOWE, "2026-04-05T23:45+10:30", -DAY, TEN, "2026-04-04T10:00+11:00"),
        (NEW_YORK, "2026-03-09T14:00-04:00", -DAY, HALF_PAST_TWO, "2026-03-08T03:00-04:00"),
        (NEW_YORK, "2026-11-17T15:00-05:00", -36 * HOUR, TEN, "2026-11-16T10:00-05:00"),
        (NEW_YORK, "2026-11-17T15:00-05:00", -2 * HOUR, TEN, "2026-11-17T10:00-05:00"),
        (NEW_YORK, "2026-11-17T01:00-05:00", -2 * HOUR, TEN, "2026-11-16T10:00-05:00"),
        (KATHMANDU, "2028-03-01T09:00+05:45", -DAY, TEN, "2028-02-29T10:00+05:45"),
        (KATHMANDU, "2028-03-01", -DAY, TEN, "2028-02-29T10:00+05:45"),
        (APIA, "2011-12-31T09:00+14:00", -DAY, TEN, "2011-12-31T00:00+14:00"),
        # one appointment, seen from both sides of the date line
        (KIRITIMATI, "2026-11-17T20:00Z", -DAY, TEN, "2026-11-17T10:00+14:00"),
        (PAGO, "2026-11-17T20:00Z", -DAY, TEN, "2026-11-16T10:00-11:00"),
    ],
)
def test_with_an_hour_it_is_that_hour_of_the_day_before_on_the_persons_clock(
    zone: str, starts: str, offset: timedelta, at: time, expected: str
) -> None:
    found = dates.instant(Date("signal.starts_at", offset, at), starts, zone)
    assert found is not None
    assert shown(found, zone) == expected


# -- what may be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1794927600", utc("2026-11-17T15:00Z")),
        ("1794927600000", utc("2026-11-17T15:00Z")),
        ("1712120512345", utc("2024-04-03T05:01:52.345Z")),  # not 23:45 on a day of 1712
        ("-315619200", utc("1960-01-01T00:00Z")),
        ("2026-11-17T15:00:00.5+05:45", utc("2026-11-17T09:15:00.5Z")),
        ("-11-17", dates.Yearly(11, 17)),
        (0, utc("1970-01-01T00:00Z")),
        (10**400, None),
        (float("nan"), None),
        (float("-inf"), None),
        ("2026", None),
        ("11-17", None),
        ("17.11.2026", None),
        ("２０２６-11-17", None),
    ],
)
def test_seconds_and_milliseconds_are_read_from_text_too(value: Json, moment: object) -> None:
    assert dates.parse(value) == moment
