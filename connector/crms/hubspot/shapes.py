"""HubSpot's own account of its properties: their types, options, and who may write them.

https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connector.clock import Clock
from connector.crms.hubspot.names import OBJECTS
from connector.crms.hubspot.values import TYPES
from connector.crms.hubspot.wire import Wire
from connector.errors import CrmUnavailable
from connector.records import FieldShape, Schema

FRESH: Final = timedelta(hours=24)  #: properties seldom change
AGAIN: Final = timedelta(minutes=10)  #: until they are asked for again after a refusal
SEVERAL: Final = frozenset({"checkbox"})  #: field types that hold several options

Shapes = Mapping[str, FieldShape]


class Known:
    """The properties of each object, asked for once a day; shared by threads."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire, self._clock = wire, clock
        self._found: dict[str, tuple[datetime, Shapes]] = {}
        self._lock = threading.Lock()

    def of(self, object: str) -> Shapes:
        """Name → shape; empty where HubSpot does not let us read them."""
        with self._lock:
            until, shapes = self._found.get(object, (None, {}))
            now = self._clock()
            if until is None or until <= now:
                try:
                    shapes, until = ask(self._wire, object), now + FRESH
                except CrmUnavailable as error:
                    if error.code not in ("forbidden", "malformed"):
                        raise
                    until = now + AGAIN
                self._found[object] = (until, shapes)
            return shapes

    def forget(self) -> None:
        """Ask again the next time: something there was not as it was known."""
        with self._lock:
            self._found.clear()


def ask(wire: Wire, object: str) -> dict[str, FieldShape]:
    """An object's properties as they are now."""
    answer = wire.look("properties-read", "properties.core_api", "get_all", OBJECTS[object])
    found = (_shape(item) for item in answer.items())
    return {shape.name: shape for shape in found if shape.name}


def schema(wire: Wire) -> Schema:
    """Every object that may be read; of the others, which scope is missing."""
    objects: dict[str, Shapes] = {}
    notes = []
    for object, plural in OBJECTS.items():
        try:
            objects[object] = ask(wire, object)
        except CrmUnavailable as error:
            if error.code != "forbidden":
                raise
            notes.append(f"{plural} may not be read: {error.remedy}")
    return Schema(objects, tuple(notes))


def _shape(item: Mapping[str, Any]) -> FieldShape:
    limits = item.get("modificationMetadata")
    is_fixed = isinstance(limits, Mapping) and bool(limits.get("readOnlyValue"))
    options = [option for option in item.get("options") or () if isinstance(option, Mapping)]
    options.sort(key=_place)
    return FieldShape(
        name=str(item.get("name") or ""),
        type=_type(item),
        label=str(item.get("label") or ""),
        choices=tuple(str(option.get("value") or "") for option in options),
        writable=not (is_fixed or item.get("calculated")),
    )


def _type(item: Mapping[str, Any]) -> str:
    kind = str(item.get("type") or "")
    if item.get("referencedObjectType") or item.get("externalOptions"):
        return "reference"
    if kind == "enumeration":
        return "choices" if item.get("fieldType") in SEVERAL else "choice"
    return TYPES.get(kind, "other")


def _place(option: Mapping[str, Any]) -> int:
    place = option.get("displayOrder")
    return place if isinstance(place, int) and place >= 0 else 1_000_000
