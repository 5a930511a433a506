"""Experiments: every arm is the play with one field changed, and its faults stand at its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.plays import Experiment, Play
from tests.config.shelf import HEAD, START, STEPS, read, told

USAGE = """[start]
signal = "usage_reported"
measure = "signal.used / signal.limit"
threshold = 0.8
rearm_below = 0.7
"""


def arm(name: str, share: float, changes: str) -> str:
    return f'[[experiment.arms]]\nname = "{name}"\nshare = {share}\nset = {{ {changes} }}\n'


def text(*arms: str, start: str = START) -> str:
    return HEAD + start + STEPS + '[experiment]\nname = "test"\n' + "".join(arms)


def experiment_of(play: Play) -> Experiment:
    assert play.experiment is not None
    return play.experiment


def test_control_is_the_file_and_has_what_the_arms_leave(tmp_path: Path) -> None:
    play, faults = read(tmp_path, text(arm("soon", 0.3, '"start.after" = "5m"')))
    assert faults == []
    test = experiment_of(play)
    assert (test.name, test.field) == ("test", "start.after")
    assert test.shares == {"soon": 0.3, "control": 0.7}
    assert play.start.after == timedelta(0)
    assert (test.plays["soon"].start.after, test.plays["soon"].arm) == (
        timedelta(minutes=5),
        "soon",
    )
    assert test.plays["soon"].version == play.version


def test_a_step_goes_by_its_name_and_all_steps_may_be_others(tmp_path: Path) -> None:
    play, faults = read(tmp_path, text(arm("brief", 0.5, '"steps.say.template" = "short"')))
    assert faults == []
    assert [step.template for step in experiment_of(play).plays["brief"].steps] == ["short"]
    assert [step.template for step in play.steps] == ["plain"]
    assert set(play.templates) == {("plain", "en"), ("plain", "es"), ("short", "en")}
    other = 'steps = [{ name = "a", template = "short" }, { name = "b", template = "plain" }]'
    play, faults = read(tmp_path, text(arm("twice", 0.5, other)))
    assert faults == []
    assert [step.name for step in experiment_of(play).plays["twice"].steps] == ["a", "b"]


def test_a_field_that_the_file_leaves_out_may_be_added(tmp_path: Path) -> None:
    window = '"steps.say.window" = ["09:00", "12:00"]'
    play, faults = read(tmp_path, text(arm("morning", 0.5, window)))
    assert faults == []
    assert experiment_of(play).plays["morning"].steps[0].moment.window is not None


def test_in_a_threshold_test_all_enrol_at_the_loosest_level(tmp_path: Path) -> None:
    arms = arm("early", 0.3, '"start.threshold" = 0.75'), arm("late", 0.3, '"start.threshold" = 1')
    play, faults = read(tmp_path, text(*arms, start=USAGE))
    assert faults == []
    every = {"control": play, **experiment_of(play).plays}
    forms = {name: each.start.threshold for name, each in every.items()}
    assert {name: form.level for name, form in forms.items() if form} == dict.fromkeys(every, 0.75)
    owns = {name: form.own for name, form in forms.items() if form}
    assert owns == {"control": 0.8, "early": 0.75, "late": 1.0}


@pytest.mark.parametrize(
    ("arms", "field", "says", "remedy"),
    [
        ([], "experiment.arms", "is missing", "[[experiment.arms]]"),
        ([arm("a", 0.5, "")], "[0].set", "must change one field", '"start.after"'),
        ([arm("a", 0.5, '"holdout" = 0.1')], "[0].set", "cannot change holdout", "start.after"),
        ([arm("a", 0.5, '"examples" = []')], "[0].set", "cannot change examples", "steps"),
        ([arm("a", 0.5, '"experiment.name" = "x"')], "[0].set", "cannot change", "steps"),
        ([arm("a", 0.5, '"start.signal" = "viewed"')], "[0].set", "cannot change", "steps"),
        ([arm("a", 0.5, '"steps.sya.wait" = "1h"')], "[0].set", "is not there", "of this file"),
        ([arm("a", 0.5, '"steps.say.template.x" = 1')], "[0].set", "is not there", "of this file"),
        ([arm("control", 0.5, '"start.after" = "1h"')], "[0].name", "again", "one is control"),
        ([arm("A b", 0.5, '"start.after" = "1h"')], "[0].name", "is 'A b'", "small letters"),
        ([arm("a", 1.5, '"start.after" = "1h"')], "[0].share", "is 1.5", "between 0 and 1"),
        (
            [arm("a", 0.6, '"start.after" = "1h"'), arm("b", 0.6, '"start.after" = "2h"')],
            "experiment.arms",
            "more than all people",
            "come to 1",
        ),
        (
            [arm("a", 0.3, '"start.after" = "1h"'), arm("b", 0.3, '"steps.say.wait" = "2h"')],
            "[1].set",
            "another arm start.after",
            "one field",
        ),
        (
            [arm("a", 0.5, '"steps.say.template" = "shrot"')],
            "[0].set",
            "makes steps[0].template wrong: it needs templates/shrot.en.txt",
            "did you mean short?",
        ),
        ([arm("a", 0.5, '"start.after" = "soon"')], "[0].set", "makes start.after wrong", "span"),
        ([arm("a", 0.5, '"start.after" = 5')], "[0].set", "makes start.after wrong", "span"),
        ([arm("a", 0.5, '"steps" = 5')], "[0].set", "makes steps wrong", ""),
    ],
)
def test_each_fault_says_what_would_be_right(
    tmp_path: Path, arms: list[str], field: str, says: str, remedy: str
) -> None:
    _, faults = read(tmp_path, text(*arms))
    field = field if field.startswith("experiment") else f"experiment.arms{field}"
    found = [fault for fault in told(faults) if fault[0] == field]
    assert found, faults
    assert says in found[0][1]
    assert remedy in found[0][2]


def test_a_fault_that_a_change_makes_stands_at_the_line_of_its_arm(tmp_path: Path) -> None:
    arms = arm("a", 0.3, '"start.after" = "1h"'), arm("b", 0.3, '"start.after" = "x"')
    whole = text(*arms)
    _, faults = read(tmp_path, whole)
    line = 1 + whole.splitlines().index('set = { "start.after" = "x" }')
    assert [(fault.line, fault.field) for fault in faults] == [(line, "experiment.arms[1].set")]


def test_a_fault_of_the_file_itself_is_told_once(tmp_path: Path) -> None:
    whole = text(arm("a", 0.5, '"start.after" = "1h"')).replace('"plain"', '"plian"')
    assert [fault.field for fault in read(tmp_path, whole)[1]] == ["steps[0].template"]


@given(st.lists(st.integers(0, 10), min_size=1, max_size=5))
def test_shares_always_come_to_one_or_are_a_fault(
    tmp_path_factory: pytest.TempPathFactory, tenths: list[int]
) -> None:
    arms = [arm(f"a{at}", n / 10, f'"start.after" = "{at}m"') for at, n in enumerate(tenths)]
    play, faults = read(tmp_path_factory.mktemp("shares"), text(*arms))
    if sum(tenths) <= 10:
        assert faults == []
        assert sum(experiment_of(play).shares.values()) == pytest.approx(1)
    else:
        assert [fault.field for fault in faults] == ["experiment.arms"]
