"""Dying at named points: a worker forked from a warm parent, thousands of deaths in minutes.

Each life is a process of its own. It hears a few orders, as the web does, then decides, sends and
writes back, as the worker does, until it is idle or reaches the point at which it is to die. The
next life goes on with what the last one left. The points are in what the steps are handed (store,
provider, CRM), never in the steps.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connector import clock
from connector.config.loaded import Loaded, load
from connector.ledger.inbox import Delivery, Inbox
from connector.ledger.store import Store
from connector.runtime import INBOX_FILE, moved, open_ledger, open_setup
from connector.steps import reconcile
from connector.steps.advance import Advancer
from connector.steps.dispatch import Dispatcher
from connector.steps.setup import Setup
from connector.steps.writeback import writeback
from tests.proofs.fatal import POINTS, FatalCrm, FatalProvider, FatalStore, Fate
from tests.proofs.load import answered
from tests.proofs.shop import make, order, people, phone
from tests.proofs.verdict import Verdict, at_rest, judge, opened, outbox

CHAPTER = 500  #: rounds on one folder
STOPS = 20  #: in every so many rounds a person texts STOP

Shows = Callable[[str], None]


@dataclass
class Life:
    """What one process does between its start and its death."""

    path: Path
    loaded: Loaded
    fate: Fate
    deliveries: Sequence[tuple[str, Delivery]]  #: with the name to write down once it is answered

    def live(self) -> None:
        """Look after the last death, hear what comes, and work until there is nothing to do."""
        store = open_ledger(self.loaded.settings)
        rt = self._setup(store)
        reconcile.after_a_death(rt)
        self._hear(store)
        advancer, dispatcher = Advancer(rt), Dispatcher(rt)
        while self._work(rt, advancer, dispatcher):
            pass
        dispatcher.close()
        rt.inbox.close()
        store.close()

    def _setup(self, store: Any) -> Setup:
        rt = open_setup(self.loaded, store)
        rt.store = FatalStore(store, self.fate)
        rt.providers = {name: FatalProvider(one, self.fate) for name, one in rt.providers.items()}
        rt.crms = {name: FatalCrm(one, self.fate) for name, one in rt.crms.items()}
        return rt

    def _hear(self, store: Store) -> None:
        inbox = Inbox(
            self.path / "data" / INBOX_FILE, moved=lambda: moved(store), wake=lambda: None
        )
        log = os.open(self.path / "answered", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for name, delivery in self.deliveries:
            inbox.append(delivery)
            self.fate.reach("after the inbox commit")
            os.write(log, f"{name}\n".encode())
        inbox.close()

    def _work(self, rt: Setup, advancer: Advancer, dispatcher: Dispatcher) -> int:
        self.fate.doing = "advance"
        done = advancer.round()
        self.fate.doing = "gate"
        done += dispatcher.round()
        while dispatcher.flying:  # the provider says "settle" as soon as it has answered
            done += dispatcher.round()
        self.fate.doing = "claim"
        return done + writeback(rt)


class World:
    """A folder over many lives: what is told to each, and what became of it."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = make(path, 0, latency=0.0)
        self.loaded = load(path)
        self._now = clock.TestClock(path / "data" / "clock")
        self._chance = chance
        self._orders = 0
        self._told: set[str] = set()
        self._stopped = 0
        self._waiting: dict[str, Delivery] = {}

    def begin(self) -> None:
        """Introduce the people in a life of our own, which leaves warm what a life needs."""
        body = orjson.dumps({"batch": list(people())})
        who = Delivery("events", "backend", self._now(), body, "/v1/batch")
        Life(self.path, self.loaded, Fate(), [("who", who), *self.next_life(stop=False)]).live()

    def next_life(self, *, stop: bool) -> list[tuple[str, Delivery]]:
        """A few orders, what nobody answered in the last life, and what the provider tells."""
        self._forget_answered()
        for _ in range(self._chance.randint(1, 4)):
            body = orjson.dumps(order(self._orders))
            name = f"order-{self._orders}"
            self._waiting[name] = Delivery("events", "backend", self._now(), body, "/v1/track")
            self._orders += 1
        self._waiting |= dict(self._receipts())
        if stop:
            name = f"stop-{self._stopped}"
            self._waiting[name] = self._callback([self._stop(self._stopped)])
            self._stopped += 1
        return list(self._waiting.items())

    def live(self, fate: Fate, deliveries: Sequence[tuple[str, Delivery]]) -> str:
        """Fork one life and wait for its end: ``died``, ``lived``, or what went wrong."""
        pid = os.fork()
        if not pid:
            code = 1
            try:
                clock.reseed()
                Life(self.path, self.loaded, fate, deliveries).live()
                code = 0
            except BaseException:
                (self.path / "log").write_text(traceback.format_exc())
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return {0: "lived", -signal.SIGKILL: "died"}.get(code, f"failed with {code}")

    def _forget_answered(self) -> None:
        for name in answered(self.path / "answered"):
            self._waiting.pop(name, None)

    def _receipts(self) -> Iterator[tuple[str, Delivery]]:
        """A receipt for some of the texts that have none."""
        for line in outbox(self.path)[-6:]:
            if line["send_id"] not in self._told and self._chance.random() < 0.5:
                self._told.add(line["send_id"])
                receipt = {"kind": "receipt", "status": "delivered", "error_code": "", "reason": ""}
                told = {**receipt, **{key: line[key] for key in ("provider_id", "send_id", "at")}}
                yield f"receipt-{line['send_id']}", self._callback([told])

    def _stop(self, number: int) -> dict[str, str]:
        return {
            "kind": "reply",
            "provider_id": f"reply-{number}",
            "from": phone(number),
            "to": "sandbox",
            "text": "STOP",
            "at": clock.text(self._now()),
        }

    def _callback(self, told: list[dict[str, str]]) -> Delivery:
        body = orjson.dumps(told)
        return Delivery("callback", "sandbox", self._now(), body, "/providers/sandbox")


def chapter(path: Path, seed: int, rounds: int, shows: Shows) -> Verdict:
    """Live ``rounds`` lives on a fresh folder, then one to the end, and judge what is there."""
    chance = random.Random(seed)
    verdict = Verdict()
    world = World(path, chance)
    world.begin()
    freeze()
    for number in range(1, rounds + 1):
        point = chance.choice(POINTS)
        fate = Fate(point, chance.choice((1, 1, 1, 2, 3)))
        result = world.live(fate, world.next_life(stop=number % STOPS == 0))
        verdict.counts[f"died {point}" if result == "died" else result] += 1
        if result.startswith("failed"):
            verdict.faults.append(f"a life {result}: {(path / 'log').read_text()[-1500:]}")
            break
        if number % 25 == 0:
            shows(f"round {number} of {rounds}")
    while not at_rest(path):
        assert world.live(Fate(), []) == "lived", (path / "log").read_text()[-1500:]
    heard = answered(path / "answered")
    verdict.add(judge(path, {name for name in heard if name.startswith("order-")}))
    _stops(verdict, path, {name for name in heard if name.startswith("stop-")})
    return verdict


def freeze() -> None:
    """Make forks cheap and whole: one thread, no rubbish, and no log of what we cause ourselves."""
    while threading.active_count() > 1:
        time.sleep(0.01)
    logging.disable(logging.WARNING)
    gc.collect()
    gc.freeze()


def _stops(verdict: Verdict, path: Path, heard: set[str]) -> None:
    """Each STOP that was answered is there once, holds, and was confirmed at most once."""
    with closing(opened(path, "ledger")) as ledger:
        rows = ledger.execute("SELECT * FROM replies WHERE label = 'opt_out'").fetchall()
        stopped = {row["phone"]: row["occurred_at"] for row in rows}
        replies = Counter(row["provider_id"].replace("reply-", "stop-") for row in rows)
        revoked = Counter(
            row["phone"]
            for row in ledger.execute("SELECT phone FROM consents WHERE action = 'revoked'")
        )
        after = ledger.execute("SELECT id, phone, begun_at FROM sends WHERE cause = 'play'")
        spoken = [
            row["id"] for row in after if (row["begun_at"] or "") > stopped.get(row["phone"], "~")
        ]
        answers = Counter(
            row["phone"] for row in ledger.execute("SELECT * FROM sends WHERE cause = 'system'")
        )
    verdict.counts["STOPs"] = len(rows)
    verdict.fault("answered STOPs are lost", heard - set(replies))
    verdict.fault("STOPs are there twice", (key for key, n in replies.items() if n > 1))
    verdict.fault("STOPs that revoked nothing", set(stopped) - set(revoked))
    verdict.fault("STOPs that were confirmed twice", (key for key, n in answers.items() if n > 1))
    verdict.fault("texts began after a STOP was known", spoken)
