"""What the connector did then, laid out so that a replay can look it up: decisions, answers, links.

It stands in a database of its own, in a file that goes, so that memory does not grow with it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from connector import clock

TABLES: Final = (
    """CREATE TABLE decisions (number INTEGER PRIMARY KEY, about TEXT NOT NULL,
        at TEXT NOT NULL, last_at TEXT NOT NULL, binds INTEGER NOT NULL, line TEXT NOT NULL)""",
    "CREATE INDEX decisions_about ON decisions (about, at)",
    "CREATE TABLE starts (what TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX starts_what ON starts (what, at)",
    """CREATE TABLE answers (about TEXT NOT NULL, attempt INTEGER NOT NULL,
        begun_at TEXT NOT NULL, line TEXT NOT NULL)""",
    "CREATE INDEX answers_about ON answers (about, attempt, begun_at)",
    "CREATE TABLE links (about TEXT NOT NULL, url TEXT NOT NULL, code TEXT NOT NULL)",
    "CREATE INDEX links_about ON links (about, url)",
    "CREATE TABLE merged (loser TEXT PRIMARY KEY, winner TEXT NOT NULL)",
)
INSTANT: Final = """SELECT min(at) FROM (
    SELECT min(at) AS at FROM decisions WHERE about = ?1 AND binds = 1 AND at >= ?2 UNION ALL
    SELECT min(last_at) FROM decisions WHERE about = ?1 AND binds = 1 AND last_at >= ?2)"""
PLANNED: Final = "SELECT line FROM decisions WHERE about = ? AND binds = 1 AND at = ? LIMIT 1"
START: Final = "INSERT INTO starts VALUES (?, ?)"
NEXT_START: Final = "SELECT min(at) FROM starts WHERE what = ? AND at >= ?"
BY_HAND: Final = ("hand", "test")
WHOSE_HAND: Final = """CASE WHEN s.cause = 'hand' OR s.cause = 'test' THEN s.id
        WHEN s.cause = 'system' AND s.contact_id = '' THEN s.phone ELSE '' END AS hand"""
"""What tells a text apart that no play and no person does: one by hand, one to a mere number."""
COMMIT_EVERY: Final = 5_000
LIFE: Final = "life"
ROUND: Final = timedelta(seconds=2)  #: a round of the worker surely takes no longer

_SIGNAL = re.compile(r"sig_[0-9a-f]{6,20}")

Line = dict[str, Any]


class Recorded:
    """Everything recorded, by what it was about.

    ``binds`` says of a decision whether it was made by files as they are now: only then is a
    thing done at the instant at which it was done then.
    """

    def __init__(
        self, path: Path | None = None, binds: Callable[[Line], bool] = lambda line: True
    ) -> None:
        self._binds = binds
        self._db = sqlite3.connect(path or "", isolation_level=None)  # "": a file that goes
        for setting in ("synchronous = OFF", "journal_mode = OFF"):
            self._db.execute(f"PRAGMA {setting}")
        for table in TABLES:
            self._db.execute(table)
        self._db.execute("BEGIN")
        self._added = 0
        self.winner = lru_cache(maxsize=100_000)(self._winner)

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, line: Line) -> None:
        """Keep a recorded line; those that tell who was merged come before all others."""
        kind = line["kind"]
        if kind == "merged":
            self._run("INSERT INTO merged VALUES (?, ?)", line["loser"], line["winner"])
        elif kind == "decision" and line.get("erased"):
            self._run(START, LIFE, line["decided_at"])
        elif kind == "decision":
            about = self.about_decision(line)
            at, last_at = line["decided_at"], line["last_at"]
            sql = "INSERT INTO decisions VALUES (NULL, ?, ?, ?, ?, ?)"
            binds = self._binds(line)
            self._run(sql, about, at, last_at, binds, _packed(line))
            self._run(START, LIFE, at)
            if binds and line["moment"] == "trigger":
                self._add_start(line)
        elif kind in ("lapse", "watch", "schedule"):
            self._add_instant(kind, line)
        elif kind == "provider_answer":
            values = (self.about_send(line), line["attempt"], line["begun_at"])
            self._run("INSERT INTO answers VALUES (?, ?, ?, ?)", *values, _packed(line))
        elif kind == "link":
            self._run(
                "INSERT INTO links VALUES (?, ?, ?)",
                self.about_send(line),
                line["url"],
                line["code"],
            )

    def _add_instant(self, kind: str, line: Line) -> None:
        """When something was noticed that nobody told."""
        if kind == "lapse":
            self._run(START, _joined(kind, line["phone"]), line["lapsed_at"])
        elif kind == "watch":
            self._run(START, _joined(kind, line["template"]), line["at"])
        elif self._binds({**line, "policy_version": line["version"]}):
            self._run(START, _joined(kind, line["play"]), line["at"])

    def _add_start(self, line: Line) -> None:
        """By what time alone began it is told: the person and play; a fan-out by what it told."""
        told = line["event_id"] or _SIGNAL.sub("", line["key"])
        self._run(START, _joined("told", line["play"], told), line["decided_at"])
        if not line["event_id"]:
            who = _joined("who", self.winner(line["contact_id"]), line["play"])
            self._run(START, who, line["decided_at"])

    def _run(self, sql: str, *values: Any) -> None:
        self._db.execute(sql, values)
        self._added += 1
        if self._added % COMMIT_EVERY == 0:
            self._db.execute("COMMIT")
            self._db.execute("BEGIN")

    def about_decision(self, line: Any) -> str:
        """What a decision is about, in one text: equal for the same thing in ledger and replay."""
        key = line["hand"] or line["key"]
        return self.about(line["moment"], line["contact_id"], line["play"], key, line["step"])

    def about_send(self, line: Any) -> str:
        """What a text is about, in the same way; one by hand is about nothing but itself."""
        key = line["cause_id"] if line["cause"] in BY_HAND else line["key"]
        if line["cause"] == "system" and not line["contact_id"]:
            key = line["phone"]
        return self.about(line["cause"], line["contact_id"], line["play"], key, line["step"])

    def about(self, moment: str, contact_id: str, play: str, key: str, step: str) -> str:
        """In one text. Where a key is or holds a signal's own identifier, the order tells it."""
        key = _SIGNAL.sub("", key)
        return _joined(moment, self.winner(contact_id), play, key, step)

    def instant(self, about: str, since: str) -> str:
        """The first instant from ``since`` on at which this was decided; "" for none."""
        found = self._db.execute(INSTANT, (about, since)).fetchone()
        return found[0] or ""

    def expires(self, about: str, at: str) -> str:
        """Until when a text was worth sending that was planned at an instant; "" for none."""
        found = self._db.execute(PLANNED, (about, at)).fetchone()
        return str(orjson.loads(found[0])["expires_at"]) if found else ""

    def mode(self, about: str, at: str) -> str:
        """In what earnest an enrolment was opened that was decided at an instant; "" for none."""
        found = self._db.execute(PLANNED, (about, at)).fetchone()
        return str(orjson.loads(found[0]).get("mode", "")) if found else ""

    def start_of(self, contact_id: str, play: str, due: str) -> str:
        """The instant at which time alone began a play for somebody, for what was due; or "".

        It was begun as soon as the worker showed any sign of life after ``due``.
        """
        began = self._next(_joined("who", self.winner(contact_id), play), due)
        awake = self._next(LIFE, due)
        is_it = began and clock.instant(began) - clock.instant(awake) <= ROUND
        return began if is_it else ""

    def lapse(self, phone: str, since: str) -> str:
        """When an unclear reply from a number was counted as a no; "" where it was not."""
        return self._next(_joined("lapse", phone), since)

    def watched(self, template: str, since: str) -> str:
        """When a text was next paused since people left after it; "" where it was not."""
        return self._next(_joined("watch", template), since)

    def scheduled(self, play: str, since: str) -> str:
        """When a schedule that was due at ``since`` was looked at; "" where it was not."""
        return self._next(_joined("schedule", play), since)

    def told(self, play: str, event_or_key: str, since: str) -> str:
        """The first instant from ``since`` on at which a fan-out told somebody."""
        return self._next(_joined("told", play, _SIGNAL.sub("", event_or_key)), since)

    def _next(self, what: str, since: str) -> str:
        return self._db.execute(NEXT_START, (what, since)).fetchone()[0] or ""

    def answer(self, about: str, attempt: int, since: str = "") -> Line | None:
        """What the provider answered to an attempt begun at ``since`` or after."""
        found = self._db.execute(
            """SELECT line FROM answers WHERE about = ? AND attempt = ? AND begun_at >= ?
            ORDER BY begun_at LIMIT 1""",
            (about, attempt, since),
        ).fetchone()
        return orjson.loads(found[0]) if found else None

    def code(self, about: str, url: str) -> str:
        """The code of the link to an address in a text; "" for none."""
        found = self._db.execute(
            "SELECT code FROM links WHERE about = ? AND url = ? LIMIT 1", (about, url)
        ).fetchone()
        return found[0] if found else ""

    def decisions(self) -> Iterator[tuple[str, Line]]:
        """Every decision with what it is about, ordered by that and by time."""
        found = self._db.execute("SELECT about, line FROM decisions ORDER BY about, at, number")
        for about, line in found:
            yield about, orjson.loads(line)

    def close(self) -> None:
        """Let it go; a file stays for its owner to delete."""
        self._db.close()

    def _winner(self, contact_id: str) -> str:
        """Who a contact turned out to be in the end."""
        seen = {contact_id}
        while found := self._db.execute(
            "SELECT winner FROM merged WHERE loser = ?", (contact_id,)
        ).fetchone():
            contact_id = str(found[0])
            if contact_id in seen:
                break
            seen.add(contact_id)
        return contact_id


def stripped(key: str) -> str:
    """A key without a signal's own identifier, which is another in each world."""
    return _SIGNAL.sub("", key)


def _joined(*parts: str) -> str:
    return "\x1f".join(parts)


def _packed(line: Line) -> str:
    return orjson.dumps(line).decode()
