"""A village: a town with some plays of its own, by which everything that may happen does.

Beside what a town does its people are merged, its operators record consents, answer replies, tell
of CRM changes and reload files, and its worker dies in the middle of what it does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from connector import reloading
from connector.clock import text
from connector.config.loaded import Loaded, load
from connector.ledger import listings, merges, people
from connector.ledger.restores import Restored
from connector.messages import Accepted, Carried, LookedUp, Message
from connector.rules.ages import NumberChecks
from connector.rules.consentfile import Entry
from connector.rules.plays import Play
from connector.rules.policy import Rulebook
from connector.runtime import contents
from connector.simulate.compare import compare
from connector.simulate.replay import replayed
from connector.simulate.simulation import of_ledger
from connector.steps import (
    consentimport,
    crmfacts,
    forget,
    gap,
    hand,
    hearing,
    inquest,
    numbers,
    optin,
    templates,
)
from connector.steps import fetch as fetching
from connector.steps.clockguard import ClockGuard
from connector.steps.consent import record_consent
from tests.simulate.town import AREAS, BEGINS, Carrier, Doing, Town, write_town

EXPECTED: Final = "check=suppressed result=failed"  #: that sp_risk provokes
SIGNALS: Final = {
    **dict.fromkeys(("sp_go", "sp_go2", "sp_stop", "sp_leave", "sp_goal", "sp_twin", "sp_viewed")),
    "sp_lead": 'stage = "lead"',
    "sp_customer": 'stage = "customer"',
    "sp_former": 'stage = "former_customer"',
    "sp_stock": 'thing = "sp_item"',
    "sp_quiet": "activity = false",
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

[[consent_expiry]]
name = "what was said"
methods = ["verbal"]
after = "3d"

[suppression]
purposes = ["marketing", "service"]

[facts]
crm.sp_status = "6h"
"""
LIMITS: Final = {
    "slow_after = 6 ": "slow_after = 2 ",
    'gap = "14d"': 'gap = "3d"',
    "stop_after = 12": "stop_after = 3",
    'after = "365d"': 'after = "30d"',
    "deliveries = 200": "deliveries = 5",
    "pause = 0.05": "pause = 0.9",
    'gap = "4h"': 'gap = "26h"',  # a gap that is felt beside the cap of a day
}
"""What the shipped policy says → what is reached within a life."""
SPENDING: Final = """
[budget]
segments_a_day = 45
segment_price = 0.0079
currency = "USD"
for_service = 0.5

[[senders]]
name = "*"
segments_a_second = 2
segments_a_day = 48
countries = ["US"]
day_in = "America/Los_Angeles"
for_service = 0.5
"""
LIST: Final = "value,reason\nlisted.example,a partner asked\n"
OFFER: Final = """
[[events]]
name = "sp_offer"
signal = "sp_offer"

[[events.consents]]
purpose = "service"
granted = "properties.agreed"
method = "web_form"
wording = "properties.wording"
double_opt_in = true
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
    # what limits, lists, look-ups and the age of facts have against a text
    "sp_heavy": """[start]
signal = "sp_go2"
where = "signal.word == 'heavy'"
[[steps]]
name = "one"
template = "sp_heavy"
max_segments = 10
expires = "36h"
""",
    "sp_drive": """[start]
signal = "sp_go2"
where = "signal.word == 'drive'"
[[steps]]
name = "one"
template = "sp_drive"
expires = "3d"
""",
    "sp_cart": """scopes = ["cart_reminders"]
[start]
signal = "sp_go2"
where = "signal.word == 'cart'"
[[steps]]
name = "one"
template = "sp_text"
expires = "60h"
""",
    "sp_status": """[start]
signal = "sp_go2"
where = "signal.word == 'status'"
[[steps]]
name = "one"
template = "sp_text"
where = "crm.sp_status | default('good') == 'good'"
""",
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
    "sp_quiet": """exclusive = false
[start]
signal = "sp_quiet"
[[steps]]
name = "one"
template = "sp_text"
expires = "7d"
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
    "sp_heavy": "{{ brand }}: " + "all that there is to say " * 57 + "Reply STOP to end.",
    "sp_drive": "{{ brand }}: go away. Reply STOP to end.",
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
    rules = path / "mappings" / "policy.toml"
    for shipped, ours in LIMITS.items():
        _change(rules, lambda old, shipped=shipped, ours=ours: old.replace(shipped, ours, 1))  # type: ignore[misc]
    with rules.open("a") as policy:
        policy.write(POLICY + SPENDING)
    _list(path).parent.mkdir()
    _list(path).write_text(LIST)
    crm = path / "mappings" / "crms" / "local.toml"
    _change(crm, lambda old: old.replace("reads = [", 'reads = ["sp_status", ', 1))
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


def _list(path: Path) -> Path:
    return path / "mappings" / "suppression" / "partners.csv"


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
    return (plain + alias + OFFER) + "".join(
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
    listed: list[Carried] = field(default_factory=list)  #: texts that another connector sent
    kinds: dict[str, str] = field(default_factory=dict)  #: number → what a look-up tells
    dies: str = ""  #: "before" the text is taken, or "after"

    def carried(self, since: datetime) -> Iterator[Carried]:
        return iter(self.listed)

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        return LookedUp(self.kinds.get(e164, "mobile"))

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


def looking_up(loaded: Loaded) -> Loaded:
    """The files, with numbers looked up: a sandbox of the product looks none up."""
    numbers = NumberChecks(check_every=timedelta(days=90))
    return replace(loaded, policy=replace(loaded.policy, numbers=numbers))


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
        self.loaded = looking_up(self.loaded)
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

    # -- governance ----------------------------------------------------------------------------

    def suppress(self, person: int) -> None:
        with self.operator() as (tx, now):
            about = (self.phone(person), "a court says so", "all")
            numbers.suppress(tx, self.rt, *about, who="operator:c", now=now)

    def unsuppress(self, person: int) -> None:
        with self.operator() as (tx, now):
            about = (self.phone(person), "it says so no more")
            numbers.release(tx, self.rt, *about, who="operator:c", now=now)

    def reassign(self, person: int, undo: bool = False) -> None:
        """The number has a new owner, or has none after all."""
        phone, who = self.phone(person), "operator:c"
        with self.operator() as (tx, now):
            if undo:
                numbers.not_reassigned(tx, self.rt, phone, "mixed up", who=who, now=now)
            else:
                numbers.reassign(tx, self.rt, [(phone, now)], "a register", who=who, now=now)

    def request(self, phone: str) -> None:
        """An operator has a number asked for its yes, as `connector consent request` does."""
        with self.operator() as (tx, now):
            record_consent(
                tx, self.rt, phone=phone, purpose="service", granted=True, method="paper",
                wording="on paper", source="fair", recorded_by="operator:x", now=now,
                evidence={"asks": "service"}, pending=True, renews=True,
            )  # fmt: skip
            bearers = listings.bearers(tx, "phone", phone)
            whose, mode = bearers[0] if len(bearers) == 1 else "", self.rt.earnest.value
            optin.propose(tx, self.rt, phone, ["service"], whose, mode, now)

    def imports(self, *phones: str) -> None:
        """An operator imports a file of consents."""
        entries = [Entry(phone, "service", True, "import", "on the list") for phone in phones]
        lines = [(place, [entry]) for place, entry in enumerate(entries, 1)]
        file = consentimport.File("list.csv", f"{self.events:064d}", "operator:x")
        list(consentimport.run(self.store, self.rt, file, lines, self.clock()))
        self.work()

    def pause_text(self, template: str) -> None:
        with self.operator() as (tx, now):
            templates.pause(tx, self.rt, template, who="operator:x", why="a typo", now=now)

    def resume_text(self, template: str) -> None:
        with self.operator() as (tx, now):
            templates.resume(tx, self.rt, template, who="operator:x", why="mended", now=now)

    def clock_goes_wrong(self) -> ClockGuard:
        """The machine's clock jumps back; who sees that it is right again is told by the guard."""
        looks = iter((BEGINS, BEGINS - timedelta(hours=1)))
        ticks = iter((0.0, 0.0, 0.0, 5.0, 400.0))
        wall = lambda: next(looks, BEGINS - timedelta(hours=1) + timedelta(seconds=395))  # noqa: E731
        guard = ClockGuard(self.rt, heard=dict, wall=wall, monotonic=lambda: next(ticks))
        guard.round()
        self.work()
        return guard

    def clock_goes_right(self, guard: ClockGuard) -> None:
        guard.round()
        self.work()

    def nobody_listens(self) -> None:
        """The connector was away: replies may have been missed."""
        with self.store.write() as tx:
            hearing.hold(tx, self.rt, "the worker was away for 2 h", self.clock.at)

    def replies_are_heard(self) -> None:
        """Every provider that lists replies has listed them."""
        with self.store.write() as tx:
            hearing.let_go(tx, self.rt, self.clock.at)

    def forget(self, person: int) -> None:
        """Somebody asked to be forgotten."""
        if contact_id := self.contact(person):
            with self.operator() as (tx, now):
                whom = people.find(tx, contact_id)
                forget.forget(tx, self.rt, whom, who="operator:x", why="asked", now=now)

    def restored(self, backup_at: datetime) -> None:
        """The ledger was a backup, and is in use again: as a restore leaves it."""
        with self.store.write() as tx:
            now = self.clock()
            self.rt.restored = Restored(backup_at, now)
            gap.hold(tx, self.rt, self.rt.restored, who="operator:x", why="from b.tar")
        self.work()

    def fetch(self) -> None:
        """Provider and CRM are asked for the gap."""
        fetching.fetch(self.rt, "operator:x")
        self.work()

    def settle(self, went: bool) -> None:
        """A person found out what became of the last doubtful text."""
        rows = self.rows("SELECT id FROM sends WHERE state = 'uncertain' ORDER BY id DESC LIMIT 1")
        if rows:
            with self.operator() as (tx, now):
                send_id, who = str(rows[0]["id"]), "operator:x"
                inquest.by_hand(tx, self.rt, send_id, went=went, who=who, why="asked", now=now)

    def split(self) -> None:
        """The last merge is undone."""
        rows = self.rows("SELECT id FROM merges WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1")
        if rows:
            with self.operator() as (tx, now):
                merges.undo(tx, rows[0]["id"], now)

    # -- files ---------------------------------------------------------------------------------

    def reload(self, change: Callable[[Path], object] = lambda folder: None) -> None:
        """The folder's files are changed and taken over; the past is made again just before."""
        before = dict((part[:2], part[2]) for part in contents(self.loaded))
        change(self.folder)
        if not self.changed:
            self.compare()
        self.loaded = looking_up(reloading.take_over(self.rt, self.loaded))
        self.rt.book = Rulebook(self.loaded.policy, self.loaded.hours)
        after = dict((part[:2], part[2]) for part in contents(self.loaded))
        self.changed |= before != after
        self._remember()
        self.work()

    def edit(self, name: str, how: Callable[[str], str]) -> None:
        """A play's file is changed and taken over."""
        path = Path("mappings") / "plays" / f"{name}.toml"
        self.reload(lambda folder: _change(folder / path, how))

    def list_fails(self) -> None:
        """A suppression list has a line that nobody can read as the worker starts: a reload would
        refuse it, a start does not."""
        self.changed = True
        _list(self.folder).write_text(LIST + "nobody\n")
        self.loaded = load(self.folder)
        self.restart()

    def list_is_mended(self) -> None:
        self.reload(lambda folder: _list(folder).write_text(LIST))

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
