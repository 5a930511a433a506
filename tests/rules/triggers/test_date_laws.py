"""What always holds of dates, whatever the form, the clock and the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.plays import Date
from connector.rules.triggers import dates
from tests.rules.triggers.clocks import DAY, HOUR, LEAPS, MINUTE, ZONES, utc

spans = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(
    lambda span: timedelta(minutes=span // MINUTE)
)
hours = st.one_of(st.none(), st.times().map(lambda at: at.replace(second=0, microsecond=0)))
forms = st.builds(
    Date,
    st.just("contact.x"),
    offset=st.one_of(spans, spans.map(lambda span: span.days * DAY)),
    at=hours,
    yearly=st.booleans(),
    leap_day=st.sampled_from(["02-28", "03-01"]),
)
instants = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - made aware by the strategy
    datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
held = st.one_of(
    st.dates(date(1990, 1, 1), date(2035, 1, 1)).map(date.isoformat),
    instants.map(datetime.isoformat),
    st.sampled_from(["--02-29", "--12-31", "2000-02-29", "2024-02-29T23:30:00Z"]),
)


@given(forms, held, st.sampled_from(ZONES), instants, instants)
@settings(max_examples=150, deadline=None)
def test_the_next_comes_strictly_after_and_never_goes_back(
    form: Date, value: str, zone: str, one: datetime, other: datetime
) -> None:
    early, late = sorted((one, other))
    first = dates.next_occurrence(form, value, zone, early)
    second = dates.next_occurrence(form, value, zone, late)
    if first is None:
        assert second is None
    elif second is not None:
        assert early < first.at <= second.at
        assert late < second.at
    if first is not None and first.at > late:
        assert second == first, "nothing lies between"


@given(forms, held, st.sampled_from(ZONES), instants)
@settings(max_examples=100, deadline=None)
def test_a_yearly_date_comes_exactly_once_for_each_year(
    form: Date, value: str, zone: str, after: datetime
) -> None:
    wanted = Date("contact.x", form.offset, form.at, True, form.leap_day)
    years = []
    for _ in range(8):
        found = dates.next_occurrence(wanted, value, zone, after)
        assert found is not None
        years.append(int(found.key[:4]))
        after = found.at
    assert years == list(range(years[0], years[0] + 8))


@given(instants, st.sampled_from(ZONES), spans)
def test_before_an_appointment_is_just_so_long_before(
    at: datetime, zone: str, span: timedelta
) -> None:
    assert dates.instant(Date("signal.x", span), at.isoformat(), zone) == at + span


@given(
    forms, st.dates(date(1990, 1, 1), date(2035, 1, 1)), st.integers(0, 3), st.sampled_from(ZONES)
)
@settings(max_examples=150, deadline=None)
def test_a_later_day_is_never_due_earlier(form: Date, day: date, more: int, zone: str) -> None:
    first = dates.instant(form, day.isoformat(), zone)
    second = dates.instant(form, (day + more * DAY).isoformat(), zone)
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.sampled_from(LEAPS), st.integers(-300, 300))
@settings(max_examples=60, deadline=None)
def test_about_a_leap_an_hour_is_the_first_instant_that_shows_it_or_is_past_it(
    leap: tuple[str, str], minutes: int
) -> None:
    zone, about = leap
    place, start = ZoneInfo(zone), utc(about) - 30 * HOUR
    wanted = (utc(about) + minutes * MINUTE).astimezone(place).replace(tzinfo=None, fold=0)
    shows = (start + n * MINUTE for n in range(36 * 60))
    first = next(at for at in shows if at.astimezone(place).replace(tzinfo=None) >= wanted)
    assert dates.local(wanted.date(), wanted.time(), zone) == first
