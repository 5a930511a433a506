"""A village: a town with some plays of its own, by which everything that may happen does.

Beside what a town does its people are merged, its operators record consents, answer replies, tell
of CRM changes and reload files, and its worker dies in the middle of what it does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from connector import reloading
from connector.clock import text
from connector.ledger import merges
from connector.model import Accepted, Message
from connector.rules.plays import Play
from connector.runtime import contents
from connector.simulate.compare import compare
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_ledger
from connector.steps import crmfacts, hand
from connector.steps.consent import record_consent
from tests.simulate.town import AREAS, Carrier, Doing, Town, write_town

EXPECTED: Final = "check=suppressed result=failed"  #: that sp_risk provokes
SIGNALS: Final = {
    **dict.fromkeys(("sp_go", "sp_go2", "sp_stop", "sp_leave", "sp_goal", "sp_twin", "sp_viewed")),
    "sp_lead": 'stage = "lead"',
    "sp_customer": 'stage = "customer"',
    "sp_former": 'stage = "former_customer"',
    "sp_stock": 'thing = "sp_item"',
}
FACTS: Final = ("word", "hole", "value", "until", "used", "limit", "day", "url")
TRAITS: Final = ("plan", "club", "watch", "second", "hold_back", "risk", "sp_day", "do_not_contact")
SEGMENTS: Final = """
[[segments]]
name = "sp_club"
description = "Is in the club"
when = "contact.club | default(false)"
"""
POLICY: Final = """
[[suppress]]
name = "sp held back"
when = "contact.hold_back | default(false)"
says = "somebody asked to wait"
verdict = "wait"
purposes = ["marketing", "service"]

[[suppress]]
name = "sp risk"
when = "contact.risk > 3"
says = "too great a risk"
purposes = ["service"]
roles = ["acquisition"]
"""
HEAD: Final = """
description = "{name}"
role = "{role}"
purpose = "{purpose}"
holdout = 0
next_step = "none"
"""
GOAL: Final = '\n[goal]\nsignal = "sp_goal"\nwithin = "7d"\n'
ONE: Final = '\n[[steps]]\nname = "one"\ntemplate = "sp_text"\n'

PLAYS: Final[dict[str, str]] = {
    # the way of a play: absence, exits, goal, caps of a key, a step that is asked again
    "sp_main": """exits = ["sp_leave"]
max_texts_per_key = 2
[start]
signal = "sp_go"
where = "signal.value > 0"
after = "30m"
unless = ["sp_stop"]
restart = "rearm"
[[steps]]
name = "one"
template = "sp_text"
[[steps]]
name = "two"
wait = "10m"
template = "sp_text"
expires = "24h"
where = "contact.second | default(true)"
[[steps]]
name = "three"
wait = "3h"
template = "sp_text"
[exit]
when = "contact.plan | default('') == 'gone'"
stages = ["former_customer"]
[goal]
signal = "sp_goal"
within = "1h"
""",
    "sp_left": """[start]
signal = "sp_go2"
where = "signal.word == 'left'"
after = "1h"
[exit]
left = ["sp_club"]
"""
    + ONE,
    "sp_clock": """[start]
signal = "sp_go2"
where = "signal.word == 'clock'"
[exit]
when = "hours_until(signal.until) < 0"
"""
    + ONE,
    "sp_stage": """stages = ["lead"]
[start]
signal = "sp_go2"
where = "signal.word == 'stage'"
after = "1h"
"""
    + ONE,
    "sp_drop": """on_pause = "drop"
[start]
signal = "sp_go2"
where = "signal.word == 'drop'"
after = "1h"
"""
    + ONE,
    "sp_adopt": """adopt = true
[start]
signal = "sp_go2"
where = "signal.word == 'adopt'"
[[steps]]
name = "one"
template = "sp_text"
[[steps]]
name = "two"
wait = "2h"
template = "sp_text"
""",
    "sp_gone": """[start]
signal = "sp_go2"
where = "signal.word == 'gone'"
after = "1h"
"""
    + ONE,
    "sp_off": """[start]
signal = "sp_go2"
where = "signal.word == 'off'"
after = "1h"
"""
    + ONE,
    "sp_hole": """[start]
signal = "sp_go2"
where = "signal.word == 'hole'"
[[steps]]
name = "one"
template = "sp_hole"
[[steps]]
name = "two"
template = "sp_long"
max_segments = 1
""",
    "sp_valid": """valid_until = 2026-11-20
[start]
signal = "sp_go2"
where = "signal.word == 'valid'"
"""
    + ONE,
    "sp_once": """audience = "contact.first_name != 'Nobody'"
[start]
signal = "sp_go2"
where = "signal.word == 'once'"
after = "30m"
cooldown = "2d"
"""
    + ONE,
    "sp_whom": """audience = "contact.first_name > 3"
[start]
signal = "sp_go2"
where = "signal.word == 'whom'"
"""
    + ONE,
    "sp_shadow": """mode = "shadow"
[start]
signal = "sp_go2"
where = "signal.word == 'shadow'"
"""
    + ONE,
    "sp_link": """[start]
signal = "sp_go2"
where = "signal.word == 'link'"
[[steps]]
name = "one"
template = "sp_link"
[[steps]]
name = "tapped"
wait_for = ["click"]
timeout = "6h"
missed = "end"
[[steps]]
name = "two"
template = "sp_text"
""",
    # one for each thing that may start a play
    "sp_silence": """exits = ["sp_leave"]
[start]
silence = "3h"
where = "contact.watch | default(false)"
[[steps]]
name = "one"
wait = "2h"
template = "sp_text"
""",
    "sp_change": """[start]
changed = "contact.plan"
to = ["pro"]
"""
    + ONE,
    "sp_crm": """[start]
changed = "crm.stage"
"""
    + ONE,
    "sp_level": """[start]
signal = "sp_go2"
measure = "signal.used / signal.limit"
threshold = 0.8
"""
    + ONE,
    "sp_date": """[start]
date = "contact.sp_day"
offset = "-2h"
[[steps]]
name = "one"
wait = "4h"
template = "sp_text"
""",
    "sp_appointment": """[start]
signal = "sp_go2"
where = "signal.word == 'appointment'"
date = "signal.day"
offset = "-2h"
"""
    + ONE,
    "sp_thing": """[start]
signal = "sp_stock"
cares = ["sp_viewed"]
"""
    + ONE,
    "sp_enters": '[start]\nenters = "sp_club"\n' + ONE,
    "sp_leaves": '[start]\nleaves = "sp_club"\n' + ONE,
    "sp_schedule": """[start]
schedule = "0 18 * * *"
zone = "America/New_York"
segment = "sp_club"
"""
    + ONE,
    "sp_hand": "[start]\nhand = true\n" + ONE,
}
ACQUIRING: Final = {
    "sp_risk": """[start]
signal = "sp_go2"
where = "signal.word == 'risk'"
"""
    + ONE,
}
MARKETING: Final = {
    "sp_low": """[start]
signal = "sp_go2"
where = "signal.word == 'low'"
[[steps]]
name = "one"
template = "sp_text"
[[steps]]
name = "wait"
wait_for = ["reply"]
timeout = "5d"
""",
    "sp_brief": """exclusive = false
[start]
signal = "sp_go2"
where = "signal.word == 'brief'"
[[steps]]
name = "one"
template = "sp_text"
expires = "90m"
""",
    "sp_short": """[start]
signal = "sp_go2"
where = "signal.word == 'short'"
[[steps]]
name = "one"
template = "sp_text"
expires = "30m"
""",
    "sp_high": """priority = 50
[start]
signal = "sp_go2"
where = "signal.word == 'high'"
[[steps]]
name = "one"
template = "sp_text"
[[steps]]
name = "wait"
wait_for = ["reply"]
timeout = "3d"
""",
    "sp_held": """[start]
signal = "sp_go2"
where = "signal.word == 'held'"
[[steps]]
name = "one"
template = "sp_text"
[experiment]
name = "late"
[[experiment.arms]]
name = "late"
share = 0.5
set = { "start.after" = "1h" }
""",
}
TEMPLATES: Final = {
    "sp_text": "{{ brand }}: hello. Reply STOP to end.",
    "sp_hole": "{{ brand }}: {{ signal.hole }}. Reply STOP to end.",
    "sp_long": "{{ brand }}: " + "all that there is to say " * 9 + "Reply STOP to end.",
    "sp_link": "{{ brand }}: {{ link('https://corner.example/x') }} Reply STOP to end.",
}


def write_village(path: Path) -> Path:
    """The town's folder with the plays above, and what they need."""
    write_town(path)
    _change(path / "config.toml", lambda old: old.replace("env:HOOK", "file:key-hook"))
    with (path / "config.toml").open("a") as config:
        config.write(
            '\n[web]\npublic_url = "https://go.example"\n[test]\nnumbers = ["+12125550111"]\n'
        )
    (path / "key-hook").write_text("whsec_aG9vaw==")
    rules = path / "mappings" / "policy.toml"  # a gap that is felt beside the cap of a day
    _change(rules, lambda old: old.replace('gap = "4h"', 'gap = "26h"'))
    with rules.open("a") as policy:
        policy.write(POLICY)
    with (path / "mappings" / "segments.toml").open("a") as segments:
        segments.write(SEGMENTS)
    _change(path / "mappings" / "sources" / "plain.toml", _with_signals)
    for purpose, role, plays in (
        ("service", "service", PLAYS),
        ("service", "acquisition", ACQUIRING),
        ("marketing", "retention", MARKETING),
    ):
        for name, body in plays.items():
            head = HEAD.format(name=name, role=role, purpose=purpose)
            if name == "sp_held":
                head = head.replace("holdout = 0", "holdout = 0.5")
            write_play(path, name, head + body + (GOAL if purpose == "marketing" else ""))
    for name, words in TEMPLATES.items():
        (path / "templates" / f"{name}.en.txt").write_text(words)
    return path


def write_play(path: Path, name: str, content: str) -> None:
    (path / "mappings" / "plays" / f"{name}.toml").write_text(content)


def _change(path: Path, how: Callable[[str], str]) -> None:
    path.write_text(how(path.read_text()))


def _with_signals(plain: str) -> str:
    known = set(re.findall(r"^(\w+) = \"traits\.", plain, re.MULTILINE))
    more = "".join(f'{name} = "traits.{name}"\n' for name in TRAITS if name not in known)
    plain = plain.replace("[traits]\n", f"[traits]\n{more}", 1)
    facts = "".join(f'{name} = "properties.{name}"\n' for name in FACTS)
    alias = '\n[[events]]\ntype = "alias"\nsignal = "aliased"\n'
    return (plain + alias) + "".join(
        f'\n[[events]]\nname = "{name}"\nsignal = "{name}"\nkey = "properties.key"\n'
        f"{more or ''}\n[events.facts]\n{facts}"
        for name, more in SIGNALS.items()
    )


class Death(BaseException):
    """The worker dies."""


@dataclass
class Witness(Carrier):
    """A carrier that keeps what it answered, and shows each text to whoever looks."""

    answered: list[tuple[str, str]] = field(default_factory=list)
    look: Callable[[Message], None] = lambda message: None
    dies: str = ""  #: "before" the text is taken, or "after"

    def send(self, message: Message) -> Accepted:
        if self.dies == "before":
            self.dies = ""
            raise Death
        self.look(message)
        try:
            answer = super().send(message)
        except Exception as error:
            self.answered.append((message.send_id, type(error).__name__.lower()))
            raise
        self.answered.append((message.send_id, "accepted"))
        if self.dies == "after":
            self.dies = ""
            raise Death
        return answer


class Village(Town):
    """A town in which everything happens; ``compared`` counts decisions made again."""

    def __init__(self, folder: Path, home: Path, people: int = 4) -> None:
        shutil.copytree(folder, home)
        self.witness = Witness()
        self.versions: dict[tuple[str, str], Play] = {}
        self.equal, self.differences, self.faults = 0, list[Any](), list[str]()
        self.changed = False  #: files, so that no replay by those of now is the past
        self.deaths = self.events = 0
        self._dies_at, self._works = 0, False
        self.next_person = 40
        super().__init__(home, people)

    def start(self) -> None:
        self.carrier = self.witness
        super().start()
        self.rt.crms = {name: crm for name, crm in self.rt.crms.items() if ":" not in name}
        self.rt.chance = lambda: 0.2  # other than a replay's
        self._remember()  # and no other tool is called

    def _remember(self) -> None:
        for play in self.rt.plays.values():
            self.versions[play.name, play.version] = play

    def work(self) -> None:
        """As a town does; a worker that dies is started anew."""
        while True:
            self._works = True
            try:
                super().work()
                return
            except Death:
                self.deaths += 1
                self.restart_dead()
            finally:
                self._works = False

    def restart_dead(self) -> None:
        self.stop()
        self._dies_at = 0
        self.start()

    def _new_id(self, kind: str) -> str:
        if self._dies_at and self._works:
            self._dies_at -= 1
            if not self._dies_at:
                raise Death
        return super()._new_id(kind)

    def die_within(self, ids: int) -> None:
        """The worker dies at the n-th thing that it names from now on."""
        self._dies_at = ids

    # -- what else happens ---------------------------------------------------------------------

    def phone(self, person: int) -> str:
        return f"+1{AREAS[person % len(AREAS)]}55501{person % 100:02}"

    def fresh(self, **traits: Any) -> int:
        """Somebody new with every consent, to whom nothing was said yet."""
        self.next_person += 1
        self.introduce(self.next_person, **traits)
        return self.next_person

    def say(
        self,
        person: int,
        name: str,
        key: str = "",
        *,
        late: timedelta = timedelta(),
        back_fill: bool = False,
        source: str = "backend",
        **facts: Any,
    ) -> None:
        """A signal of a person's."""
        body: dict[str, Any] = {
            "type": "track",
            "event": name,
            "properties": {**facts, "key": key},
            "timestamp": (self.clock.at - late).isoformat(),
            "sentAt": self.clock.at.isoformat(),
        }
        if back_fill:
            body["properties"]["backfill"] = True
            body["context"] = {"backfill": True}
        if name != "sp_stock":
            body["userId"] = f"u{person}"
        self._deliver(source, body)

    def alias(self, winner: int, loser: int) -> None:
        """Two turn out to be one."""
        self._deliver(
            "backend", {"type": "alias", "userId": f"u{winner}", "previousId": f"u{loser}"}
        )

    def identify_alone(self, person: int, **traits: Any) -> None:
        """Traits and nothing else: no number, no consent."""
        self._deliver("backend", {"type": "identify", "userId": f"u{person}", "traits": traits})

    def _deliver(self, source: str, body: Any) -> None:
        self.events += 1
        super()._deliver(source, body)

    def contact(self, person: int) -> str:
        rows = self.rows(
            """SELECT contact_id FROM identities WHERE kind = 'user_id' AND value = :who
            AND detached_at IS NULL""",
            who=f"u{person}",
        )
        return str(rows[0]["contact_id"]) if rows else ""

    @contextmanager
    def operator(self) -> Iterator[tuple[Any, datetime]]:
        """Somebody writes to the ledger, and the worker looks after it."""
        now = self.clock()
        with self.store.write() as tx:
            yield tx, now
        self.work()

    def consent(self, phone: str, purpose: str, granted: bool, method: str = "operator") -> None:
        with self.operator() as (tx, now):
            record_consent(
                tx, self.rt, phone=phone, purpose=purpose, granted=granted, method=method,
                wording="as told", source="fair", recorded_by="operator:x", now=now,
            )  # fmt: skip
            if not granted:
                hand.release(tx, self.rt, phone, who="operator:x", now=now)

    def crm_change(self, person: int, **facts: Any) -> None:
        if contact_id := self.contact(person):
            with self.operator() as (tx, now):
                crmfacts.learn(tx, self.rt, self.rt.crm, contact_id, facts, now)

    def merge_by_hand(self, winner: int, loser: int) -> None:
        one, other = self.contact(winner), self.contact(loser)
        if one and other and one != other:
            with self.operator() as (tx, now):
                merges.merge(tx, one, other, "", now, merge_id=self.rt.new_id("mrg"))

    def answer(self, words: str = "Yes, at ten. Bea") -> None:
        """A person of ours answers the last reply."""
        rows = self.rows(
            """SELECT id FROM replies WHERE label NOT IN ('opt_out', 'wrong_person')
            AND occurred_at > :since ORDER BY id DESC LIMIT 1""",
            since=text(self.clock.at - timedelta(days=6)),
        )
        if rows:
            with self.operator() as (tx, now):
                mode = self.rt.earnest.value
                hand.answer(tx, self.rt, rows[0]["id"], words, who="operator:b", mode=mode, now=now)

    def trial(self) -> None:
        """A test text to a number of our own."""
        with self.operator() as (tx, now):
            number, mode = self.rt.own_numbers[0], self.rt.earnest.value
            hand.trial(tx, self.rt, number, "Corner Shop: hi", who="operator:b", mode=mode, now=now)

    def close_talk(self, phone: str) -> None:
        with self.operator() as (tx, now):
            hand.close(tx, self.rt, phone, who="operator:b", now=now)

    def release(self, phone: str) -> None:
        with self.operator() as (tx, now):
            hand.release(tx, self.rt, phone, who="operator:b", now=now)

    def split(self) -> None:
        """The last merge is undone."""
        rows = self.rows("SELECT id FROM merges WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1")
        if rows:
            with self.operator() as (tx, now):
                merges.undo(tx, rows[0]["id"], now)

    # -- files ---------------------------------------------------------------------------------

    def reload(self, change: Callable[[Path], None] = lambda folder: None) -> None:
        """The folder's files are changed and taken over; the past is made again just before."""
        before = dict((part[:2], part[2]) for part in contents(self.loaded))
        change(self.folder)
        if not self.changed:
            self.compare()
        self.loaded = reloading.take_over(self.rt, self.loaded)
        after = dict((part[:2], part[2]) for part in contents(self.loaded))
        self.changed |= before != after
        self._remember()
        self.work()

    def edit(self, name: str, how: Callable[[str], str]) -> None:
        """A play's file is changed and taken over."""
        path = Path("mappings") / "plays" / f"{name}.toml"
        self.reload(lambda folder: _change(folder / path, how))

    def remove(self, name: str) -> None:
        self.reload(lambda folder: (folder / f"mappings/plays/{name}.toml").unlink(missing_ok=True))

    def compare(self) -> None:
        """Make the past again by the present files, and count what came out the same."""
        with replayed(self.loaded, of_ledger(self.store)) as ran:
            found = compare(ran)
            self.faults += [fault for fault in ran.faults if EXPECTED not in fault]
        self.equal = max(self.equal, found.equal)
        self.differences += [item for item in found.differences if item not in self.differences]

    # -- time ----------------------------------------------------------------------------------

    def until(self, hour: int, *, weekday: bool = True) -> None:
        """Go on to the next such hour (UTC), on a Tuesday to Thursday unless any day will do."""
        at = datetime.combine(self.clock.at.date(), time(hour), UTC)
        while at <= self.clock.at or (weekday and at.weekday() not in (1, 2, 3)):
            at += timedelta(days=1)
        self.go(at - self.clock.at)

    def minutes(self, count: float) -> None:
        self.go(timedelta(minutes=count))

    def hours(self, count: float) -> None:
        self.go(timedelta(hours=count))


__all__ = ["Death", "Doing", "Village", "Witness", "write_play", "write_village"]
