"""The ``[[steps]]`` and ``[exit]`` tables: what a step does, when, and where it leads."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from connector.rules.plays import END, Moment, Play, WaitFor
from tests.config.shelf import HEAD, START, STEPS, read, told

WHOLE = """
[[steps]]
name = "ask"
template = "plain"
at = "10:00"
days = ["mon", "fri"]
window = ["09:00", "17:00"]
best_hour = true
spread = "2h"
answers = ["1", "Reschedule"]
max_segments = 2
go = "wait"
[[steps.choose]]
when = "in_segment('vip')"
template = "for_vip"
[[steps.branches]]
when = "walk.texts > 3"
go = "end"
[[steps.branches]]
when = "walk.clicked"
go = "wait"
[[steps]]
name = "nudge"
template = "short"
[[steps]]
name = "wait"
wait_for = ["reply", "click"]
timeout = "24h"
heard = "thanks"
missed = "end"
[[steps]]
name = "mail"
webhook = "mail"
[[steps]]
name = "thanks"
where = "walk.answer == '1'"
task = "Call about {{ walk.reply }}"
"""


def steps(folder: Path, text: str) -> tuple[Play, list[tuple[str, str, str]]]:
    play, faults = read(folder, HEAD + START + text)
    return play, told(faults)


def test_each_kind_of_step_is_read_whole(tmp_path: Path) -> None:
    play, faults = steps(tmp_path, WHOLE)
    assert faults == []
    ask, _, wait, mail, thanks = play.steps
    assert ask.moment == Moment(
        time(10), frozenset({0, 4}), (time(9), time(17)), True, timedelta(hours=2)
    )
    assert (ask.answers, ask.max_segments, ask.go) == (("1", "Reschedule"), 2, "wait")
    assert [choice.template for choice in ask.choices] == ["for_vip"]
    assert [branch.go for branch in ask.branches] == [END, "wait"]
    assert wait.wait_for == WaitFor(("reply", "click"), timedelta(days=1), "thanks", END)
    assert mail.webhook == "mail"
    assert thanks.where is not None and thanks.where({"walk": {"answer": "1"}}) is True
    assert [step.is_text for step in play.steps] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("old", "new", "field", "says", "remedy"),
    [
        ('template = "plain"', 'template = "plian"', "[0].template", "plian.en.txt", "mean plain?"),
        ('template = "plain"', 'task = "x"', "[0]", "needs one of", "one of them only"),
        ('template = "plain"', "", "[0].template", "is missing", "no choice holds"),
        ('template = "short"', "", "[1]", "needs one of", "a template or a task"),
        ('webhook = "mail"', 'webhook = "mial"', "[3].webhook", "does not name", "mean mail?"),
        ('"for_vip"', '"for_vp"', "[0].choose[0].template", "for_vp.en.txt", "mean for_vip?"),
        ("'vip'", "'vp'", "[0].choose[0].when", "asks for the segment vp", "mean vip?"),
        ("\"in_segment('vip')\"", '"crm.nothing"', "[0].choose[0].when", "reads crm.nothing", ""),
        ("when = \"in_segment('vip')\"\n", "", "[0].choose[0].when", "is missing", "add when"),
        ("walk.texts", "walk.txts", "[0].branches[0].when", "walk.txts", "mean walk.texts?"),
        ('go = "end"', 'go = "ask"', "[0].branches[0].go", "no later step", "one of nudge, wait"),
        ('go = "wait"', 'go = "wat"', "[0].go", "leads to 'wat'", "one of nudge, wait"),
        ('heard = "thanks"', 'heard = "ask"', "[2].heard", "no later step", "mail, thanks, end"),
        ('missed = "end"', 'missed = "wait"', "[2].missed", "no later step", "mail, thanks, end"),
        ('["reply", "click"]', '["repply"]', "[2].wait_for", "'repply'", "mean 'reply'?"),
        ('timeout = "24h"\n', "", "[2].timeout", "is missing", "add timeout"),
        ('timeout = "24h"', 'timeout = "0h"', "[2].timeout", "no time at all", "7d"),
        ('name = "nudge"', 'name = "ask"', "[1].name", "again", "its own name"),
        ('name = "nudge"', 'name = "No Good"', "[1].name", "No Good", "small letters"),
        ('"10:00"', '"10 am"', "[0].at", "no hour of the day", "09:30"),
        ('"10:00"', '"18:00"', "[0].at", "outside of the window", "change one"),
        ('"17:00"]', '"08:00"]', "[0].window", "ends before it begins", "earlier hour first"),
        (', "17:00"]', "]", "[0].window", "is no window", "two hours"),
        ('"fri"', '"friday"', "[0].days", "holds 'friday'", "one of mon, tue"),
        ('spread = "2h"', 'spread = "8d"', "[0].spread", "over 7 days", "7d or less"),
        ("max_segments = 2", "max_segments = 0", "[0].max_segments", "is 0", "between 1 and 10"),
        ('webhook = "mail"', 'webhook = "mail"\nanswers = ["1"]', "[3].answers", "not known", ""),
    ],
)
def test_each_fault_says_what_would_be_right(
    tmp_path: Path, old: str, new: str, field: str, says: str, remedy: str
) -> None:
    assert old in WHOLE
    _, faults = steps(tmp_path, WHOLE.replace(old, new, 1))
    found = [fault for fault in faults if fault[0] == f"steps{field}"]
    assert found, faults
    assert says in found[0][1]
    assert remedy in found[0][2]


@pytest.mark.parametrize("word", ["STOP", "stop", "Help", "START", "unsubscribe", "info", "Cancel"])
def test_no_text_asks_for_a_word_that_carriers_act_on(tmp_path: Path, word: str) -> None:
    _, faults = steps(tmp_path, f'{STEPS}answers = ["1", "{word}"]\n')
    assert [fault[0] for fault in faults] == ["steps[0].answers"]
    assert "which carriers act on themselves" in faults[0][1]
    assert "another word" in faults[0][2]


def test_yes_may_be_asked_for_and_each_word_only_once(tmp_path: Path) -> None:
    assert steps(tmp_path, f'{STEPS}answers = ["YES", "no", "2"]\n')[1] == []
    _, faults = steps(tmp_path, f'{STEPS}answers = ["yes", "Yes!"]\n')
    assert [fault[1] for fault in faults] == ["asks for 'Yes!' twice"]
    _, faults = steps(tmp_path, f'{STEPS}answers = ["", "{"x" * 41}"]\n')
    assert [fault[2] for fault in faults] == ["write a short word, or a digit"] * 2


def test_an_exit_is_a_condition_stages_or_a_segment_left(tmp_path: Path) -> None:
    text = '[exit]\nwhen = "walk.texts >= 2 and did(\'viewed\')"\nstages = ["customer"]\n'
    play, faults = steps(tmp_path, f'{STEPS}{text}left = ["vip"]\n')
    assert faults == []
    assert (play.exit.stages, play.exit.left) == (("customer",), ("vip",))
    assert play.exit.when is not None
    _, faults = steps(tmp_path, f'{STEPS}[exit]\nleft = ["vp"]\nstages = ["leed"]\nwhen = "x.y"\n')
    assert [fault[0] for fault in faults] == ["exit.when", "exit.stages", "exit.left"]


def test_a_marketing_play_is_exclusive_and_a_service_play_is_not(tmp_path: Path) -> None:
    play, _ = steps(tmp_path, STEPS)
    assert (play.exclusive, play.adopt, play.on_pause.value) == (False, False, "hold")
    goal = '[goal]\nsignal = "order_completed"\nwithin = "7d"\n'
    marketing = HEAD.replace('purpose = "service"', 'purpose = "marketing"')
    assert read(tmp_path, marketing + START + STEPS + goal)[0].exclusive


def test_a_finding_is_only_silenced_with_a_reason(tmp_path: Path) -> None:
    text = 'allow = { no_cooldown = "once ever", other = "" }\n' + HEAD + START + STEPS
    play, faults = read(tmp_path, text)
    assert play.allowed["no_cooldown"] == "once ever"
    assert [fault[:2] for fault in told(faults)] == [("allow.other", "has no reason")]


def test_an_example_has_known_keys_a_name_and_an_arm_that_there_is(tmp_path: Path) -> None:
    example = '[[examples]]\nname = "goes"\nevents = [{ at = "1h" }]\nexpect = [{ none = true }]\n'
    play, faults = steps(tmp_path, STEPS + example)
    assert faults == []
    assert play.examples[0]["events"] == [{"at": "1h"}]
    _, faults = steps(tmp_path, f'{STEPS}[[examples]]\nexpects = []\narm = "short"\n')
    assert [(fault[0], fault[1]) for fault in faults] == [
        ("examples[0].name", "is missing"),
        ("examples[0].expects", "is not known here"),
        ("examples[0].arm", "is 'short', no arm of the experiment"),
    ]
