"""Examples: every ``[[examples]]`` table of some plays is played, and told how it went."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.rules.plays import Play
from connector.simulate import expected, scene
from connector.simulate.example import Example, read
from connector.simulate.happened import Happened


@dataclass(frozen=True, slots=True)
class Result:
    """How one example went; without differences it passed."""

    play: str
    example: str
    differences: tuple[str, ...]
    timeline: tuple[str, ...] = ()
    seconds: float = 0.0
    happened: Happened | None = None  #: None where it could not be played

    @property
    def ok(self) -> bool:
        """Whether all came as the example says."""
        return not self.differences


def run(loaded: Loaded, plays: Iterable[Play]) -> Iterator[Result]:
    """Play every example of some plays of a folder."""
    known = scene.meanings(loaded)
    for play in plays:
        for number, raw in enumerate(play.examples, 1):
            name = str(raw.get("name", "")) or f"example {number}"
            began = time.perf_counter()
            try:
                example = read(play, raw)
                found = scene.play_out(loaded, play, example, known)
                result = judged(play, name, example, found, time.perf_counter() - began)
            except ConnectorError as error:
                result = Result(play.name, name, (str(error),))
            yield result


def judged(play: Play, name: str, example: Example, found: Happened, seconds: float) -> Result:
    """How an example went, with all that happened where it went otherwise."""
    wrong = expected.differences(example, found)
    told = tuple(expected.timeline(example, found)) if wrong else ()
    return Result(play.name, name, tuple(wrong), told, seconds, found)
