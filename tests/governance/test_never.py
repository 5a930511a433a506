"""Whatever happens in whatever order, no text leaves that may not.

What happens is told to the connector and to an oracle, which shares no code with it and watches
each call to the provider (``oracle.py``). Two workers may look for what is due at one instant.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.governance.oracle import Oracle
from tests.governance.telling import Told
from tests.governance.world import PURPOSES, ZONES, number_of, write_world

PEOPLE = st.integers(0, 6)  # one in each state
SOME = st.dictionaries(st.sampled_from(PURPOSES), st.booleans(), min_size=1)
SIGNALS = st.sampled_from(("offer", "flash", "cart", "pair", "order", "bought"))
SPANS = st.sampled_from((1, 4, 20, 61, 130, 300, 700, 1_440, 2_900, 4_400, 10_100))  # minutes
LINES = st.tuples(PEOPLE, st.sampled_from((*PURPOSES, "all")), st.booleans(), SPANS).map(
    lambda line: (line[0], "marketing", *line[2:]) if line[1:3] == ("all", True) else line
)
WRONG = st.sampled_from((-7_200, -600, -20, 0, 0, 0, 0, 40, 900, 5_400))  # seconds
AUTUMN, SPRING = datetime(2026, 10, 30, 15, tzinfo=UTC), datetime(2027, 3, 12, 15, tzinfo=UTC)
"""Two days before the clocks go back, and two before they go forward, in the United States."""
SEEN: Counter[str] = Counter()
FOLDER: list[Path] = []


def stop(oracle: Oracle, phone: str, at: datetime) -> None:
    number = oracle.number(phone)
    number.add(at, "stop", "all", now=at)
    number.held_since, number.open = None, False
    for other in oracle.people.get(phone, {phone}) - {phone}:
        oracle.number(other).add(at, "stop", "marketing", now=at)


def begin(oracle: Oracle, phone: str, at: datetime) -> None:
    oracle.number(phone).add(at, "start")


def yes(oracle: Oracle, phone: str, at: datetime) -> None:
    oracle.number(phone).yes(at)


def unclear(oracle: Oracle, phone: str, at: datetime) -> None:
    oracle.number(phone).held_since = oracle.number(phone).held_since or at


def wrong(oracle: Oracle, phone: str, at: datetime) -> None:
    oracle.number(phone).add(at, "wrong", "all", now=at)
    oracle.number(phone).open = False
    for other in oracle.people.pop(phone, set()) - {phone}:
        oracle.people[other] = oracle.people[other] - {phone}


def nothing(oracle: Oracle, phone: str, at: datetime) -> None:
    """An ordinary reply, or a question."""


REPLIES = {
    "STOP": stop,
    "Please take me off your list": stop,
    "Ya no me escriban más": stop,
    "START": begin,
    "YES": yes,  # which says nothing where nobody was asked
    "HELP": nothing,
    "thanks!": nothing,
    "who is this?": unclear,
    "wrong number": wrong,
}


WORDS = st.sampled_from(("STOP", "STOP", "START", "START", *sorted(REPLIES)))


class Life(RuleBasedStateMachine):
    """A few people, their shop, and what may come about."""

    @initialize(begins=st.sampled_from((AUTUMN, SPRING)))
    def opens(self, begins: datetime) -> None:
        if not FOLDER:
            FOLDER.append(write_world(Path(tempfile.mkdtemp(prefix="world-")) / "folder"))
        self.home = Path(tempfile.mkdtemp(prefix="life-"))
        self.world = Told(FOLDER[0], self.home / "home")
        self.world.clock.at = begins
        self.keys = 0
        for person in range(6):  # the seventh is only known once something tells of them
            self.world.meets(person, ZONES[person % 3], dict.fromkeys(PURPOSES, True))

    @rule(person=PEOPLE, zone=st.sampled_from(ZONES), granted=SOME)
    def somebody_tells_what_they_agree_to(
        self, person: int, zone: str, granted: dict[str, bool]
    ) -> None:
        self.world.meets(person, zone, granted)

    @rule(person=PEOPLE, name=SIGNALS, late=st.sampled_from((0, 0, 5, 90)))
    def somebody_does_something(self, person: int, name: str, late: int) -> None:
        self.keys += 1
        self.world.say(person, name, f"k{self.keys}", late=timedelta(minutes=late))

    @rule(name=SIGNALS, minutes=SPANS)
    def everybody_does_something(self, name: str, minutes: int) -> None:
        for person in range(7):
            self.somebody_does_something(person, name, 0)
        self.world.minutes(minutes)

    @rule(person=PEOPLE)
    def an_operator_starts_a_play(self, person: int) -> None:
        self.world.by_hand("hand", person)

    @rule(person=PEOPLE, words=WORDS)
    def somebody_replies(self, person: int, words: str) -> None:
        self.world.says(person, words, REPLIES[words])

    @rule(person=PEOPLE, minutes=SPANS)
    def somebody_leaves_and_comes_back(self, person: int, minutes: int) -> None:
        self.world.says(person, "STOP", stop)
        self.world.minutes(minutes)
        self.world.says(person, "START", begin)

    @rule(person=PEOPLE, seconds=WRONG, words=st.lists(WORDS, min_size=2, max_size=4))
    def somebody_writes_while_the_clock_is_wrong(
        self, person: int, seconds: int, words: list[str]
    ) -> None:
        *before, last = words
        self.world.set_clock(timedelta(seconds=seconds))
        for each in before:
            self.world.says(person, each, REPLIES[each])
            self.world.minutes(1)
        self.world.set_clock(timedelta())
        self.world.says(person, last, REPLIES[last])

    @rule(person=PEOPLE, purpose=st.sampled_from(PURPOSES), granted=st.booleans())
    def an_operator_records_a_paper(self, person: int, purpose: str, granted: bool) -> None:
        phone, at = number_of(person), self.world.clock.at
        number = self.world.oracle.number(phone)
        if granted:
            number.add(at, "grant", purpose)
        elif purpose == "marketing":  # an operator's word counts as a STOP of marketing
            number.add(at, "stop", "marketing", now=at)
        else:
            number.add(at, "revoke", purpose, now=at)
        if not granted:
            number.held_since = None
        self.world.consent(phone, purpose, granted, "paper" if granted else "operator")

    @rule(person=PEOPLE)
    def a_person_reads_the_unclear_reply(self, person: int) -> None:
        self.world.oracle.number(number_of(person)).held_since = None
        self.world.release(number_of(person))

    @rule(winner=PEOPLE, loser=PEOPLE)
    def two_turn_out_to_be_one(self, winner: int, loser: int) -> None:
        if winner != loser:
            self.world.becomes(winner, loser)

    @rule()
    def two_are_told_apart_again(self) -> None:
        self.world.parts()

    @rule(told=st.lists(LINES, min_size=1, max_size=4))
    def an_operator_imports_what_was_agreed_to(self, told: list[Any]) -> None:
        self.world.imports_file(told)

    @rule(which=st.integers(0, 3))
    def the_same_file_is_imported_again(self, which: int) -> None:
        self.world.imports_file_again(which)

    @rule(person=PEOPLE, purposes=st.lists(st.sampled_from(PURPOSES), min_size=1, unique=True))
    def a_form_proposes_a_consent(self, person: int, purposes: list[str]) -> None:
        self.world.is_asked(person, purposes)

    @rule(person=PEOPLE, minutes=SPANS)
    def somebody_says_yes_to_what_they_are_asked(self, person: int, minutes: int) -> None:
        self.world.is_asked(person, ["marketing", "service"])
        self.world.minutes(minutes)
        self.world.says(person, "YES", yes)

    @rule(person=PEOPLE, method=st.sampled_from(("call", "email")))
    def somebody_asks_to_be_left_alone(self, person: int, method: str) -> None:
        self.world.calls_off(person, method)

    @rule(person=PEOPLE, ticked=st.booleans())
    def a_box_is_ticked_or_unticked_in_the_crm(self, person: int, ticked: bool) -> None:
        self.world.ticks(person, ticked=ticked)

    @rule(person=PEOPLE, scope=st.sampled_from(("all", "marketing", "", "")))
    def a_hand_keeps_texts_back(self, person: int, scope: str) -> None:
        self.world.keeps_back(person, scope)

    @rule(seconds=WRONG, minutes=SPANS)
    def the_clock_is_set(self, seconds: int, minutes: int) -> None:
        self.world.set_clock(timedelta(seconds=seconds))
        self.world.minutes(minutes)

    @rule(minutes=SPANS)
    def time_passes(self, minutes: int) -> None:
        self.world.minutes(minutes)

    @rule(minutes=SPANS)
    def time_passes_while_no_worker_runs(self, minutes: int) -> None:
        self.world.jump(timedelta(minutes=minutes))

    @rule(person=PEOPLE, names=st.lists(SIGNALS, min_size=1, max_size=4))
    def two_workers_find_the_same_to_do(self, person: int, names: list[str]) -> None:
        with self.world.unworked():
            for name in names:
                self.keys += 1
                self.world.say(person, name, f"k{self.keys}")
        self.world.both()

    @rule(minutes=SPANS)
    def two_workers_wake_at_once(self, minutes: int) -> None:
        self.world.clock.at += timedelta(minutes=minutes)
        self.world.both()

    @rule()
    def the_connector_is_started_anew(self) -> None:
        self.world.restart()

    @rule(ids=st.integers(1, 8))
    def the_worker_will_die_in_the_midst(self, ids: int) -> None:
        self.world.die_within(ids)

    @rule(kind=st.sampled_from(("refused", "deferred", "uncertain")))
    def the_provider_is_in_trouble(self, kind: str) -> None:
        self.world.trouble(kind)

    @rule()
    def everything_is_paused(self) -> None:
        self.world.oracle.paused = True
        self.world.pause("*")

    @rule()
    def everything_goes_on(self) -> None:
        self.world.oracle.paused = False
        self.world.resume("*")

    @invariant()
    def nothing_left_that_may_not(self) -> None:
        if hasattr(self, "world"):
            assert not self.world.oracle.complaints

    def teardown(self) -> None:
        if hasattr(self, "world"):
            SEEN.update(text.purpose for text in self.world.oracle.texts)
            self.world.stop()
            shutil.rmtree(self.home)


def test_no_text_leaves_that_may_not_whatever_happens_in_whatever_order() -> None:
    """The same lives each time, so that a change is what fails; ``LIVES=500`` lives others."""
    others = int(os.environ.get("LIVES", "0"))
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=others or 60,
            derandomize=not others,
            database=None,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),  # to shrink a life takes minutes
        ),
    )
    assert SEEN["marketing"] > 50, f"too little left to prove anything: {SEEN}"
    assert min(SEEN[kind] for kind in ("service", "system", "request")) > 2, SEEN
