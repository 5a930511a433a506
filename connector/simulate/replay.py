"""Replaying: recorded inputs run through an operator's files, in a world of their own."""

from __future__ import annotations

import sqlite3
import tempfile
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from connector import clock
from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger import cursors
from connector.rules.policy import Rulebook
from connector.simulate.answers import FaithfulCarrier, FaithfulPace, FaithfulWays, Later
from connector.simulate.faithful import FaithfulIds, FaithfulTx
from connector.simulate.faults import listening
from connector.simulate.inputs import FORMAT, RECORDED
from connector.simulate.recorded import Line, Recorded
from connector.simulate.scratch import Scratch, ScratchTx
from connector.simulate.telling import TELLERS
from connector.simulate.world import World
from connector.steps.pace import Pace
from connector.steps.route import Ways

EPOCH: Final = "1970-01-01T00:00:00.000000Z"
MEMORY: Final = 20_000  #: lines; of more the scratch ledger stands in a file
TOLD: Final = 500  #: lines between two words on how far it is

GIVEN: Final = {"con": "contact_id", "sig": "signal_id", "crc": "change_id"}
"""Kind of identifier → where a line tells what it was."""

Source = Callable[[], Iterator[Line]]
"""The recorded lines, from the first; they are read twice."""


@dataclass(slots=True)
class Ran:
    """A world in which all recorded inputs have happened."""

    world: World
    recorded: Recorded
    about: Line
    first: str  #: instants of the first and the last line
    last: str
    counts: dict[str, int] = field(default_factory=dict)
    faults: Sequence[str] = ()
    files: tuple[Line, ...] = ()  #: versions of files that were seen then
    lines: int = 0  #: all there are


@dataclass(frozen=True, slots=True)
class Bound:
    """What holds a world to its past: its transaction, and its carrier's answers."""

    tx: Callable[..., FaithfulTx] = FaithfulTx
    later: Callable[..., Later] = Later


BOUND: Final = Bound()
Books = Sequence[tuple[str, Rulebook]]
"""Policy and hours from an instant on, the earliest first; before that the files' own."""


@contextmanager
def replayed(
    loaded: Loaded,
    source: Source,
    tell: Callable[[str, int], None] = lambda at, count: None,
    *,
    bound: Bound | None = BOUND,
    books: Books = (),
    until: str = "",
) -> Iterator[Ran]:
    """A world in which everything that was recorded happened under some files.

    ``bound``: what the same files decided then is decided at the same instant, however late the
    worker was; else (None) each thing is done when it is due. It goes on to ``until``, and at least
    to the last line. Raises ``ConnectorError`` where the lines are none that can be read.
    """
    with tempfile.TemporaryDirectory(prefix="connector-simulate-") as place:
        binds = _bound_by(loaded, books) if bound else lambda line: False
        ran = _prepared(loaded, source, Path(place), binds, bound)
        ran.last = max(ran.last, until)
        with listening() as faults, ran.world:
            ran.faults = faults
            _run(ran, source(), tell, books)
            yield ran
        ran.recorded.close()


@contextmanager
def replayed_beside(
    first: Ran,
    loaded: Loaded,
    source: Source,
    bound: Bound,
    tell: Callable[[str, int], None] = lambda at, count: None,
    books: Books = (),
) -> Iterator[Ran]:
    """The same past once more under other files, held to what ``first`` was held to."""
    with tempfile.TemporaryDirectory(prefix="connector-simulate-") as place:
        path = Path(place) / "ledger.db" if first.lines > MEMORY else None
        world = _world(loaded, first.recorded, path, first.first or EPOCH, bound)
        _salt(world, first.about)
        ran = replace(first, world=world)
        with listening() as faults, world:
            ran.faults = faults
            _run(ran, source(), tell, books)
            yield ran


def _prepared(
    loaded: Loaded,
    source: Source,
    place: Path,
    binds: Callable[[Line], bool],
    bound: Bound | None,
) -> Ran:
    """Read everything once: what the connector did then, and how much there is of all else."""
    recorded = Recorded(place / "recorded.db", binds)
    about: Line = {}
    counts: dict[str, int] = {}
    files: list[Line] = []
    first = last = ""
    for line in source():
        kind = line["kind"]
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "about":
            about = _checked(line)
        elif kind == "files":
            files.append(line)
        elif kind in RECORDED:
            recorded.add(line)
        if line["at"]:
            first, last = first or line["at"], max(last, line["at"])
    if not about:
        raise ConnectorError("these are no recorded inputs: the first line must tell what they are")
    lines = sum(counts.values())
    path = place / "ledger.db" if lines > MEMORY else None
    world = _world(loaded, recorded, path, first or EPOCH, bound)
    _salt(world, about)
    return Ran(world, recorded, about, first, last, counts, (), tuple(files), lines)


def _salt(world: World, about: Line) -> None:
    if about["salt"]:
        world.act(lambda tx, rt, now: cursors.set_(tx, "salt", about["salt"]))


def _bound_by(loaded: Loaded, books: Books) -> Callable[[Line], bool]:
    """Whether a decision was made by the files that are run now."""
    begins = [at for at, _ in books]
    policies = [Rulebook(loaded.policy, loaded.hours).version, *(b.version for _, b in books)]
    versions = {play.name: play.version for play in loaded.plays.values()}

    def binds(line: Line) -> bool:
        is_ours = line["version"] == versions.get(line["play"], "")
        policy = policies[bisect_right(begins, line["at"])]
        return bool(is_ours and line["policy_version"] in (policy, line["version"]))

    return binds


def _checked(line: Line) -> Line:
    if line.get("format") != FORMAT:
        raise ConnectorError(
            f"these inputs are of format {line.get('format')}, and this release reads {FORMAT}"
        )
    return line


def _world(
    loaded: Loaded, recorded: Recorded, path: Path | None, begins: str, bound: Bound | None
) -> World:
    ids, carrier = FaithfulIds(), FaithfulCarrier()
    later = bound.later if bound else Later

    def make(connection: sqlite3.Connection) -> ScratchTx:
        if bound is None:
            return ScratchTx(connection)
        return bound.tx(connection, recorded, lambda: world.rt.plays, lambda: world.clock())

    store = Scratch(path, make)
    world: World = World(
        loaded,
        clock.instant(begins),
        store=store,
        carrier=carrier,
        ids=ids,
        pool=lambda rt: later(store.tx, recorded, carrier, rt.clock),
        pace=Pace if bound is None else FaithfulPace,
        ways=Ways if bound is None else FaithfulWays,
    )
    ids.tx = store.tx if isinstance(store.tx, FaithfulTx) else None
    return world


def _run(
    ran: Ran, lines: Iterable[Line], tell: Callable[[str, int], None], books: Books = ()
) -> None:
    world, count, left = ran.world, 0, deque(books)
    ids = world.rt.new_id
    for line in lines:
        teller = TELLERS.get(line["kind"])
        if teller is None:
            continue
        _turn(world, left, line["at"])
        world.until(clock.instant(line["at"]))
        if isinstance(ids, FaithfulIds):
            ids.given = {kind: str(line.get(name, "")) for kind, name in GIVEN.items()}
        teller(world, line)
        count += 1
        if count % TOLD == 0:
            tell(line["at"], count)
    if ran.last:
        _turn(world, left, ran.last)
        world.finish(clock.instant(ran.last))


def _turn(world: World, left: deque[tuple[str, Rulebook]], at: str) -> None:
    """Let the policies that came until an instant come, each when it did."""
    while left and left[0][0] <= at:
        since, book = left.popleft()
        world.until(clock.instant(since))
        world.rt.book = book


def now_of(ran: Ran) -> datetime:
    """The instant at which the world stands."""
    return ran.world.clock()
