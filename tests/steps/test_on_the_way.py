"""What happens to somebody on the way: files that change, pauses, other plays, restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import Deferred, Refused, Uncertain
from connector.ledger import conversations, files, pauses, sends
from connector.model import Status, Subject
from connector.rules.plays import (
    END,
    Branch,
    Edge,
    Exit,
    Experiment,
    Goal,
    Mode,
    Moment,
    Once,
    OnPause,
    Play,
    Restart,
    Silence,
    Start,
    Step,
    Threshold,
    WaitFor,
)
from connector.steps import advance, reconcile, versions
from connector.steps.dispatch import Dispatcher
from connector.steps.gate import pass_gate
from tests.steps.build import DAY, HOUR, MINUTE, NOW, PHONE, WELCOME, Shop, segment, when

OpenShop = Callable[..., Shop]
WORDS = {name: f"{{{{ brand }}}}: {name}" for name in ("a", "b", "c", "d")}


def play(*steps: Step, **changes: Any) -> Play:
    return replace(WELCOME, name="way", steps=steps, **changes)


def begun(open_shop: OpenShop, *plays: Play, **changes: Any) -> Shop:
    """Ann, who may be texted, has signed up."""
    shop = open_shop(*plays, texts=WORDS, **changes)
    shop.consent()
    shop.tell("signed_up", key="k")
    return shop


def said(shop: Shop) -> list[str]:
    return [message.text.rpartition(" ")[2] for message in shop.carrier.sent]


def ways(shop: Shop) -> dict[str, tuple[str, str]]:
    """Of each play the state and why it ended."""
    return {row["play"]: (row["state"], row["exit_reason"]) for row in shop.enrolments()}


def pause(shop: Shop, name: str = "way", verdict: str = "hold") -> None:
    with shop.store.write() as tx:
        pauses.set_(tx, name, verdict, who="bea", why="wrong link", at=shop.clock())


def resume(shop: Shop, name: str = "way") -> None:
    with shop.store.write() as tx:
        assert pauses.lift(tx, name)


def change(shop: Shop, **changes: Any) -> None:
    """The play becomes another version; the ledger keeps the one of before."""
    old = shop.rt.plays["way"]
    with shop.store.write() as tx:
        files.keep(tx, [("play", "way", old.version, old.version)], NOW)
    kept = {old.version: old, **getattr(shop, "kept", {})}
    shop.kept = kept  # type: ignore[attr-defined]
    shop.rt.revive = lambda _, content: kept.get(content)
    shop.rt.plays = {**shop.rt.plays, "way": replace(old, **changes)}
    shop.rt.index()


# -- versions ----------------------------------------------------------------------------------

AB = (Step("a", template="a"), Step("b", wait=HOUR, template="b"))


def test_a_text_that_is_planned_leaves_as_its_own_version_says_it(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB))
    shop.walk()
    change(shop, version="v2", steps=(Step("a", template="c"),), stages=("customer",))
    assert shop.dispatch() == 1
    assert said(shop) == ["a"]
    assert shop.rows("SELECT DISTINCT version FROM sends") == [{"version": "v1"}]


def test_two_changes_on_the_way_are_no_change_to_one_who_began_before_both(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    change(shop, version="v2", steps=(Step("a", template="c"),))
    shop.tell("signed_up", Subject(user_id="bob", phone="+12125550102"), key="k")
    shop.consent(phone="+12125550102")
    change(shop, version="v3", steps=(Step("a", template="d"),))
    shop.go()
    shop.go(HOUR)
    assert sorted(said(shop)) == ["a", "b", "c"]


def test_the_goal_and_the_exits_of_one_on_the_way_are_those_of_their_version(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB, exits=("left",), goal=Goal("paid", DAY)))
    change(shop, version="v2", exits=("gone",), goal=Goal("bought", DAY))
    shop.tell("gone", at=NOW + MINUTE)
    shop.tell("bought", at=NOW + MINUTE)
    assert ways(shop)["way"] == ("waiting", "")
    shop.tell("left", at=NOW + MINUTE)
    assert ways(shop)["way"] == ("ended", "exit:left")


def test_a_segment_is_what_it_was_in_the_version_that_is_walked(open_shop: OpenShop) -> None:
    step = Step("a", template="a", where=when("in_segment('keen')"))
    own = {"keen": segment("keen", "did('signed_up')")}
    shop = begun(open_shop, play(step, segments=own))
    shop.rt.segments = {"keen": segment("keen", "did('paid')")}
    shop.go()
    assert said(shop) == ["a"]


def test_a_play_that_is_off_today_ends_also_for_those_of_an_older_version(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    change(shop, version="v2", mode=Mode.off)
    assert shop.go() == 0
    assert ways(shop)["way"] == ("ended", "play_off")


def test_a_version_that_can_no_longer_be_read_goes_on_by_the_newest_and_its_arm(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    other = play(Step("a", template="d"), arm="other", version="v2")
    test = Experiment("words", "steps", {"other": 1.0}, {"other": other})
    change(shop, version="v2", experiment=test)
    shop.rt.revive = lambda name, content: None
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET arm = 'other'")
    shop.go()
    assert said(shop) == ["d"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("a", "b", "c"), ["a", "b", "c"]),
        (("b", "a", "c"), ["a", "b", "c"]),  # a has been said already
        (("x", "a", "b"), ["a", "b"]),
        (("a", "c"), ["a", "c"]),  # b is gone: what stands in its place
        (("a",), ["a"]),
    ],
)
def test_an_adopted_file_goes_on_at_the_step_of_the_same_name_and_says_nothing_twice(
    open_shop: OpenShop, steps: tuple[str, ...], expected: list[str]
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.go()
    made = tuple(Step(name, template="d" if name == "x" else name) for name in steps)
    change(shop, version="v2", steps=made, adopt=True)
    shop.tick(HOUR)
    while shop.go():
        shop.tick(MINUTE)
    assert said(shop) == expected
    assert len(shop.sends()) == len({row["step"] for row in shop.sends()})
    assert ways(shop)["way"] in (("done", ""), ("ended", "no_step"))


@pytest.mark.parametrize("when_", ["planned", "in flight"])
def test_an_adopted_file_that_ends_before_the_step_of_a_text_is_done_with_it(
    open_shop: OpenShop, when_: str
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.go()
    shop.tick(HOUR)
    shop.walk()

    def shortened(message: object = None) -> None:
        change(shop, version="v2", steps=AB[:1], adopt=True)

    if when_ == "planned":
        shortened()
    else:
        shop.carrier.before = shortened
    assert shop.dispatch() == (0 if when_ == "planned" else 1)
    assert ways(shop)["way"] == ("done", "")


def test_a_condition_may_read_at_which_step_the_walk_stands(open_shop: OpenShop) -> None:
    first = Step("a", template="a", where=when("walk.step == 'a' and walk.texts == 0"))
    second = Step("b", template="b", where=when("walk.step == 'b' and walk.texts == 1"))
    shop = begun(open_shop, play(first, second))
    shop.go()
    shop.go()
    assert said(shop) == ["a", "b"]


def test_a_text_whose_step_an_adopted_file_no_longer_has_does_not_leave(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.walk()
    change(shop, version="v2", steps=(Step("c", template="c"), AB[1]), adopt=True)
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_longer_wanted")]
    shop.go(HOUR)
    assert said(shop) == ["b"]


def test_a_play_that_is_removed_while_its_text_is_in_flight_ends_when_that_was_taken(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))

    def removed(message: object) -> None:
        shop.rt.plays = {}

    shop.carrier.before = removed
    assert shop.go() == 1
    [row] = shop.enrolments()
    assert (row["state"], row["exit_reason"]) == ("ended", "play_removed")
    assert row["first_text_at"] is not None


def test_a_place_is_found_by_its_name_wherever_it_stands(open_shop: OpenShop) -> None:
    three = play(Step("a"), Step("b"), Step("c"))
    row = {"step": 1, "step_name": "b"}
    assert versions.step_at(three, row) == 1
    assert versions.step_at(play(Step("b"), Step("a")), row) == 0
    assert versions.step_at(play(Step("a"), Step("x")), row) == 1
    assert versions.step_at(three, {"step": 0, "step_name": ""}) == 0
    assert versions.step_at(play(Step("a")), {"step": 5, "step_name": "z"}) == 5


# -- pauses ------------------------------------------------------------------------------------


def test_a_pause_that_outlives_a_text_drops_that_text_and_not_the_walk(
    open_shop: OpenShop,
) -> None:
    short = replace(AB[0], expires=HOUR)
    shop = begun(open_shop, play(short, AB[1]))
    pause(shop)
    for _ in range(6):
        shop.go(15 * MINUTE)
    assert shop.sends()[0]["state"] in ("cancelled", "expired")
    assert ways(shop)["way"][0] == "walking"
    resume(shop)
    shop.go(HOUR)
    shop.go(HOUR)
    assert said(shop) == ["b"]


def test_many_checks_in_a_pause_are_one_decision(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.walk()
    pause(shop)
    for _ in range(10):
        shop.go(15 * MINUTE)
    rows = shop.rows("SELECT reason, repeats FROM decisions WHERE moment = 'send'")
    assert rows == [{"reason": "paused", "repeats": 9}]


def test_a_pause_of_one_play_holds_no_other(open_shop: OpenShop) -> None:
    other = replace(WELCOME, name="other", steps=(Step("c", template="c"),))
    shop = begun(open_shop, play(AB[0]), other)
    pause(shop)
    shop.go()
    assert said(shop) == ["c"]


def test_the_kill_switch_holds_texts_by_hand_and_our_own_answers_too(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    shop.consent()
    shop.tell("seen")
    pause(shop, "*")
    shop.plan_by_hand()
    shop.reply("STOP")
    assert shop.go() == 0
    assert set(shop.states()) <= {"planned", "cancelled", "expired"}


CALLS = (Step("mail", webhook="mail"), Step("call", task="Call them"), AB[0])


def test_in_a_pause_no_tool_is_called_and_nobody_told_to_call(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*CALLS))
    pause(shop, "*")
    for _ in range(8):
        shop.go(HOUR)
    asked = "SELECT key FROM writebacks WHERE kind IN ('webhook', 'task')"
    assert shop.rows(asked) == []
    resume(shop, "*")
    for _ in range(3):
        shop.go(15 * MINUTE)
    keys = [row["key"] for row in shop.rows(asked)]
    assert sorted(keys) == ["call:enr_000001:mail", "task:enr_000001:call"]
    assert said(shop) == ["a"]


def test_a_call_that_is_of_no_use_any_more_after_a_pause_is_passed_over(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(Step("mail", webhook="mail", expires=HOUR), AB[0]))
    pause(shop)
    shop.go()
    shop.tick(2 * HOUR)
    resume(shop)
    shop.go()
    assert shop.rows("SELECT key FROM writebacks WHERE kind = 'webhook'") == []
    shop.go()
    assert said(shop) == ["a"]


def test_a_condition_of_a_call_is_asked_again_after_a_pause(open_shop: OpenShop) -> None:
    step = Step("mail", webhook="mail", where=when("contact.stage != 'customer'"))
    shop = begun(open_shop, play(step))
    pause(shop)
    shop.go()
    shop.tell("bought", stage="customer")
    resume(shop)
    shop.go(15 * MINUTE)
    assert shop.rows("SELECT key FROM writebacks WHERE kind = 'webhook'") == []


def test_a_call_that_is_late_for_another_reason_is_made_all_the_same(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(Step("call", task="Call them")))
    shop.go(3 * DAY)  # nobody was there
    assert len(shop.rows("SELECT key FROM writebacks WHERE kind = 'task'")) == 1


def test_a_drop_found_on_the_way_ends_there(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB, on_pause=OnPause.drop))
    with shop.store.write() as tx:  # as where the pause came while the ledger had none of it
        tx.run("INSERT INTO pauses VALUES ('way', 'drop', :at, 'bea', '')", at="2026-11-17")
    assert shop.go() == 0
    assert ways(shop)["way"] == ("ended", "paused")


# -- several plays at one person ---------------------------------------------------------------


def talk(name: str, template: str, priority: int = 0, **changes: Any) -> Play:
    steps = (Step("first", template=template), Step("last", wait=9 * HOUR, template=template))
    made = replace(WELCOME, name=name, steps=steps, exclusive=True, priority=priority)
    return replace(made, **changes)


def test_two_that_are_due_at_one_instant_do_not_both_begin_to_talk(open_shop: OpenShop) -> None:
    shop = begun(open_shop, talk("one", "a"), talk("two", "b"))
    assert shop.go() == 1
    assert sorted(shop.decisions("send")) == [("send", ""), ("wait", "in_another_play")]


def test_of_two_that_are_due_at_one_instant_the_higher_priority_talks(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, talk("one", "a"), talk("two", "b", 3))
    assert shop.go() == 1
    assert said(shop) == ["b"]


def test_two_carts_are_not_talked_of_at_once_by_the_same_play(open_shop: OpenShop) -> None:
    shop = begun(open_shop, talk("one", "a"))
    shop.tell("signed_up", key="other")
    assert shop.go() == 1
    assert ("wait", "in_another_play") in shop.decisions("send")


def test_a_text_of_unknown_fate_has_begun_the_talk(open_shop: OpenShop) -> None:
    shop = open_shop(talk("one", "a"), talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.carrier.answers.append(Uncertain("nobody knows", reason="timeout"))
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    assert shop.go(MINUTE) == 0
    assert shop.decisions("plan")[-1] == ("wait", "in_another_play")


@pytest.mark.parametrize(
    "answer", [Deferred("full", reason="rate"), Refused("no", reason="blocked")]
)
def test_a_text_that_certainly_did_not_go_has_not_begun_it(
    open_shop: OpenShop, answer: Exception
) -> None:
    shop = open_shop(talk("one", "a"), talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.carrier.answers.append(answer)
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.walk()
    assert shop.decisions("plan")[-1] == ("send", "")


def test_what_is_no_conversation_is_not_ended_by_one(open_shop: OpenShop) -> None:
    series = talk("one", "a", exclusive=False)
    shop = open_shop(series, talk("two", "b", 9, start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert ways(shop)["one"] == ("walking", "")


@pytest.mark.parametrize(
    "first",
    [
        talk("one", "a", exclusive=False),
        talk("one", "a", mode=Mode.shadow),
        talk("one", "a", holdout=1.0),
        talk("one", "a", steps=(Step("first", template="a"),)),  # through at once
    ],
)
def test_what_is_no_conversation_keeps_nobody_waiting(open_shop: OpenShop, first: Play) -> None:
    shop = open_shop(first, talk("two", "b", start=Start("quoted")), texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert said(shop)[-1] == "b"


def test_one_held_out_ends_nobodys_conversation(open_shop: OpenShop) -> None:
    higher = talk("two", "b", 9, start=Start("quoted"), holdout=1.0)
    shop = open_shop(talk("one", "a"), higher, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    shop.go(MINUTE)
    assert ways(shop)["one"] == ("walking", "")


def test_a_conversation_that_waits_too_long_for_another_is_dropped(open_shop: OpenShop) -> None:
    two = talk("two", "b", start=Start("quoted"), steps=(Step("x", template="b", expires=HOUR),))
    shop = open_shop(talk("one", "a"), two, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("quoted")
    for _ in range(6):
        shop.go(15 * MINUTE)
    assert said(shop) == ["a"]
    assert shop.sends()[-1]["reason"] == "in_another_play"


@pytest.mark.parametrize(("priority", "expected"), [(0, "abab"), (4, "abb")])
def test_of_two_that_both_spoke_as_they_were_merged_the_higher_or_the_first_goes_on(
    open_shop: OpenShop, priority: int, expected: str
) -> None:
    two = talk("two", "b", priority, start=Start("quoted"))
    shop = open_shop(talk("one", "a"), two, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tick(MINUTE)
    other = Subject(user_id="other", phone=PHONE)
    shop.tell("quoted", other)
    shop.go()
    assert said(shop) == ["a", "b"], "two people, as far as is known"
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET contact_id = 'con_000001'")
        tx.run("UPDATE sends SET contact_id = 'con_000001'")
    for _ in range(12):
        shop.go(HOUR)
    assert said(shop) == list(expected)


def test_an_order_is_thanked_for_in_the_midst_of_any_conversation(open_shop: OpenShop) -> None:
    order = replace(WELCOME, name="order", start=Start("paid"), steps=(Step("x", template="c"),))
    shop = open_shop(talk("one", "a"), order, texts=WORDS)
    shop.consent()
    shop.tell("signed_up")
    shop.go()
    shop.tell("paid")
    shop.go(MINUTE)
    assert said(shop) == ["a", "c"]


# -- conversations with a person ---------------------------------------------------------------


def test_a_text_that_is_planned_waits_while_a_person_of_ours_talks(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.walk()
    with shop.store.write() as tx:
        conversations.open_(tx, PHONE, "bea", shop.clock())
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("wait", "in_conversation")]
    shop.go(15 * MINUTE)
    with shop.store.write() as tx:
        conversations.close(tx, PHONE, shop.clock())
    assert shop.go(15 * MINUTE) == 1


# -- branches on answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("1", ["a", "b"]), ("Two!", ["a", "c"]), ("what?", ["a", "d"]), ("", ["a", "d"])],
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


# -- silences ----------------------------------------------------------------------------------

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


# -- best hours --------------------------------------------------------------------------------


def replied(shop: Shop, phone: str, *hours: int) -> None:
    """A person replied at some hours of the day, on the clock of New York."""
    for number, hour in enumerate(hours):
        at = datetime.fromisoformat(f"2026-11-{10 + number}T{hour + 5:02}:20:00+00:00")
        shop.reply("thanks", phone, at=at)


BEST = play(
    Step("a", template="a"),
    Step("b", wait=DAY, template="b", moment=Moment(at=time(10), best_hour=True)),
)
EAST = {"timezone": "America/New_York"}


def due_hour(shop: Shop, contact: str = "con_000001") -> int:
    row = next(row for row in shop.enrolments() if row["contact_id"] == contact)
    return int(row["due_at"][11:13]) - 5


def test_a_person_is_texted_at_the_hour_at_which_they_answer(open_shop: OpenShop) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("seen", traits=EAST)
    replied(shop, PHONE, 14, 14, 9)
    shop.tell("signed_up")
    shop.go()
    assert due_hour(shop) == 14


def test_too_few_answers_tell_no_hour_and_the_plays_people_are_asked(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("signed_up", traits=EAST)
    shop.go()
    assert due_hour(shop) == 10, "nobody answered yet"
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tick(HOUR)
    for _ in range(3):
        shop.reply("thanks", at=shop.clock())  # at one in the afternoon
    shop.tell("signed_up", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 13


def test_the_hour_of_others_is_the_hour_on_their_own_clocks(open_shop: OpenShop) -> None:
    shop = open_shop(BEST, texts=WORDS)
    shop.consent()
    shop.tell("signed_up", traits={"timezone": "America/Los_Angeles"})
    shop.go()
    shop.tick(HOUR)
    for _ in range(3):
        shop.reply("thanks", at=shop.clock())  # at ten in the west
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tell("signed_up", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 10


def test_a_segments_people_are_asked_before_the_plays(open_shop: OpenShop) -> None:
    made = replace(BEST, start=Start(edge=Edge("keen", True)))
    shop = open_shop(made, texts=WORDS)
    shop.rt.segments = {"keen": segment("keen", "did('seen')")}
    shop.rt.index()
    shop.consent()
    shop.tell("seen", traits=EAST)
    for _ in range(3):
        shop.reply("thanks", at=NOW - HOUR)
    bob = Subject(user_id="bob", phone="+12125550102")
    shop.consent(phone=bob.phone)
    shop.tell("seen", bob, traits=EAST)
    shop.go()
    assert due_hour(shop, "con_000002") == 11


# -- tries at a provider -----------------------------------------------------------------------


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


# -- threshold tests ---------------------------------------------------------------------------


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


# -- last days ---------------------------------------------------------------------------------


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


def test_a_last_day_that_passes_between_plan_and_send_is_kept(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(AB[0], texts_until={"a": date(2026, 11, 17)}))
    shop.walk()
    shop.tick(8 * HOUR)
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_longer_valid")]


# -- what ends it, asked everywhere ------------------------------------------------------------


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


# -- restarts and redelivery -------------------------------------------------------------------

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
