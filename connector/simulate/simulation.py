"""A simulation: recorded inputs through a folder's files, counted, and compared with what was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from connector import clock
from connector.config import libraries
from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger.store import Store
from connector.runtime import contents
from connector.simulate import against
from connector.simulate.against import Versus, versus
from connector.simulate.compare import Comparison, compare
from connector.simulate.inputs import inputs
from connector.simulate.recorded import Line
from connector.simulate.replay import BOUND, Ran, Source, replayed
from connector.simulate.scratch import ScratchTx
from connector.simulate.totals import Totals, as_json, totals

Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a simulation."""

    zone: str = "UTC"  #: on whose clock days are counted
    since: str = ""  #: only what comes of it from then on is counted
    daily_limit: int = 0  #: segments a carrier takes in a day; 0 for none
    price_micros: int = 0  #: of a segment whose price is not known
    compared: bool = False  #: with the decisions recorded


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of it."""

    first: str
    last: str
    inputs: dict[str, int]
    totals: Totals
    faults: tuple[str, ...]
    changed: tuple[str, ...]  #: files and libraries that are not as they were then
    comparison: Comparison | None = None
    versus: Versus | None = None
    there: Totals | None = None  #: of the other folder's files


def of_file(path: Path) -> Source:
    """The lines of an exported file; raises ``ConnectorError`` where it cannot be read."""

    def lines() -> Iterator[Line]:
        try:
            with path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    yield _line(raw, path, number)
        except OSError as error:
            raise ConnectorError(f"cannot read {path}: {error.strerror}") from error

    return lines


def _line(raw: bytes, path: Path, number: int) -> Line:
    try:
        line: Line = orjson.loads(raw)
        _ = line["kind"], line["at"]
    except (ValueError, TypeError, KeyError) as error:
        raise ConnectorError(f"{path}:{number} is no recorded input") from error
    return line


def of_ledger(store: Store) -> Source:
    """The lines of a ledger."""
    return lambda: inputs(store)


@contextmanager
def simulated(
    loaded: Loaded,
    source: Source,
    wanted: Wanted,
    *,
    other: Loaded | None = None,
    tell: Tell = lambda at, count: None,
) -> Iterator[tuple[Simulated, ScratchTx]]:
    """Run the inputs through the files (and through another folder's); the world stays open.

    Beside other files nothing is compared with what was decided then, and each side does
    everything when it is due: a worker that was away for a day is no difference of files.
    """
    with ExitStack() as open_:
        bound = BOUND if other is None else None
        ran = open_.enter_context(replayed(loaded, source, tell, bound=bound))
        tx = ran.world.store.tx
        found = Simulated(
            first=ran.first,
            last=ran.last,
            inputs=ran.counts,
            totals=_totals(tx, wanted),
            faults=tuple(ran.faults),
            changed=tuple(changes(loaded, ran)),
            comparison=compare(ran) if wanted.compared and other is None else None,
        )
        if other is not None:
            there = open_.enter_context(replayed(other, source, tell, bound=None)).world.store.tx
            laid, of_other = versus(tx, there, wanted.since), _totals(there, wanted)
            found = _with(found, versus=laid, there=of_other)
        yield found, tx


def _with(found: Simulated, **changes: Any) -> Simulated:
    from dataclasses import replace

    return replace(found, **changes)


def _totals(tx: ScratchTx, wanted: Wanted) -> Totals:
    return totals(
        tx,
        wanted.zone,
        since=wanted.since,
        daily_limit=wanted.daily_limit,
        price_micros=wanted.price_micros,
    )


def changes(loaded: Loaded, ran: Ran) -> Iterator[str]:
    """What decisions rest on that is not as it was when the inputs were recorded."""
    now = {(kind, name): version for kind, name, version, _ in contents(loaded)}
    then: dict[tuple[str, str], list[str]] = {}
    for line in ran.files:
        then.setdefault((line["file"], line["name"]), []).append(line["version"])
    for (kind, name), versions in sorted(then.items()):
        if kind in ("play", "policy", "hours") and (kind, name) not in now:
            yield f"{kind} {name} is gone"
        elif (kind, name) in now and versions != [now[kind, name]]:
            was = ", ".join(version for version in versions if version != now[kind, name])
            yield f"{kind} {name} is {now[kind, name]}" + (f", and was also {was}" if was else "")
    for (kind, name), version in sorted(now.items()):
        if (kind, name) not in then and then:
            yield f"{kind} {name} is new ({version})"
    was_of = ran.about.get("libraries", {})
    for name, version in libraries.versions().items():
        if name in was_of and was_of[name] != version:
            yield f"{name} is {version}, and was {was_of[name]} when the inputs were written"


def plain(found: Simulated) -> dict[str, Any]:
    """All of it as plain values."""
    compared, laid = found.comparison, found.versus
    return {
        "first": found.first,
        "last": found.last,
        "inputs": found.inputs,
        **as_json(found.totals),
        "faults": found.faults,
        "changed": found.changed,
        "comparison": None if compared is None else asdict(compared),
        "against": None if laid is None else against.as_json(laid),
        "there": None if found.there is None else as_json(found.there),
    }


def text_of(at: datetime | None) -> str:
    """An instant as lines have it; "" for none."""
    return clock.text(at) if at else ""
