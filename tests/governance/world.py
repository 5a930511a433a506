"""A small world for the oracle: six plays, people in seven states, two workers on one ledger.

What is told to the connector here is told to the oracle too; more of it in ``telling.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector.messages import Message
from connector.rules.optin import REQUEST
from connector.runtime import open_ledger, open_setup
from connector.simulate.carrier import AtOnce
from connector.steps.advance import Advancer
from connector.steps.clockguard import ClockGuard
from connector.steps.dispatch import Dispatcher
from tests.governance.oracle import STATES, Limit, Oracle
from tests.running import folder
from tests.simulate.town import MAPPING, TICK
from tests.simulate.village import Village

AREAS: Final = tuple(STATES)
ZONES: Final = ("", "America/New_York", "America/Los_Angeles")
LIMITS: Final = (Limit(2, timedelta(hours=24)), Limit(4, timedelta(days=7)))
GAP: Final = timedelta(hours=1)
POLICY: Final = """
stop_scope = "all"
gap = "1h"
window_margin = "15m"
[[caps]]
name = "marketing in a day"
purpose = "marketing"
count = 2
per = "24h"
[[caps]]
name = "marketing in a week"
purpose = "marketing"
count = 4
per = "7d"
"""
HEAD: Final = """
description = "{name}"
role = "{role}"
purpose = "{purpose}"
holdout = 0
exclusive = false
next_step = "none"
[[steps]]
name = "one"
template = "hello"
expires = "72h"
"""
GOAL: Final = '[goal]\nsignal = "bought"\nwithin = "1h"\n'
PLAYS: Final = {
    "offer": ("marketing", 'signal = "offer"\n', ""),
    "flash": ("marketing", 'signal = "flash"\n', "priority = 50\n"),
    "cart": ("marketing", 'signal = "cart"\nafter = "1h"\n', 'scopes = ["cart_reminders"]\n'),
    "pair": ("marketing", 'signal = "pair"\n', ""),
    "order": ("service", 'signal = "order"\n', ""),
    "hand": ("marketing", "hand = true\n", ""),
}
FOLLOW_UP: Final = '[[steps]]\nname = "two"\nwait = "20h"\ntemplate = "hello"\nexpires = "72h"\n'
PURPOSES: Final = ("service", "marketing", "cart_reminders")
SCOPES: Final = {"cart": ("cart_reminders",)}


def write_world(path: Path) -> Path:
    """The folder of the world: its plays, its caps, and one mapping for every signal."""
    folder(path, 1, sources__backend='mapping = "plain"', ledger='folder = "data"')
    config = path / "config.toml"
    text = config.read_text().replace('mapping = "segment"\ntrust = "trusted"', 'trust = "trusted"')
    config.write_text(text.replace("test_clock = true", ""))
    for old in (path / "mappings" / "plays").glob("*.toml"):
        old.unlink()
    for name, (purpose, start, more) in PLAYS.items():
        role = "service" if purpose == "service" else "retention"
        body = more + HEAD.format(name=name, role=role, purpose=purpose)
        body += (FOLLOW_UP if name == "pair" else "") + f"[start]\n{start}"
        body += GOAL if purpose == "marketing" else ""
        (path / "mappings" / "plays" / f"{name}.toml").write_text(body)
    (path / "templates" / "hello.en.txt").write_text("{{ brand }}: hello. Reply STOP to end.\n")
    (path / "mappings" / "policy.toml").write_text(POLICY)
    (path / "mappings" / "sources" / "plain.toml").write_text(_mapping())
    return path


def _mapping() -> str:
    traits = "".join(f'{name} = "traits.{name}"\n' for name in ("first_name", "timezone"))
    parts = [MAPPING, f"[traits]\n{traits}", '[[events]]\ntype = "identify"\nsignal = "known"\n']
    for scope in PURPOSES:
        parts.append(
            f'[[events.consents]]\npurpose = "{scope}"\ngranted = "traits.ok_{scope}"\n'
            f'method = "web_form"\nwording = "traits.wording"\nphone = "traits.phone"\n'
        )
    parts.append('[[events]]\ntype = "alias"\nsignal = "aliased"\n')
    for name in (*PLAYS, "bought"):
        parts.append(f'[[events]]\nname = "{name}"\nsignal = "{name}"\nkey = "properties.key"\n')
    return "\n".join(parts)


class World(Village):
    """People, a connector with two workers, and an oracle that sees each call to the provider."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.oracle = Oracle(LIMITS, GAP)
        self._one_at_a_time = threading.RLock()
        self._same: dict[int, set[int]] = {}  #: person → all that turned out to be the same
        self._stated: dict[int, set[str]] = {}  #: person whose number was told → zones stated
        self.ahead = timedelta()  #: how far the clock is off
        super().__init__(folder, home, people=0)
        self.witness.look = self._look

    def start(self) -> None:
        super().start()
        self.second = open_ledger(self.loaded.settings)
        self.second._writer.execute("PRAGMA synchronous = OFF")
        self.other = open_setup(self.loaded, self.second)
        self.other.clock, self.other.new_id = self.rt.clock, self.rt.new_id
        self.other.chance, self.other.providers = self.rt.chance, self.rt.providers
        self.rt.opt_out_fields = {self.rt.crm: "no_texts"}
        self.guard = ClockGuard(
            self.rt,
            heard=self._other_clocks,
            wall=lambda: self.clock.at,
            monotonic=self._monotonic,
            ask=lambda host: None,
        )
        self.advancer2 = Advancer(self.other)
        self.dispatcher2 = Dispatcher(self.other, pool=AtOnce())

    def stop(self) -> None:
        self.other.inbox.close()
        self.second.close()
        super().stop()

    def work(self) -> None:
        self.guard.round()
        super().work()

    def _monotonic(self) -> float:
        return (self.clock.at - self.ahead).timestamp()

    def _other_clocks(self) -> dict[str, list[tuple[float, float]]]:
        """What a provider's last answers told of its clock, which is right."""
        return {"https://provider.example": [(self._monotonic(), self.ahead.total_seconds())] * 3}

    def set_clock(self, ahead: timedelta) -> None:
        """The machine's clock is set so far ahead of the right time; what is due then is done."""
        self.clock.at += ahead - self.ahead
        self.ahead = ahead
        self.oracle.clock_wrong = abs(ahead) > timedelta(seconds=60)
        self.work()

    def _new_id(self, kind: str) -> str:
        with self._one_at_a_time:
            return super()._new_id(kind)

    def _look(self, message: Message) -> None:
        with self._one_at_a_time:
            answers = self.witness.answers
            fails = type(answers[0]).__name__ if answers else ""
            sql = "SELECT play, template FROM sends WHERE id = :id"
            row = self.rows(sql, id=message.send_id)[0]
            self.oracle.leaves(
                self.clock.at,
                message.to,
                message.purpose,
                SCOPES.get(str(row["play"]), ()),
                counts=fails not in ("Refused", "Deferred"),
                asks=row["template"] == REQUEST,
            )

    # -- two at once ---------------------------------------------------------------------------

    def both(self) -> None:
        """Both workers look for what is due, at the same instant."""
        faults: list[BaseException] = []
        barrier = threading.Barrier(2)

        def run(advancer: Advancer, dispatcher: Dispatcher) -> None:
            try:
                barrier.wait(10)
                while advancer.round() + dispatcher.round():
                    pass
            except BaseException as fault:
                faults.append(fault)

        pairs = ((self.advancer, self.dispatcher), (self.advancer2, self.dispatcher2))
        threads = [threading.Thread(target=run, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    @contextmanager
    def unworked(self) -> Iterator[None]:
        """What is told meanwhile waits in the inbox, for whoever works next."""
        self.work, kept = (lambda: None), self.work  # type: ignore[method-assign]
        try:
            yield
        finally:
            self.work = kept  # type: ignore[method-assign]

    # -- what people do, told to the connector and to the oracle --------------------------------

    def phone(self, person: int) -> str:
        return number_of(person)

    def meets(self, person: int, zone: str, granted: dict[str, bool]) -> None:
        """A person becomes known, with what they agree to or no longer agree to."""
        traits: dict[str, Any] = {f"ok_{purpose}": said for purpose, said in granted.items()}
        at = self.told(person, traits | ({"timezone": zone} if zone else {}))
        phone = number_of(person)
        self._stated.setdefault(person, set()).update({zone} if zone else ())
        self._tell_who(self._same.setdefault(person, {person}))
        for purpose, said in granted.items():
            act = "grant" if said else "revoke"
            self.oracle.number(phone).add(at, act, purpose, now=self.clock.at)

    def told(self, person: int, traits: dict[str, Any]) -> datetime:
        """Traits of a person with their number; when they were told."""
        at = self.clock.at + TICK
        known = {"phone": number_of(person), "first_name": f"P{person}", "wording": "Text me."}
        self.identify_alone(person, **known, **traits)
        return at

    def says(self, person: int, words: str, acts: Callable[[Oracle, str, datetime], None]) -> None:
        """A person texts; ``acts`` tells the oracle what that means."""
        at = self.clock.at + TICK
        self.oracle.number(number_of(person)).wrote_at = at
        acts(self.oracle, number_of(person), at)
        self._told += 1
        self._callback({"id": f"in-{self._told}", "from": number_of(person), "text": words})

    def becomes(self, winner: int, loser: int) -> None:
        """Two turn out to be one."""
        together = self._same.get(winner, {winner}) | self._same.get(loser, {loser})
        for person in together:
            self._same[person] = together
        self._tell_who(together)
        self.alias(winner, loser)

    def parts(self) -> None:
        """The last merge is undone; the oracle no longer says who is one with whom."""
        self.split()
        for person, together in list(self._same.items()):
            known = together & set(self._stated)
            if len(together) > 1 and person in known:
                every = set[str]().union(*(self._stated[each] for each in known))
                self._stated[person] = every | {""}
            self._same[person] = {person}
            self._tell_who({person})

    def _tell_who(self, together: set[int]) -> None:
        """The oracle hears which numbers are one person's, and which zones that one stated."""
        known = [person for person in together if person in self._stated]
        phones = {number_of(person) for person in known}
        zones = set[str]().union(*(self._stated[person] for person in known)) or {""}
        for phone in phones:
            self.oracle.people[phone], self.oracle.zones[phone] = phones, zones


def number_of(person: int) -> str:
    """The number of a person: each of the seven states has some."""
    return f"+1{AREAS[person % len(AREAS)]}55501{person:02}"
