"""Backoff: later each time, never sooner than asked, never together, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.retry import MAX_WAIT, SENDS, WRITEBACKS, Pace, next_attempt

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

paces = st.sampled_from([SENDS, WRITEBACKS])
reasons = st.sampled_from(["unavailable", "timeout", "rate_limited", "configuration", "unknown"])
chances = st.floats(0, 1, exclude_max=True)


def wait(attempt: int, reason: str = "unavailable", chance: float = 0.999999) -> float:
    due = next_attempt(attempt, NOW, reason, None, chance)
    assert due is not None
    return round((due - NOW).total_seconds(), 1)


def test_the_wait_doubles_and_stays_at_the_longest() -> None:
    assert [wait(attempt) for attempt in (1, 2, 3, 4, 9, 10, 11, 150)] == [
        *(2, 4, 8, 16, 512),
        *(600, 600, 600),
    ]


def test_the_reason_sets_the_first_wait() -> None:
    assert wait(1, "rate_limited") == 1
    assert wait(1, "configuration") == 60


def test_chance_spreads_the_wait_over_its_upper_half() -> None:
    assert wait(3, chance=0.0) == 4
    assert wait(3, chance=0.5) == 6


@pytest.mark.parametrize("pace", [SENDS, WRITEBACKS])
def test_after_the_last_attempt_there_is_none(pace: Pace) -> None:
    assert next_attempt(pace.attempts - 1, NOW, "timeout", None, 0.0, pace=pace)
    assert next_attempt(pace.attempts, NOW, "timeout", None, 0.0, pace=pace) is None
    assert next_attempt(pace.attempts + 9, NOW, "timeout", 5.0, 0.0, pace=pace) is None


def test_writebacks_outlast_a_weekend() -> None:
    spent = timedelta()
    for attempt in range(1, WRITEBACKS.attempts):
        due = next_attempt(attempt, NOW, "unavailable", None, 0.0, pace=WRITEBACKS)
        assert due is not None
        spent += due - NOW
    assert timedelta(days=1.5) < spent < timedelta(days=4)


@settings(deadline=None)
@given(attempt=st.integers(0, 99), pace=paces, reason=reasons, chance=chances)
def test_the_next_attempt_is_later_but_never_beyond_the_longest(
    attempt: int, pace: Pace, reason: str, chance: float
) -> None:
    due = next_attempt(attempt, NOW, reason, None, chance, pace=pace)
    assert due is not None
    assert NOW < due <= NOW + pace.longest


@settings(deadline=None)
@given(
    attempt=st.integers(1, 99),
    asked=st.floats(0, 1e9, exclude_min=True),
    reason=reasons,
    chance=chances,
)
def test_what_the_other_side_asks_for_is_the_least_wait(
    attempt: int, asked: float, reason: str, chance: float
) -> None:
    due = next_attempt(attempt, NOW, reason, asked, chance)
    assert due is not None
    least = min(timedelta(seconds=min(asked, 1e6)), MAX_WAIT)
    assert NOW + least <= due <= NOW + max(least * 1.1, SENDS.longest) + timedelta(seconds=1)


def test_those_asked_to_wait_do_not_come_back_together() -> None:
    due = [next_attempt(1, NOW, "rate_limited", 100.0, chance) for chance in (0.0, 0.5)]
    assert due == [NOW + timedelta(seconds=100), NOW + timedelta(seconds=105)]


@pytest.mark.parametrize("asked", [None, 0.0, -5.0, float("nan")])
def test_a_meaningless_request_is_ignored(asked: float | None) -> None:
    assert next_attempt(1, NOW, "rate_limited", asked, 0.0) == NOW + timedelta(seconds=0.5)


@settings(deadline=None)
@given(attempt=st.integers(1, 98), reason=reasons, chance=chances)
def test_later_attempts_never_wait_less(attempt: int, reason: str, chance: float) -> None:
    sooner = next_attempt(attempt, NOW, reason, None, chance)
    later = next_attempt(attempt + 1, NOW, reason, None, chance)
    assert sooner is not None and later is not None
    assert sooner <= later
