"""Altered: the decisions and texts of two worlds side by side, and what differs between them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from typing import Any, Final, NamedTuple

import orjson

from connector.simulate.compare import DECISIONS
from connector.simulate.recorded import stripped
from connector.simulate.scratch import ScratchTx

TABLE: Final = """CREATE TABLE lines (contact TEXT, play TEXT, key TEXT, step TEXT, moment TEXT,
    at TEXT, number INTEGER PRIMARY KEY, side INTEGER, verdict TEXT, reasons TEXT, purpose TEXT)"""
LINES: Final = """SELECT contact, play, key, step, moment, side, at, verdict, reasons, purpose
    FROM lines ORDER BY contact, play, key, step, moment, at, number"""
ADD: Final = "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
MADE: Final = f"{DECISIONS} WHERE d.decided_at >= :since"
TEXTS: Final = """SELECT * FROM sends
    WHERE accepted_at IS NOT NULL AND cause = 'play' AND accepted_at >= :since"""
TEXT: Final = "text"  #: the moment of a text that was taken
EXAMPLES: Final = 10
OF_A_KIND: Final = 2  #: examples of one and the same change, while there are others


class Made(NamedTuple):
    """One decision, or one text that went."""

    at: str
    verdict: str
    reasons: tuple[str, ...]
    purpose: str

    @property
    def label(self) -> str:
        """Verdict and the gravest reason: ``wait cap_full``."""
        return f"{self.verdict} {self.reasons[0]}" if self.reasons else self.verdict


About = tuple[str, str, str, str, str]
"""Contact, play, key, step, moment."""


class Change(NamedTuple):
    """One decision or text that is another under B, or is there under one of the two only."""

    contact_id: str
    play: str
    key: str
    step: str
    moment: str  #: trigger, plan, send; text where it is the text itself
    what: str  #: changed, beside (only further reasons), moved, only_a, only_b
    a: Made | None
    b: Made | None

    @property
    def pair(self) -> tuple[str, str, str]:
        """The moment, and what was and would have been decided at it."""
        return (
            self.moment,
            self.a.label if self.a else "nothing",
            self.b.label if self.b else "nothing",
        )


@dataclass(slots=True)
class Tally:
    """What differs for one play, for one purpose, or over all."""

    texts_a: int = 0
    texts_b: int = 0
    only_a: int = 0
    only_b: int = 0
    moved: int = 0  #: texts that go at another time
    decisions: int = 0  #: that are others
    people: int = 0  #: whom any of it concerns
    last: str = ""  #: the person counted last

    def count(self, moment: str, a: Made | None, b: Made | None) -> None:
        """Count a text of either side."""
        if moment == TEXT:
            self.texts_a += a is not None
            self.texts_b += b is not None

    def note(self, change: Change) -> None:
        """Count a change; people come one after the other."""
        if change.moment != TEXT:
            self.decisions += 1
        elif change.what in ("only_a", "only_b"):
            setattr(self, change.what, getattr(self, change.what) + 1)
        else:
            self.moved += 1
        if change.contact_id != self.last:
            self.people, self.last = self.people + 1, change.contact_id


@dataclass(slots=True)
class Altered:
    """All that differs, counted, and some of it shown."""

    whole: Tally = field(default_factory=Tally)
    plays: dict[str, Tally] = field(default_factory=dict)
    purposes: dict[str, Tally] = field(default_factory=dict)
    same: int = 0  #: decisions made at the same instant, for the same reasons
    moved: int = 0  #: for the same reasons, at another instant
    beside: int = 0  #: with the same verdict and gravest reason, and others beside it
    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  #: moment, was, is
    examples: list[Change] = field(default_factory=list)
    _more: list[Change] = field(default_factory=list)
    _shown: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.moved or self.beside or self.changes or self.whole.people)

    def tallies(self, play: str, purpose: str) -> tuple[Tally, Tally, Tally]:
        """Where something of a play and a purpose counts."""
        of_play = self.plays.setdefault(play, Tally())
        return self.whole, of_play, self.purposes.setdefault(purpose, Tally())

    def note(self, change: Change) -> None:
        """Count a change of a decision, and keep some to show, of many kinds."""
        if change.moment == TEXT:
            return
        if change.what == "moved":
            self.moved += 1
        elif change.what == "beside":
            self.beside += 1
        else:
            self.changes[change.pair] += 1
        self._shown[change.pair] += 1
        if self._shown[change.pair] <= OF_A_KIND and len(self.examples) < EXAMPLES:
            self.examples.append(change)
        elif len(self._more) < EXAMPLES:
            self._more.append(change)

    def fill(self) -> None:
        """Where there is room left, show more of a kind."""
        self.examples += self._more[: EXAMPLES - len(self.examples)]


def altered(
    a: ScratchTx,
    b: ScratchTx,
    winner: Callable[[str], str],
    purposes: Mapping[str, str],
    since: str = "",
    play: str = "",
    tell: Callable[[Change], None] = lambda change: None,
) -> Altered:
    """Lay two worlds side by side; each change is told, person by person.

    ``winner`` says who a contact turned out to be; ``purposes`` those of the plays by name;
    ``play`` the only one that is laid.
    Memory does not grow with what they hold: it is ordered in a file that goes.
    """
    found = Altered()
    with _Lines() as lines:
        for side, tx in enumerate((a, b)):
            lines.add(side, tx, winner, purposes, since)
        for about, sides in lines.laid():
            for one, other in zip_longest(*sides) if play in ("", about[1]) else ():
                _lay(found, about, one, other, tell)
    found.fill()
    return found


def _lay(
    found: Altered,
    about: About,
    a: Made | None,
    b: Made | None,
    tell: Callable[[Change], None],
) -> None:
    moment, either = about[4], a or b
    assert either is not None  # noqa: S101
    tallies = found.tallies(about[1], either.purpose)
    for tally in tallies:
        tally.count(moment, a, b)
    what = _what(a, b)
    if not what:
        found.same += moment != TEXT
        return
    change = Change(*about, what, a, b)
    for tally in tallies:
        tally.note(change)
    found.note(change)
    tell(change)


def _what(a: Made | None, b: Made | None) -> str:
    """How the k-th decisions about one thing differ; "" where they do not."""
    if a is None or b is None:
        return "only_b" if a is None else "only_a"
    if a.label != b.label:
        return "changed"
    if a.reasons != b.reasons:
        return "beside"
    return "moved" if a.at != b.at else ""


class _Lines:
    """What two worlds decided and sent, in one order; in a file that goes."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for setting in ("synchronous = OFF", "journal_mode = OFF"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute(TABLE)

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(
        self,
        side: int,
        tx: ScratchTx,
        winner: Callable[[str], str],
        purposes: Mapping[str, str],
        since: str,
    ) -> None:
        """Take one world in."""
        self._db.execute("BEGIN")
        for row in tx.each(MADE, since=since):
            key = row["hand"] or stripped(row["key"])
            about = (winner(row["contact_id"]), row["play"], key, row["step"], row["moment"])
            reasons = orjson.dumps([each["reason"] for each in orjson.loads(row["objections"])])
            purpose = purposes.get(row["play"], "system")
            self._db.execute(
                ADD, (*about, row["decided_at"], side, row["verdict"], reasons, purpose)
            )
        for row in tx.each(TEXTS, since=since):
            key = stripped(row["key"])
            about = (winner(row["contact_id"]), row["play"], key, row["step"], TEXT)
            values = (*about, row["accepted_at"], side, "sent", b"[]", row["purpose"])
            self._db.execute(ADD, values)
        self._db.execute("COMMIT")

    def laid(self) -> Iterator[tuple[About, tuple[list[Made], list[Made]]]]:
        """For each thing that was decided about: what A made of it, and what B did."""
        rows = self._db.execute(LINES)
        for about, lines in groupby(rows, key=lambda row: tuple(row[:5])):
            sides: tuple[list[Made], list[Made]] = ([], [])
            for *_, side, at, verdict, reasons, purpose in lines:
                sides[side].append(Made(at, verdict, tuple(orjson.loads(reasons)), purpose))
            yield about, sides


def as_json(change: Change) -> dict[str, Any]:
    """A change as plain values."""
    names = ("contact_id", "play", "step", "moment", "what")
    sides = {name: getattr(change, name) for name in ("a", "b")}
    return {
        **{name: getattr(change, name) for name in names},
        **{
            name: None
            if made is None
            else {"at": made.at, "verdict": made.verdict, "reasons": list(made.reasons)}
            for name, made in sides.items()
        },
    }
