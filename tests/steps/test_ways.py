"""How a play goes on: branches, waits, choices, hours, exits, versions, pauses, one talk a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from connector.expressions import compile_template
from connector.ledger import conversations, files, pauses
from connector.rules.plays import (
    END,
    Branch,
    Choice,
    Exit,
    Experiment,
    Goal,
    Moment,
    Play,
    Segment,
    Start,
    Step,
    Threshold,
    WaitFor,
)
from connector.steps import exits
from tests.steps.build import ANN, CART, DAY, HOUR, MINUTE, NOW, PHONE, WELCOME, Shop, when

SHOPS: list[Shop] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while SHOPS:
        SHOPS.pop().close()


def shop(folder: Path, *plays: Play, **changes: Any) -> Shop:
    texts = {name: f"{{{{ brand }}}}: {name}" for name in ("a", "b", "c", "vip")}
    made = Shop(folder, *plays, texts={**texts, **changes.pop("texts", {})}, **changes)
    SHOPS.append(made)
    return made


def play(*steps: Step, **changes: Any) -> Play:
    return replace(WELCOME, name="way", steps=steps, **changes)


def begun(folder: Path, *steps: Step, shops: dict[str, Any] | None = None, **changes: Any) -> Shop:
    """Ann, who may be texted, has begun a play of these steps."""
    made = shop(folder, play(*steps, **changes), **(shops or {}))
    made.consent()
    made.tell("signed_up")
    return made


def said(made: Shop) -> list[str]:
    return [message.text.partition(": ")[2] for message in made.carrier.sent]


def reason(made: Shop) -> tuple[str, str]:
    [row] = made.enrolments()
    return row["state"], row["exit_reason"]


# Branches, choices and ways on


def test_the_first_branch_that_holds_leads_and_the_rest_is_left_out(tmp_path: Path) -> None:
    to_c = Branch(when("walk.answer == '1'"), "c")
    made = begun(
        tmp_path,
        Step("a", template="a", answers=("1", "2"), go="fork"),
        Step("fork", wait=HOUR, template="b", branches=(to_c,)),
        Step("c", template="c"),
    )
    made.go()
    made.reply("1!")
    made.go(HOUR)
    assert said(made) == ["a", "c"]


def test_without_a_branch_that_holds_the_step_itself_acts(tmp_path: Path) -> None:
    out = Branch(when("walk.replied"), END)
    made = begun(tmp_path, Step("a", template="a"), Step("b", template="b", branches=(out,)))
    made.go()
    made.go()
    assert said(made) == ["a", "b"]


def test_a_branch_to_the_end_ends_the_walk_without_a_text(tmp_path: Path) -> None:
    out = Branch(when("walk.texts >= 1"), END)
    made = begun(tmp_path, Step("a", template="a"), Step("b", template="b", branches=(out,)))
    made.go()
    made.go()
    assert said(made) == ["a"]
    assert reason(made) == ("done", "")


def test_the_first_choice_that_holds_gives_the_text(tmp_path: Path) -> None:
    vip = Choice(when("contact.stage == 'customer'"), "vip")
    step = Step("a", template="a", choices=(vip,))
    made = begun(tmp_path, step)
    made.tell("became", stage="customer")
    made.go()
    assert said(made) == ["vip"]


def test_a_condition_that_no_longer_holds_as_the_text_leaves_passes_it_over(tmp_path: Path) -> None:
    only_leads = Step("a", template="a", where=when("contact.stage != 'customer'"))
    made = begun(tmp_path, only_leads, Step("b", wait=HOUR, template="b"))
    made.walk()
    made.tell("became", stage="customer")
    made.dispatch()
    assert said(made) == []
    assert made.decisions("send") == [("stop", "condition_false")]
    made.go(HOUR)
    assert said(made) == ["b"]


# Waiting for a signal


def waiting(heard: str = "", missed: str = "") -> tuple[Step, ...]:
    form = WaitFor(("demo_booked",), 2 * HOUR, heard, missed)
    return (
        Step("a", template="a"),
        Step("wait", wait_for=form),
        Step("b", template="b", go=END),
        Step("c", template="c"),
    )


def test_a_signal_that_is_waited_for_leads_on_at_once(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(heard="c", missed="b"))
    made.go()
    made.go(HOUR)
    assert said(made) == ["a"]
    made.tell("demo_booked")
    made.go()
    assert said(made) == ["a", "c"]


def test_when_the_time_is_over_the_other_way_is_taken(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(heard="c", missed="b"))
    made.go()
    made.go(2 * HOUR - MINUTE)
    assert said(made) == ["a"]
    made.go(MINUTE)
    assert said(made) == ["a", "b"]
    made.tell("demo_booked")
    assert made.go() == 0


def test_a_signal_heard_late_that_occurred_in_time_counts(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(heard="c", missed="b"))
    made.go()
    made.walk()
    made.tick(3 * HOUR)
    made.tell("demo_booked", at=made.clock() - 2 * HOUR)
    made.go()
    assert said(made) == ["a", "c"]


def test_a_signal_from_before_the_wait_does_not_count(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(heard="c", missed="b"))
    made.tell("demo_booked", at=NOW)
    made.tick(MINUTE)
    made.go()
    made.go(3 * HOUR)
    assert said(made) == ["a", "b"]


# Hours on the person's clock


def test_a_step_waits_for_its_hour_on_the_persons_clock(tmp_path: Path) -> None:
    at_ten = Step("a", template="a", moment=Moment(at=time(10)))
    made = shop(tmp_path, play(at_ten))
    made.consent()
    made.tell("signed_up", traits={"timezone": "America/Los_Angeles"})
    [row] = made.enrolments()
    assert row["due_at"].startswith("2026-11-17T18:00")  # ten there; it is nine


def test_a_later_step_keeps_its_weekday_and_window(tmp_path: Path) -> None:
    friday = Moment(days=frozenset({4}), window=(time(9), time(17)))
    made = shop(
        tmp_path, play(Step("a", template="a"), Step("b", wait=HOUR, template="b", moment=friday))
    )
    made.consent()
    made.tell("signed_up", traits={"timezone": "America/New_York"})
    made.go()
    [row] = made.enrolments()
    assert row["due_at"].startswith("2026-11-20T14:00")


def test_an_hour_that_the_clock_leaps_over_is_the_first_after_it(tmp_path: Path) -> None:
    night = Step("a", template="a", moment=Moment(at=time(2, 30)))
    made = shop(tmp_path, play(night))
    made.clock.at = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)  # midnight in New York
    made.consent()
    made.tell("signed_up", traits={"timezone": "America/New_York"})
    [row] = made.enrolments()
    assert row["due_at"].startswith("2026-03-08T07:00")


# Exits


def test_a_stage_or_condition_ends_the_walk_and_cancels_what_waits(tmp_path: Path) -> None:
    made = begun(
        tmp_path,
        Step("a", wait=HOUR, template="a"),
        exit=Exit(when=when("contact.plan | default('') == 'pro'"), stages=("customer",)),
    )
    made.tell("upgraded", traits={"plan": "pro"}, at=NOW + MINUTE)
    assert reason(made) == ("ended", "exit_when")
    again = begun(
        tmp_path / "again", Step("a", wait=HOUR, template="a"), exit=Exit(stages=("customer",))
    )
    again.tell("bought", stage="customer", at=NOW + MINUTE)
    assert reason(again) == ("ended", "exit_stage:customer")


def test_leaving_a_segment_ends_the_walk_before_the_next_step(tmp_path: Path) -> None:
    hot = Segment(
        "hot", when("did('signed_up', within='1h')"), "", signals=frozenset({"signed_up"})
    )
    made = begun(
        tmp_path,
        Step("a", template="a"),
        Step("b", wait=2 * HOUR, template="b"),
        exit=Exit(left=("hot",)),
        shops={"segments": {"hot": hot}},
    )
    made.go(MINUTE)
    made.go(2 * HOUR)
    assert said(made) == ["a"]
    assert reason(made) == ("ended", "exit_left:hot")


def test_a_play_without_such_exits_asks_for_none() -> None:
    assert not exits.has_any(CART)
    assert exits.has_any(replace(CART, exit=Exit(stages=("customer",))))


@pytest.mark.parametrize(("about", "ends"), [("a1", True), ("a2", False), ("", True)])
def test_with_same_key_only_what_is_about_the_same_thing_ends_it(
    tmp_path: Path, about: str, ends: bool
) -> None:
    made = shop(
        tmp_path, play(Step("a", wait=HOUR, template="a"), exits=("cancelled",), same_key=True)
    )
    made.consent()
    made.tell("signed_up", key="a1")
    made.tell("cancelled", key=about, at=NOW + MINUTE)
    assert made.go(HOUR) == (0 if ends else 1)


# Versions


def versioned(made: Shop, name: str, **changes: Any) -> None:
    """The folder's play becomes another version; what the ledger keeps of it is its name."""
    old = made.rt.plays[name]
    kept = {old.version: old, **getattr(made, "kept", {})}
    made.kept = kept  # type: ignore[attr-defined]
    with made.store.write() as tx:
        files.keep(tx, [("play", name, old.version, old.version)], NOW)
    made.rt.plays = {**made.rt.plays, name: replace(old, **changes)}
    made.rt.revive = lambda _, content: kept.get(content)
    made.rt.index()


def test_those_on_the_way_finish_on_the_version_they_began_with(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a"), Step("b", wait=HOUR, template="b"))
    made.go()
    versioned(made, "way", version="v2", steps=(Step("a", template="a"), Step("c", template="c")))
    made.go(HOUR)
    assert said(made) == ["a", "b"]


def test_an_older_version_keeps_its_words(tmp_path: Path) -> None:
    old = {("a", "en"): compile_template("{{ brand }}: old words")}
    made = begun(tmp_path, Step("a", wait=HOUR, template="a"), templates=old)
    new = {("a", "en"): compile_template("{{ brand }}: new words")}
    versioned(made, "way", version="v2", templates=new)
    made.go(HOUR)
    assert said(made) == ["old words"]


def test_with_adopt_they_go_on_by_the_newest_at_the_step_of_the_same_name(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a"), Step("b", wait=HOUR, template="b"))
    made.go()
    steps = (
        Step("new", template="c"),
        Step("a", template="a"),
        Step("b", wait=HOUR, template="vip"),
    )
    versioned(made, "way", version="v2", steps=steps, adopt=True)
    made.go(HOUR)
    assert said(made) == ["a", "vip"]


def test_a_removed_play_ends_and_sends_nothing(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a"))
    made.walk()
    made.rt.plays = {}
    made.rt.index()
    assert made.go() == 0
    assert reason(made) == ("ended", "play_removed")


# Pauses


def pause(made: Shop, name: str, verdict: str) -> None:
    with made.store.write() as tx:
        pauses.set_(tx, name, verdict, who="bea", why="wrong link", at=made.clock())


def resume(made: Shop, name: str) -> None:
    with made.store.write() as tx:
        assert pauses.lift(tx, name)


@pytest.mark.parametrize("name", ["way", "*"])
def test_a_hold_lets_events_enrol_and_texts_wait_and_a_resume_decides_afresh(
    tmp_path: Path, name: str
) -> None:
    made = shop(tmp_path, play(Step("a", template="a")))
    made.consent()
    pause(made, name, "hold")
    made.tell("signed_up")
    assert made.go() == 0
    assert made.decisions("plan") == [("wait", "paused")]
    resume(made, name)
    assert made.go(15 * MINUTE) == 1


def test_the_kill_switch_takes_effect_before_the_next_text(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a"))
    made.walk()
    pause(made, "*", "hold")
    assert made.dispatch() == 0
    assert made.decisions("send") == [("wait", "paused")]


def test_expiries_run_on_during_a_hold(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a", expires=HOUR))
    made.walk()
    pause(made, "way", "hold")
    made.dispatch()
    made.tick(2 * HOUR)
    resume(made, "way")
    assert made.go() == 0
    assert made.states() == ["expired"]


def test_a_drop_ends_what_is_on_the_way_and_lets_nothing_begin(tmp_path: Path) -> None:
    from connector.rules.plays import OnPause

    made = begun(tmp_path, Step("a", wait=HOUR, template="a"), on_pause=OnPause.drop)
    pause(made, "way", "drop")
    assert reason(made) == ("ended", "paused")
    made.tell("signed_up", replace(ANN, user_id="bob", phone="+12125550102"))
    assert made.decisions("trigger")[-1] == ("stop", "paused")
    assert made.go(2 * HOUR) == 0


# One conversation at a time


def two(folder: Path, priority: int) -> Shop:
    first = replace(
        WELCOME,
        name="first",
        exclusive=True,
        steps=(Step("a", template="a"), Step("b", wait=5 * HOUR, template="b")),
    )
    second = replace(
        WELCOME,
        name="second",
        exclusive=True,
        priority=priority,
        start=Start("quoted"),
        steps=(Step("c", template="c"),),
    )
    made = shop(folder, first, second)
    made.consent()
    made.tell("signed_up")
    made.go()
    made.tell("quoted")
    return made


def test_a_second_play_waits_while_the_first_is_in_a_conversation(tmp_path: Path) -> None:
    made = two(tmp_path, 0)
    assert made.go(MINUTE) == 0
    assert ("wait", "in_another_play") in made.decisions("plan")
    made.go(5 * HOUR)
    made.go(15 * MINUTE)
    assert said(made) == ["a", "b", "c"]


def test_one_of_a_higher_priority_speaks_and_ends_the_other(tmp_path: Path) -> None:
    made = two(tmp_path, 5)
    assert made.go(MINUTE) == 1
    rows = {row["play"]: row for row in made.enrolments()}
    assert (rows["first"]["state"], rows["first"]["exit_reason"]) == ("ended", "outranked")
    made.go(6 * HOUR)
    assert said(made) == ["a", "c"]


def test_plays_wait_while_a_person_talks_with_the_number_and_go_on_when_it_is_closed(
    tmp_path: Path,
) -> None:
    made = begun(tmp_path, Step("a", template="a"))
    with made.store.write() as tx:
        conversations.open_(tx, PHONE, "bea", made.clock())
    assert made.go() == 0
    assert made.decisions("plan") == [("wait", "in_conversation")]
    with made.store.write() as tx:
        assert conversations.close(tx, PHONE, made.clock())
    assert made.go(15 * MINUTE) == 1


def test_a_conversation_is_over_a_day_after_its_last_message(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a", expires=3 * DAY))
    with made.store.write() as tx:
        conversations.open_(tx, PHONE, "bea", made.clock())
    made.go()
    made.tick(20 * HOUR)
    made.reply("and on Friday?")
    assert made.go(5 * HOUR) == 0
    assert made.go(19 * HOUR) == 1


# What may no longer go


def test_nothing_goes_after_the_last_day_of_a_play(tmp_path: Path) -> None:
    made = begun(tmp_path, Step("a", template="a"), valid_until=date(2026, 11, 16))
    assert made.go() == 0
    assert made.decisions("plan") == [("stop", "no_longer_valid")]
    today = begun(tmp_path / "today", Step("a", template="a"), valid_until=date(2026, 11, 17))
    assert today.go() == 1


def test_a_text_that_is_longer_than_its_step_allows_is_not_sent(tmp_path: Path) -> None:
    made = begun(
        tmp_path,
        Step("a", template="long", max_segments=1),
        shops={"texts": {"long": "{{ brand }}: " + "x" * 160}},
    )
    assert made.go() == 0
    assert made.decisions("plan") == [("stop", "too_long")]


# Calls to other tools


def test_a_webhook_step_is_owed_once_and_bears_no_sensitive_fact(tmp_path: Path) -> None:
    steps = (Step("mail", webhook="mail"), Step("a", wait=DAY, template="a"))
    made = shop(tmp_path, play(*steps))
    made.consent()
    facts = {"plan": "pro", "secret": "x"}
    made.tell("signed_up", facts=facts, sensitive=frozenset({"secret"}))
    made.go()
    [row] = made.rows("SELECT * FROM writebacks WHERE crm = 'hook:mail'")
    told = orjson.loads(row["change"])
    assert (told["play"], told["step"]) == ("way", "mail")
    assert told["signal"] == {"plan": "pro", "name": "signed_up", "key": told["signal"]["key"]}
    assert told["contact"]["phone"] == PHONE


# Experiments


def test_each_arm_walks_its_own_variant_and_keeps_it(tmp_path: Path) -> None:
    control = play(Step("a", template="a"))
    short = replace(control, arm="short", steps=(Step("a", template="b"),))
    test = Experiment("words", "steps.a.template", {"short": 0.5, "control": 0.5}, {"short": short})
    made = shop(tmp_path, replace(control, experiment=test))
    for number in range(40):
        phone = f"+1212555{1000 + number}"
        made.consent(phone=phone)
        made.tell("signed_up", replace(ANN, user_id=f"u{number}", phone=phone))
    while made.go(MINUTE):
        pass
    arms = {row["contact_id"]: row["arm"] for row in made.enrolments()}
    texts = {row["contact_id"]: row["text"] for row in made.sends()}
    assert set(arms.values()) == {"short", "control"}
    words = {"short": "Corner Shop: b", "control": "Corner Shop: a"}
    assert all(texts[who] == words[arm] for who, arm in arms.items())
    kept = made.rows("SELECT * FROM assignments WHERE experiment = 'test:way:words'")
    assert {row["probability"] for row in kept} == {"0.5"}


def test_in_a_threshold_test_all_enrol_at_the_loosest_and_speak_at_their_own(
    tmp_path: Path,
) -> None:
    def at(own: float) -> Start:
        return Start("used", threshold=Threshold(when("signal.share"), 0.5, 0.5, own))

    control = play(Step("a", template="a"), start=at(0.5))
    late = replace(control, arm="late", start=at(0.9))
    test = Experiment("level", "start.threshold", {"late": 1.0, "control": 0.0}, {"late": late})
    made = shop(tmp_path, replace(control, experiment=test))
    made.consent()
    for share, texts in ((0.4, 0), (0.6, 0), (0.8, 0), (0.95, 1)):
        made.tick(HOUR)
        made.tell("used", facts={"share": share}, key="m")
        assert made.go() == texts, share
    assert len(made.enrolments()) == 1
    levels = made.rows("SELECT level FROM reached ORDER BY level")
    assert [row["level"] for row in levels] == ["0.5", "0.9"]


def test_a_goal_still_ends_a_walk_that_waits_for_a_signal(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(), goal=Goal("order_completed", 7 * DAY))
    made.go()
    made.go(MINUTE)
    made.tell("order_completed")
    assert reason(made) == ("ended", "goal")
    assert made.go(3 * HOUR) == 0


def test_a_restart_between_any_two_steps_changes_nothing(tmp_path: Path) -> None:
    made = begun(tmp_path, *waiting(heard="c", missed="b"))
    for _ in range(30):
        made.walk()  # each time by a reader that knows nothing
        made.walk()
        made.dispatch()
        made.tick(timedelta(minutes=10))
    assert said(made) == ["a", "b"]
    assert reason(made) == ("done", "")
