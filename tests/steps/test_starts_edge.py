"""Coming into a segment and going out of it: by what is done, by what is known, by time alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Subject
from connector.rules.plays import Edge, Mode, Once, Play, Start, Step
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, segment, when

OpenShop = Callable[..., Shop]
WARM = segment("warm", "count('viewed', within='7d') >= 2")
PRO = segment("pro", "contact.plan is defined and contact.plan == 'pro'")
QUIET = segment("quiet", "days_since(last_seen) >= 10")
NEWCOMER = segment("newcomer", "not did('ordered')")
BUYER = segment("buyer", "did('ordered')")
BOTH = replace(  # as the reader of segments.toml has it: with all that it asks for
    segment("both", "in_segment('warm') and in_segment('pro')"),
    signals=WARM.signals,
    paths=PRO.paths,
)
KNOWN = {each.name: each for each in (WARM, PRO, QUIET, NEWCOMER, BUYER, BOTH)}


def edge(name: str, *, entering: bool = True, **start: Any) -> Play:
    return replace(
        WELCOME,
        name="in" if entering else "out",
        start=Start(edge=Edge(name, entering), **start),
        steps=(Step("tell", template="welcome"),),
    )


def opened(open_shop: OpenShop, *plays: Play) -> Shop:
    shop = open_shop(*plays, segments=KNOWN)
    shop.walk()
    return shop


def both(open_shop: OpenShop, name: str) -> Shop:
    """A shop with a play at either edge."""
    return opened(open_shop, edge(name), edge(name, entering=False))


def view(shop: Shop, at: datetime | None = None, **more: Any) -> str:
    return shop.tell("viewed", more.pop("who", ANN), at=at, **more)


def at(moment: datetime) -> str:
    return moment.isoformat()[:16]


def crossings(shop: Shop) -> list[tuple[str, str]]:
    return sorted((row["triggered_at"][:16], row["play"]) for row in shop.enrolments())


def inside(shop: Shop) -> list[int]:
    return [row["inside"] for row in shop.rows("SELECT inside FROM memberships")]


# -- by what is done, and by time --------------------------------------------------------------


def test_who_comes_in_by_what_they_do_goes_out_by_time_alone(open_shop: OpenShop) -> None:
    shop = both(open_shop, "warm")
    view(shop)
    view(shop, NOW + HOUR)
    assert crossings(shop) == [(at(NOW + HOUR), "in")]
    shop.until(NOW + 20 * DAY)
    assert crossings(shop) == [(at(NOW + HOUR), "in"), (at(NOW + 7 * DAY), "out")]
    assert shop.decisions("trigger") == [("send", "")] * 2
    facts = shop.rows("SELECT facts FROM signals WHERE name = 'segment'")
    assert {row["facts"] for row in facts} == {'{"segment":"warm"}'}


def test_who_stays_in_is_told_nothing_again(open_shop: OpenShop) -> None:
    shop = both(open_shop, "warm")
    for _ in range(20):
        view(shop)
        shop.until(shop.clock.at + DAY)
    assert len(crossings(shop)) == 1
    shop.until(shop.clock.at + 10 * DAY)
    assert len(crossings(shop)) == 2


def test_coming_in_a_second_time_is_another_occurrence(open_shop: OpenShop) -> None:
    shop = both(open_shop, "warm")
    for _ in range(2):
        view(shop)
        view(shop, shop.clock.at + MINUTE)
        shop.until(shop.clock.at + 20 * DAY)
    assert [play for _, play in crossings(shop)] == ["in", "out", "in", "out"]


def test_time_alone_may_bring_somebody_in(open_shop: OpenShop) -> None:
    shop = both(open_shop, "quiet")
    shop.tell("viewed", ANN)
    shop.until(NOW + 11 * DAY)
    [(moment, play)] = crossings(shop)
    assert play == "in"
    assert at(NOW + 10 * DAY) <= moment <= at(NOW + 10 * DAY + 6 * HOUR)
    shop.tell("viewed", ANN)
    assert crossings(shop)[1:] == [(at(NOW + 11 * DAY), "out")]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "start", ["2026-03-05T12:00+00:00", "2026-10-29T12:00+00:00", "2028-02-26T12:00+00:00"]
)
def test_a_window_of_seven_days_is_the_same_over_any_calendar_and_clock(
    open_shop: OpenShop, zone: str, start: str
) -> None:
    shop = open_shop(edge("warm"), edge("warm", entering=False), segments=KNOWN)
    shop.clock.at = began = datetime.fromisoformat(start)
    shop.walk()
    view(shop, traits={"timezone": zone})
    view(shop, began + HOUR)
    shop.until(began + 9 * DAY)
    assert crossings(shop) == [(at(began + HOUR), "in"), (at(began + 7 * DAY), "out")]


# -- by what is known --------------------------------------------------------------------------


def test_a_trait_and_a_fact_of_the_crm_bring_people_in_and_out(open_shop: OpenShop) -> None:
    shop = opened(
        open_shop,
        edge("pro"),
        edge("pro", entering=False),
    )
    shop.tell("profile", ANN, traits={"plan": "free"})
    for plan in ("pro", "pro", "free"):
        shop.tick(HOUR)
        shop.tell("profile", ANN, traits={"plan": plan})
    assert crossings(shop) == [(at(NOW + HOUR), "in"), (at(NOW + 3 * HOUR), "out")]


def test_a_crm_may_bring_somebody_in_though_not_by_its_first_word(open_shop: OpenShop) -> None:
    rich = segment("rich", "crm.rich is defined and crm.rich")
    shop = open_shop(edge("rich"), segments={"rich": rich})
    shop.walk()
    who, other = shop.tell("x", ANN), shop.tell("x", Subject(user_id="bob"))
    shop.learn_crm(who, rich=True)
    shop.learn_crm(other, rich=False)
    assert crossings(shop) == []
    shop.learn_crm(other, rich=True)
    assert crossings(shop) == [(at(NOW), "in")]


def test_somebody_new_comes_in_with_the_first_word_of_them(open_shop: OpenShop) -> None:
    shop = both(open_shop, "newcomer")
    shop.tell("viewed", ANN)
    assert crossings(shop) == [(at(NOW), "in")]
    shop.tell("ordered", ANN, at=NOW + HOUR)
    assert crossings(shop)[1:] == [(at(NOW + HOUR), "out")]


def test_a_segment_of_segments_moves_with_them(open_shop: OpenShop) -> None:
    shop = both(open_shop, "both")
    shop.tell("profile", ANN, traits={"plan": "pro"})
    view(shop)
    view(shop, NOW + HOUR)
    shop.until(NOW + 20 * DAY)
    assert crossings(shop) == [(at(NOW + HOUR), "in"), (at(NOW + 7 * DAY), "out")]


# -- late and out of order ---------------------------------------------------------------------


def test_something_heard_late_puts_nobody_back_where_they_were(open_shop: OpenShop) -> None:
    shop = both(open_shop, "buyer")
    shop.tell("viewed", ANN, at=NOW - 5 * HOUR)
    shop.tell("ordered", ANN)
    shop.tell("profile", ANN, at=NOW - HOUR, traits={"plan": "pro"})
    shop.tell("ordered", ANN, at=NOW - 2 * HOUR)
    assert crossings(shop) == [(at(NOW), "in")]
    assert inside(shop) == [1]


def test_what_is_heard_late_may_bring_somebody_in_as_of_the_last_thing_they_did(
    open_shop: OpenShop,
) -> None:
    shop = both(open_shop, "warm")
    shop.tell("x", ANN, at=NOW - DAY)
    view(shop)
    view(shop, NOW - HOUR)
    assert crossings(shop) == [(at(NOW), "in")], "with the second of the two"


def test_coming_in_counts_from_when_it_was_though_it_is_heard_late(open_shop: OpenShop) -> None:
    shop = both(open_shop, "buyer")
    shop.tell("viewed", ANN)
    shop.tell("ordered", ANN, at=NOW - 3 * HOUR)
    assert crossings(shop) == [(at(NOW - 3 * HOUR), "in")]


def test_coming_in_heard_over_48_hours_late_is_stale(open_shop: OpenShop) -> None:
    shop = opened(open_shop, edge("buyer"))
    shop.tell("viewed", ANN)
    shop.tell("ordered", ANN, at=NOW - 49 * HOUR)
    assert shop.decisions("trigger") == [("stop", "stale_start")]
    shop.tell("ordered", ANN)
    assert crossings(shop) == []


def test_an_import_puts_people_where_they_are_and_starts_nothing(open_shop: OpenShop) -> None:
    shop = opened(open_shop, edge("buyer"))
    shop.tell("ordered", ANN, back_fill=True)
    shop.tell("ordered", ANN)
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    assert inside(shop) == [1]


@given(st.permutations(range(4)))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_whatever_order_it_is_heard_an_order_brings_in_once(
    open_shop: OpenShop, order: list[int]
) -> None:
    shop = both(open_shop, "buyer")
    for place in order:
        name = ("viewed", "ordered", "viewed", "ordered")[place]
        shop.tell(name, ANN, at=NOW - HOUR + place * MINUTE)
    assert [play for _, play in crossings(shop)] == ["in"]


# -- new plays, restarts -----------------------------------------------------------------------


def test_who_was_in_before_the_play_was_does_not_come_in_but_may_go_out(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(segments=KNOWN)
    view(shop, NOW - HOUR)
    view(shop)
    for number in range(70):
        view(shop, who=Subject(user_id=f"u{number}"))
        view(shop, who=Subject(user_id=f"u{number}"))
    shop.rt.plays = {"in": edge("warm"), "out": edge("warm", entering=False)}
    shop.rt.index()
    shop.walk()
    view(shop, NOW + MINUTE)
    assert crossings(shop) == []
    shop.until(NOW + 10 * DAY)
    assert len(crossings(shop)) == 71
    assert {play for _, play in crossings(shop)} == {"out"}


def test_nobody_looked_for_days_and_those_who_left_long_ago_are_stale(
    open_shop: OpenShop,
) -> None:
    shop = opened(open_shop, edge("warm", entering=False))
    for who, ago in ((ANN, 3 * DAY), (Subject(user_id="bob"), 0 * DAY)):
        view(shop, NOW - ago, who=who)
        view(shop, NOW - ago, who=who)
    shop.tick(8 * DAY)
    shop.walk()
    assert sorted(shop.decisions("trigger")) == [("send", ""), ("stop", "stale_start")]


def test_a_condition_an_audience_once_and_a_holdout_are_asked(open_shop: OpenShop) -> None:
    plays = (
        replace(edge("warm", where=when("contact.plan == 'pro'")), name="where"),
        replace(edge("warm"), name="audience", audience=when("contact.plan == 'pro'")),
        replace(edge("warm", once=Once.contact), name="once"),
        replace(edge("warm", cooldown=300 * DAY), name="calm"),
        replace(edge("warm"), name="holdout", holdout=1.0),
        replace(edge("warm"), name="off", mode=Mode.off),
    )
    shop = opened(open_shop, *plays)
    shop.tell("profile", ANN, traits={"plan": "free"})
    for _ in range(2):
        view(shop)
        view(shop)
        shop.until(shop.clock.at + 20 * DAY)
    counts = {play.name: len(shop.begun(play.name)) for play in plays}
    wanted = {"where": 0, "audience": 0, "once": 1, "calm": 1, "holdout": 2, "off": 0}
    assert counts == wanted
    assert {row["mode"] for row in shop.enrolments() if row["play"] == "holdout"} == {"holdout"}


def test_a_segment_that_cannot_be_told_of_somebody_moves_nobody(open_shop: OpenShop) -> None:
    old = segment("old", "contact.age > 60")
    shop = open_shop(edge("old"), edge("old", entering=False), segments={"old": old})
    shop.walk()
    shop.tell("profile", ANN, traits={"plan": "pro"})
    assert crossings(shop) == []
    shop.tell("profile", ANN, traits={"age": 61})
    assert [play for _, play in crossings(shop)] == ["in"]


def test_the_delay_counts_from_the_edge_and_going_out_may_be_told_in_a_text(
    open_shop: OpenShop,
) -> None:
    shop = opened(open_shop, edge("warm", entering=False, after=2 * HOUR))
    shop.consent()
    view(shop)
    view(shop)
    shop.until(NOW + 7 * DAY + HOUR)
    assert shop.dispatch() == 0
    shop.until(NOW + 7 * DAY + 2 * HOUR)
    assert shop.dispatch() == 1
