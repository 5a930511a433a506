"""A contact's properties as they should stand: which are read first, and which are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from connector.crms.hubspot.names import TOTALS
from connector.crms.hubspot.shapes import Shapes
from connector.crms.hubspot.stages import is_forward
from connector.crms.hubspot.values import to_text
from connector.model import Json
from connector.records import Writeback

Held = Mapping[str, str]  #: property → its text; "" where nothing stands


@dataclass(slots=True)
class Settling:
    """One record's properties while its changes are applied to them, one after the other."""

    held: dict[str, str]
    shapes: Shapes
    stage: str  #: the property that moves forward only
    written: dict[str, str] = field(default_factory=dict)

    def apply(self, change: Mapping[str, Json]) -> None:
        """Apply one change, which groups its values by rule."""
        for name, value in _group(change, "always"):
            self._set(name, value)
        for name, value in _group(change, "if_empty"):
            if not self.held.get(name):
                self._set(name, value)
        self._grow(dict(_group(change, "increment")))

    def _grow(self, totals: Mapping[str, Json]) -> None:
        """Let properties grow by what our totals have grown since they were last taken over.

        What they hold of us is kept beside them and set in the same call, so that the same
        total told twice is added once.
        """
        added = _totals(self.held.get(TOTALS, ""))
        grown = {name: total for name, total in totals.items() if total != added.get(name)}
        for name, total in grown.items():
            amount = _amount(self.held.get(name, "")) + _amount(total) - _amount(added.get(name))
            self._set(name, int(amount) if amount == int(amount) else amount)
        if grown:
            text = orjson.dumps({**added, **grown}, option=orjson.OPT_SORT_KEYS).decode()
            self._set(TOTALS, text)

    def _set(self, name: str, value: Json) -> None:
        text = to_text(value, self.shapes.get(name))
        if name == self.stage:
            shape = self.shapes.get(name)
            order = shape.choices if shape is not None else ()
            if not is_forward(order, self.held.get(name, ""), text):
                return
        self.held[name] = self.written[name] = text


def wants(changes: Iterable[Writeback], stage: str) -> set[str]:
    """The properties that must be read before these changes can be made."""
    names: set[str] = set()
    for change in changes:
        growing = {name for name, _ in _group(change.change, "increment")}
        names |= growing | {name for name, _ in _group(change.change, "if_empty")}
        names |= {TOTALS} if growing else set()
    return names | ({stage} if sets(changes, stage) else set())


def sets(changes: Iterable[Writeback], name: str) -> bool:
    """Whether one of the changes sets a property, whatever stands there."""
    return any(name in dict(_group(change.change, "always")) for change in changes)


def fault(change: Writeback) -> str:
    """Why a change of fields cannot be made, or ""."""
    for rule in ("always", "if_empty", "increment"):
        if not isinstance(change.change.get(rule, {}), Mapping):
            return f"the change's {rule} holds no fields"
    return ""


def settled(changes: Sequence[Writeback], held: Held, shapes: Shapes, stage: str) -> dict[str, str]:
    """What is to be set so that the changes, in their order, are made."""
    settling = Settling(dict(held), shapes, stage)
    for change in changes:
        settling.apply(change.change)
    return settling.written


def _group(change: Mapping[str, Json], rule: str) -> Iterable[tuple[str, Json]]:
    found: Mapping[str, Json] = change.get(rule) or {}
    return found.items()


def _totals(text: str) -> dict[str, Json]:
    try:
        found = orjson.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _amount(value: Json) -> float:
    if isinstance(value, bool) or value in (None, ""):
        return 0
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return 0
    return amount if abs(amount) < 1e15 else 0
