"""Plays that wait for silence: who fell silent, what breaks it, what is heard late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import Mode, Once, Play, Silence, Start, Step
from connector.steps.advance import Advancer, next_due
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
WEEK = 7 * DAY
BOB = Subject(user_id="bob")
BACK = replace(
    WELCOME,
    name="back",
    start=Start(silence=Silence(WEEK)),
    steps=(Step("come", template="welcome"),),
)


def back(**start: Any) -> Play:
    return replace(BACK, start=replace(BACK.start, **start))


def open_watching(open_shop: OpenShop, *plays: Play, **changes: Any) -> Shop:
    """A shop that has looked once already, so that its plays are no longer new."""
    shop = open_shop(*(plays or (BACK,)), **changes)
    shop.walk()
    return shop


def at(text: datetime) -> str:
    return text.isoformat()[:16]


def test_a_week_without_a_word_starts_the_play_to_the_minute(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop)
    shop.consent()
    shop.tell("page_viewed", ANN)
    shop.go(WEEK - MINUTE)
    assert shop.begun() == []
    assert shop.go(MINUTE) == 1
    [(key, state, began)] = shop.begun()
    assert (state, began) == ("done", at(NOW + WEEK))
    assert key.startswith(at(NOW))
    assert shop.decisions("trigger") == [("send", "")]
    [signal] = shop.rows("SELECT name, event_id, facts FROM signals WHERE name = 'silence'")
    assert signal["event_id"] == ""
    assert '"days":7.0' in signal["facts"]


def test_the_connector_wakes_when_the_next_silence_is_long_enough(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop)
    shop.tell("page_viewed", ANN)
    assert next_due(shop.rt, NOW) == NOW + WEEK
    shop.until(NOW + 8 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(NOW + WEEK)]


def test_any_activity_begins_the_silence_anew(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop)
    shop.tell("page_viewed", ANN)
    shop.until(NOW + 6 * DAY)
    shop.tell("cart_updated", ANN)
    shop.until(NOW + 12 * DAY)
    assert shop.begun() == []
    shop.until(NOW + 14 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(NOW + 13 * DAY)]


def test_what_is_no_activity_does_not_break_a_silence(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop)
    shop.tell("page_viewed", ANN)
    shop.until(NOW + 6 * DAY)
    shop.tell("order_shipped", ANN, activity=False)
    shop.until(NOW + 8 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(NOW + WEEK)]


def test_activity_ends_what_waits_and_a_second_silence_starts_it_again(
    open_shop: OpenShop,
) -> None:
    shop = open_watching(open_shop, back(after=2 * HOUR))
    shop.consent()
    shop.tell("page_viewed", ANN)
    shop.until(NOW + WEEK + HOUR)
    shop.tell("page_viewed", ANN)
    assert [row["exit_reason"] for row in shop.enrolments()] == ["active_again"]
    assert shop.go(2 * HOUR) == 0
    shop.until(NOW + 2 * WEEK + 4 * HOUR)
    assert [state for _, state, _ in shop.begun()] == ["ended", "walking"]


def test_activity_heard_late_that_occurred_before_the_play_began_ends_it_too(
    open_shop: OpenShop,
) -> None:
    shop = open_watching(open_shop, back(after=2 * HOUR))
    shop.tell("page_viewed", ANN)
    shop.until(NOW + WEEK + HOUR)
    shop.tell("page_viewed", ANN, at=NOW + DAY)
    assert [row["exit_reason"] for row in shop.enrolments()] == ["active_again"]
    shop.until(NOW + 8 * DAY + HOUR)
    assert [began for _, _, began in shop.begun()] == [at(NOW + WEEK), at(NOW + 8 * DAY)]


def test_activity_from_before_the_silence_breaks_nothing(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop, back(after=2 * HOUR))
    shop.tell("page_viewed", ANN)
    shop.until(NOW + WEEK + HOUR)
    shop.tell("page_viewed", ANN, at=NOW - HOUR)
    assert [state for _, state, _ in shop.begun()] == ["waiting"]


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [
        (WEEK + HOUR, ("send", "")),
        (WEEK + 48 * HOUR, ("send", "")),
        (WEEK + 48 * HOUR + MINUTE, ("stop", "stale_start")),
    ],
)
def test_an_only_activity_heard_after_its_silence_was_over_starts_at_once_or_is_stale(
    open_shop: OpenShop, ago: timedelta, verdict: tuple[str, str]
) -> None:
    shop = open_watching(open_shop)
    shop.until(NOW + 20 * DAY)
    shop.tell("page_viewed", ANN, at=shop.clock.at - ago)
    shop.walk()
    assert shop.decisions("trigger") == [verdict]


def test_late_events_out_of_order_leave_one_silence_after_the_last_of_them(
    open_shop: OpenShop,
) -> None:
    shop = open_watching(open_shop)
    shop.until(NOW + 20 * DAY)
    for hours in (5, 1, 9, 3):
        shop.tell("page_viewed", ANN, at=shop.clock.at - WEEK - hours * HOUR)
    shop.walk()
    live = [row for row in shop.enrolments() if row["exit_reason"] != "active_again"]
    assert [row["triggered_at"][:16] for row in live] == [at(shop.clock.at - HOUR)]


def test_an_import_teaches_when_they_acted_and_starts_nothing_itself(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop)
    shop.until(NOW + 20 * DAY)
    shop.tell("page_viewed", ANN, at=shop.clock.at - WEEK - HOUR, back_fill=True)
    shop.tell("page_viewed", BOB, at=shop.clock.at - 3 * DAY, back_fill=True)
    shop.walk()
    assert shop.begun() == []
    shop.until(shop.clock.at + 5 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(NOW + 24 * DAY)]


def test_a_new_play_begins_with_those_who_fall_silent_from_now_on(open_shop: OpenShop) -> None:
    shop = open_shop(BACK)
    shop.tell("page_viewed", ANN, at=NOW - 8 * DAY)
    shop.tell("page_viewed", BOB, at=NOW - 6 * DAY)
    shop.walk()
    shop.until(NOW + 2 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(NOW + DAY)]


def test_a_silence_needs_a_first_activity_unless_the_play_counts_from_the_first_sight(
    open_shop: OpenShop,
) -> None:
    seen = back(silence=Silence(WEEK, "first_seen"))
    shop = open_watching(open_shop, BACK, replace(seen, name="seen"))
    shop.tell("order_shipped", ANN, activity=False)
    shop.until(NOW + 8 * DAY)
    assert shop.begun("back") == []
    assert [began for _, _, began in shop.begun("seen")] == [at(NOW + WEEK)]


def test_many_who_fell_silent_at_one_instant_are_each_started_once_whatever_dies_in_between(
    open_shop: OpenShop,
) -> None:
    shop = open_watching(open_shop)
    for number in range(70):
        shop.tell("page_viewed", Subject(user_id=f"u{number}"), at=NOW)
    shop.tick(WEEK)
    rounds = 0
    while Advancer(shop.rt).round():
        rounds += 1
    assert rounds >= 3, "a few people at a time"
    assert len(shop.begun()) == 70
    assert len(shop.decisions("trigger")) == 70
    assert len({row["contact_id"] for row in shop.enrolments()}) == 70


def test_nobody_looked_for_days_and_only_the_last_48_hours_are_started(
    open_shop: OpenShop,
) -> None:
    shop = open_watching(open_shop)
    shop.tell("page_viewed", ANN)
    shop.tell("page_viewed", BOB, at=NOW - 2 * DAY)
    shop.tick(WEEK + 47 * HOUR)
    shop.walk()
    assert sorted(shop.decisions("trigger")) == [("send", ""), ("stop", "stale_start")]


def test_a_condition_an_audience_and_a_holdout_are_asked(open_shop: OpenShop) -> None:
    plays = (
        replace(back(where=when("contact.plan == 'pro'")), name="where"),
        replace(BACK, name="audience", audience=when("contact.plan == 'pro'")),
        replace(BACK, name="holdout", holdout=1.0),
    )
    shop = open_watching(open_shop, *plays)
    shop.tell("page_viewed", ANN, traits={"plan": "free"})
    shop.until(NOW + 8 * DAY)
    assert shop.begun("where") == []
    assert sorted(shop.decisions("trigger")) == [("send", ""), ("stop", "audience")]
    assert [row["mode"] for row in shop.enrolments()] == ["holdout"]


def test_once_is_once_and_a_cooldown_is_kept(open_shop: OpenShop) -> None:
    plays = (
        replace(back(once=Once.contact), name="once"),
        replace(back(cooldown=30 * DAY), name="calm"),
    )
    shop = open_watching(open_shop, *plays)
    for _ in range(2):
        shop.tell("page_viewed", ANN)
        shop.until(shop.clock.at + 8 * DAY)
    assert len(shop.begun("once")) == len(shop.begun("calm")) == 1


def test_a_play_that_is_off_watches_nobody(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop, replace(BACK, mode=Mode.off))
    shop.tell("page_viewed", ANN)
    shop.until(NOW + 8 * DAY)
    assert shop.begun() == []
    assert shop.decisions("trigger") == []


def test_what_was_done_after_the_silence_but_heard_before_it_ends_it(open_shop: OpenShop) -> None:
    shop = open_watching(open_shop, replace(BACK, exits=("unsubscribed",)))
    shop.tell("page_viewed", ANN)
    shop.tick(WEEK + HOUR)
    shop.tell("unsubscribed", ANN, at=NOW + WEEK + MINUTE, activity=False)
    shop.walk()
    assert shop.decisions("trigger") == [("stop", "already_over")]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("last", ["2026-03-07T12:00+00:00", "2026-10-31T12:00+00:00"])
def test_a_week_is_seven_times_24_hours_wherever_they_live(
    open_shop: OpenShop, zone: str, last: str
) -> None:
    shop = open_shop(BACK)
    shop.clock.at = datetime.fromisoformat(last)
    shop.walk()
    shop.tell("page_viewed", ANN, traits={"timezone": zone})
    shop.until(shop.clock.at + 8 * DAY)
    assert [began for _, _, began in shop.begun()] == [at(datetime.fromisoformat(last) + WEEK)]
