"""Segments: ``mappings/segments.toml``, named conditions over people, as values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.supply import Supply, condition
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Expression, Template
from connector.rules.ages import crm_paths
from connector.rules.plays import Segment

FILE: Final = "segments.toml"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


def load_segments(path: Path, supply: Supply, faults: list[Fault]) -> dict[str, Segment]:
    """Every segment by name; none where there is no file. Faults go to ``faults``.

    ``signals`` and ``paths`` of a segment also hold what the segments it asks for read.
    """
    if not path.exists():
        return {}
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return {}
    return read_segments(top, supply)


def read_segments(top: Table, supply: Supply) -> dict[str, Segment]:
    """The ``[[segments]]`` tables of a file, or of a part kept with a play's version."""
    tables = top.tables("segments")
    names = frozenset(str(table.values.get("name", "")) for table in tables)
    supply = supply.with_segments(names)
    found: dict[str, Segment] = {}
    for table in tables:
        if (segment := _segment(table, supply)) is not None:
            if segment.name in found:
                table.fault("name", f"is {segment.name!r} again", "give each its own name")
            found[segment.name] = segment
    top.done()
    for table in tables:
        _refuse_circle(table, found)
    return {name: _whole(segment, found) for name, segment in found.items()}


def reaches(segments: Mapping[str, Segment], names: Iterable[str]) -> set[str]:
    """The named segments and all that they ask for in turn."""
    found: set[str] = set()
    waiting = [name for name in names if name in segments]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _asked(segments[name]) if other in segments]
    return found


def read_of_crm(asked: Iterable[object], segments: Mapping[str, Segment]) -> frozenset[str]:
    """Paths of the CRM's facts that expressions and texts read, also by way of segments."""
    paths: set[str] = set()
    for each in asked:
        if isinstance(each, Expression | Template):
            paths |= each.paths
            for name in each.segments & frozenset(segments):
                paths |= segments[name].paths
    return crm_paths(paths)


def _refuse_circle(table: Table, found: Mapping[str, Segment]) -> None:
    name = str(table.values.get("name", ""))
    asked = reaches(found, _asked(found[name])) if name in found else set()
    if name in asked:
        by = sorted(other for other in asked - {name} if name in reaches(found, [other]))
        way = f", by way of {' and '.join(by)}" if by else ""
        table.fault("when", f"asks for itself{way}", "break the circle")


def _whole(segment: Segment, found: Mapping[str, Segment]) -> Segment:
    """The segment with the signals and paths of those it asks for, which are its own then."""
    parts = [segment, *(found[name] for name in reaches(found, _asked(segment)))]
    signals = frozenset(name for part in parts for name in part.signals)
    paths = frozenset(path for part in parts for path in part.paths)
    return replace(segment, signals=signals, paths=paths)


def _asked(segment: Segment) -> frozenset[str]:
    when = segment.when
    return when.segments if isinstance(when, Expression) else frozenset()


def _segment(table: Table, supply: Supply) -> Segment | None:
    name = table.text("name")
    if name and not _NAME.fullmatch(name):
        table.fault("name", f"is {name!r:.60}", "use small letters, digits and _")
    if "when" not in table:
        table.fault("when", "is missing", 'add when = "contact.… == …"')
    when = condition(table, "when", supply.person(), supply)
    description = table.text("description", "")
    table.done()
    if when is None:
        return None
    return Segment(name, when, when.source, description, when.signals, when.paths)
