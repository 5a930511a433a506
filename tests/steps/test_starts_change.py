"""Plays that wait for a change: of a trait, a stage, a fact of the CRM; from and to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import Change, Mode, Once, Play, Start, Step
from tests.steps.build import ANN, DAY, HOUR, NOW, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
PLAN = replace(
    WELCOME,
    name="plan",
    start=Start(change=Change("contact.plan")),
    steps=(Step("hello", template="welcome"),),
)


def waits_for(path: str = "contact.plan", before: str = "", after: str = "", **start: Any) -> Play:
    form = Change(path, (before,) if before else (), (after,) if after else ())
    return replace(PLAN, start=replace(PLAN.start, change=form, **start))


def begun(shop: Shop) -> int:
    return len(shop.begun())


def facts(shop: Shop) -> list[str]:
    return [row["facts"] for row in shop.rows("SELECT facts FROM signals WHERE name = 'change'")]


def test_a_trait_that_becomes_another_starts_the_play_with_what_it_was_and_is(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(waits_for(before="trial", after="pro"))
    shop.consent()
    for plan in ("trial", "trial", "pro", "pro"):
        shop.tell("profile", ANN, traits={"plan": plan})
    assert facts(shop) == ['{"field":"contact.plan","before":"trial","after":"pro"}']
    assert shop.decisions("trigger") == [("send", "")]
    assert shop.go() == 1


@pytest.mark.parametrize(
    ("before", "after", "times"), [("", "", 3), ("free", "", 1), ("", "free", 2), ("pro", "x", 0)]
)
def test_from_and_to_narrow_what_counts(
    open_shop: OpenShop, before: str, after: str, times: int
) -> None:
    shop = open_shop(waits_for(before=before, after=after))
    for plan in ("free", "pro", "free"):  # the first is a change from nothing
        shop.tell("profile", ANN, traits={"plan": plan})
    assert begun(shop) == times


def test_a_change_from_nothing_is_one_from_empty(open_shop: OpenShop) -> None:
    play = replace(PLAN, start=Start(change=Change("contact.plan", ("",), ("pro",))))
    shop = open_shop(play)
    shop.tell("profile", ANN, traits={"plan": "pro"})
    shop.tell("profile", ANN, traits={"plan": "free"})
    shop.tell("profile", ANN, traits={"plan": "pro"})
    assert begun(shop) == 1


def test_numbers_and_truths_are_compared_as_files_write_them(open_shop: OpenShop) -> None:
    shop = open_shop(
        replace(waits_for("contact.level", after="3"), name="level"),
        replace(waits_for("contact.vip", before="false", after="true"), name="vip"),
    )
    shop.tell("profile", ANN, traits={"level": 2, "vip": False})
    shop.tell("profile", ANN, traits={"level": 3.0, "vip": True})
    shop.tell("profile", ANN, traits={"level": 3, "vip": True})
    assert sorted(play["play"] for play in shop.enrolments()) == ["level", "vip"]


def test_a_stage_that_is_reached_starts_a_play_and_one_left_behind_does_not(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(waits_for("stage", before="lead", after="customer"))
    for stage in ("lead", "customer", "lead", "customer"):
        shop.tell("moved", ANN, stage=stage)
    assert begun(shop) == 1


def test_where_a_person_is_may_change_too(open_shop: OpenShop) -> None:
    shop = open_shop(waits_for("contact.timezone", after="Europe/Berlin"))
    shop.tell("profile", ANN, traits={"timezone": "America/New_York"})
    shop.tell("profile", ANN, traits={"timezone": "Europe/Berlin"})
    assert begun(shop) == 1


def test_the_first_word_of_a_crm_changes_nothing_and_the_next_may(open_shop: OpenShop) -> None:
    shop = open_shop(waits_for("crm.owner"))
    who = shop.tell("profile", ANN)
    shop.learn_crm(who, owner="eve")
    shop.learn_crm(who, owner="eve")
    assert begun(shop) == 0
    shop.learn_crm(who, owner="joe")
    shop.learn_crm(who)
    assert facts(shop) == [
        '{"field":"crm.owner","before":"eve","after":"joe"}',
        '{"field":"crm.owner","before":"joe","after":""}',
    ]


def test_a_change_and_back_and_again_is_three_changes(open_shop: OpenShop) -> None:
    shop = open_shop(PLAN)
    who = shop.tell("profile", ANN)
    for plan in ("a", "b", "a"):
        shop.tell("profile", ANN, traits={"plan": plan})
    assert begun(shop) == 3
    assert {row["contact_id"] for row in shop.enrolments()} == {who}


def test_an_import_changes_without_starting(open_shop: OpenShop) -> None:
    shop = open_shop(PLAN)
    shop.tell("profile", ANN, traits={"plan": "free"}, back_fill=True)
    shop.tell("profile", ANN, traits={"plan": "free"})
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    assert begun(shop) == 0


def test_a_change_heard_over_48_hours_late_is_stale(open_shop: OpenShop) -> None:
    shop = open_shop(PLAN)
    shop.tell("profile", ANN, at=NOW - 49 * HOUR, traits={"plan": "free"})
    assert shop.decisions("trigger") == [("stop", "stale_start")]


def test_the_delay_counts_from_when_it_changed(open_shop: OpenShop) -> None:
    shop = open_shop(waits_for(after=""), replace(waits_for(), name="late"))
    shop.rt.plays = {"plan": replace(PLAN, start=replace(PLAN.start, after=2 * HOUR))}
    shop.rt.index()
    shop.tell("profile", ANN, at=NOW - HOUR, traits={"plan": "free"})
    [row] = shop.enrolments()
    assert row["due_at"][:16] == (NOW + HOUR).isoformat()[:16]


def test_an_event_delivered_twice_changes_once(open_shop: OpenShop) -> None:
    shop = open_shop(waits_for("stage", after="lead"))
    shop.tell("moved", ANN, stage="lead")
    shop.tell("moved", ANN, stage="lead")
    assert begun(shop) == 1


def test_a_condition_reads_the_change(open_shop: OpenShop) -> None:
    shop = open_shop(
        waits_for("contact.price", where=when("change.after | float < change.before | float"))
    )
    for price in (30, 20, 25, 10):
        shop.tell("profile", ANN, traits={"price": price})
    assert [fact.split('"before":')[1] for fact in facts(shop)][-2:] == [
        '"30","after":"20"}',
        '"25","after":"10"}',
    ]


def test_a_condition_that_cannot_be_told_is_decided_against(open_shop: OpenShop) -> None:
    shop = open_shop(waits_for(where=when("contact.age > 20")))
    shop.tell("profile", ANN, traits={"plan": "pro"})
    assert shop.decisions("trigger") == [("stop", "fact_missing")]


def test_two_plays_and_two_people_are_each_started(open_shop: OpenShop) -> None:
    shop = open_shop(PLAN, replace(PLAN, name="too"), replace(PLAN, name="x", mode=Mode.off))
    for who in (ANN, Subject(user_id="bob")):
        shop.tell("profile", who, traits={"plan": "pro"})
    assert begun(shop) == 4


def test_once_a_cooldown_an_audience_and_a_holdout_are_asked(open_shop: OpenShop) -> None:
    shop = open_shop(
        replace(waits_for(once=Once.contact), name="once"),
        replace(waits_for(cooldown=DAY), name="calm"),
        replace(PLAN, name="audience", audience=when("contact.plan == 'c'")),
        replace(PLAN, name="holdout", holdout=1.0),
    )
    for plan in ("a", "b", "c"):
        shop.tick(HOUR)
        shop.tell("profile", ANN, traits={"plan": plan})
    assert len(shop.begun("once")) == len(shop.begun("calm")) == len(shop.begun("audience")) == 1
    assert [row["mode"] for row in shop.enrolments() if row["play"] == "holdout"] == ["holdout"] * 3


def test_what_a_browser_may_not_change_starts_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(PLAN)
    shop.tell("profile", ANN, traits={"plan": "free"}, at=NOW - 49 * HOUR)
    shop.tell("profile", Subject(user_id="ann"), traits={"plan": "pro"}, source="site")
    assert begun(shop) == 0
