"""When a queue is empty by what its sender may send, and what is too late by then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.rules.capacity import Forecast, Limits, Waiting, forecast, mean
from connector.rules.policy.limits import Sender
from tests.steps.build import DAY, HOUR, MINUTE, NOW, SECOND

MIDNIGHT = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)  #: in Los Angeles


def texts(count: int, purpose: str = "marketing", lives: timedelta = DAY) -> list[Waiting]:
    return [Waiting(purpose, 1, NOW + lives, True)] * count


def test_without_a_limit_everything_leaves_at_once() -> None:
    assert forecast(texts(500), Limits(), NOW) == Forecast(NOW)


def test_a_queue_takes_as_long_as_its_segments_do() -> None:
    assert forecast(texts(600), Limits(2), NOW) == Forecast(NOW + 5 * MINUTE)
    long = [Waiting("service", 3, NOW + DAY, True)] * 10
    assert forecast(long, Limits(1), NOW) == Forecast(NOW + 30 * SECOND)


def test_what_expires_before_its_turn_is_told_and_takes_no_time() -> None:
    soon, late = texts(10, lives=4 * SECOND), texts(5, lives=HOUR)
    assert forecast([*soon, *late], Limits(1), NOW) == Forecast(NOW + 9 * SECOND, 6)


def test_service_goes_first_so_that_less_of_it_is_late() -> None:
    both = [*texts(30, lives=30 * SECOND), *texts(20, "service", 20 * SECOND)]
    assert forecast(both, Limits(1), NOW) == Forecast(NOW + 30 * SECOND, 20)


def test_what_the_carriers_day_has_no_room_for_leaves_the_next_day() -> None:
    sender = Sender("*", 1, day_segments=100, reserve=0)
    assert forecast(texts(30), Limits(1, sender, 80), NOW) == Forecast(MIDNIGHT + 10 * SECOND)


def test_its_last_share_is_left_to_service() -> None:
    sender = Sender("*", 0, day_segments=100, reserve=0.1)
    assert forecast(texts(1), Limits(0, sender, 90), NOW) == Forecast(MIDNIGHT)
    assert forecast(texts(1, "service"), Limits(0, sender, 90), NOW) == Forecast(NOW)


def test_a_text_that_no_day_has_room_for_is_not_reckoned_with() -> None:
    sender = Sender("*", 0, day_segments=2, reserve=0)
    large = [Waiting("marketing", 3, NOW + 400 * DAY, True)]
    assert forecast(large, Limits(0, sender), NOW) == Forecast(None)


def test_numbers_of_other_countries_are_not_in_the_carriers_day() -> None:
    sender = Sender("*", 0, day_segments=1, reserve=0)
    abroad = [Waiting("marketing", 1, NOW + DAY, False)] * 5
    assert forecast(abroad, Limits(0, sender, 1), NOW) == Forecast(NOW)


def test_a_provider_that_is_left_alone_begins_when_that_is_over() -> None:
    limits = Limits(1, rests_until=NOW + MINUTE)
    assert forecast(texts(5), limits, NOW) == Forecast(NOW + 65 * SECOND)


def test_segments_of_texts_not_written_yet_are_those_of_such_texts_before() -> None:
    assert (mean(()), mean((1, 2, 3)), mean((1, 1, 2))) == (1, 2, 1)
