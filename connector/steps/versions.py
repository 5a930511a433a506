"""Versions: the play an enrolment walks by, as it stood when the person began it."""

from __future__ import annotations

from connector.ledger import files
from connector.ledger.store import Row, Tx
from connector.rules.plays import Mode, Play
from connector.steps.setup import Setup

CONTROL = "control"


def play_of(tx: Tx, rt: Setup, row: Row) -> Play | None:
    """The play of an enrolment's row: its own version, or today's where the play says adopt.

    None where the play is gone. One whose own version cannot be read any more goes on by the
    newest.
    """
    current = rt.plays.get(str(row["play"]))
    if current is None:
        return None
    if row["version"] == current.version or current.adopt:
        return variant(current, str(row["arm"]))
    kept = files.content(tx, "play", current.name, str(row["version"]))
    older = rt.revive(current.name, kept) if kept else None
    return variant(older or current, str(row["arm"]))


def is_off(rt: Setup, name: str) -> bool:
    """Whether a play is off today, whichever version somebody walks by."""
    current = rt.plays.get(name)
    return current is not None and current.mode is Mode.off


def variant(play: Play, arm: str) -> Play:
    """The play as an arm of its experiment has it; itself for the control."""
    if not arm or arm == CONTROL or play.experiment is None:
        return play
    return play.experiment.plays.get(arm, play)


def step_at(play: Play, row: Row) -> int:
    """Where the row stands in this play: at the step of its name, wherever that stands now.

    Where the adopted version has no such step, at what stands in its place.
    """
    place, name = int(row["step"]), str(row["step_name"])
    if not name or (place < len(play.steps) and play.steps[place].name == name):
        return place
    names = [step.name for step in play.steps]
    return names.index(name) if name in names else place
