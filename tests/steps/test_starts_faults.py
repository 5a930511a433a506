"""What time alone begins, where one person, play or timer is at fault: the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from connector.model import Json, Subject
from connector.rules.plays import Date, Edge, FanOut, Mode, Play, Schedule, Silence, Start
from connector.steps.advance import next_due
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, segment, when

OpenShop = Callable[..., Shop]
BOB, EVE = Subject(user_id="bob"), Subject(user_id="eve")


def bobs_fault(context: Mapping[str, Json]) -> Json:
    """A condition that is a fault of ours for one person."""
    if context["contact"].get("first_name") == "Bob":
        raise ZeroDivisionError
    return True


def tell_all(shop: Shop, name: str, **more: Any) -> None:
    for who, called in ((ANN, "Ann"), (BOB, "Bob"), (EVE, "Eve")):
        shop.tell(name, who, traits={"first_name": called}, **more)


def begun(shop: Shop) -> list[str]:
    return sorted(row["contact_id"] for row in shop.enrolments())


def daily(cron: str, zone: str, after: datetime) -> datetime | None:
    """Every day at six in the evening."""
    today = after.replace(hour=18, minute=0, second=0, microsecond=0)
    return today if today > after else today + DAY


SILENT = replace(WELCOME, name="silent", start=Start(where=bobs_fault, silence=Silence(DAY)))
DATED = replace(
    WELCOME, name="dated", start=Start(where=bobs_fault, date=Date("contact.day", at=time(10)))
)
TOLD = replace(
    WELCOME,
    name="told",
    audience=bobs_fault,
    start=Start(signal="restocked", fan_out=FanOut(cares=("viewed",))),
)
TIMED = replace(
    WELCOME,
    name="timed",
    audience=bobs_fault,
    start=Start(schedule=Schedule("0 18 * * *", "UTC", "all")),
)
QUIET = replace(WELCOME, name="quiet", start=Start(where=bobs_fault, edge=Edge("idle", True)))
SEGMENTS = {
    "all": segment("all", "contact.first_name is defined"),
    "idle": segment("idle", "did('viewed') and not did('viewed', within='1d')"),
}


@pytest.mark.parametrize("play", [SILENT, DATED, TOLD, TIMED, QUIET], ids=lambda play: play.name)
def test_one_person_with_whom_something_is_wrong_holds_up_nobody(
    open_shop: OpenShop, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(play, segments=SEGMENTS, next_fire=daily)
    shop.walk()
    tell_all(shop, "viewed", key="p-1")
    for who in (ANN, BOB, EVE):
        shop.tell("profile", who, traits={"day": "2026-11-18"}, activity=False)
    shop.tell("restocked", Subject(), thing="product", key="p-1")
    shop.until(NOW + 30 * HOUR)
    assert set(begun(shop)) == {"con_000001", "con_000003"}
    assert "ZeroDivisionError" in caplog.text
    assert next_due(shop.rt, shop.clock()) > shop.clock(), "it does not try again at once"


def test_a_timer_that_fails_is_tried_again_an_hour_later(open_shop: OpenShop) -> None:
    shop = open_shop(DATED)
    shop.tell("profile", BOB, traits={"day": "2026-11-18", "first_name": "Bob"})
    shop.until(NOW + 22 * HOUR + 30 * MINUTE)
    assert begun(shop) == []
    shop.tell("profile", BOB, traits={"first_name": "Rob"})
    shop.until(NOW + DAY)
    assert begun(shop) == ["con_000001"]


def test_a_schedule_that_fails_is_tried_again_an_hour_later(open_shop: OpenShop) -> None:
    faults = [ZeroDivisionError()]

    def once_broken(cron: str, zone: str, after: datetime) -> datetime | None:
        if after > NOW and faults:
            raise faults.pop()
        return daily(cron, zone, after)

    all_of = replace(TIMED, audience=None)
    shop = open_shop(all_of, segments=SEGMENTS, next_fire=once_broken)
    shop.walk()
    faults *= 2
    shop.tell("viewed", ANN, traits={"first_name": "Ann"})
    shop.until(NOW + HOUR + MINUTE)
    assert begun(shop) == []
    shop.until(NOW + 2 * HOUR + MINUTE)
    assert [row["key"] for row in shop.enrolments()] == ["2026-11-17T18:00:00Z"]


# -- off for a while ---------------------------------------------------------------------------


def switch(shop: Shop, play: Play, mode: Mode) -> None:
    shop.rt.plays = {play.name: replace(play, mode=mode)}
    shop.rt.index()
    shop.walk()


@pytest.mark.parametrize("days", [1, 30])
def test_silences_that_came_while_a_play_was_off_are_not_made_up_for(
    open_shop: OpenShop, days: int
) -> None:
    play = replace(SILENT, start=replace(SILENT.start, where=None))
    shop = open_shop(play)
    shop.walk()
    shop.tell("viewed", ANN)
    shop.tell("viewed", BOB, at=NOW + timedelta(days=days))
    switch(shop, play, Mode.off)
    shop.until(NOW + timedelta(days=days) + HOUR)
    switch(shop, play, Mode.live)
    assert begun(shop) == []
    shop.until(NOW + timedelta(days=days + 2))
    assert begun(shop) == ["con_000002"]


def test_who_moved_while_a_play_was_off_is_where_they_are_when_it_is_on_again(
    open_shop: OpenShop,
) -> None:
    play = replace(QUIET, start=Start(edge=Edge("keen", True)))
    keen = {"keen": segment("keen", "did('viewed')")}
    shop = open_shop(play, segments=keen)
    shop.walk()
    switch(shop, play, Mode.off)
    shop.tell("viewed", ANN)
    switch(shop, play, Mode.live)
    shop.tell("viewed", ANN)
    assert begun(shop) == []


def test_an_import_of_long_ago_puts_people_where_they_are_today_at_once(
    open_shop: OpenShop,
) -> None:
    play = replace(QUIET, start=Start(edge=Edge("idle", True)))
    idle = {"idle": segment("idle", "days_since(last_seen) >= 10")}
    shop = open_shop(play, segments=idle)
    shop.walk()
    shop.tell("viewed", ANN, at=NOW - 400 * DAY, back_fill=True)
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    [timer] = shop.rows("SELECT due_at FROM timers")
    assert timer["due_at"] > NOW.isoformat()
    shop.until(NOW + 5 * DAY)
    assert len(shop.decisions("trigger")) == 1


# -- edited ------------------------------------------------------------------------------------


def test_who_comes_in_because_the_segment_was_edited_is_not_told(open_shop: OpenShop) -> None:
    play = replace(QUIET, start=Start(edge=Edge("keen", True)))
    shop = open_shop(play, segments={"keen": segment("keen", "count('viewed') >= 3")})
    shop.walk()
    for _ in range(2):
        shop.tell("viewed", ANN)
    shop.tell("viewed", BOB)
    shop.rt.segments = {"keen": segment("keen", "count('viewed') >= 2")}
    shop.walk()
    for who in (ANN, ANN, BOB):
        shop.tell("viewed", who)
    assert begun(shop) == ["con_000002"]


# -- keys --------------------------------------------------------------------------------------


def test_a_plays_own_key_goes_before_that_of_its_form(open_shop: OpenShop) -> None:
    play = replace(SILENT, start=Start(silence=Silence(DAY), key=when("contact.season")))
    shop = open_shop(play)
    shop.walk()
    shop.tell("viewed", ANN, traits={"season": "autumn"})
    shop.until(NOW + 2 * DAY)
    shop.tell("viewed", ANN)
    shop.until(NOW + 4 * DAY)
    assert [row["key"] for row in shop.enrolments()] == ["autumn"]
    assert shop.decisions("trigger") == [("send", ""), ("stop", "already_enrolled")]


def test_a_key_that_cannot_be_told_is_decided_against_and_fails_no_event(
    open_shop: OpenShop,
) -> None:
    keyed = replace(WELCOME, start=Start("signed_up", key=when("signal.form")))
    shop = open_shop(keyed, replace(WELCOME, name="other"))
    shop.tell("signed_up", ANN)
    assert shop.decisions("trigger") == [("stop", "fact_missing"), ("send", "")]
