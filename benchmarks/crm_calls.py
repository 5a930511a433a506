"""Calls to a CRM: what a campaign's texts, receipts and replies cost, and how late the last is.

The steps, the ledger, the shipped mapping files and the CRMs' own adapters, on a clock of our own,
against the stand-ins that the tests use. Nothing is polled here: that is counted apart, and costs
what ``poll_every`` says, whatever is sent.
"""

from __future__ import annotations

import heapq
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Figure, main, tell
from connector.clock import TestClock
from connector.config.loaded import load
from connector.ledger import writebacks
from connector.runtime import open_ledger, open_setup
from connector.steps import writeback
from connector.steps.setup import Setup
from tests.crms import campaign as people
from tests.crms import hubspot_server, salesforce_server
from tests.crms.campaign import phone
from tests.running import folder

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
TEXTS, REPLIES, SECONDS = 1_000, 100, 600
WITHIN = 60  #: seconds in which a receipt comes
MOST = {"hubspot": 40, "salesforce": 25}  #: calls
LONGEST = timedelta(hours=2)  #: after which something is wrong
LATEST = 90  #: seconds until a text is on its record, at one a minute

Act = Callable[["Campaign", int], None]


def measure(quick: bool) -> list[Figure]:
    """A campaign's calls for each CRM, and the delay of single texts."""
    figures = []
    for name, most in MOST.items():
        tell(f"crm calls: {TEXTS:,} texts to people in {name}")
        with campaign(name) as told:
            told.run(told.campaign())
            tell(f"  {', '.join(f'{kind} {n}' for kind, n in sorted(told.calls().items()))}")
            what = f"{name}: calls for {TEXTS:,} texts, their receipts, {REPLIES} replies"
            figures.append(Figure(what, "calls", [told.calls().total()], most, True))
        with campaign(name) as slow:
            slow.run([(60.0 * place, Campaign.text, place) for place in range(10 if quick else 60)])
            what = f"{name}: until a text is on the record, at one a minute"
            figures.append(Figure(what, "s", [slow.worst], LATEST, True))
    return figures


@dataclass
class Campaign:
    """People, what happens to them when, and the write-back step in between."""

    rt: Setup
    calls: Callable[[], Counter[str]]
    clock: TestClock
    began: dict[str, datetime] = field(default_factory=dict)  #: of what is not on the record yet
    worst: float = 0.0  #: seconds until a text was on the record

    def campaign(self) -> list[tuple[float, Act, int]]:
        """Texts over ten minutes, a receipt each within a minute, and some replies."""
        chance = random.Random(1)
        found: list[tuple[float, Act, int]] = []
        for person in range(TEXTS):
            at = SECONDS * person / TEXTS
            found.append((at, Campaign.text, person))
            found.append((at + chance.uniform(1, WITHIN), Campaign.receipt, person))
        for person in chance.sample(range(TEXTS), REPLIES):
            at = SECONDS * person / TEXTS + chance.uniform(WITHIN, 5 * WITHIN)
            found.append((at, Campaign.reply, person))
        return found

    def run(self, acts: list[tuple[float, Act, int]]) -> None:
        """Let everything happen in its order, and write back whenever something is due."""
        waiting = [(at, place, act, person) for place, (at, act, person) in enumerate(acts)]
        heapq.heapify(waiting)
        while True:
            due = writeback.next_due(self.rt)
            then = NOON + timedelta(seconds=waiting[0][0]) if waiting else None
            assert self.clock() < NOON + LONGEST, "it does not come to an end"
            if due is not None and (then is None or due <= then):
                self.clock.set(max(due, self.clock()), 0)
                writeback.writeback(self.rt)
                self._look()
            elif then is not None:
                _, _, act, person = heapq.heappop(waiting)
                self.clock.set(then, 0)
                act(self, person)
            else:
                return

    def _look(self) -> None:
        with self.rt.store.read() as tx:
            written = tx.all("SELECT key FROM writebacks WHERE written_at IS NOT NULL")
        for key in {str(row["key"]) for row in written} & self.began.keys():
            late = (self.clock() - self.began.pop(key)).total_seconds()
            self.worst = max(self.worst, late)

    def know(self, person: int, record: str) -> None:
        """A contact as they came from the CRM."""
        with self.rt.store.write() as tx:
            people.know(tx, self.rt, person, record, self.clock())

    def text(self, person: int) -> None:
        """A text to a person was taken by the provider."""
        with self.rt.store.write() as tx:
            send_id = people.text(tx, self.rt, person, person, self.clock())
        self.began[f"send:{send_id}"] = self.clock()

    def receipt(self, person: int) -> None:
        """It arrived."""
        with self.rt.store.write() as tx:
            people.receipt(tx, self.rt, person, self.clock())

    def reply(self, person: int) -> None:
        """They texted back."""
        with self.rt.store.write() as tx:
            people.reply(tx, self.rt, person, person, "Thank you", self.clock())

    def check(self) -> None:
        """Every change is written: none is owed and none was refused."""
        with self.rt.store.read() as tx:
            left = writebacks.counts(tx)
            assert not left, f"the CRM is still owed {left}"


@dataclass(frozen=True)
class Opened:
    """A stand-in for a CRM: its settings, and how it is filled and looked at."""

    table: str  #: of config.toml
    secret: str
    define: Callable[[str], object]  #: a field of ours
    add: Callable[[int], str]  #: a person; the record's id
    calls: Callable[[], Counter[str]]


@contextmanager
def campaign(crm: str) -> Iterator[Campaign]:
    """A folder on this CRM with everybody known to both sides."""
    with tempfile.TemporaryDirectory() as place, SERVERS[crm]() as server:
        path = folder(Path(place) / "shop", 0, **{f"crms__{crm}": server.table})
        config = (path / "config.toml").read_text()
        (path / "config.toml").write_text(config.replace('use = "local"', f'use = "{crm}"'))
        (path / "crm-key").write_text(server.secret)
        (path / "consumer").write_text(salesforce_server.KEY)
        (path / "data").mkdir(exist_ok=True)
        clock = TestClock(path / "data" / "clock")
        clock.set(NOON, 0)
        loaded = load(path)
        for each in loaded.crm.fields:
            server.define(each.name)
        store = open_ledger(loaded.settings)
        rt = open_setup(loaded, store)
        told = Campaign(rt, server.calls, clock)
        for person in range(TEXTS):
            told.know(person, server.add(person))
        yield told
        told.check()
        rt.inbox.close()
        store.close()


@contextmanager
def _hubspot() -> Iterator[Opened]:
    server = hubspot_server.HubSpotServer()
    known = server.defined["contacts"]
    try:
        yield Opened(
            f'access_token = "file:crm-key"\nbase_url = "{server.url}"',
            hubspot_server.TOKEN,
            lambda name: known.setdefault(name, "datetime" if name.endswith("_at") else "string"),
            lambda person: server.add("contacts", phone=phone(person), lifecyclestage="lead"),
            lambda: Counter(path.partition("?")[0] for _, path, _ in server.asked),
        )
    finally:
        server.close()


@contextmanager
def _salesforce() -> Iterator[Opened]:
    with salesforce_server.Server() as server:
        state = server.org.state
        state.now = NOON
        key = 'consumer_key = "file:consumer"\nconsumer_secret = "file:crm-key"'
        yield Opened(
            f'{key}\nbase_url = "{server.url}"\ndomain = "acme.my"',
            salesforce_server.SECRET,
            state.fields["Contact"].add,
            lambda person: state.add("Contact", LastName="P", MobilePhone=phone(person)),
            lambda: Counter(call.path for call in server.org.sent()),
        )


SERVERS = {"hubspot": _hubspot, "salesforce": _salesforce}


if __name__ == "__main__":
    main(measure)
