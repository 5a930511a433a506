"""Derived: decisions made again from what the ledger keeps of them, one or a month of them.

What a decision saw, its policy and its hours are read from the ledger, and each must still have
the hash by which the decision names it. The rules are those of today's program.
"""

from __future__ import annotations

import hashlib
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from connector.config import hours, libraries, policy
from connector.config.eligibility import Around
from connector.config.plays import revive
from connector.config.supply import Supply
from connector.errors import Fault
from connector.ledger import audited, files
from connector.ledger.store import Row, Store, Tx
from connector.model import Objection, Verdict
from connector.rules.plays import Play
from connector.rules.policy import Rulebook
from connector.rules.policy.derive import (
    Derived,
    Difference,
    Recorded,
    derive,
    heads,
    is_of_step,
)
from connector.rules.policy.kept import Remade, rebuilt
from connector.rules.render import version
from connector.rules.triggers.derived import derive_start
from connector.simulate.sides import Kept

SAME: Final = "same"
DIFFERS: Final = "differs"
UNKNOWN: Final = "unknown"  #: it cannot be told: what it rests on is gone, lawfully, or unreadable


@dataclass(slots=True)
class Audited:
    """What came of making one decision again."""

    recorded: Recorded
    about: Row
    result: str = SAME
    why: str = ""  #: where the result is unknown
    differences: list[Difference] = field(default_factory=list)
    derived: Derived | None = None
    remade: Remade | None = None
    notes: list[str] = field(default_factory=list)
    libraries: dict[str, tuple[str, str]] = field(default_factory=dict)  #: name → (then, now)


class Wrong(Exception):
    """What a decision rests on is not what it was: the difference says so."""

    def __init__(self, what: str, recorded: str, derived: str) -> None:
        super().__init__(what)
        self.difference = Difference(what, recorded, derived)


class Gone(Exception):
    """What a decision rests on cannot be had, and nobody is to blame for it."""


class Auditor:
    """Makes decisions again; each policy, hours file and play is read once."""

    def __init__(self) -> None:
        self._books: dict[str, Rulebook | Exception] = {}
        self._plays: dict[tuple[str, str], Play | Exception] = {}

    def audit(self, tx: Tx, row: Row) -> Audited:
        """Make a decision again (a row of ``audited.one``), and say what came of it."""
        found = Audited(_recorded(row), row)
        try:
            kept = _facts(tx, row)
            if found.recorded.moment == "trigger":
                self._start(tx, found, kept)
            else:
                self._text(tx, found, kept)
        except Wrong as wrong:
            found.differences.append(wrong.difference)
        except Gone as gone:
            found.result, found.why = UNKNOWN, str(gone)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            says = f"{type(error).__name__}: {error}"
            found.differences.append(Difference("facts", "readable", f"unreadable ({says:.120})"))
        if found.differences:
            found.result = DIFFERS
            found.libraries = _changed(tx, row)
        return found

    def _text(self, tx: Tx, found: Audited, kept: Mapping[str, Any]) -> None:
        """A decision about a text: every check of the policy is made again."""
        row, book = found.about, self._book(tx, str(found.about["policy_version"]))
        found.remade = rebuilt(kept, book, found.recorded.at)
        found.derived = derive(found.recorded, found.remade)
        found.differences += found.derived.differences
        if kept.get("answers"):
            rules = ", ".join(sorted(kept["answers"]))
            found.notes.append(f"taken as answered then, since what they read is not kept: {rules}")
        found.notes += [_of_play(tx, row, each) for each in found.derived.taken]
        if row["last_at"]:
            found.differences += self._repeated(found, kept, book)

    def _repeated(
        self, found: Audited, kept: Mapping[str, Any], book: Rulebook
    ) -> Iterator[Difference]:
        """The same waiting, as it was decided the last time."""
        row, first = found.about, found.recorded
        at, until = _instant(row["last_at"]), row["last_until"]
        last = Recorded(
            *(first.id, first.moment, first.verdict, first.reason, first.objections),
            _instant(until) if until else None,
            at,
        )
        decision = derive(last, rebuilt(kept, book, at)).decision
        for each in heads(last, decision):
            what = f"{each.what}, repeated at {row['last_at']}"
            yield Difference(what, each.recorded, each.derived)

    def _start(self, tx: Tx, found: Audited, kept: Mapping[str, Any]) -> None:
        """A decision about a start: what was kept of it is judged again."""
        if "at" not in kept:
            raise Gone("when what started it occurred was not kept with it")
        play = self._play(tx, str(found.about["play"]), str(found.about["version"]))
        found.derived = derive_start(found.recorded, kept, play)
        found.differences += found.derived.differences
        told = [each.reason for each in found.derived.taken]
        if play.audience is not None and not told:
            told = ["that the person is in the audience"]
        if told:
            says = f"taken over, since what it rests on is not kept: {', '.join(told)}"
            found.notes.append(says)

    def _book(self, tx: Tx, named: str) -> Rulebook:
        """The policy and hours that a decision names, as they are kept."""
        if named not in self._books:
            try:
                self._books[named] = _read_book(tx, named)
            except (Wrong, Gone) as error:
                self._books[named] = error
        found = self._books[named]
        if isinstance(found, Exception):
            raise found
        return found

    def _play(self, tx: Tx, name: str, named: str) -> Play:
        if (name, named) not in self._plays:
            try:
                self._plays[name, named] = _read_play(tx, name, named)
            except (Wrong, Gone) as error:
                self._plays[name, named] = error
        found = self._plays[name, named]
        if isinstance(found, Exception):
            raise found
        return found


def sampled(store: Store, since: str, most: int | None, chance: float) -> tuple[int, Iterator[str]]:
    """(how many there are, the ids of those to be audited): all, or ``most`` spread evenly.

    ``chance`` (in [0, 1)) shifts which ones, so that nobody knows beforehand.
    """
    with store.read() as tx:
        count, first = audited.span(tx, since)
    everything = audited.ids(store, first, count)
    if most is None or most >= count:
        return count, everything
    places = {int((number + chance) * count / most) for number in range(most)}
    return count, (each for place, each in enumerate(everything) if place in places)


def _recorded(row: Row) -> Recorded:
    objections = tuple(
        Objection(
            each["reason"],
            Verdict(each["verdict"]),
            each["says"],
            _instant(each["until"]) if each["until"] else None,
        )
        for each in orjson.loads(row["objections"])
    )
    until = row["until_at"]
    return Recorded(
        *(str(row["id"]), str(row["moment"]), str(row["verdict"]), str(row["reason"]), objections),
        _instant(until) if until else None,
        _instant(row["decided_at"]),
    )


def _facts(tx: Tx, row: Row) -> Mapping[str, Any]:
    """What a decision saw, where it is there and is what it was."""
    body = row["facts"]
    if body is None:
        if act := audited.erased_by(tx, str(row["contact_id"])):
            raise Gone(f"what it saw was erased with the person (act {act})")
        raise Wrong("facts", str(row["facts_hash"]), "gone, and no act says who erased them")
    digest = hashlib.sha256(body.encode()).hexdigest()[:32]
    if digest != row["facts_hash"]:
        raise Wrong("facts", str(row["facts_hash"]), f"changed since: their hash is {digest}")
    found: Mapping[str, Any] = orjson.loads(body)
    return found


def _read_book(tx: Tx, named: str) -> Rulebook:
    first, _, second = named.partition("+")
    rules, opens = _content(tx, "policy", "policy", first), _content(tx, "hours", "hours", second)
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix="connector-audit-") as place:
        paths = {kind: Path(place) / f"{kind}.toml" for kind in ("policy", "hours")}
        text = Kept("policy", first, rules, "").text
        paths["policy"].write_text(text, encoding="utf-8")
        paths["hours"].write_text(opens, encoding="utf-8")
        supply = Supply(complete=False)
        around = Around(lists=Path(place) / "lists")
        found = policy.load(paths["policy"], supply, _plays(text), faults, around=around)
        lawful = hours.load(paths["hours"], faults)
    if faults:
        raise Gone(f"the policy {named} cannot be read by this version: {faults[0]}")
    # Lists stand beside a policy and belong to its version: whom they named is in the facts.
    return Rulebook(replace(found, version=first), replace(lawful, version=second))


def _plays(text: str) -> tuple[str, ...]:
    """The plays that the caps of a policy name."""
    caps = tomllib.loads(text).get("caps", [])
    return tuple(str(each["play"]) for each in caps if each.get("play"))


def _read_play(tx: Tx, name: str, named: str) -> Play:
    found = revive(name, _content(tx, "play", name, named))
    if found is None:
        raise Gone(f"the play {name} of version {named} cannot be read by this version")
    return found


def _content(tx: Tx, kind: str, name: str, named: str) -> str:
    """The content of a file of then; raises ``Wrong`` where it is gone or another."""
    content = files.content(tx, kind, name, named)
    what = kind if kind == name else f"{kind} {name}"
    if not content:
        raise Wrong(what, named, "not kept in the ledger")
    if (digest := version(content)) != named:
        raise Wrong(what, named, f"changed since: its content is {digest}")
    return content


def _of_play(tx: Tx, row: Row, objection: Objection) -> str:
    """What can be checked of a reason that came from the play, in a sentence."""
    says = f"{objection.reason} is taken from the play"
    if is_of_step(objection.reason) and objection.reason != "no_longer_wanted":
        try:
            _content(tx, "play", str(row["play"]), str(row["version"]))
        except Wrong as wrong:
            return f"{says}, of which version {row['version']} is {wrong.difference.derived}"
        return f"{says}: what its conditions read is not kept, its version {row['version']} is"
    walk = audited.walk(tx, str(row["enrolment_id"] or ""))
    if walk is None or walk["state"] not in ("ended", "done"):
        return f"{says}: {objection.says}"
    return f"{says}: the enrolment is {walk['state']} ({walk['exit_reason'] or 'done'})"


def _changed(tx: Tx, row: Row) -> dict[str, tuple[str, str]]:
    """The libraries that are not what they were when a decision was made."""
    then, now = audited.libraries(tx, str(row["decided_at"])), libraries.versions()
    return {
        name: (then[name], now[name])
        for name in sorted(now)
        if name in then and then[name] != now[name]
    }


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value)
