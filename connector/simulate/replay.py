"""Replaying: recorded inputs run through an operator's files, in a world of their own."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from connector import clock
from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger import cursors
from connector.rules.policy import Rulebook
from connector.simulate.faithful import FaithfulCarrier, FaithfulIds, FaithfulTx, Later
from connector.simulate.faults import listening
from connector.simulate.inputs import FORMAT, RECORDED
from connector.simulate.recorded import Line, Recorded
from connector.simulate.scratch import Scratch, ScratchTx
from connector.simulate.telling import TELLERS
from connector.simulate.world import World

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


@contextmanager
def replayed(
    loaded: Loaded,
    source: Source,
    tell: Callable[[str, int], None] = lambda at, count: None,
    *,
    bound: bool = True,
) -> Iterator[Ran]:
    """A world in which everything that was recorded happened under some files.

    ``bound``: what the same files decided then is decided at the same instant, however late the
    worker was; else each thing is done when it is due. Raises ``ConnectorError`` where the lines
    are none that can be read.
    """
    with tempfile.TemporaryDirectory(prefix="connector-simulate-") as place:
        binds = _bound_by(loaded) if bound else lambda line: False
        ran = _prepared(loaded, source, Path(place), binds, bound=bound)
        with listening() as faults, ran.world:
            ran.faults = faults
            _run(ran, source(), tell)
            yield ran
        ran.recorded.close()


def _prepared(
    loaded: Loaded, source: Source, place: Path, binds: Callable[[Line], bool], *, bound: bool
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
    path = place / "ledger.db" if sum(counts.values()) > MEMORY else None
    world = _world(loaded, recorded, path, first or EPOCH, bound=bound)
    if about["salt"]:
        world.act(lambda tx, rt, now: cursors.set_(tx, "salt", about["salt"]))
    return Ran(world, recorded, about, first, last, counts, (), tuple(files))


def _bound_by(loaded: Loaded) -> Callable[[Line], bool]:
    """Whether a decision was made by the files that are run now."""
    policy = Rulebook(loaded.policy, loaded.hours).version
    versions = {play.name: play.version for play in loaded.plays.values()}

    def binds(line: Line) -> bool:
        is_ours = line["version"] == versions.get(line["play"], "")
        return bool(is_ours and line["policy_version"] in (policy, line["version"]))

    return binds


def _checked(line: Line) -> Line:
    if line.get("format") != FORMAT:
        raise ConnectorError(
            f"these inputs are of format {line.get('format')}, and this release reads {FORMAT}"
        )
    return line


def _world(
    loaded: Loaded, recorded: Recorded, path: Path | None, begins: str, *, bound: bool
) -> World:
    ids, carrier = FaithfulIds(), FaithfulCarrier()

    def make(connection: sqlite3.Connection) -> ScratchTx:
        if not bound:
            return ScratchTx(connection)
        return FaithfulTx(connection, recorded, lambda: world.rt.plays, lambda: world.clock())

    store = Scratch(path, make)
    world: World = World(
        loaded,
        clock.instant(begins),
        store=store,
        carrier=carrier,
        ids=ids,
        pool=lambda rt: Later(store.tx, recorded, carrier, rt.clock),
    )
    ids.tx = store.tx if isinstance(store.tx, FaithfulTx) else None
    return world


def _run(ran: Ran, lines: Iterable[Line], tell: Callable[[str, int], None]) -> None:
    world, count = ran.world, 0
    ids = world.rt.new_id
    for line in lines:
        teller = TELLERS.get(line["kind"])
        if teller is None:
            continue
        world.until(clock.instant(line["at"]))
        if isinstance(ids, FaithfulIds):
            ids.given = {kind: str(line.get(name, "")) for kind, name in GIVEN.items()}
        teller(world, line)
        count += 1
        if count % TOLD == 0:
            tell(line["at"], count)
    if ran.last:
        world.finish(clock.instant(ran.last))


def now_of(ran: Ran) -> datetime:
    """The instant at which the world stands."""
    return ran.world.clock()
