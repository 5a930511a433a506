"""Two sets of files over the same inputs: which texts only one of them sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from connector.simulate.scratch import ScratchTx

TEXTS: Final = """SELECT contact_id, play, key, step, accepted_at, text FROM sends
    WHERE accepted_at IS NOT NULL AND cause = 'play' AND accepted_at >= :since
    ORDER BY contact_id, play, key, step"""
MOST: Final = 200  #: kept to be shown; all are counted
NAMES: Final = ("contact_id", "play", "key", "step")

Text = dict[str, Any]


@dataclass(slots=True)
class Versus:
    """How the texts of these files differ from those of the others."""

    same: int = 0
    only_here: dict[str, int] = field(default_factory=dict)  #: by play
    only_there: dict[str, int] = field(default_factory=dict)
    otherwise: dict[str, int] = field(default_factory=dict)  #: at another time or in other words
    shown: list[Text] = field(default_factory=list)

    def note(self, where: str, text: Text, other: Text | None = None) -> None:
        """Count a text that differs, and keep it while there is room."""
        counts: dict[str, int] = getattr(self, where)
        counts[text["play"]] = counts.get(text["play"], 0) + 1
        if len(self.shown) < MOST:
            there = {"there_at": other["accepted_at"], "there": other["text"]} if other else {}
            self.shown.append({"where": where, **text, **there})


def versus(here: ScratchTx, there: ScratchTx, since: str = "") -> Versus:
    """Lay the texts of two worlds side by side, by person, play, occurrence and step."""
    found = Versus()
    left, right = _texts(here, since), _texts(there, since)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and _about(ours) < _about(theirs)):
            assert ours is not None  # noqa: S101
            found.note("only_here", ours)
            ours = next(left, None)
        elif ours is None or _about(theirs) < _about(ours):
            found.note("only_there", theirs)
            theirs = next(right, None)
        else:
            if (ours["accepted_at"], ours["text"]) == (theirs["accepted_at"], theirs["text"]):
                found.same += 1
            else:
                found.note("otherwise", ours, theirs)
            ours, theirs = next(left, None), next(right, None)
    return found


def _texts(tx: ScratchTx, since: str) -> Iterator[Text]:
    for row in tx.each(TEXTS, since=since):
        yield {name: row[name] for name in (*NAMES, "accepted_at", "text")}


def _about(text: Text) -> tuple[str, ...]:
    key = "" if text["key"].startswith("sig_") else text["key"]
    return text["contact_id"], text["play"], key, text["step"]


def as_json(found: Versus) -> dict[str, Any]:
    """The comparison as plain values."""
    names = ("same", "only_here", "only_there", "otherwise", "shown")
    return {name: getattr(found, name) for name in names}
