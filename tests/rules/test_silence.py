"""A source's silence is an alarm once it is beyond the habit that its hours tell, not before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.silence import HOUR, LONGER, WEEK, Habit, Silence, judge

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday noon
DAY = timedelta(days=1)


def habit(times: Iterable[datetime], each: int = 1) -> Habit:
    hours: dict[datetime, int] = {}
    for at in times:
        hour = at.replace(minute=0, second=0, microsecond=0)
        hours[hour] = hours.get(hour, 0) + each
    return Habit(hours)


def every(gap: timedelta, weeks: float = 6, until: datetime = NOW) -> list[datetime]:
    """Heard each ``gap``, up to an instant; the first first."""
    count = int(weeks * WEEK / gap)
    return [until - number * gap for number in range(count, -1, -1)]


def at_work(weeks: int = 6) -> list[datetime]:
    """Each half hour from nine to five, Monday to Friday, up to Friday noon."""
    found = every(HOUR / 2, weeks)
    return [at for at in found if at.weekday() < 5 and 9 <= at.hour < 17]


def alarmed(heard: list[datetime], now: datetime, each: int = 1) -> Silence | None:
    return judge(habit(heard, each), heard[-1], now)


def first_alarm(heard: list[datetime], each: int = 1) -> timedelta:
    """How long a silence is when its alarm comes, looked at each ten minutes."""
    for tens in range(1, 6 * 24 * 60):
        if alarmed(heard, heard[-1] + tens * timedelta(minutes=10), each):
            return tens * timedelta(minutes=10)
    raise AssertionError("it never came")


# When it comes


def test_a_busy_source_is_missed_within_a_few_hours() -> None:
    assert first_alarm(every(timedelta(minutes=5)), each=10) <= 4 * HOUR
    assert first_alarm(every(HOUR / 2)) <= 6 * HOUR


def test_nights_and_weekends_of_a_shop_that_keeps_hours_are_no_silence() -> None:
    heard = [at for at in at_work() if at < NOW.replace(hour=17)]
    monday = (NOW + 3 * DAY).replace(hour=9)
    for minutes in range(0, int((monday - NOW) / timedelta(minutes=1)), 10):
        now = NOW + timedelta(minutes=minutes)
        last = [at for at in [*heard, *at_work_after(NOW)] if at <= now]
        assert alarmed(last, now) is None, now


def at_work_after(start: datetime) -> list[datetime]:
    return [
        at
        for half in range(1, 10)
        if (at := start + half * HOUR / 2).weekday() < 5 and 9 <= at.hour < 17
    ]


def test_but_a_working_day_without_a_word_is() -> None:
    friday = [*at_work(), *at_work_after(NOW)]
    monday = (NOW + 3 * DAY).replace(hour=9)
    assert alarmed(friday, monday) is None
    found = alarmed(friday, monday + timedelta(hours=5))
    assert found is not None
    assert found.weeks >= 5


def test_a_nightly_source_is_missed_once_a_night_and_a_half_went_by() -> None:
    silence = first_alarm(every(DAY))
    assert DAY < silence <= 2 * DAY


def test_the_busier_a_source_the_sooner_it_is_missed_on_a_working_day() -> None:
    """It stopped on a Thursday at ten, of an office that is heard until five."""
    heard = [at for at in at_work() if at <= NOW - 26 * HOUR]
    assert first_alarm(heard, each=30) <= 3 * HOUR + timedelta(minutes=10)
    assert 4 * HOUR <= first_alarm(heard, each=1) <= 6 * HOUR


def test_one_outage_of_old_does_not_hide_the_next() -> None:
    outage = (NOW - 3 * WEEK, NOW - 3 * WEEK + 10 * DAY)
    nightly = [at for at in every(DAY, 10) if not outage[0] < at < outage[1]]
    assert first_alarm(nightly) <= 2 * DAY


def test_one_week_of_holidays_does_not_hide_the_next_silence() -> None:
    holidays = (NOW - 3 * WEEK - 4 * DAY, NOW - 3 * WEEK + 3 * DAY)
    heard = [at for at in at_work() if not holidays[0] < at < holidays[1]]
    assert first_alarm([at for at in heard if at <= NOW - 26 * HOUR]) <= 6 * HOUR


def test_a_change_of_the_clocks_is_no_silence() -> None:
    """On 1 November 2026 New York goes back an hour: what is heard from nine is an hour later."""
    zone = ZoneInfo("America/New_York")
    now = datetime(2026, 11, 2, 15, 20, tzinfo=UTC)  # twenty past ten, on the Monday after
    days = [now.astimezone(zone).replace(hour=0, minute=0) - n * DAY for n in range(1, 50)]
    heard = sorted(
        (day + minute * timedelta(minutes=1)).astimezone(UTC)
        for day in days
        if day.weekday() < 5
        for minute in range(9 * 60, 17 * 60, 5)
    )
    assert judge(habit(heard, 10), heard[-1], now, zone) is None
    assert judge(habit(heard, 10), heard[-1], now + 2 * HOUR, zone) is not None


# When it must not come


@settings(deadline=None)
@given(st.integers(0, 72), st.integers(1, 20))
def test_without_a_history_there_is_no_habit(hours: int, days: int) -> None:
    """Under two weeks of it there never is an alarm, however long the silence."""
    heard = every(HOUR, weeks=min(days, 13) / 7)
    assert alarmed(heard, NOW + hours * HOUR) is None or days > 13


@settings(deadline=None)
@given(
    st.sampled_from([1, 2, 3, 6, 12, 24, 48]),
    st.lists(st.floats(-0.22, 0.22), min_size=20, max_size=20),
    st.floats(0, 1),
)
def test_a_source_that_keeps_its_pace_never_alarms(
    hours: int, late: list[float], share: float
) -> None:
    """Whatever its pace and however unpunctual it is, up to nearly half of it."""
    gap = hours * HOUR
    heard = [at + gap * late[place % 20] for place, at in enumerate(every(gap, 10))]
    assert judge(habit(heard), heard[-1], heard[-1] + share * gap * 1.22) is None


@settings(deadline=None)
@given(st.integers(1, 48))
def test_a_source_that_stops_is_always_missed_in_the_end(hours: int) -> None:
    heard = every(hours * HOUR, 10)
    assert alarmed(heard, heard[-1] + 2 * hours * HOUR + 4 * HOUR) is not None


@settings(deadline=None)
@given(st.integers(2, 48), st.integers(0, 2_000))
def test_it_stays_an_alarm_for_as_long_as_it_is_silent(hours: int, more: int) -> None:
    """By the gaps a longer silence is never less of one."""
    heard = every(hours * HOUR, 10)
    usual = hours * HOUR + HOUR
    assert alarmed(heard, heard[-1] + LONGER * usual + HOUR / 60 + more * HOUR) is not None


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(-200, 200))
def test_it_does_not_depend_on_the_week_it_is_told_in(tens: int, weeks: int) -> None:
    heard, now = at_work(), at_work()[-1] + tens * timedelta(minutes=10)
    moved = [at + weeks * WEEK for at in heard]
    assert (alarmed(heard, now) is None) == (alarmed(moved, now + weeks * WEEK) is None)


def test_under_an_hour_is_never_a_silence() -> None:
    assert alarmed(every(timedelta(minutes=1), 4), NOW + timedelta(minutes=59), 100) is None


# The operator's own bound


@pytest.mark.parametrize(("minutes", "is_silent"), [(29, False), (30, False), (31, True)])
def test_a_bound_of_the_operators_own_alone_counts(minutes: int, is_silent: bool) -> None:
    found = judge(Habit({}), NOW, NOW + timedelta(minutes=minutes), UTC, HOUR / 2)
    assert (found is not None) is is_silent
    assert judge(habit(every(HOUR)), NOW, NOW + 30 * DAY, UTC, 60 * DAY) is None


def test_where_no_alarm_is_wanted_no_silence_is_one() -> None:
    heard = every(timedelta(minutes=5))
    assert judge(habit(heard, 10), heard[-1], NOW + 30 * DAY) is not None
    assert judge(habit(heard, 10), heard[-1], NOW + 30 * DAY, bound=timedelta(0)) is None
