"""Beside: the same past twice, under two policies, held to the same delays of the worker.

The first world notes what was done later than it was due. In the second, what is due at the same
instant is done as late; what is due at another is done when it is due. So what differs between
them comes of the policies, and not of a worker that was busy, or away for a day.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from connector import clock
from connector.ledger.store import Row
from connector.simulate.answers import Later
from connector.simulate.faithful import FaithfulTx
from connector.simulate.recorded import ROUND, Line
from connector.simulate.replay import Bound

TABLE: Final = """CREATE TABLE delays (about TEXT NOT NULL, due TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (about, due)) WITHOUT ROWID"""


class Delays:
    """What was done later than it was due, and when; in a file that goes."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for setting in ("synchronous = OFF", "journal_mode = OFF"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute(TABLE)

    def __enter__(self) -> Delays:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def note(self, about: str, due: str, at: str) -> None:
        """Something due was done then."""
        self._db.execute("INSERT OR IGNORE INTO delays VALUES (?, ?, ?)", (about, due, at))

    def at(self, about: str, due: str) -> str:
        """When it was done; as it was due where nothing is noted."""
        row = self._db.execute(
            "SELECT at FROM delays WHERE about = ? AND due = ?", (about, due)
        ).fetchone()
        return str(row[0]) if row else due


class NotingTx(FaithfulTx):
    """The first world's transaction: it notes each delay."""

    def __init__(self, *about: Any, delays: Delays) -> None:
        super().__init__(*about)
        self._delays = delays

    def _done_at(self, about: str, due: str) -> str:
        at = super()._done_at(about, due)
        if at != due:
            self._delays.note(about, due, at)
        return at


class BesideTx(FaithfulTx):
    """The second world's: what is due when it was due there is done when it was done there."""

    is_told = False

    def __init__(self, *about: Any, delays: Delays) -> None:
        super().__init__(*about)
        self._delays = delays

    def _done_at(self, about: str, due: str) -> str:
        return self._delays.at(about, due)

    def _judged(self, rows: list[Row]) -> list[Row]:
        """Texts are judged by what is known of them here."""
        return rows

    def _tried_again(self, send: Row) -> Line | None:
        """The attempt that followed, where this one was begun when it was begun then."""
        now = self._recorded.answer(self._recorded.about_send(send), int(send["attempt"]))
        is_same = now is not None and now["begun_at"] == send["begun_at"]
        return super()._tried_again(send) if is_same else None


class BesideLater(Later):
    """A text that goes when it went then is answered when it was; at another time, as it was.

    The provider then takes as long as it did.
    """

    def _answer(self, about: str, attempt: int, now: datetime) -> tuple[Line | None, datetime]:
        line = self._recorded.answer(about, attempt, clock.text(now))
        line = line or self._recorded.answer(about, attempt)
        if line is None or not line["settled_at"]:
            return line, now
        begun, settled = clock.instant(line["begun_at"]), clock.instant(line["settled_at"])
        if begun - now <= ROUND and now <= settled:
            return line, settled
        return line, now + (settled - begun)


def bounds(delays: Delays) -> tuple[Bound, Bound]:
    """How the first world is held to the past, and how the second is."""
    first: Callable[..., FaithfulTx] = partial(NotingTx, delays=delays)
    second: Callable[..., FaithfulTx] = partial(BesideTx, delays=delays)
    return Bound(first, BesideLater), Bound(second, BesideLater)
