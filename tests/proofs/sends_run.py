"""Dying at every step of sending and of looking up what perhaps went.

Each life is a process forked from a warm parent. Plays plan texts, callbacks come or do not, texts
are handed over to a provider in a process of its own (``carrier_process``), what is in doubt is
looked up; until the life is over or reaches the point at which it is to die. The judge then holds
every planned text against what the provider took.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from connector import clock
from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import Accepted, Carried, Found, Message, Receipt
from connector.model import Cause, Status, Subject
from connector.providers import Ability
from connector.providers.wire import Wire
from connector.rules.plays import Play, Role
from connector.steps import outcome, reconcile
from connector.steps.dispatch import Dispatcher
from connector.steps.reconcile import Reconciler
from tests.proofs.carrier_process import KINDS, Told, running
from tests.proofs.fatal import FatalStore, Fate
from tests.proofs.fault_points import Shows, freeze
from tests.proofs.verdict import Verdict
from tests.steps.build import CART, NOW, ORDER, WELCOME, Carrier, Shop

CHAPTER = 200  #: rounds, a quarter against each kind of provider
PEOPLE = 40
PATIENCE = (0.5, 0.1)  #: seconds until a call is given up
ABLE = {
    "reference": frozenset({Ability.finds, Ability.finds_by_reference}),
    "words": frozenset({Ability.finds}),
    "blind": frozenset(),
    "safe": frozenset({Ability.repeats_safely}),
}
POINTS = (
    *("before the plan commit", "after the plan commit"),
    *("before the callback commit", "after the callback commit"),
    *("before the reconcile commit", "after the reconcile commit"),
    *("before the gate commit", "after the gate commit"),
    *("before the call", "during the call", "after the call"),
    *("before the settle commit", "after the settle commit"),
    *("before the take commit", "after the take commit"),
    *("before a look", "during a look", "after a look"),
    *("before the verdict commit", "after the verdict commit"),
)
WALKS: tuple[tuple[str, Play], ...] = (
    ("order_completed", replace(ORDER, exclusive=False)),
    ("cart_updated", replace(CART, steps=CART.steps[:1], exclusive=False, role=Role.conversion)),
    ("signed_up", replace(WELCOME, exclusive=False)),
)
TEXTS = {
    "order": "{{ brand }}: thank you for {{ signal.order_id }}",
    "cart": "{{ brand }}: your cart waits: {{ link('https://corner.example/cart') }}",
    "welcome": "{{ brand }}: welcome",
}


@dataclass
class Distant(Carrier):
    """The adapter for that provider; one may die on the way there and back."""

    url: str = ""
    fate: Fate = field(default_factory=Fate)

    def __post_init__(self) -> None:
        self.wire = Wire(self.url, {}, direct=True, timeouts=PATIENCE)

    def send(self, message: Message) -> Accepted:
        self.fate.reach("before the call")
        body = {"ref": message.send_id, "to": message.to, "text": message.text}
        try:
            answer = self.wire.post("/send", orjson.dumps(body), {"Content-Type": "text/json"})
        finally:
            self.fate.reach("during the call")  # it was sent; what was answered is lost
            self.fate.doing = "settle"
        self.fate.reach("after the call")
        if answer.status == 201:
            return Accepted(orjson.loads(answer.body)["id"], 1)
        raise FAILURES.get(answer.status, Uncertain)("as it said", reason="unknown")

    def find(self, message: Message, since: Any) -> Found:
        self.fate.reach("before a look")
        asked = {
            "ref": message.send_id,
            "to": message.to,
            "text": message.text,
            "since": clock.text(since),
        }
        try:
            answer = self.wire.get(f"/find?{urlencode(asked)}")
        except SendFailed:
            return Found(None)
        finally:
            self.fate.reach("during a look")
            self.fate.doing = "verdict"
        self.fate.reach("after a look")
        if answer.status != 200:
            return Found(None)
        return self._found(orjson.loads(answer.body)["texts"])

    def _found(self, texts: list[dict[str, Any]]) -> Found:
        by_reference = Ability.finds_by_reference in self.does
        fits = tuple(
            Carried(self.name, each["id"], each["to"], each["text"], clock.instant(each["at"]))
            for each in texts
        )
        if len(fits) == 1:
            return Found(True, fits[0].provider_id, by_reference=by_reference, fits=fits)
        return Found(None if fits else False, fits=fits)


FAILURES: dict[int, type[Refused] | type[Deferred] | type[Uncertain]] = {
    400: Refused,
    422: Refused,
    429: Deferred,
}


@dataclass(frozen=True)
class Happening:
    """A play begins, or a callback comes."""

    signal: str = ""
    person: int = 0
    number: int = 0
    receipt: Receipt | None = None


@dataclass
class Life:
    """What one process does between its start and its death."""

    path: Path
    kind: str
    url: str
    fate: Fate
    happenings: Sequence[Happening]
    seed: int

    def live(self) -> None:
        """Look after the last death, plan and hear, then send and look up until all is done."""
        shop = opened(self.path)
        shop.rt.chance = random.Random(self.seed).random
        does = ABLE[self.kind]
        carrier = Distant(name="far", does=does, url=self.url, fate=self.fate)
        shop.rt.providers, shop.rt.provider = {"far": carrier}, "far"
        shop.rt.store = shop.store = FatalStore(shop.store, self.fate)  # type: ignore[assignment]
        reconcile.after_a_death(shop.rt)
        for each in self.happenings:
            self._happens(shop, each)
        self.fate.doing = "plan"
        shop.walk()
        self._work(shop)

    def _happens(self, shop: Shop, each: Happening) -> None:
        if each.receipt is not None:
            self.fate.doing = "callback"
            with shop.rt.store.write() as tx:
                outcome.receipt(tx, shop.rt, each.receipt, shop.clock())
            return
        self.fate.doing = "plan"
        shop._told = 2 * each.number
        who = Subject(user_id=f"p{each.person}", phone=phone(each.person))
        named = {"order_id": f"O{each.number}"}
        shop.tell(each.signal, who, facts=named, key=f"k{each.number}")

    def _work(self, shop: Shop) -> None:
        dispatcher, reconciler = Dispatcher(shop.rt), Reconciler(shop.rt)
        busy = True
        while busy or dispatcher.flying or reconciler.asking:
            if not (dispatcher.flying or reconciler.asking):
                self.fate.doing = "gate"
            busy = bool(dispatcher.round())
            if not (dispatcher.flying or reconciler.asking):
                self.fate.doing = "take"
            busy |= bool(reconciler.round())
            if not busy:
                time.sleep(0.0005)
        dispatcher.close()


def phone(person: int) -> str:
    """The number of a person."""
    return f"+1212555{person:04}"


def opened(path: Path) -> Shop:
    """The shop as a process opens it: ids of its own, the clock that the file shows."""
    shop = Shop(path, *(play for _, play in WALKS), texts=TEXTS)
    shop.rt.new_id = clock.new_id
    shop.rt.new_code = clock.new_code
    shop.rt.links_url = "https://corner.example"
    shop.clock.at = clock.TestClock(path / "clock")()
    return shop


class World:
    """One provider and a ledger over many lives."""

    def __init__(self, path: Path, kind: str, told: Told, chance: random.Random) -> None:
        self.path, self.kind, self.told, self.chance = path, kind, told, chance
        self.clock = clock.TestClock(path / "clock")
        self.texts = 0
        self.heard: set[str] = set()

    def begin(self) -> None:
        """Introduce the people, and leave warm what a life needs."""
        shop = opened(self.path)
        for person in range(PEOPLE):
            for purpose in ("marketing", "service"):
                shop.consent(purpose, phone(person))
        shop.close()
        Life(self.path, self.kind, self.told.url, Fate(), self.next_life(), 0).live()

    def next_life(self) -> list[Happening]:
        """A few texts are wanted, and some callbacks come."""
        found = []
        for _ in range(self.chance.randint(1, 3)):
            self.texts += 1
            signal = self.chance.choice(WALKS)[0]
            found.append(Happening(signal, self.chance.randrange(PEOPLE), self.texts))
        if self.chance.random() < 0.3:
            found += self._callbacks()
        return found

    def _callbacks(self) -> Iterator[Happening]:
        """Of some of the texts that it took the provider tells, with or without our reference."""
        for each in self.told.look()[-8:]:
            if each["ref"] and each["id"] not in self.heard and self.chance.random() < 0.4:
                self.heard.add(each["id"])
                status = self.chance.choice((Status.sent, Status.delivered, Status.undelivered))
                ref = each["ref"] if self.chance.random() < 0.7 else ""
                told = Receipt("far", each["id"], status, status.value, send_id=ref)
                yield Happening(receipt=told)

    def live(self, fate: Fate, happenings: Sequence[Happening]) -> str:
        """Fork one life and wait for its end: ``died``, ``lived``, or what went wrong."""
        seed = self.chance.randrange(10**9)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                clock.reseed()
                Life(self.path, self.kind, self.told.url, fate, happenings, seed).live()
                code = 0
            except BaseException:
                (self.path / "log").write_text(traceback.format_exc())
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return {0: "lived", -signal.SIGKILL: "died"}.get(code, f"failed with {code}")

    def passes(self, seconds: float) -> None:
        """Time passes, and nothing that was asked of the provider before is still to be done."""
        self.told.look("still")
        self.clock.set(self.clock() + timedelta(seconds=seconds), 0)

    def rest(self) -> None:
        """With a kind provider and nobody dying, let everything come to its end."""
        self.told.look("calm")
        for _ in range(100):
            self.passes(20 * 60)
            result = self.live(Fate(), [])
            assert result == "lived", (self.path / "log").read_text()[-1500:]
            with closing(ledger(self.path)) as rows:
                if not rows.execute(UNFINISHED).fetchone()[0]:
                    return


UNFINISHED = """SELECT count(*) FROM sends s LEFT JOIN doubts d ON d.send_id = s.id
    WHERE s.state = 'planned' OR s.state = 'sending'
        OR (s.state = 'uncertain' AND coalesce(d.verdict, '') <> 'person')"""


def ledger(path: Path) -> sqlite3.Connection:
    """The ledger, to be read."""
    rows = sqlite3.connect(f"file:{path}/ledger.db?mode=ro", uri=True, isolation_level=None)
    rows.row_factory = sqlite3.Row
    return rows


def chapter(path: Path, seed: int, rounds: int, shows: Shows) -> Verdict:
    """Live so many lives in all, a share against each kind of provider, and judge each."""
    verdict, chance = Verdict(), random.Random(seed)
    logging.getLogger("connector").setLevel(logging.CRITICAL)  # what goes wrong is our own doing
    for place, kind in enumerate(KINDS):
        share = rounds // len(KINDS) + (place < rounds % len(KINDS))
        home = path / kind
        home.mkdir(parents=True)
        clock.TestClock(home / "clock").set(NOW, 0)
        with running(kind, home / "clock", seed + place) as told:
            world = World(home, kind, told, chance)
            world.begin()
            freeze()
            _lives(world, share, verdict, lambda words, kind=kind: shows(f"{kind}: {words}"))  # type: ignore[misc]
            if not verdict.faults:
                world.rest()
                judge(verdict, home, kind, told.look())
    return verdict


def _lives(world: World, rounds: int, verdict: Verdict, shows: Shows) -> None:
    for number in range(1, rounds + 1):
        point = world.chance.choice(POINTS)
        fate = Fate(point, world.chance.choice((1, 1, 1, 2, 3)))
        result = world.live(fate, world.next_life())
        verdict.counts[f"died {point}" if result == "died" else result] += 1
        if result.startswith("failed"):
            log = (world.path / "log").read_text()[-1500:]
            verdict.faults.append(f"a life {result}: {log}")
            return
        world.passes(world.chance.choice((1, 20, 30, 30, 70, 70, 300, 300, 1_800, 7_200)))
        if number % 25 == 0:
            shows(f"round {number} of {rounds}")


def judge(verdict: Verdict, path: Path, kind: str, there: list[dict[str, Any]]) -> None:
    """Hold every planned text against what the provider took."""
    ours = [each for each in there if each["ref"]]
    taken = Counter(each["ref"] for each in ours)
    owner = {each["id"]: each["ref"] for each in there}
    with closing(ledger(path)) as rows:
        sends = {row["id"]: row for row in rows.execute("SELECT * FROM sends")}
        listed = {row["id"] for row in rows.execute(FOR_A_PERSON)}
        repeats = rows.execute("SELECT count(*) FROM attempts WHERE attempt > 1").fetchone()[0]
    verdict.counts["texts at the provider"] += len(ours)
    verdict.counts["texts of another system, in the same words"] += len(there) - len(ours)
    verdict.counts["texts handed over again"] += repeats
    verdict.counts.update(f"{kind}: {row['state']}" for row in sends.values())
    went = {name for name, row in sends.items() if row["state"] in WENT}
    ended = {name for name, row in sends.items() if row["state"] in ENDED}
    wrong = {
        "texts went twice": (name for name, count in taken.items() if count > 1),
        "texts went that the ledger does not know": set(taken) - set(sends),
        "texts went, says the ledger, but the provider has none": went - set(taken),
        "texts did not go, says the ledger, but the provider took them": ended & set(taken),
        "texts did not go, and nobody says why": (
            name for name in ended if not sends[name]["reason"]
        ),
        "texts are bound to what is not theirs": (
            name for name in went if owner.get(sends[name]["provider_id"]) != name
        ),
        "texts have no end and stand on no list for a person": (set(sends) - went - ended - listed),
        "texts were planned for nobody's play": (
            name for name, row in sends.items() if row["cause"] != Cause.play
        ),
    }
    for what, which in wrong.items():
        verdict.fault(f"{what} ({kind})", which)


WENT = ("accepted", "delivered", "undelivered")
ENDED = ("cancelled", "expired", "refused")
FOR_A_PERSON = """SELECT s.id FROM sends s JOIN doubts d ON d.send_id = s.id
    WHERE s.state = 'uncertain' AND d.verdict = 'person' AND d.settled_at IS NULL"""
