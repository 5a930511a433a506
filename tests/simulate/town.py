"""A town: the whole shipped library on a real ledger, in one process, on a clock of its own.

What its people may do is taken from the examples of the plays. The worker is the real one but for
its threads; each look at the clock takes a millisecond, so that nothing happens at one instant.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from connector.clock import text
from connector.config.loaded import Loaded, load
from connector.errors import Deferred, Refused, Uncertain
from connector.ledger import acts, cursors, pauses
from connector.ledger.inbox import Delivery, Inbox
from connector.ledger.store import Tx
from connector.messages import CHANNELS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook, Status
from connector.providers import Ability
from connector.runtime import INBOX_FILE, moved, open_ledger, open_setup
from connector.simulate.carrier import AtOnce
from connector.simulate.shelf import library_folder
from connector.steps import advance, byhand, dispatch, reconcile
from connector.steps.advance import Advancer
from connector.steps.dispatch import Dispatcher
from connector.steps.refresh import refresh
from connector.steps.restored import settle_all
from connector.steps.tidy import tidy
from connector.steps.writeback import writeback
from connector.text import count

BEGINS = datetime(2026, 10, 30, 15, tzinfo=UTC)  # a Friday, two days before the clocks go back
TICK = timedelta(milliseconds=1)
ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "")
AREAS = ("212", "213", "808", "312")
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
WORDS = ("STOP", "START", "HELP", "1", "2", "yes", "no", "thanks", "wrong number", "don't stop")
LAST_TAKEN = "SELECT provider_id FROM sends WHERE provider_id IS NOT NULL ORDER BY id DESC"
WORDING = "Text me. Reply STOP to end it."
MAPPING = """
[source]
adapter = "segment"
description = "Every signal by its own name"
[subject]
user_id = "userId"
anonymous_id = "anonymousId"
phone = "traits.phone"
email = "traits.email"
"""


def write_town(path: Path) -> Path:
    """The library's folder, with one more mapping by which every signal can be told."""
    library_folder(path)
    config = path / "config.toml"
    config.write_text(
        config.read_text()
        + "".join(
            f'\n[sources.{name}]\nmapping = "plain"\ntrust = "{trust}"\n'
            f'keys = ["file:key-{name}"]\n'
            for name, trust in (("backend", "trusted"), ("site", "browser"))
        )
        + '\n[ledger]\nfolder = "data"\n[holdout]\nglobal = 0.05\n'
    )
    for name in ("backend", "site"):
        (path / f"key-{name}").write_text(name)
    (path / "mappings" / "sources" / "plain.toml").write_text(_mapping(load(path, secrets=False)))
    return path


def _mapping(loaded: Loaded) -> str:
    traits = set().union(*(mapping.traits for mapping in loaded.mappings.values()))
    known = "".join(f'{name} = "traits.{name}"\n' for name in sorted(traits))
    scopes = {"marketing", "service"}.union(*(play.scopes for play in loaded.plays.values()))
    parts = [
        MAPPING,
        f"[traits]\n{known}",
        '[[events]]\ntype = "identify"\nsignal = "identified"\n',
    ]
    for scope in sorted(scopes):
        parts.append(
            f'[[events.consents]]\npurpose = "{scope}"\ngranted = "traits.ok_{scope}"\n'
            f'method = "web_form"\nwording = "traits.wording"\nphone = "traits.phone"\n'
        )
    seen = {"identified"}
    for mapping in loaded.mappings.values():
        for rule in mapping.events:
            if rule.signal not in seen and rule.signal not in ("reply", "click"):
                seen.add(rule.signal)
                facts = "".join(f'{name} = "properties.{name}"\n' for name in sorted(rule.facts))
                lines = [f'[[events]]\nname = "{rule.signal}"\nsignal = "{rule.signal}"']
                lines.append('key = "properties.key"')
                lines += [f'stage = "{rule.stage}"'] if rule.stage else []
                lines += [f'thing = "{rule.thing}"'] if rule.thing else []
                lines += [] if rule.activity else ["activity = false"]
                lines += [f'outcome = "{rule.outcome}"'] if rule.outcome else []
                parts.append("\n".join(lines) + f"\n[events.facts]\n{facts}")
    return "\n".join(parts)


@dataclass
class Clock:
    """Goes on by a millisecond each time it is looked at."""

    at: datetime = BEGINS

    def __call__(self) -> datetime:
        self.at += TICK
        return self.at


@dataclass
class Carrier:
    """Takes every text, or answers what it is told to, in order."""

    name: str = "sandbox"
    channels: frozenset[str] = frozenset(CHANNELS)
    does: frozenset[Ability] = frozenset()
    sent: list[Message] = field(default_factory=list)
    answers: deque[Exception] = field(default_factory=deque)

    def send(self, message: Message) -> Accepted:
        self.sent.append(message)
        if self.answers:
            raise self.answers.popleft()
        segments = count(message.text).segments
        return Accepted(f"SM-{message.send_id}", segments, 7_900 * segments, "USD")

    def find(self, message: Message, since: datetime) -> Found:
        return Found(None)

    def verify(self, hook: Hook, now: datetime) -> None:
        """Everybody is believed."""

    def inbound(self, since: datetime) -> Iterator[Reply]:
        return iter(())

    def carried(self, since: datetime) -> Iterator[Carried]:
        return iter(())

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        told = orjson.loads(hook.body)
        if "text" in told:
            return [Reply(self.name, told["id"], told["from"], "+12125550199", told["text"], None)]
        status = Status(told["status"])
        return [Receipt(self.name, told["id"], status, status.value, stamp=told["stamp"])]


@dataclass(frozen=True)
class Doing:
    """Something that the people of an example do, to be done by anybody."""

    play: str
    what: Mapping[str, Any]


class Town:
    """People, a connector, and time."""

    def __init__(self, folder: Path, people: int = 4) -> None:
        self.folder = folder
        self.loaded = load(folder, environ={"HOOK": "whsec_aG9vaw=="})
        self.clock = Clock()
        self.carrier = Carrier()
        self.people = people
        self._told = self._ids = 0
        self.doings = [
            Doing(play.name, item)
            for play in self.loaded.plays.values()
            for example in play.examples
            for item in (*example.get("history", ()), *example.get("events", ()))
            if "signal" in item or "traits" in item
        ]
        self.introductions = [
            {name: value for name, value in example["contact"].items() if name != "consents"}
            for play in self.loaded.plays.values()
            for example in play.examples
            if "contact" in example
        ]
        self.start()

    def start(self) -> None:
        """Open the ledger and the steps, as a new process does."""
        self.store = open_ledger(self.loaded.settings)
        self.store._writer.execute("PRAGMA synchronous = OFF")
        (known,) = self.rows("SELECT coalesce(max(rowid), 0) AS files FROM files")
        self.rt = open_setup(self.loaded, self.store)
        with self.store.write() as tx:  # seen on this clock, not on the wall's
            sql = "UPDATE files SET seen_at = :at WHERE rowid > :known"
            tx.run(sql, at=text(self.clock.at), known=known["files"])
        self.rt.clock, self.rt.new_id, self.rt.chance = self.clock, self._new_id, lambda: 0.5
        with self.store.write() as tx:
            cursors.set_(tx, "salt", "a town's own salt")
        self.rt.providers = {"sandbox": self.carrier}
        self.inbox = Inbox(
            self.loaded.settings.ledger / INBOX_FILE,
            moved=lambda: moved(self.store),
            wake=lambda: None,
        )
        self.inbox._connection.execute("PRAGMA synchronous = OFF")
        self.advancer = Advancer(self.rt)
        self.dispatcher = Dispatcher(self.rt, pool=AtOnce())
        reconcile.after_a_death(self.rt)

    def _new_id(self, kind: str) -> str:
        """As the real ones are: ordered by time, and the same each time a town is lived again."""
        self._ids += 1
        stamp = int(self.clock.at.timestamp() * 1_000) << 32
        return f"{kind}_{stamp | self._ids:020x}"

    def stop(self) -> None:
        self.inbox.close()
        self.rt.inbox.close()
        self.store.close()

    def restart(self) -> None:
        self.stop()
        self.start()
        self.work()

    # -- what happens --------------------------------------------------------------------------

    def introduce(self, person: int, consents: bool = True, **traits: Any) -> None:
        """A person becomes known, or something is learned of them."""
        zone = ZONES[person % len(ZONES)]
        area = AREAS[person % len(AREAS)]
        scopes = {"marketing", "service"}.union(
            *(play.scopes for play in self.loaded.plays.values())
        )
        told = {
            "phone": f"+1{area}55501{person % 100:02}",
            "first_name": f"P{person}",
            **({"timezone": zone} if zone else {}),
            **({f"ok_{scope}": True for scope in scopes} if consents else {}),
            "wording": WORDING,
            **traits,
        }
        self._deliver("backend", {"type": "identify", "userId": f"u{person}", "traits": told})

    def do(
        self,
        doing: Doing,
        person: int,
        late: timedelta = timedelta(),
        source: str = "backend",
    ) -> None:
        """Somebody does what an example's person does."""
        what = doing.what
        if "signal" not in what:
            self.introduce(person, consents=False, **what["traits"])
            return
        at = self.clock.at - late
        facts = {name: self._dated(value) for name, value in what.get("facts", {}).items()}
        body = {
            "type": "track",
            "event": what["signal"],
            "properties": {**facts, "key": what.get("key", "")},
            "timestamp": at.isoformat(),
            "sentAt": self.clock.at.isoformat(),
        }
        if "thing" not in what:
            body["userId"] = f"u{person}"
        self._deliver(source, body)

    def _dated(self, value: Any) -> Any:
        """A date of an example (it is November there), as far off from now as it was there."""
        if not isinstance(value, str) or not value[:4].isdigit() or len(value) < 10:
            return value
        try:
            told = datetime.fromisoformat(value)
        except ValueError:
            return value
        if told.tzinfo is None:
            return value
        start = datetime(2026, 11, 17, 17, tzinfo=UTC)
        return (told - start + self.clock.at).isoformat()

    def reply(self, person: int, text: str) -> None:
        """A person texts."""
        phone = f"+1{AREAS[person % len(AREAS)]}55501{person % 100:02}"
        self._told += 1
        body = {"id": f"in-{self._told}", "from": phone, "text": text}
        self._callback(body)

    def receipt(self, status: Status) -> None:
        """The provider tells of the last text."""
        with self.store.read() as tx:
            row = tx.one(
                "SELECT provider_id FROM sends WHERE provider_id IS NOT NULL ORDER BY id DESC"
            )
        if row:
            self._told += 1
            body = {"id": row["provider_id"], "status": status.value, "stamp": str(self._told)}
            self._callback(body)

    def click(self, after: timedelta = timedelta(minutes=1), agent: str = AGENT) -> None:
        """Somebody fetches the last link."""
        self.clock.at += after
        with self.store.read() as tx:
            row = tx.one("SELECT code FROM links ORDER BY made_at DESC LIMIT 1")
        if row:
            body = {"code": row["code"], "method": "GET", "agent": agent, "accept": "text/html"}
            told = {**body, "purpose": "", "network": "10.0.0.0/16"}
            self._append(Delivery("click", "links", self.clock(), orjson.dumps(told)))

    def pause(self, play: str) -> None:
        with self.store.write() as tx:
            verdict = self.loaded.plays[play].on_pause.value if play != "*" else "hold"
            pauses.set_(tx, play, verdict, who="operator:x", why="", at=self.clock())
            self._note(tx, "pause", play)
        self.work()

    def resume(self, play: str) -> None:
        with self.store.write() as tx:
            if pauses.lift(tx, play):
                self._note(tx, "resume", play)
        self.work()

    def _note(self, tx: Tx, act: str, play: str) -> None:
        about, who = f"play:{play}", "operator:x"
        acts.add(tx, self.rt.new_id("act"), act, about, who=who, at=self.clock.at)

    def by_hand(self, play: str, person: int) -> None:
        """An operator starts a play for a person."""
        with self.store.read() as tx:
            row = tx.one(
                "SELECT contact_id FROM identities WHERE kind = 'user_id' AND value = :who",
                who=f"u{person}",
            )
        if row:
            with self.store.write() as tx:
                who, now = "operator:x", self.clock()
                facts = {"topic": "prices"}
                byhand.start(
                    tx, self.rt, play, row["contact_id"], facts, who=who, why="", key="", now=now
                )
            self.work()

    def trouble(self, kind: str) -> None:
        """The provider's next answer is a failure."""
        failures = {"refused": Refused, "deferred": Deferred, "uncertain": Uncertain}
        self.carrier.answers.append(failures[kind]("no", reason="unavailable", code="9"))

    def _callback(self, body: Mapping[str, Any]) -> None:
        self._append(Delivery("callback", "sandbox", self.clock(), orjson.dumps(body)))

    def _deliver(self, source: str, body: Mapping[str, Any]) -> None:
        self._told += 1
        told = {"messageId": f"m{self._told}", **body}
        url = f"https://x.example/v1/{body['type']}"
        self._append(Delivery("events", source, self.clock(), orjson.dumps(told), url))

    def _append(self, delivery: Delivery) -> None:
        self.inbox.append(delivery)
        self.work()

    # -- time ----------------------------------------------------------------------------------

    def work(self) -> None:
        """All there is to do now."""
        parts = (self.advancer.round, self.dispatcher.round)
        steps = (tidy, writeback, refresh, settle_all)
        while sum([part() for part in parts] + [step(self.rt) for step in steps]):
            pass

    def go(self, span: timedelta, lag: timedelta = timedelta()) -> None:
        """Let time pass; what comes due is done as much later as the worker lags."""
        until = self.clock.at + span
        while (due := self._next()) < until:
            self.clock.at = max(due + lag, self.clock.at)
            self.work()
        self.clock.at = max(until, self.clock.at)
        self.work()

    def jump(self, span: timedelta) -> None:
        """Let time pass while the worker stands still."""
        self.clock.at += span
        self.work()

    def _next(self) -> datetime:
        now = self.clock.at
        return min(advance.next_due(self.rt, now), dispatch.next_due(self.rt, now))

    # -- what stands in the ledger -------------------------------------------------------------

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        with self.store.read() as tx:
            return [dict(row) for row in tx.all(sql, **params)]


def wander(town: Town, chance: random.Random, steps: int) -> None:
    """People do this and that, by chance."""
    for person in range(town.people):
        town.introduce(person, **chance.choice(town.introductions))
    for _ in range(steps):
        step(town, chance)


def step(town: Town, chance: random.Random) -> None:
    """One thing happens."""
    person, what = chance.randrange(town.people), chance.random()
    if what < 0.55:
        late = timedelta(minutes=chance.choice((0, 0, 0, 5, 90, 60 * 60)))
        source = chance.choice(("backend", "backend", "site"))
        doing = chance.choice(town.doings)
        town.do(doing, person, late, "backend" if "thing" in doing.what else source)
    elif what < 0.75:
        span = timedelta(minutes=chance.choice((1, 10, 70, 300, 1_500, 11_000)))
        town.go(span, timedelta(milliseconds=chance.choice((0, 350, 5_000))))
    elif what < 0.78:
        town.jump(timedelta(hours=chance.choice((1, 9, 60))))
    elif what < 0.86:
        town.reply(person, chance.choice(WORDS))
    elif what < 0.89:
        town.click()
    elif what < 0.91:
        town.receipt(chance.choice((Status.delivered, Status.undelivered, Status.sent)))
    elif what < 0.93:
        town.trouble(chance.choice(("refused", "deferred", "uncertain")))
    elif what < 0.94:
        town.introduce(person, **chance.choice(town.introductions))
    elif what < 0.96:
        town.by_hand(chance.choice(sorted(town.loaded.plays)), person)
    elif what < 0.98:
        play = chance.choice(["*", *sorted(town.loaded.plays)])
        town.pause(play)
        town.go(timedelta(hours=chance.choice((1, 30))))
        town.resume(play)
    else:
        town.restart()
