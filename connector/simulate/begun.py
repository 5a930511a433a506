"""What time alone begins: when it was begun then, for timers, silences and fan-outs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from connector import clock
from connector.ledger.store import Row
from connector.rules.plays import Once, Play
from connector.rules.triggers import edges
from connector.rules.triggers import silence as silences
from connector.simulate.recorded import Recorded

JUST_AFTER: Final = "!"  #: behind an instant's text it is later than that, and before any other
FAR: Final = "9999"

Plays = Callable[[], Sequence[Play]]


class Begun:
    """Looks up, for each thing that time alone may begin, the recorded instant of its beginning.

    What left no decision then is begun when it is due: nothing came of it.
    """

    def __init__(self, recorded: Recorded, plays: Plays) -> None:
        self._recorded, self._plays = recorded, plays
        self._silence: tuple[str, timedelta] | None = None  #: whose cursor was read last
        self._hidden = ""  #: just before the first whose silence was not shown
        self._told: dict[str, str] = {}  #: fan-out → when somebody was told of it last

    def timer(self, row: Row) -> str:
        """When a timer was looked at."""
        due, contact_id = str(row["due_at"]), str(row["contact_id"])
        if row["kind"] == "date":
            return self._start(str(row["name"]), contact_id, str(row["key"]), due) or due
        key = edges.occurrence(clock.instant(due))
        found = [
            self._start(play.name, contact_id, key, due)
            for play in self._plays()
            if play.start.edge is not None and play.start.edge.segment == row["name"]
        ]
        return min(filter(None, found), default=due)

    def note_cursor(self, name: str) -> None:
        """Whose silences are asked for next: ``silence:<play>:<since>:<seconds>``."""
        if name.startswith("silence:"):
            _, play, _, seconds = name.split(":")
            self._silence, self._hidden = (play, timedelta(seconds=int(seconds))), ""

    def schedule(self, name: str, mark: str, now: str) -> str:
        """The mark of a schedule: later than it is where it was looked at later then."""
        at = self._recorded.scheduled(name.split(":")[1], mark) if mark else ""
        return at if at > now else mark

    def silent(self, rows: list[Row], until: str) -> list[Row]:
        """Of people silent up to ``until``, those whose instant has come, in their order.

        Asked who is next (``until`` is far), it is told since when their silence would count for
        the play to begin when it did.
        """
        if self._silence is None:
            return rows
        play, span = self._silence
        found: list[Row] = []
        for row in rows:
            if self._hidden and str(row["since"]) >= self._hidden.partition("|")[0]:
                break
            since = clock.instant(row["since"])
            due, key = clock.text(since + span), silences.occurrence(since)
            at = self._start(play, str(row["id"]), key, due) or due
            counted = clock.text(clock.instant(at) - span)
            if until == FAR:
                found.append({"id": row["id"], "since": counted})
            elif counted > until:
                before = found[-1] if found and found[-1]["since"] == row["since"] else None
                self._hidden = f"{row['since']}|{before['id'] if before else ''}"
                break
            else:
                found.append(row)
        return found

    def mark(self, name: str, value: str) -> str:
        """How far silences are told by now: no further than to who was not shown."""
        hidden, self._hidden = self._hidden, ""
        return hidden if hidden and name.startswith("silence:") else value

    def told_at(self, row: Row) -> str:
        """When the next people were told of a fan-out; "" where nobody more was."""
        last = self._told.get(str(row["id"]))
        since = f"{last}{JUST_AFTER}" if last else str(row["heard_at"])
        told = str(row["event_id"] or row["key"])
        return self._recorded.told(str(row["play"]), told, since)

    def tell(self, row: Row, now: str) -> None:
        """People are told of a fan-out now."""
        self._told[str(row["id"])] = now

    def _start(self, name: str, contact_id: str, key: str, due: str) -> str:
        play = next((play for play in self._plays() if play.name == name), None)
        if play is not None and _has_own_key(play):
            return self._recorded.start_of(contact_id, name, due)
        return self._recorded.instant(
            self._recorded.about("trigger", contact_id, name, key, ""), due
        )


def _has_own_key(play: Play) -> bool:
    """Whether what began it does not tell under which key it is walked."""
    form = play.start
    return form.once is Once.contact or form.first or form.key is not None
