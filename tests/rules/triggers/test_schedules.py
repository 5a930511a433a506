"""When a cron line comes due on a zone's clock, whatever that clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from connector.cron import fault, next_fire
from connector.rules.triggers import STALE, schedules

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
LORD_HOWE, SANTIAGO = "Australia/Lord_Howe", "America/Santiago"
KIRITIMATI, APIA, PAGO = "Pacific/Kiritimati", "Pacific/Apia", "Pacific/Pago_Pago"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fires(line: str, zone: str, after: str, times: int) -> list[str]:
    """The next times in UTC."""
    found, at = [], utc(after)
    for _ in range(times):
        due = next_fire(line, zone, at)
        assert due is not None
        assert due > at
        at = due
        found.append(f"{at.astimezone(UTC):%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("zone", "after", "times"),
    [
        (NEW_YORK, "2026-03-07T00:00", ["03-07 15:00", "03-08 14:00", "03-09 14:00"]),
        (NEW_YORK, "2026-10-31T00:00", ["10-31 14:00", "11-01 15:00", "11-02 15:00"]),
        (BERLIN, "2026-03-28T00:00", ["03-28 09:00", "03-29 08:00", "03-30 08:00"]),
        (LORD_HOWE, "2026-10-02T12:00", ["10-02 23:30", "10-03 23:00", "10-04 23:00"]),
        (SANTIAGO, "2026-09-05T00:00", ["09-05 14:00", "09-06 13:00", "09-07 13:00"]),
        (KIRITIMATI, "2026-06-01T00:00", ["06-01 20:00", "06-02 20:00", "06-03 20:00"]),
        (PAGO, "2026-06-01T00:00", ["06-01 21:00", "06-02 21:00", "06-03 21:00"]),
        (APIA, "2026-06-01T00:00", ["06-01 21:00", "06-02 21:00", "06-03 21:00"]),
    ],
)
def test_ten_in_the_morning_is_ten_on_the_zones_clock(
    zone: str, after: str, times: list[str]
) -> None:
    assert fires("0 10 * * *", zone, after, 3) == times


@pytest.mark.parametrize(
    ("line", "zone", "after", "times"),
    [
        # 02:30 does not exist: the first instant after the leap, and once
        ("30 2 * * *", NEW_YORK, "2026-03-07T00:00", ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
        ("30 2 * * *", BERLIN, "2026-03-28T00:00", ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        # midnight does not exist
        ("0 0 * * *", SANTIAGO, "2026-09-05T00:00", ["09-05 04:00", "09-06 04:00", "09-07 03:00"]),
        # half an hour of it does not
        (
            "15 2 * * *",
            LORD_HOWE,
            "2026-10-02T15:00",
            ["10-02 15:45", "10-03 15:30", "10-04 15:15"],
        ),
        # a whole day of it does not, and the next has its own ten o'clock
        ("0 10 * * *", APIA, "2011-12-29T00:00", ["12-29 20:00", "12-30 10:00", "12-30 20:00"]),
        # 01:30 twice: the first only
        ("30 1 * * *", NEW_YORK, "2026-10-31T00:00", ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
        ("30 2 * * *", BERLIN, "2026-10-24T00:00", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        (
            "45 1 * * *",
            LORD_HOWE,
            "2026-04-03T15:00",
            ["04-04 14:45", "04-05 15:15", "04-06 15:15"],
        ),
        (
            "30 23 * * *",
            SANTIAGO,
            "2026-04-04T00:00",
            ["04-04 02:30", "04-05 02:30", "04-06 03:30"],
        ),
    ],
)
def test_a_time_that_does_not_exist_comes_after_the_leap_and_one_that_comes_twice_comes_first(
    line: str, zone: str, after: str, times: list[str]
) -> None:
    assert fires(line, zone, after, 3) == times


def test_a_weekly_line_keeps_its_weekday_on_its_own_side_of_the_date_line() -> None:
    for zone in (KIRITIMATI, PAGO, NEW_YORK):
        due = next_fire("0 10 * * MON", zone, utc("2026-11-17T00:00"))
        assert due is not None
        assert due.astimezone(ZoneInfo(zone)).strftime("%a %H:%M") == "Mon 10:00"


def test_29_february_waits_for_a_leap_year() -> None:
    assert fires("0 12 29 2 *", "UTC", "2026-01-01T00:00", 2) == ["02-29 12:00", "02-29 12:00"]


@pytest.mark.parametrize(
    ("after", "hours"), [("2026-03-08T00:00", {1}), ("2026-11-01T00:00", {1, 2})]
)
def test_every_hour_is_every_hour_that_the_clock_shows_and_the_one_that_comes_twice_once(
    after: str, hours: set[int]
) -> None:
    due = [utc(after)]
    for _ in range(30):
        found = next_fire("0 * * * *", NEW_YORK, due[-1])
        assert found is not None
        due.append(found)
    assert {later - earlier for earlier, later in pairwise(due)} == {
        timedelta(hours=each) for each in hours
    }


def test_a_time_is_never_before_the_one_asked_from() -> None:
    at = utc("2026-11-17T15:00")
    assert next_fire("0 10 * * *", NEW_YORK, at) == at + timedelta(days=1)
    assert next_fire("0 10 * * *", NEW_YORK, at - timedelta(microseconds=1)) == at


def test_a_line_that_never_comes_due_has_no_next_time() -> None:
    assert next_fire("0 0 30 2 *", "UTC", utc("2026-01-01T00:00")) is None


@pytest.mark.parametrize("line", ["", "x", "0 10 * *", "61 * * * *", "0 10 * * MOON", "0 " * 99])
def test_a_line_that_cannot_be_read_says_so(line: str) -> None:
    assert fault(line, NEW_YORK)


def test_a_good_line_has_no_fault() -> None:
    assert fault("0 10 * * MON", NEW_YORK) == ""


def test_one_time_has_one_key_whichever_clock_it_is_told_by() -> None:
    at = utc("2026-11-17T15:00")
    assert schedules.occurrence(at) == "2026-11-17T15:00:00Z"


def test_a_time_is_missed_when_it_was_more_than_48_hours_ago() -> None:
    at = utc("2026-11-17T15:00")
    assert not schedules.is_missed(at, at)
    assert not schedules.is_missed(at, at + STALE)
    assert schedules.is_missed(at, at + STALE + timedelta(microseconds=1))
