"""A fact about a thing: who showed in time that they care for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.plays import FanOut
from connector.rules.triggers import things
from tests.rules.triggers.clocks import A_DAY, DAY, INSTANT, TWICE, on

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
STOCK = FanOut(cares=("product_viewed", "product_favourited"), within=30 * DAY)
LAST_DAY = FanOut(cares=("product_viewed",), within=DAY)


@pytest.mark.parametrize(
    ("signal", "age", "cares"),
    [
        ("product_viewed", timedelta(0), True),
        ("product_viewed", DAY, True),
        ("product_favourited", 29 * DAY, True),
        ("product_viewed", 30 * DAY - INSTANT, True),
        ("product_viewed", 30 * DAY, False),
        ("product_viewed", 31 * DAY, False),
        ("product_viewed", -INSTANT, False),  # who looked at it after it was back knows already
        ("cart_updated", DAY, False),
        ("", DAY, False),
    ],
)
def test_who_gave_one_of_the_signals_inside_the_span_cares(
    signal: str, age: timedelta, cares: bool
) -> None:
    assert things.cares(STOCK, signal, NOW - age, NOW) is cares


def test_a_look_that_is_heard_late_counts_by_when_it_was() -> None:
    assert things.cares(LAST_DAY, "product_viewed", NOW - DAY + INSTANT, NOW)
    assert not things.cares(LAST_DAY, "product_viewed", NOW - 2 * DAY, NOW)


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_the_span_is_elapsed_time_through_any_change_of_the_clock(
    zone: str, shown: str, later: str
) -> None:
    looked, told = on(zone, shown), on(zone, later)
    assert things.since(LAST_DAY, told) == looked
    assert not things.cares(LAST_DAY, "product_viewed", looked, told)
    assert things.cares(LAST_DAY, "product_viewed", looked + INSTANT, told)


@pytest.mark.parametrize(
    ("told", "first"),
    [("2028-03-30 12:00", "2028-02-29 12:00"), ("2027-03-30 12:00", "2027-02-28 12:00")],
)
def test_thirty_days_reach_back_over_a_leap_day(told: str, first: str) -> None:
    assert things.since(STOCK, on("Asia/Kathmandu", told)) == on("Asia/Kathmandu", first)


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_a_look_in_the_second_of_two_like_hours_is_after_a_fact_of_the_first(
    zone: str, shown: str
) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    assert not things.cares(STOCK, "product_viewed", second, first)
    assert things.cares(STOCK, "product_viewed", first, second)


def test_a_look_from_across_the_date_line_is_ordered_by_instant() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    assert things.cares(STOCK, "product_viewed", east, west)
    assert not things.cares(STOCK, "product_viewed", west, east)


def test_a_fact_for_a_segment_asks_for_no_signal() -> None:
    assert not things.cares(FanOut(segment="northeast"), "product_viewed", NOW, NOW)


def test_a_second_price_drop_of_one_thing_is_another_occurrence() -> None:
    assert things.occurrence("sku-1", "sig_1") != things.occurrence("sku-1", "sig_2")
    assert len(things.occurrence("k" * 999, "sig_" + "0" * 26)) <= 200


@given(
    st.timedeltas(timedelta(0), timedelta(days=100)),
    st.timedeltas(timedelta(days=1), timedelta(days=60)),
    st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_who_cares_in_a_span_cares_in_every_longer_one(
    age: timedelta, within: timedelta, more: timedelta
) -> None:
    short, longer = FanOut(("seen",), within), FanOut(("seen",), within + more)
    assert things.cares(short, "seen", NOW - age, NOW) == (age < within)
    if things.cares(short, "seen", NOW - age, NOW):
        assert things.cares(longer, "seen", NOW - age, NOW)
