"""When steps speak on a person's own clock: hours, windows, spreads and best hours, on a ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import Moment, Play, Start, Step
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, OTHER, WELCOME, Shop

OpenShop = Callable[..., Shop]
BOB = Subject(user_id="bob", phone=OTHER)


def speaking(**moment: Any) -> Play:
    """A play that speaks two hours after the start, at a moment."""
    step = Step("hello", template="welcome", moment=Moment(**moment))
    return replace(WELCOME, name="timed", start=Start("x", after=2 * HOUR), steps=(step,))


def due(shop: Shop) -> list[str]:
    return [row["due_at"][:16] for row in shop.enrolments() if row["due_at"]]


def answered(shop: Shop, who: Subject, *hours: int) -> None:
    """A person got a text of the play and replied at these hours (UTC) of days since."""
    shop.consent(phone=who.phone)
    shop.tell("x", who, key="before")
    shop.until(NOW + DAY)
    assert shop.dispatch() == 1
    for number, hour in enumerate(hours):
        at = datetime(2026, 11, 19 + number, hour, 5, tzinfo=UTC)
        shop.clock.at = max(shop.clock.at, at)
        shop.reply("thanks", who.phone, at=at)
    shop.until(datetime(2026, 11, 25, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("America/New_York", "2026-11-18T15:00"),
        ("Europe/Berlin", "2026-11-18T09:00"),
        ("Pacific/Kiritimati", "2026-11-17T20:00"),
        ("Pacific/Pago_Pago", "2026-11-17T21:00"),
        ("Mars/Olympus", "2026-11-18T15:00"),  # no zone: the number is of New York
    ],
)
def test_a_step_waits_for_the_hour_on_the_persons_clock(
    open_shop: OpenShop, zone: str, instant: str
) -> None:
    shop = open_shop(speaking(at=time(10)))
    shop.tell("x", ANN, traits={"timezone": zone})
    assert due(shop) == [instant]


def test_where_only_signs_tell_where_they_are_it_is_the_hour_that_comes_last(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(speaking(at=time(10)))
    shop.tell("x", ANN, traits={"country": "US", "region": "CA"})
    assert due(shop) == ["2026-11-18T18:00"]


def test_a_later_step_waits_for_its_own_moment(open_shop: OpenShop) -> None:
    play = speaking()
    second = Step("again", wait=DAY, template="welcome", moment=Moment(days=frozenset({0})))
    shop = open_shop(replace(play, steps=(*play.steps, second)))
    shop.consent()
    shop.tell("x", ANN, traits={"timezone": "America/New_York"})
    assert shop.go(2 * HOUR) == 1
    assert due(shop) == ["2026-11-23T05:00"], "Monday in New York"


def test_people_are_spread_each_at_a_place_of_their_own_that_stays(open_shop: OpenShop) -> None:
    shop = open_shop(speaking(spread=4 * HOUR))
    for number in range(40):
        shop.tell("x", Subject(user_id=f"u{number}"), key="a")
    first = due(shop)
    assert len(set(first)) > 20
    assert min(first) >= "2026-11-17T19:00"
    assert max(first) < "2026-11-17T23:00"
    for number in range(40):
        shop.tell("x", Subject(user_id=f"u{number}"), key="b")
    assert sorted(due(shop)) == sorted(first * 2)


def test_a_best_hour_is_the_persons_own_where_they_answered_often_enough(
    open_shop: OpenShop,
) -> None:
    for hours, wanted in (((23, 23, 23), "2026-11-25T23:00"), ((23, 23), "2026-11-25T15:00")):
        shop = open_shop(speaking(best_hour=True, at=time(10)))
        answered(shop, ANN, *hours)
        shop.tell("x", ANN, key="now")
        assert due(shop)[-1] == wanted, hours


@pytest.mark.parametrize("zone", ["", "America/New_York", "Mars/Olympus"])
def test_who_never_answered_is_spoken_to_when_the_others_of_the_play_answer(
    open_shop: OpenShop, zone: str
) -> None:
    shop = open_shop(speaking(best_hour=True, at=time(10)))
    shop.tell("y", BOB, traits={"timezone": zone})
    answered(shop, BOB, 23, 23, 23)
    shop.tell("x", ANN, key="now")
    assert due(shop)[-1] == "2026-11-25T23:00"


def test_a_best_hour_outside_the_window_is_not_taken(open_shop: OpenShop) -> None:
    shop = open_shop(speaking(best_hour=True, window=(time(9), time(17))))
    answered(shop, ANN, 23, 23, 23)
    shop.tell("x", ANN, key="now")
    assert due(shop)[-1] == "2026-11-25T14:00"


def test_a_delay_that_ends_at_night_waits_for_the_window_and_counts_its_expiry_from_there(
    open_shop: OpenShop,
) -> None:
    play = speaking(window=(time(9), time(17)))
    shop = open_shop(play)
    shop.consent()
    shop.tell("x", ANN, traits={"timezone": "America/New_York"})
    shop.rt.plays = {"timed": replace(play, start=replace(play.start, after=10 * HOUR))}
    shop.rt.index()
    shop.tell("x", ANN, key="late")
    assert due(shop) == ["2026-11-17T19:00", "2026-11-18T14:00"]
    shop.until(NOW + 21 * HOUR + MINUTE)
    shop.dispatch()
    [*_, last] = shop.rows("SELECT expires_at FROM sends ORDER BY id")
    assert last["expires_at"][:16] == "2026-11-19T14:00"
