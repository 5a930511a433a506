"""A provider that fails again and again is left alone, and tried with one text at a time."""

from __future__ import annotations

from datetime import timedelta

from connector.rules.health import FAILURES, FIRST, LONGEST, WELL, Health, failed, may_try, spared
from connector.rules.health import tried as handed
from tests.steps.build import NOW, SECOND


def after(failures: int) -> Health:
    health = WELL
    for _ in range(failures):
        health = failed(health, NOW)
    return health


def test_a_few_failures_change_nothing() -> None:
    assert may_try(after(FAILURES - 1), NOW)


def test_after_several_in_a_row_it_is_left_alone_for_a_while() -> None:
    health = after(FAILURES)
    assert health.until == NOW + FIRST
    assert not may_try(health, NOW + FIRST - SECOND)
    assert may_try(health, NOW + FIRST)


def test_then_one_text_alone_tries_it() -> None:
    health = handed(after(FAILURES))
    assert not may_try(health, NOW + FIRST + SECOND)
    assert may_try(spared(health), NOW + FIRST + SECOND)


def test_each_time_it_fails_again_it_is_left_alone_for_twice_as_long() -> None:
    health, now, rests = after(FAILURES), NOW, []
    for _ in range(8):
        assert health.until is not None
        rests.append(health.until - now)
        now = health.until
        health = failed(handed(health), now)
    assert rests[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert rests[-1] == LONGEST


def test_calls_that_were_under_way_do_not_make_its_rest_longer() -> None:
    health = after(FAILURES)
    assert failed(health, NOW + SECOND).until == health.until
    assert failed(health, NOW + SECOND).rests == health.rests


def test_one_that_is_well_is_not_on_trial() -> None:
    assert handed(WELL) is WELL
    assert spared(WELL) is WELL
    assert after(1).until is None
    assert timedelta(0) < FIRST <= LONGEST
