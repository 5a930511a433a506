"""Nothing heard for a span: when it is long enough, and what makes an earlier start wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.plays import Silence
from connector.rules.triggers import silence
from tests.rules.triggers.clocks import A_DAY, DAY, HOUR, INSTANT, MINUTE, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
WEEK = Silence(7 * DAY)
SINCE_SEEN = Silence(7 * DAY, since="first_seen")
spans = st.timedeltas(timedelta(minutes=1), timedelta(days=400))
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - made aware by the strategy
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("last", "seen", "form", "due"),
    [
        (NOW, None, WEEK, NOW + 7 * DAY),
        (NOW, NOW - DAY, WEEK, NOW + 7 * DAY),
        (None, NOW, WEEK, None),  # never active: a silence needs a first activity ...
        (None, NOW, SINCE_SEEN, NOW + 7 * DAY),  # ... unless the play says so
        (NOW, NOW - 9 * DAY, SINCE_SEEN, NOW + 7 * DAY),
        (NOW - 9 * DAY, NOW, SINCE_SEEN, NOW - 2 * DAY),  # heard late: from before they were seen
        (None, None, WEEK, None),
        (None, None, SINCE_SEEN, None),
    ],
)
def test_a_silence_counts_from_the_last_activity(
    last: datetime | None, seen: datetime | None, form: Silence, due: datetime | None
) -> None:
    assert silence.fires_at(last, seen, form) == due


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_day_of_silence_is_24_hours_through_any_change_of_the_clock(
    zone: str, shown: str, later: str
) -> None:
    assert silence.fires_at(on(zone, shown), None, Silence(DAY)) == on(zone, later)


@pytest.mark.parametrize(
    ("zone", "shown", "due"),
    [
        ("America/New_York", "2026-03-03 10:00", "2026-03-10 11:00"),
        ("America/New_York", "2026-10-29 10:00", "2026-11-05 09:00"),
        ("Europe/Berlin", "2026-03-25 10:00", "2026-04-01 11:00"),
        ("Australia/Lord_Howe", "2026-10-01 10:00", "2026-10-08 10:30"),
        ("Asia/Kathmandu", "2028-02-25 10:00", "2028-03-03 10:00"),
        ("Pacific/Apia", "2011-12-26 10:00", "2012-01-03 10:00"),
        ("Pacific/Kiritimati", "2026-11-17 10:00", "2026-11-24 10:00"),
        ("Pacific/Pago_Pago", "2026-11-17 10:00", "2026-11-24 10:00"),
    ],
)
def test_seven_days_without_returning_are_seven_times_24_hours(
    zone: str, shown: str, due: str
) -> None:
    assert silence.fires_at(on(zone, shown), None, WEEK) == on(zone, due)


def test_an_activity_after_the_silence_began_breaks_it_and_none_before_does() -> None:
    assert silence.is_broken(NOW, NOW + INSTANT)
    assert not silence.is_broken(NOW, NOW)
    assert not silence.is_broken(NOW, NOW - DAY)


def test_what_is_heard_after_the_start_but_occurred_before_it_makes_that_start_wrong() -> None:
    due = silence.fires_at(NOW, None, WEEK)
    assert due is not None
    assert silence.is_broken(NOW, due - HOUR)
    assert silence.is_broken(NOW, due + HOUR)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_an_activity_in_the_second_of_two_like_hours_breaks_the_silence_of_the_first(
    zone: str, shown: str
) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert silence.is_broken(first, second)
    assert not silence.is_broken(second, first)
    assert silence.occurrence(first) != silence.occurrence(second)


def test_across_the_date_line_the_later_instant_breaks_and_not_the_later_day() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    assert silence.is_broken(east, west)
    assert not silence.is_broken(west, east)


def test_the_key_of_a_silence_is_the_instant_it_counts_from() -> None:
    assert silence.occurrence(NOW) == "2026-11-17T17:00:00.000000Z"


@given(moments, moments, spans)
def test_a_silence_never_starts_a_play_before_its_span_is_over(
    last: datetime, seen: datetime, span: timedelta
) -> None:
    for since in ("activity", "first_seen"):
        due = silence.fires_at(last, seen, Silence(span, since))
        assert due is not None
        assert due - last == span


@given(st.lists(moments, min_size=1, max_size=6), spans, st.randoms())
def test_in_whatever_order_activities_are_heard_only_the_silence_of_the_last_stands(
    acted: list[datetime], span: timedelta, chance: Random
) -> None:
    heard = list(acted)
    chance.shuffle(heard)
    standing = [
        began for began in acted if not any(silence.is_broken(began, each) for each in heard)
    ]
    assert set(standing) == {max(acted)}
    assert silence.fires_at(standing[0], None, Silence(span)) == max(acted) + span


@given(moments, moments, spans)
def test_a_later_activity_never_makes_it_come_earlier(
    one: datetime, other: datetime, span: timedelta
) -> None:
    early, late = sorted((one, other))
    first = silence.fires_at(early, None, Silence(span))
    second = silence.fires_at(late, None, Silence(span))
    assert first is not None
    assert second is not None
    assert first <= second


@given(moments, moments)
def test_two_silences_share_a_key_only_where_they_are_one(one: datetime, other: datetime) -> None:
    assert (silence.occurrence(one) == silence.occurrence(other)) == (one == other)
    assert (silence.occurrence(one) < silence.occurrence(other)) == (one < other)


def test_a_silence_is_counted_to_the_minute() -> None:
    assert silence.fires_at(NOW, None, Silence(90 * MINUTE)) == NOW + 90 * MINUTE
