"""Every road to a provider leads through the gate: each is walked, with leave and without.

That there are no others is read from the code itself (``test_gate_is_the_only_road.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from connector.expressions import compile_expression
from connector.ledger import restores
from connector.ledger.inbox import Delivery
from connector.ledger.restores import Restored
from connector.model import Json, Subject
from connector.records import Writeback, Written
from connector.rules.ages import Ages
from connector.rules.policy import Suppression
from connector.steps import fetch, gap, hand, inquest, templates
from connector.web.app import create_app
from tests.crms.quiet import QuietCrm
from tests.governance.telling import Told
from tests.governance.world import PURPOSES, World, number_of, write_world
from tests.web.conftest import MemoryInbox, Runtime

BEARER = {"Authorization": "Bearer an-api-key-of-24-letters"}
NIGHT, NOON = 6, 17  #: hours of UTC: deep in the night, and the middle of the day, in New York


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("roads") / "folder")


@pytest.fixture
def world(folder: Path, tmp_path: Path) -> Iterator[Told]:
    found = Told(folder, tmp_path / "home")
    found.meets(0, "America/New_York", dict.fromkeys(PURPOSES, True))
    yield found
    found.stop()


def play(world: World) -> str:
    """A play's first text waits for the morning."""
    world.until(NIGHT)
    world.say(0, "offer", "k1")
    return "offer"


def follow_up(world: World) -> str:
    """A second text waits for its time."""
    world.until(NOON)
    world.say(0, "pair", "k1")
    world.witness.sent.clear()
    return "pair"


def retry(world: World) -> str:
    """The provider asked to be tried again later."""
    world.until(NOON)
    world.trouble("deferred")
    world.say(0, "offer", "k1")
    world.witness.sent.clear()
    return "offer"


def by_hand(world: World) -> str:
    """An operator started a play."""
    world.until(NIGHT)
    world.by_hand("hand", 0)
    return "hand"


def by_api(world: World) -> str:
    """A program of the operator's started a play, over the API."""
    world.until(NIGHT)
    start = {"contact": {"user_id": "u0"}, "key": "k1"}
    answer = door(world).post("/api/plays/hand/start", json=start, headers=BEARER)
    assert answer.status_code == 202
    return "hand"


def door(world: World) -> FlaskClient:
    """The API as it is served, before the world's own inbox."""

    class Post(MemoryInbox):
        def append(self, delivery: Delivery) -> None:
            world._append(delivery)

    runtime = Runtime(inbox=Post(), plays={"hand": object()}, clock=world.clock)
    return create_app(runtime).test_client()


def resume(world: World) -> str:
    """Everything was paused, and goes on."""
    world.until(NOON)
    world.pause("*")
    world.say(0, "offer", "k1")
    return "offer"


def after_a_death(world: World) -> str:
    """The worker died after it had planned the text, and came back."""
    world.until(NIGHT)
    world.say(0, "offer", "k1")
    world.restart_dead()
    return "offer"


def after_a_pause_of_its_template(world: World) -> str:
    """Its template was paused, and a person let it go on."""
    world.until(NIGHT)
    world.say(0, "offer", "k1")
    with world.operator() as (tx, now):
        templates.pause(tx, world.rt, "hello", who="operator:b", why="odd", now=now)
    world.go(timedelta(hours=9))
    assert decisions(world, "offer")[-1] == ("wait", "template_paused")
    world.until(NIGHT)
    with world.operator() as (tx, now):
        assert templates.resume(tx, world.rt, "hello", who="operator:b", why="mended", now=now)
    return "offer"


def once_facts_are_fresh(world: World) -> str:
    """What the text rests on was too old, and the CRM was asked again."""
    world.until(NOON)
    case = compile_expression("crm.has_open_case | default(false)", strict=True)
    reads = frozenset({"crm.has_open_case"})
    rules = (Suppression("open case", case, "they have an open case", crm=reads),)
    ages = Ages(timedelta(hours=1))
    policy = replace(world.rt.book.policy, ages=ages, suppressions=rules)
    world.rt.book = replace(world.rt.book, policy=policy)
    crm = Asked()
    world.rt.crms = {world.rt.crm: crm}
    world.say(0, "offer", "k1")
    assert decisions(world, "offer")[-1] == ("wait", "facts_old")
    crm.down = False
    return "offer"


class Asked(QuietCrm):
    """A CRM that knows of everybody, and nothing else."""

    name = "local"
    down = True

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        if self.down:
            raise OSError("away")
        return [{"stage": "customer"} for _ in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        return [Written(change.id, ok=False, error="away") for change in changes]


def found_not_sent(world: World) -> str:
    """Nobody knew whether it went, and a person found that it did not."""
    doubtful(world)
    [row] = world.rows("SELECT id FROM sends WHERE state = 'uncertain'")
    world.until(NIGHT)
    with world.operator() as (tx, now):
        who, why = "operator:b", "not in the log"
        inquest.by_hand(tx, world.rt, str(row["id"]), went=False, who=who, why=why, now=now)
    return "offer"


def after_a_restore(world: World) -> str:
    """It was due in the gap before a restore, and the provider knows nothing of it."""
    world.until(NIGHT)
    world.say(0, "offer", "k1")
    begun = world.clock()
    world.clock.at += timedelta(hours=8)
    with world.operator() as (tx, now):
        gap.hold(tx, world.rt, Restored(begun, now), who="operator:b", why="the disk broke")
        world.rt.restored = restores.read(tx)
    found = fetch.fetch(world.rt)
    assert found is not None and found.clear == 1
    return "offer"


def a_persons_answer(world: World) -> str:
    """A person of ours answers a reply."""
    world.until(NOON)
    world.says(0, "Do you have it in red?", lambda *_: None)
    world.pause("*")
    world.answer()
    return ""


def a_test(world: World) -> str:
    """A test goes to one of the operator's own numbers."""
    world.until(NOON)
    world.pause("*")
    with world.operator() as (tx, now):
        mode = world.rt.earnest.value
        hand.trial(tx, world.rt, number_of(0), "hello", who="operator:b", mode=mode, now=now)
    return ""


ROADS: dict[str, Callable[[World], str]] = {
    "play": play,
    "follow-up": follow_up,
    "retry": retry,
    "by hand": by_hand,
    "by API": by_api,
    "resume": resume,
    "after a death": after_a_death,
    "after a pause of its template": after_a_pause_of_its_template,
    "once facts are fresh": once_facts_are_fresh,
    "found not sent": found_not_sent,
    "after a restore": after_a_restore,
    "a person's answer": a_persons_answer,
    "a test": a_test,
}


def goes_on(world: World) -> None:
    """Two days in which nothing keeps a text back."""
    world.resume("*")
    for _ in range(4):
        world.go(timedelta(hours=12))


def decisions(world: World, name: str) -> list[tuple[str, str]]:
    rows = world.rows(
        """SELECT verdict, reason FROM decisions WHERE moment = 'send' AND play = :play
        ORDER BY decided_at, id""",
        play=name,
    )
    return [(row["verdict"], row["reason"]) for row in rows]


@pytest.mark.parametrize("road", ROADS)
def test_a_text_leaves_by_a_decision_of_the_gate_and_once(world: World, road: str) -> None:
    name = ROADS[road](world)
    assert not world.witness.sent
    goes_on(world)
    assert len(world.witness.sent) == 1
    assert decisions(world, name)[-1] == ("send", "")
    assert not world.oracle.complaints


@pytest.mark.parametrize("road", ROADS)
def test_a_stop_that_comes_while_a_text_waits_keeps_it_back(world: World, road: str) -> None:
    name = ROADS[road](world)
    world.consent(number_of(0), "all", False)
    goes_on(world)
    assert not world.witness.sent
    reasons = {reason for verdict, reason in decisions(world, name) if verdict == "stop"}
    ends = world.rows("SELECT exit_reason FROM enrolments WHERE play = :play", play=name)
    assert reasons | {row["exit_reason"] for row in ends if row["exit_reason"]} == {"opted_out"}


def doubtful(world: World) -> None:
    """The worker died while a text was handed over."""
    world.until(NOON)
    world.witness.dies = "before"
    world.say(0, "offer", "k1")


def test_a_text_of_which_nobody_knows_whether_it_went_is_not_sent_again(world: World) -> None:
    doubtful(world)
    goes_on(world)
    assert not world.witness.sent
    assert [row["state"] for row in world.rows("SELECT state FROM sends")] == ["uncertain"]


def test_our_answer_to_a_reply_passes_the_gate_and_not_after_five_minutes(world: World) -> None:
    world.says(0, "HELP", lambda *_: None)
    assert len(world.witness.sent) == 1
    assert decisions(world, "")[-1] == ("send", "")
    world.pause("*")
    world.says(0, "HELP", lambda *_: None)
    world.minutes(6)
    world.resume("*")
    world.minutes(30)
    assert len(world.witness.sent) == 1
    assert decisions(world, "")[-1][0] == "stop"


def asked_for_a_yes(world: Told) -> None:
    """A form proposed a consent at night, and the request waits for the morning."""
    world.until(NIGHT)
    world.consent(number_of(0), "marketing", False, "web_form")
    world.is_asked(0, ["marketing"])
    assert decisions(world, "")[-1] == ("wait", "quiet_hours")


def test_the_request_of_a_double_opt_in_passes_the_gate_and_keeps_hours(world: Told) -> None:
    asked_for_a_yes(world)
    goes_on(world)
    assert len(world.witness.sent) == 1
    assert decisions(world, "")[-1] == ("send", "")
    assert not world.oracle.complaints


@pytest.mark.parametrize("words", ["STOP", "wrong number"])
def test_who_wants_out_while_a_double_opt_in_waits_is_not_asked(world: Told, words: str) -> None:
    asked_for_a_yes(world)
    world.says(0, words, lambda *_: None)
    answered = len(world.witness.sent)
    goes_on(world)
    assert len(world.witness.sent) == answered
