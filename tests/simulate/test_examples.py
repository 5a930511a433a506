"""Examples: what a play must do, played and compared."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from connector.cli import cli
from connector.config.loaded import load
from connector.simulate.examples import Result, run
from connector.simulate.junit import junit
from tests.simulate.conftest import CART, GOES, Shop

CART_EVENT = (
    '{ at = "0m", signal = "cart_updated", key = "c1", '
    'facts = { cart_url = "https://corner.example/c1" } }'
)


def results(shop: Shop, examples: str, play: str = CART) -> list[Result]:
    shop.write(examples, play)
    loaded = load(shop.path, secrets=False)
    return list(run(loaded, loaded.plays.values()))


def one(shop: Shop, example: str, play: str = CART) -> Result:
    [found] = results(shop, f'[[examples]]\nname = "it"\n{example}', play)
    return found


def test_a_play_that_does_as_its_example_says_passes(shop: Shop) -> None:
    [found] = results(shop, GOES)
    assert found.ok, found.differences


def test_an_earlier_instant_than_expected_is_told_with_both(shop: Shop) -> None:
    found = one(shop, f'events = [{CART_EVENT}]\nexpect = [{{ at = "90m", step = "reminder" }}]')
    assert found.differences == (
        "expected at Tue 17 Nov 13:30:00 (+1h 30m) a text: step 'reminder'",
        found.differences[1],
    )
    assert "got Tue 17 Nov 13:00:00 (+1h) text reminder" in found.differences[1]
    assert found.differences[1].endswith("it left -30m from then")
    assert any("decides  send reminder: send" in line for line in found.timeline)


def test_a_text_that_is_not_named_is_a_failure(shop: Shop) -> None:
    found = one(shop, f"events = [{CART_EVENT}]\nexpect = [{{ none = true }}]")
    assert found.differences[0].startswith("nothing was to leave: Tue 17 Nov 13:00:00 (+1h) text")


def test_a_text_that_did_not_leave_is_a_failure(shop: Shop) -> None:
    found = one(shop, 'expect = [{ step = "reminder", contains = "lamp" }]')
    assert found.differences == (
        "expected a text: step 'reminder', contains 'lamp'",
        "     got none",
    )
    assert found.timeline == ("nothing happened at all",)


@pytest.mark.parametrize(
    ("example", "passes"),
    [
        (f'events = [{CART_EVENT}, {{ at = "5m", signal = "order_completed", key = "o1" }}]\n'
         'expect = [{ ended = "goal_before_text" }]', True),
        (f'events = [{CART_EVENT}]\n'
         'expect = [{ ended = "goal" }, { step = "reminder" }]', False),
        (f'now = "2026-11-17T20:30:00-05:00"\nevents = [{CART_EVENT}]\n'
         'expect = [{ held = "quiet_hours" }, { step = "reminder" }]', True),
        (f'contact = {{ consents = [] }}\nevents = [{CART_EVENT}]\n'
         'expect = [{ stopped = "no_consent" }]', True),
        (f'contact = {{ consents = [] }}\nevents = [{CART_EVENT}, '
         '{ at = "5m", grant = ["marketing", "cart_reminders"] }]\n'
         'expect = [{ step = "reminder" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "5m", revoke = "marketing" }}]\n'
         'expect = [{ stopped = "no_consent" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "5m", reply = "STOP" }}]\n'
         'expect = [{ stopped = "opted_out" }, { answer = "stop_confirmed" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "5m", reply = "STOP" }}]\n'
         'expect = [{ stopped = "opted_out" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "30m", pause = true }}, '
         '{ at = "2h", resume = true }]\n'
         'expect = [{ held = "paused" }, { at = "2h", step = "reminder" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "2h", signal = "order_completed", key = "o1" }}]\n'
         'expect = [{ at = "60m", step = "reminder" }, { ended = "goal" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "30d", signal = "order_completed", key = "o1" }}]\n'
         'expect = [{ at = "60m", step = "reminder" }, { ended = "nothing" }]', True),
        (f'events = [{CART_EVENT}, {{ at = "2h", signal = "order_completed", key = "o1" }}]\n'
         'expect = [{ at = "60m", step = "reminder" }, { ended = "nothing" }]', False),
        (f'events = [{CART_EVENT}]\nuntil = "59m"\nexpect = [{{ none = true }}]', True),
        (f'contact = {{ timezone = "America/Los_Angeles" }}\nnow = "2026-11-17T08:00:00"\n'
         f'events = [{CART_EVENT}]\nexpect = [{{ at = "2026-11-17T09:00:00", step = "reminder" }}]',
         True),
        ('events = [{ at = "0m", start = true, facts = { product = "a lamp", cart_url = '
         '"https://corner.example/c1" } }]\nexpect = [{ at = "0m", step = "reminder" }]', True),
        ('history = [{ at = "-2h", signal = "cart_updated", key = "c1" }]\n'
         'expect = [{ none = true }]', True),
        (f'contact = {{ language = "es" }}\nevents = [{CART_EVENT}]\n'
         'expect = [{ step = "reminder", language = "es", lacks = "waits", segments = 1 }]', True),
    ],
)  # fmt: skip
def test_each_thing_that_may_happen_is_played(shop: Shop, example: str, passes: bool) -> None:
    found = one(shop, example)
    assert found.ok is passes, found


@pytest.mark.parametrize(
    ("example", "says"),
    [
        ("events = []", "it expects nothing"),
        ('expect = [{ sent = true }]', "what is expected has no 'sent'"),
        ('events = [{ at = "0m", singal = "x" }]\nexpect = [{ none = true }]', "no 'singal'"),
        ('events = [{ at = "0m" }]\nexpect = [{ none = true }]', "says nothing that happens"),
        ('expect = [{ at = "soon", step = "x" }]', "'soon' is no span"),
        ('contact = { timezone = "New York" }\nexpect = [{ none = true }]', "New York"),
        ('events = [{ at = "1m", click = true }]\nexpect = [{ none = true }]', "no text with"),
    ],
)  # fmt: skip
def test_an_example_that_cannot_be_understood_says_why(shop: Shop, example: str, says: str) -> None:
    found = one(shop, example)
    assert not found.ok
    assert says in found.differences[0]


def test_an_arm_of_the_experiment_may_be_asked_for(shop: Shop) -> None:
    play = CART + (
        '\n[experiment]\nname = "delay"\n[[experiment.arms]]\nname = "short"\nshare = 0.5\n'
        'set = { "start.after" = "30m" }\n'
    )
    for arm, at in (("short", "30m"), ("control", "60m")):
        example = f'arm = "{arm}"\nevents = [{CART_EVENT}]\nexpect = [{{ at = "{at}" }}]'
        assert one(shop, example, play).ok


def test_the_results_are_written_as_junit_reads_them(shop: Shop) -> None:
    found = results(shop, GOES + '[[examples]]\nname = "bad \\u0001"\nexpect = [{ step = "x" }]\n')
    top = ElementTree.fromstring(junit(found))
    assert (top.get("tests"), top.get("failures")) == ("2", "1")
    cases = top.findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == ["goes after an hour", "bad "]
    [failure] = top.findall("testsuite/testcase/failure")
    assert failure.text is not None
    assert "expected a text: step 'x'" in failure.text


def test_the_command_tells_what_passed_and_exits_by_it(shop: Shop) -> None:
    runner = CliRunner()
    passed = runner.invoke(cli, ["-C", str(shop.path), "test"])
    assert passed.exit_code == 0, passed.output
    assert "ok  cart" in passed.output
    shop.write('[[examples]]\nname = "it"\nexpect = [{ step = "reminder" }]')
    report = shop.path / "results.xml"
    failed = runner.invoke(cli, ["-C", str(shop.path), "test", "--junit", str(report)])
    assert failed.exit_code == 1
    assert "1 examples, 1 failed" in failed.output
    assert ElementTree.parse(report).getroot().get("failures") == "1"
    nothing = runner.invoke(cli, ["-C", str(shop.path), "test", "nope"])
    assert nothing.exit_code == 3


def test_testing_leaves_the_folder_as_it_is(shop: Shop) -> None:
    before = {path: path.stat().st_mtime_ns for path in shop.path.rglob("*")}
    assert CliRunner().invoke(cli, ["-C", str(shop.path), "test"]).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in shop.path.rglob("*")} == before
