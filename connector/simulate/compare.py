"""Comparing: the decisions of a replay beside those recorded, and why they differ."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import orjson

from connector.simulate.recorded import WHOSE_HAND, Line, Recorded
from connector.simulate.replay import Ran

DECISIONS: Final = f"""SELECT d.*, s.text AS text, {WHOSE_HAND}
    FROM decided d LEFT JOIN sends s ON s.id = d.send_id"""  # noqa: S608
MOST: Final = 1_000  #: differences kept to be shown; all are counted
SAME: Final = ("verdict", "reasons", "text")


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision that the replay made otherwise, did not make, or made beside."""

    moment: str
    contact_id: str
    play: str
    key: str
    step: str
    what: str  #: missing, more, verdict, reasons, text or instant
    then: Line | None
    now: Line | None


@dataclass(slots=True)
class Comparison:
    """How many decisions were the same, and each that was not."""

    equal: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)

    def note(self, about: str, what: str, then: Line | None, now: Line | None) -> None:
        """Count a difference, and keep it while there is room."""
        self.different += 1
        if len(self.differences) < MOST:
            moment, contact_id, play, key, step = about.split("\x1f")
            self.differences.append(
                Difference(moment, contact_id, play, key, step, what, then, now)
            )


def compare(ran: Ran, since: str = "") -> Comparison:
    """Lay the two histories side by side: by what each decision is about, in its order.

    Only what was decided from ``since`` on is counted.
    """
    found = Comparison()
    both = heapq.merge(
        ((about, 0, line) for about, line in ran.recorded.decisions()),
        ((about, 1, line) for about, line in _made(ran)),
        key=lambda item: item[0],
    )
    for about, lines in groupby(both, key=lambda item: item[0]):
        sides: tuple[list[Line], list[Line]] = ([], [])
        for _, side, line in lines:
            if line["decided_at"] >= since:
                sides[side].append(line)
        _lay(found, about, *sides)
    return found


def _lay(found: Comparison, about: str, then: list[Line], now: list[Line]) -> None:
    for place in range(max(len(then), len(now))):
        if place >= len(now):
            found.note(about, "missing", then[place], None)
        elif place >= len(then):
            found.note(about, "more", None, now[place])
        elif what := _otherwise(about, then[place], now[place]):
            found.note(about, what, then[place], now[place])
        else:
            found.equal += 1


def _otherwise(about: str, then: Line, now: Line) -> str:
    for name in SAME:
        if then[name] != now[name]:
            return name
    return "instant" if then["decided_at"] != now["decided_at"] else ""


def _made(ran: Ran) -> Iterator[tuple[str, Line]]:
    """The replay's own decisions, as the recorded ones are, ordered alike."""
    with Recorded() as own:
        own.winner = ran.recorded.winner
        for row in ran.world.store.tx.each(DECISIONS):
            own.add(decision(row))
        yield from own.decisions()


def decision(row: Any) -> Line:
    """A decision's row as a line."""
    is_text = row["moment"] == "send" and row["verdict"] == "send"
    about = ("moment", "contact_id", "play", "key", "step", "version", "policy_version", "hand")
    names = (*about, "verdict", "decided_at", "last_at")
    return {
        "kind": "decision",
        "reasons": [item["reason"] for item in orjson.loads(row["objections"])],
        "text": (row["text"] or "") if is_text else "",
        "event_id": row["event_id"] or "",
        **{name: row[name] for name in names},
    }
