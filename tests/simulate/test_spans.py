"""Spans and instants as examples write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulate import spans

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 11, 17, 12, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0m", 0),
        ("70m", 4_200),
        ("-3d", -259_200),
        ("1d 2h", 93_600),
        ("-1d 2h", -93_600),
        ("5d -2h", 424_800),
        ("1.5h", 5_400),
        ("+30s", 30),
    ],
)
def test_a_span_is_read_with_its_signs(text: str, seconds: int) -> None:
    assert spans.span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "70", "m", "1y", "1d2", "soon", "1d,2h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no span"):
        spans.span(text)


@given(st.integers(-(10**7), 10**7))
def test_a_span_is_written_as_it_is_read(seconds: int) -> None:
    assert spans.span(spans.offset(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_date_without_a_zone_is_on_the_persons_clock() -> None:
    assert spans.instant("2026-11-18T10:00:00", START, ZONE) == START + timedelta(hours=22)


def test_a_date_with_a_zone_keeps_it() -> None:
    assert spans.instant("2026-11-18T10:00:00+00:00", START, ZONE) == START + timedelta(hours=17)


def test_a_number_is_no_instant() -> None:
    with pytest.raises(ValueError, match="is no instant"):
        spans.instant(5, START, ZONE)
