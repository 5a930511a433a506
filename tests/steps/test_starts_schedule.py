"""Schedules: a cron line on a zone's clock turns a play to everybody in a segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector import cron
from connector.model import Subject
from connector.rules.plays import Mode, Play, Schedule, Start, Step
from connector.steps import fanout
from connector.steps.advance import Advancer, next_due
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, segment, when

OpenShop = Callable[..., Shop]
NEW_YORK = "America/New_York"
MONDAYS = replace(
    WELCOME,
    name="mondays",
    start=Start(schedule=Schedule("0 10 * * MON", NEW_YORK, "idle")),
    steps=(Step("tell", template="welcome"),),
)
IDLE = segment("idle", "contact.idle is defined and contact.idle")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every(line: str, zone: str = NEW_YORK, **more: Any) -> Play:
    return replace(MONDAYS, start=Start(schedule=Schedule(line, zone, "idle", **more)))


def opened(open_shop: OpenShop, *plays: Play, people: int = 1) -> Shop:
    """A shop with so many idle people and one who is busy, whose schedules are set."""
    shop = open_shop(*(plays or (MONDAYS,)), next_fire=cron.next_fire, segments={"idle": IDLE})
    for number in range(people):
        shop.tell("profile", Subject(user_id=f"u{number}"), traits={"idle": True})
    shop.tell("profile", ANN, traits={"idle": False})
    shop.walk()
    return shop


def times(shop: Shop) -> list[str]:
    return sorted({began for _, _, began in shop.begun()})


def acts(shop: Shop) -> list[tuple[str, str]]:
    return [(row["act"], row["why"]) for row in shop.rows("SELECT * FROM acts ORDER BY id")]


def test_everybody_in_the_segment_is_told_at_each_time(open_shop: OpenShop) -> None:
    shop = opened(open_shop, people=3)
    assert next_due(shop.rt, NOW) == utc("2026-11-23T15:00")
    shop.until(NOW + 14 * DAY)
    assert times(shop) == ["2026-11-23T15:00", "2026-11-30T15:00"]
    assert len(shop.enrolments()) == 6
    assert {key for key, _, _ in shop.begun()} == {"2026-11-23T15:00:00Z", "2026-11-30T15:00:00Z"}
    assert shop.decisions("trigger") == [("send", "")] * 6


def test_who_is_in_it_is_asked_at_the_time_itself(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    shop.tell("profile", Subject(user_id="u0"), traits={"idle": False})
    shop.tell("profile", ANN, traits={"idle": True})
    shop.until(NOW + 7 * DAY)
    assert [row["contact_id"] for row in shop.enrolments()] == [
        shop.bearers("user_id", "ann").pop()
    ]


@pytest.mark.parametrize(
    ("line", "zone", "start", "first"),
    [
        ("0 10 * * *", NEW_YORK, "2027-03-14T05:00", "2027-03-14T14:00"),
        ("30 2 * * *", NEW_YORK, "2027-03-14T05:00", "2027-03-14T07:00"),
        ("30 1 * * *", NEW_YORK, "2027-11-07T04:00", "2027-11-07T05:30"),
        ("0 10 * * MON", "Pacific/Kiritimati", "2026-11-20T00:00", "2026-11-22T20:00"),
        ("0 10 * * MON", "Pacific/Pago_Pago", "2026-11-20T00:00", "2026-11-23T21:00"),
        ("0 9 29 2 *", "UTC", "2026-11-20T00:00", "2028-02-29T09:00"),
    ],
)
def test_the_hour_is_that_of_the_schedules_zone(
    open_shop: OpenShop, line: str, zone: str, start: str, first: str
) -> None:
    shop = open_shop(every(line, zone), next_fire=cron.next_fire, segments={"idle": IDLE})
    shop.clock.at = utc(start)
    shop.tell("profile", ANN, traits={"idle": True})
    shop.walk()
    assert next_due(shop.rt, shop.clock.at) == utc(first)
    shop.until(utc(first))
    assert times(shop) == [first]


def test_an_hour_that_comes_twice_tells_once(open_shop: OpenShop) -> None:
    shop = open_shop(every("30 1 * * *"), next_fire=cron.next_fire, segments={"idle": IDLE})
    shop.clock.at = utc("2027-11-07T00:00")
    shop.tell("profile", ANN, traits={"idle": True})
    shop.walk()
    shop.until(utc("2027-11-08T00:00"))
    assert times(shop) == ["2027-11-07T05:30"]


def test_a_new_schedule_begins_with_its_next_time(open_shop: OpenShop) -> None:
    shop = open_shop(MONDAYS, next_fire=cron.next_fire, segments={"idle": IDLE})
    shop.tell("profile", ANN, traits={"idle": True})
    shop.clock.at = utc("2026-11-23T15:00")
    shop.walk()
    assert shop.begun() == []
    assert next_due(shop.rt, shop.clock.at) == utc("2026-11-30T15:00")


@pytest.mark.parametrize(
    ("late", "is_told"), [(47 * HOUR, True), (48 * HOUR, True), (48 * HOUR + MINUTE, False)]
)
def test_a_time_missed_by_more_than_48_hours_is_left_out_and_noted(
    open_shop: OpenShop, late: timedelta, is_told: bool
) -> None:
    shop = opened(open_shop)
    shop.clock.at = utc("2026-11-23T15:00") + late
    shop.walk()
    assert times(shop) == (["2026-11-23T15:00"] if is_told else [])
    noted = [("schedule_missed", "nobody was working at 2026-11-23T15:00:00Z")]
    assert acts(shop) == ([] if is_told else noted)
    assert next_due(shop.rt, shop.clock.at) == utc("2026-11-30T15:00")


def test_of_many_times_missed_only_one_is_made_up_for(open_shop: OpenShop) -> None:
    shop = opened(open_shop, every("0 * * * *"))
    shop.tick(40 * HOUR)
    shop.walk()
    assert len(times(shop)) == 1


def test_a_segment_is_told_in_slices_and_nobody_twice_after_a_restart(open_shop: OpenShop) -> None:
    people = 2 * fanout.SLICE + 7
    shop = opened(open_shop, people=people)
    shop.clock.at = utc("2026-11-23T15:00")
    rounds = 0
    while Advancer(shop.rt).round():
        rounds += 1
    assert rounds >= 3
    told = [row["contact_id"] for row in shop.enrolments()]
    assert len(told) == len(set(told)) == people


def test_a_limit_bounds_it(open_shop: OpenShop) -> None:
    shop = opened(open_shop, every("0 10 * * MON", limit=5), people=9)
    shop.until(NOW + 7 * DAY)
    assert len(shop.enrolments()) == 5
    assert [row["state"] for row in shop.rows("SELECT state FROM fanouts")] == ["full"]


def test_a_play_that_is_off_at_the_time_does_not_make_up_for_it(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    shop.rt.plays = {"mondays": replace(MONDAYS, mode=Mode.off)}
    shop.rt.index()
    shop.until(utc("2026-11-23T16:00"))
    shop.rt.plays = {"mondays": MONDAYS}
    shop.rt.index()
    shop.until(utc("2026-12-01T00:00"))
    assert times(shop) == ["2026-11-30T15:00"]
    assert acts(shop) == []


def test_a_condition_is_asked_of_each_person(open_shop: OpenShop) -> None:
    play = replace(MONDAYS, start=replace(MONDAYS.start, where=when("contact.idle_days > 30")))
    shop = opened(open_shop, play, people=3)
    shop.tell("profile", Subject(user_id="u1"), traits={"idle_days": 60})
    shop.tell("profile", Subject(user_id="u2"), traits={"idle_days": 6})
    shop.until(NOW + 7 * DAY)
    assert [row["contact_id"] for row in shop.enrolments()] == [shop.bearers("user_id", "u1").pop()]


def test_a_line_that_never_comes_due_waits_for_ever(open_shop: OpenShop) -> None:
    shop = opened(open_shop, every("0 0 30 2 *"))
    assert next_due(shop.rt, NOW) == NOW + DAY
    shop.until(NOW + 3 * DAY)
    assert shop.begun() == []


def test_two_schedules_are_two(open_shop: OpenShop) -> None:
    shop = opened(open_shop, MONDAYS, replace(every("0 12 * * TUE"), name="tuesdays"))
    shop.until(NOW + 7 * DAY)
    assert len(shop.begun("mondays")) == len(shop.begun("tuesdays")) == 1
