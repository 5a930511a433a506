"""Dying between an outcome and its write-back, against CRMs that act and do not answer.

Each life is a process forked from a warm parent. Texts leave, receipts and replies come, and the
write-back step tells a CRM in a process of its own, until the life is over or reaches the point at
which it is to die. The points are in the store, and before and after every request to the CRM.
"""

from __future__ import annotations

import http.client
import logging
import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector import clock
from connector.config.loaded import Loaded, load
from connector.crms.salesforce.ids import external_id
from connector.ledger.store import Tx
from connector.records import reference
from connector.runtime import open_ledger, open_setup
from connector.steps import writeback
from connector.steps.setup import Setup
from tests.crms import campaign, hubspot_server, salesforce_server
from tests.proofs import crm_process
from tests.proofs.crm_process import Told
from tests.proofs.fatal import FatalStore, Fate
from tests.proofs.fault_points import Shows, freeze
from tests.proofs.shop import NOON
from tests.proofs.verdict import Verdict, opened
from tests.running import folder

CHAPTER = 250  #: rounds on one folder of each CRM
CRMS = ("hubspot", "salesforce")
PEOPLE = 12
POINTS = (
    *("before the owe commit", "after the owe commit"),
    *("before the claim commit", "after the claim commit"),
    *("before a request", "during a request", "after a request"),
    *("before the keep commit", "after the keep commit"),
)
HOT = "do not cancel my order please"
CONFIGS = {
    "hubspot": 'access_token = "file:crm-key"\nbase_url = "{url}"',
    "salesforce": 'consumer_key = "file:consumer"\nconsumer_secret = "file:crm-key"\n'
    'domain = "acme.my"\nbase_url = "{url}"',
}
SECRETS = {"hubspot": hubspot_server.TOKEN, "salesforce": salesforce_server.SECRET}
MARKS = {"hubspot": reference, "salesforce": external_id}

Happening = Callable[[Tx, Setup], object]


@dataclass
class Life:
    """What one process does between its start and its death."""

    loaded: Loaded
    fate: Fate
    happenings: Sequence[Happening]

    def live(self) -> None:
        """Let a few things happen, and write back what is due."""
        store = open_ledger(self.loaded.settings)
        rt = open_setup(self.loaded, store)
        rt.store = FatalStore(store, self.fate)
        _watch_requests(self.fate)
        self.fate.doing = "owe"
        for happening in self.happenings:
            with rt.store.write() as tx:
                happening(tx, rt)
        self.fate.doing = "claim"
        writeback.writeback(rt)
        rt.inbox.close()
        store.close()


def _watch_requests(fate: Fate) -> None:
    """One may die before a request to the CRM, while it acts on one, and after its answer came."""
    request, answer = http.client.HTTPConnection.putrequest, http.client.HTTPConnection.getresponse

    def requests(self: Any, *args: Any, **kwargs: Any) -> None:
        fate.reach("before a request")
        request(self, *args, **kwargs)

    def answers(self: Any) -> Any:
        fate.reach("during a request")  # it was sent whole
        found = answer(self)
        fate.reach("after a request")
        fate.doing = "keep"
        return found

    http.client.HTTPConnection.putrequest = requests  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = answers  # type: ignore[method-assign]


class World:
    """One CRM and a folder over many lives."""

    def __init__(self, path: Path, crm: str, told: Told, chance: random.Random) -> None:
        self.path, self.crm, self.told, self.chance = path, crm, told, chance
        folder(path, 0, **{f"crms__{crm}": CONFIGS[crm].format(url=told.url)})
        config = (path / "config.toml").read_text()
        config = config.replace('use = "local"', f'use = "{crm}"')
        (path / "config.toml").write_text(config)
        (path / "crm-key").write_text(SECRETS[crm])
        (path / "consumer").write_text(salesforce_server.KEY)
        (path / "data").mkdir()
        self.clock = clock.TestClock(path / "data" / "clock")
        self.clock.set(NOON, 0)
        self.loaded = load(path)
        self.texts = self.replies = 0

    def begin(self) -> None:
        """Introduce the people, in a life of our own that leaves warm what a life needs."""
        records = self.told.look()["people"]

        def know(tx: Tx, rt: Setup) -> None:
            for person, record in enumerate(records):
                campaign.know(tx, rt, person, record, self.clock())

        connection = http.client.HTTPConnection
        request, answer = connection.putrequest, connection.getresponse
        Life(self.loaded, Fate(), [know, *self.next_life()]).live()
        self.clock.set(self.clock() + timedelta(minutes=2), 0)
        Life(self.loaded, Fate(), []).live()
        connection.putrequest = request  # type: ignore[method-assign]
        connection.getresponse = answer  # type: ignore[method-assign]

    def next_life(self) -> list[Happening]:
        """A few texts, receipts of earlier ones, and now and then a reply, hot or not."""
        now = self.clock()
        found = [self._text(now) for _ in range(self.chance.randint(0, 3))]
        found += [self._receipt(now) for _ in range(self.chance.randint(0, 2))]
        if self.chance.random() < 0.5:
            found.append(self._reply(now))
        return found

    def _text(self, now: Any) -> Happening:
        number, person = self.texts, self.chance.randrange(PEOPLE)
        self.texts += 1
        return lambda tx, rt: campaign.text(tx, rt, number, person, now)

    def _receipt(self, now: Any) -> Happening:
        number = self.chance.randrange(max(1, self.texts))
        return lambda tx, rt: campaign.receipt(tx, rt, number, now)

    def _reply(self, now: Any) -> Happening:
        number, person = self.replies, self.chance.randrange(PEOPLE)
        words = self.chance.choice((HOT, "Thank you"))
        self.replies += 1
        return lambda tx, rt: campaign.reply(tx, rt, number, person, words, now)

    def live(self, fate: Fate, happenings: Sequence[Happening]) -> str:
        """Fork one life and wait for its end: ``died``, ``lived``, or what went wrong."""
        pid = os.fork()
        if not pid:
            code = 1
            try:
                clock.reseed()
                Life(self.loaded, fate, happenings).live()
                code = 0
            except BaseException:
                (self.path / "log").write_text(traceback.format_exc())
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return {0: "lived", -signal.SIGKILL: "died"}.get(code, f"failed with {code}")

    def rest(self) -> None:
        """With a kind CRM and nobody dying, let everything be written."""
        self.told.look("calm")
        for _ in range(200):
            self.clock.set(self.clock() + timedelta(minutes=20), 0)
            result = self.live(Fate(), [])
            assert result == "lived", (self.path / "log").read_text()[-1500:]
            with closing(opened(self.path, "ledger")) as ledger:
                left = "SELECT count(*) FROM writebacks WHERE state = 'owed'"
                if not ledger.execute(left).fetchone()[0]:
                    return


def chapter(path: Path, seed: int, rounds: int, shows: Shows) -> Verdict:
    """Live so many lives in all, half against each CRM, and judge what then stands in them."""
    verdict, chance = Verdict(), random.Random(seed)
    logging.getLogger("connector").setLevel(logging.CRITICAL)  # what goes wrong is our own doing
    for crm, share in zip(CRMS, (rounds - rounds // 2, rounds // 2), strict=True):
        with crm_process.running(crm, PEOPLE, seed) as told:
            world = World(path / crm, crm, told, chance)
            world.begin()
            freeze()
            _lives(world, share, verdict, lambda words, crm=crm: shows(f"{crm}: {words}"))  # type: ignore[misc]
            if not verdict.faults:
                world.rest()
                judge(verdict, world.path, crm, told)
    return verdict


def _lives(world: World, rounds: int, verdict: Verdict, shows: Shows) -> None:
    for number in range(1, rounds + 1):
        point = world.chance.choice(POINTS)
        fate = Fate(point, world.chance.choice((1, 1, 2, 3)))
        result = world.live(fate, world.next_life())
        verdict.counts[f"died {point}" if result == "died" else result] += 1
        if result.startswith("failed"):
            log = (world.path / "log").read_text()[-1500:]
            verdict.faults.append(f"a life {result}: {log}")
            return
        seconds = world.chance.choice((1, 20, 80, 80, 400))
        world.clock.set(world.clock() + timedelta(seconds=seconds), 0)
        if number % 25 == 0:
            shows(f"round {number} of {rounds}")


def judge(verdict: Verdict, path: Path, crm: str, told: Told) -> None:
    """Hold what stands in the CRM against what the ledger says has happened."""
    look, mark = told.look(), MARKS[crm]
    with closing(opened(path, "ledger")) as ledger:
        wanted = {
            mark(f"send:{row['id']}"): (row["contact_id"], row["state"], "activity")
            for row in ledger.execute("SELECT * FROM sends WHERE cause = 'play'")
        }
        for row in ledger.execute("SELECT * FROM replies"):
            wanted[mark(f"reply:{row['id']}")] = (row["contact_id"], "", "activity")
            if row["label"] == "hold":
                wanted[mark(f"task:reply:{row['id']}")] = (row["contact_id"], "", "task")
        left = ledger.execute("SELECT key FROM writebacks WHERE state <> 'written'").fetchall()
    there = Counter(each["mark"] for each in look["state"])
    wrong_record = [
        each["mark"]
        for each in look["state"]
        if each["mark"] in wanted and each["record"] != _record(look, wanted[each["mark"]][0])
    ]
    stale = [
        each["mark"]
        for each in look["state"]
        if wanted.get(each["mark"], ("", "", ""))[1] == "delivered"
        and "Delivered" not in each["body"]
    ]
    kinds = [
        each["mark"]
        for each in look["state"]
        if each["mark"] in wanted and each["kind"] != wanted[each["mark"]][2]
    ]
    verdict.counts[f"{crm}: texts, replies and tasks"] = len(wanted)
    verdict.counts[f"{crm}: of them there"] = sum(there[one] > 0 for one in wanted)
    verdict.fault(f"things are not in {crm}", set(wanted) - set(there))
    verdict.fault(f"things are in {crm} twice", (one for one, n in there.items() if n > 1))
    verdict.fault(f"things are in {crm} that never happened", set(there) - set(wanted))
    verdict.fault(f"things are on another's record in {crm}", wrong_record)
    verdict.fault(f"things are a task that should be none, or the other way, in {crm}", kinds)
    verdict.fault(f"texts in {crm} do not say that they arrived", stale)
    verdict.fault(f"changes {crm} is still owed, or refused", (row["key"] for row in left))


def _record(look: dict[str, Any], contact_id: str) -> str:
    return str(look["people"][int(contact_id.removeprefix("con_"))])
