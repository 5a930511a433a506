"""Versions: the play an enrolment walks by, as it stood when the person began it."""

from __future__ import annotations

from connector.ledger import files
from connector.ledger.store import Row, Tx
from connector.rules.plays import Mode, Play
from connector.steps.setup import Setup

CONTROL = "control"


def play_of(tx: Tx, rt: Setup, row: Row) -> Play | None:
    """The play of an enrolment's row: its own version, or today's where the play says adopt.

    None where the play is gone or off for good.
    """
    current = rt.plays.get(str(row["play"]))
    if current is None:
        return None
    if row["version"] == current.version or current.adopt:
        return variant(current, str(row["arm"]))
    kept = files.content(tx, "play", current.name, str(row["version"]))
    older = rt.revive(current.name, kept) if kept else None
    return variant(older, str(row["arm"])) if older is not None else current


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
    """Where the row stands in this play: by the step's name where one was adopted."""
    name = str(row["step_name"])
    names = [step.name for step in play.steps]
    if name and name in names:
        return names.index(name)
    return int(row["step"])
