"""Which plays use which signals, and what for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connector.rules.plays import Play


@dataclass(frozen=True, slots=True)
class Use:
    """One play's use of one signal.

    ``how`` is starts, cares, unless, ends, goal, waits_for or reads.
    """

    play: str
    signal: str
    how: str


def uses(plays: Iterable[Play]) -> dict[str, tuple[Use, ...]]:
    """Signal → which plays use it, each use once, in the order of the plays."""
    found: dict[str, dict[Use, None]] = {}
    for play in plays:
        for signal, how in _of(play):
            found.setdefault(signal, {})[Use(play.name, signal, how)] = None
    return {signal: tuple(each) for signal, each in found.items()}


def _of(play: Play) -> Iterator[tuple[str, str]]:
    start = play.start
    if start.signal:
        yield start.signal, "starts"
    yield from ((name, "cares") for name in (start.fan_out.cares if start.fan_out else ()))
    yield from ((name, "unless") for name in start.unless)
    yield from ((name, "ends") for name in play.exits)
    if play.goal is not None:
        yield play.goal.signal, "goal"
    for step in play.steps:
        yield from (
            (name, "waits_for") for name in (step.wait_for.signals if step.wait_for else ())
        )
    yield from ((name, "reads") for name in sorted(_read(play)))


def _read(play: Play) -> set[str]:
    """The signals whose history any condition of a play asks for."""
    asked = [play.audience, play.start.where, play.start.key, play.exit.when]
    asked += [play.goal.where if play.goal else None]
    for step in play.steps:
        asked += [step.where, *(choice.when for choice in step.choices)]
        asked += [branch.when for branch in step.branches]
    found: set[str] = set()
    for each in asked:
        found.update(getattr(each, "signals", ()))
    return found
