"""How a walk goes on: answers, waits, silences, tries, tests of levels, ends, restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import Deferred, Uncertain
from connector.ledger import pauses, sends
from connector.model import Status
from connector.rules.plays import (
    END,
    Branch,
    Exit,
    Experiment,
    Goal,
    Once,
    Play,
    Restart,
    Silence,
    Start,
    Step,
    Threshold,
    WaitFor,
)
from connector.steps import advance, reconcile
from connector.steps.dispatch import Dispatcher
from connector.steps.gate import pass_gate
from tests.steps.build import DAY, HOUR, MINUTE, NOW, Shop, when
from tests.steps.way import AB, WORDS, OpenShop, begun, pause, play, said, ways


# -- branches on answers -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reply", "expected"),
    [("1", ["a", "b"]), ("Two!", ["a", "c"]), ("is it blue?", ["a", "d"]), ("", ["a", "d"])],
)
def test_an_answer_leads_its_own_way(open_shop: OpenShop, reply: str, expected: list[str]) -> None:
    ways_ = (Branch(when("walk.answer == '1'"), "b"), Branch(when("walk.answer == 'two'"), "c"))
    shop = begun(
        open_shop,
        play(
            Step("a", template="a", answers=("1", "two")),
            Step("wait", wait_for=WaitFor(("reply",), HOUR)),
            Step("d", template="d", branches=ways_, go=END),
            Step("b", template="b", go=END),
            Step("c", template="c"),
        ),
    )
    shop.go()
    shop.go(MINUTE)
    if reply:
        shop.reply(reply)
    shop.go(MINUTE if reply else HOUR)
    shop.go()
    assert said(shop) == expected


def test_a_branch_that_cannot_be_told_does_not_lead(open_shop: OpenShop) -> None:
    ways_ = (Branch(when("contact.nowhere == 1"), "b"), Branch(when("walk.texts == 0"), "c"))
    shop = begun(
        open_shop,
        play(
            Step("a", template="a", branches=ways_),
            Step("b", template="b"),
            Step("c", template="c"),
        ),
    )
    shop.go()
    assert said(shop) == ["c"]


def test_a_wait_that_has_begun_is_ended_by_its_own_two_ways_alone(open_shop: OpenShop) -> None:
    """A condition of the waiting step was asked as it began, and not again as it ends."""
    form = WaitFor(("booked",), HOUR, missed="c")
    waiting = Step("wait", wait_for=form, where=when("contact.stage != 'customer'"))
    shop = begun(
        open_shop,
        play(AB[0], waiting, Step("b", template="b", go=END), Step("c", template="c")),
    )
    shop.go()
    shop.walk()
    shop.tell("bought", stage="customer", at=NOW + MINUTE)
    shop.go(HOUR)
    assert said(shop) == ["a", "c"]


WAIT = play(
    AB[0],
    Step(
        "wait",
        wait_for=WaitFor(("booked",), HOUR, heard="c", missed="b"),
        branches=(Branch(when("contact.stage == 'customer'"), "d"),),
    ),
    Step("b", template="b", go=END),
    Step("c", template="c", go=END),
    Step("d", template="d"),
)


def test_a_branch_of_a_waiting_step_is_asked_as_the_wait_begins_and_not_as_it_ends(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, WAIT)
    shop.go()
    shop.walk()
    shop.tell("bought", stage="customer", at=NOW + MINUTE)
    shop.go(HOUR)
    assert said(shop) == ["a", "b"]
    at_once = begun(open_shop, WAIT)
    at_once.tell("bought", stage="customer", at=NOW + MINUTE)
    at_once.go()
    at_once.go()
    assert said(at_once) == ["a", "d"]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-1, "b"), (0, "b"), (1, "c"), (59, "c"), (60, "c"), (61, "b")],
)
@pytest.mark.parametrize("is_late", [True, False])
def test_what_is_waited_for_counts_from_after_the_wait_began_until_its_end_included(
    open_shop: OpenShop, minutes: int, expected: str, is_late: bool
) -> None:
    """By when it occurred, whether it is heard while the step waits or before it was looked at."""
    shop = begun(open_shop, WAIT)
    shop.go()
    if not is_late:
        shop.walk()
    shop.clock.at = NOW + HOUR + 2 * MINUTE  # the worker slept, and hears of it first
    shop.tell("booked", at=NOW + minutes * MINUTE)
    shop.go()
    assert said(shop) == ["a", expected]


# -- silences ------------------------------------------------------------------------------------
QUIET = play(
    Step("a", template="a"),
    Step("wait", wait_for=WaitFor(("reply",), DAY, heard="c", missed=END)),
    Step("c", template="c"),
    start=Start(silence=Silence(7 * DAY)),
)


def silent(open_shop: OpenShop, made: Play) -> Shop:
    """Ann did nothing for a week, and was texted."""
    shop = open_shop(made, texts=WORDS)
    shop.walk()
    shop.consent()
    shop.tell("seen")
    assert shop.go(7 * DAY) + shop.go() == 1
    shop.walk()
    return shop


def test_any_sign_of_life_ends_what_a_silence_began(open_shop: OpenShop) -> None:
    shop = silent(open_shop, QUIET)
    shop.tick(HOUR)
    shop.tell("seen")
    assert ways(shop)["way"] == ("ended", "active_again")


def test_the_reply_that_the_play_itself_waits_for_is_no_end_of_it(open_shop: OpenShop) -> None:
    shop = silent(open_shop, QUIET)
    shop.tick(HOUR)
    shop.reply("yes please")
    shop.go()
    assert said(shop) == ["a", "c"]


# -- tries at a provider -------------------------------------------------------------------------
def test_each_try_at_a_provider_is_kept_with_what_came_of_it(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.carrier.answers.extend(
        [Deferred("full", reason="rate", code="429"), Uncertain("?", reason="timeout")]
    )
    shop.go()
    shop.go(HOUR)
    tries = shop.rows("SELECT attempt, result, reason, code FROM attempts ORDER BY attempt")
    assert tries == [
        {"attempt": 1, "result": "deferred", "reason": "rate", "code": "429"},
        {"attempt": 2, "result": "uncertain", "reason": "timeout", "code": ""},
    ]
    [row] = shop.rows("SELECT begun_at, settled_at FROM attempts WHERE attempt = 2")
    assert row["begun_at"] <= row["settled_at"]


def test_a_try_that_a_death_cut_off_is_told_as_that(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.walk()
    with shop.store.write() as tx:
        [due] = sends.due(tx, shop.clock(), 5)
        assert pass_gate(tx, shop.rt, due, shop.clock()) is not None
    assert reconcile.after_a_death(shop.rt) == 1
    [row] = shop.rows("SELECT attempt, result, reason FROM attempts")
    assert row == {"attempt": 1, "result": "uncertain", "reason": "worker_died"}


# -- threshold tests -----------------------------------------------------------------------------
def measured(restart: Restart = Restart.ignore, once: Once = Once.key) -> Play:
    def at(own: float) -> Start:
        form = Threshold(when("signal.share"), 0.5, 0.5, own)
        return Start("used", threshold=form, restart=restart, once=once)

    control = play(AB[0], start=at(0.5))
    late = replace(control, arm="late", start=at(0.9))
    test = Experiment("level", "start.threshold", {"late": 0.5, "control": 0.5}, {"late": late})
    return replace(control, experiment=test)


@pytest.mark.parametrize("arm", ["late", "control"])
@pytest.mark.parametrize("once", list(Once))
def test_every_arm_notes_when_each_level_was_reached(
    open_shop: OpenShop, arm: str, once: Once
) -> None:
    shop = open_shop(measured(once=once), texts=WORDS)
    shop.rt.arm = arm
    shop.consent()
    counts = []
    for share in (0.6, 0.7, 0.95):
        shop.tell("used", key="m", facts={"share": share})
        counts.append(shop.go())
        shop.tick(HOUR)
    assert counts == ([0, 0, 1] if arm == "late" else [1, 0, 0])
    rows = shop.rows("SELECT level, at FROM reached ORDER BY level")
    assert [(row["level"], row["at"][11:13]) for row in rows] == [("0.5", "17"), ("0.9", "19")]


def test_one_who_waits_for_their_own_level_is_not_woken_by_a_rearming_start(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(measured(Restart.rearm, Once.contact), texts=WORDS)
    shop.rt.arm = "late"
    shop.consent()
    for share in (0.6, 0.4, 0.6):
        shop.tell("used", key="m", facts={"share": share})
        shop.tick(HOUR)
    assert shop.go() == 0
    assert ways(shop)["way"] == ("waiting", "")


# -- what may no longer go ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("zone", "last", "texts"),
    [
        ("UTC", date(2026, 11, 17), 1),  # its last day is in
        ("UTC", date(2026, 11, 16), 0),
        ("Pacific/Kiritimati", date(2026, 11, 17), 0),  # the 18th has begun there
        ("Pacific/Kiritimati", date(2026, 11, 18), 1),
    ],
)
@pytest.mark.parametrize("of", ["play", "text"])
def test_a_last_day_is_one_of_the_operators_calendar(
    open_shop: OpenShop, of: str, zone: str, last: date, texts: int
) -> None:
    until = {"valid_until": last} if of == "play" else {"texts_until": {"a": last}}
    shop = begun(open_shop, play(AB[0], **until), zone=zone)
    assert shop.go() == texts
    assert shop.decisions("plan") == [("send", "") if texts else ("stop", "no_longer_valid")]


@pytest.mark.parametrize(("letters", "texts"), [(160, 1), (161, 0)])
def test_a_text_of_just_as_many_segments_as_its_step_allows_goes(
    open_shop: OpenShop, letters: int, texts: int
) -> None:
    step = Step("a", template="long", max_segments=1)
    shop = open_shop(play(step), texts={"long": "x" * letters})
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == texts


def test_a_last_day_that_passes_between_plan_and_send_is_kept(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0], texts_until={"a": date(2026, 11, 17)}))
    shop.walk()
    shop.tick(8 * HOUR)
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_longer_valid")]


# -- what ends it, asked everywhere --------------------------------------------------------------
def test_an_exit_that_comes_true_between_plan_and_send_ends_it(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB, exit=Exit(stages=("customer",))))
    shop.walk()
    with shop.store.write() as tx:
        tx.run("UPDATE contacts SET stage = 'customer'")
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "exit_stage:customer")]
    assert ways(shop)["way"] == ("ended", "exit_stage:customer")


def test_an_exit_that_cannot_be_told_ends_nothing(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB, exit=Exit(when=when("contact.nowhere == 1"))))
    assert shop.go() == 1


def test_what_occurred_before_the_play_began_is_no_exit_though_heard_after(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB, exit=Exit(when=when("walk.texts == 0"))))
    shop.tell("seen", at=NOW - HOUR)
    assert ways(shop)["way"] == ("waiting", "")
    shop.tell("seen", at=NOW + MINUTE)
    assert ways(shop)["way"] == ("ended", "exit_when")


# -- restarts and redelivery ---------------------------------------------------------------------
LONG = play(
    Step("a", template="a", answers=("1",)),
    Step("wait", wait_for=WaitFor(("reply", "booked"), 2 * HOUR, heard="fork")),
    Step("mail", webhook="mail"),
    Step("b", template="b", wait=HOUR, go="call"),
    Step("fork", template="c", branches=(Branch(when("walk.answer == '1'"), "call"),)),
    Step("call", task="Call them"),
    Step("d", template="d", wait=HOUR),
    goal=Goal("paid", 7 * DAY),
)
ACTS = ("walk", "dispatch", "die", "tick", "reply", "other", "book", "pause", "resume", "receipt")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(ACTS), max_size=30), st.integers(1, 90))
def test_whatever_happens_in_whatever_order_nothing_is_said_or_done_twice(
    open_shop: OpenShop, acts: list[str], minutes: int
) -> None:
    shop = begun(open_shop, LONG)
    for act in (*acts, "resume", *("walk", "dispatch", "tick") * 30):
        if act == "walk":
            advance.advance(shop.rt)
        elif act == "dispatch":
            shop.dispatch()
        elif act == "die":
            shop.dispatcher.close()
            shop.dispatcher = Dispatcher(shop.rt)
            reconcile.after_a_death(shop.rt)
        elif act == "tick":
            shop.tick(minutes * MINUTE)
        elif act in ("reply", "other"):
            shop.reply("1" if act == "reply" else "hm", reply_id=act)  # told again, it is the same
        elif act == "book":
            shop.tell("booked")
        elif act == "pause":
            pause(shop)
        elif act == "resume":
            with shop.store.write() as tx:
                pauses.lift(tx, "way")
        elif act == "receipt" and shop.sends():
            shop.receipt(Status.delivered)
    heard = said(shop)
    assert len(heard) == len(set(heard))
    assert heard == [word for word in "abcd" if word in heard], "and in the order of the file"
    assert not {"b", "c"} <= set(heard), "one way or the other"
    keys = [row["key"] for row in shop.rows("SELECT key FROM writebacks WHERE kind = 'task'")]
    assert len(keys) <= 1
    assert ways(shop)["way"][0] in ("done", "walking", "ended")
    assert len(shop.enrolments()) == 1
    shop.close()


def test_a_signal_told_twice_leads_on_once(open_shop: OpenShop) -> None:
    waiting = Step("wait", wait_for=WaitFor(("booked",), HOUR, heard="c"))
    shop = begun(open_shop, play(AB[0], waiting, AB[1], Step("c", template="c")))
    shop.go()
    shop.walk()
    for _ in range(3):
        shop.tell("booked", at=NOW + MINUTE, key="same")
    shop.tick(2 * MINUTE)
    while shop.go():
        shop.tick(MINUTE)
    assert said(shop) == ["a", "c"]
