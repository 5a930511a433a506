"""Records read in batches, with their history, whom they are about, and what became of the gone.

https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connector.clock import Clock
from connector.crms.hubspot.failures import Refusal, forbidden
from connector.crms.hubspot.links import tied
from connector.crms.hubspot.names import (
    COMPANY,
    CONTACTS,
    MERGED,
    OBJECTS,
    STAGE,
    is_id,
    modified,
)
from connector.crms.hubspot.shapes import Known, Shapes
from connector.crms.hubspot.stages import Stages
from connector.crms.hubspot.values import from_text, instant
from connector.crms.hubspot.wire import BATCH, Wire, parts
from connector.model import Fate, Json
from connector.records import Record, Wanted

WITH_HISTORY: Final = 50  #: records in one call that asks for history

Item = Mapping[str, Any]


class Reader:
    """Reads records of any object that we know."""

    def __init__(
        self, wire: Wire, known: Known, stages: Stages, wanted: Wanted, clock: Clock
    ) -> None:
        self._wire, self._known, self._stages = wire, known, stages
        self._wanted, self._clock = wanted, clock

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """One record for each id, in their order; of one that is gone, what became of it."""
        wanted = [id for id in dict.fromkeys(ids) if is_id(id)]
        history = self._wanted.history.get(object, ())
        items: dict[str, Item] = {}
        for some in parts(wanted, WITH_HISTORY if history else BATCH):
            names = self.names(object)
            found = batch_read(self._wire, OBJECTS[object], some, names, history)
            items |= matched(some, found)
        there = [item for id, item in items.items() if _id(item) == id]
        records = {record.id: record for record in self.records(object, there)}
        return [
            records.get(id) or self._gone(object, id, items.get(id)) for id in dict.fromkeys(ids)
        ]

    def records(self, object: str, items: Sequence[Item]) -> list[Record]:
        """Records of what HubSpot told of them, with the people whom they are about."""
        shapes = self._known.of(object)
        ids = [_id(item) for item in items]
        people: Mapping[str, Sequence[str]] = {id: (id,) for id in ids}
        if object != "contact" and ids:
            people = tied(self._wire, OBJECTS[object], CONTACTS, ids)
        return [self._record(object, item, shapes, people[_id(item)]) for item in items]

    def names(self, object: str) -> list[str]:
        """The properties to ask for: the wanted ones, and those that we live by."""
        names = [*self.fields(object), modified(object), MERGED]
        if object == "contact":
            names += [COMPANY, STAGE]
        return list(dict.fromkeys(names))

    def fields(self, object: str) -> list[str]:
        """The properties that a mapping reads of an object."""
        wanted, names = self._wanted, [*self._wanted.fields.get(object, ())]
        if object == "contact":
            names += [*wanted.phone, *wanted.email, wanted.opt_out, wanted.stage]
        return list(dict.fromkeys(name for name in names if name))

    def values(self, object: str, item: Item, shapes: Shapes) -> dict[str, Json]:
        """The wanted fields of an item, each in its type; a contact's stage is remembered."""
        held = properties(item)
        if object == "contact" and STAGE in held:
            self._stages.see(_id(item), str(held[STAGE] or ""))
        return {name: from_text(held.get(name), shapes.get(name)) for name in self.fields(object)}

    def _record(self, object: str, item: Item, shapes: Shapes, people: Sequence[str]) -> Record:
        held = properties(item)
        company = str(held.get(COMPANY) or "") if object == "contact" else ""
        return Record(
            object,
            _id(item),
            self._modified_at(object, item),
            self.values(object, item, shapes),
            _history(item, shapes, self._wanted.history.get(object, ())),
            tuple(people),
            {"company": company} if is_id(company) else {},
            created_at=instant(item.get("createdAt")),
        )

    def _gone(self, object: str, id: str, winner: Item | None) -> Record:
        if winner is None:
            return Record(object, id, self._clock(), fate=Fate.deleted)
        at = self._modified_at(object, winner)
        return Record(object, id, at, fate=Fate.merged, became=_id(winner))

    def _modified_at(self, object: str, item: Item) -> datetime:
        told = properties(item).get(modified(object)) or item.get("updatedAt")
        return instant(told) or self._clock()


def batch_read(
    wire: Wire,
    plural: str,
    ids: Iterable[str],
    names: Sequence[str],
    history: Sequence[str] = (),
    by: str = "",
) -> list[dict[str, Any]]:
    """At most a hundred records by id, or by the unique property ``by``; the gone are absent."""
    body: dict[str, Json] = {
        "inputs": [{"id": id} for id in ids],
        "properties": list(names),
        "propertiesWithHistory": list(history),
    }
    if by:
        body["idProperty"] = by
    if not body["inputs"]:
        return []
    try:
        return wire.ask(f"{plural}-read", "objects.batch_api", "read", plural, body).items()
    except Refusal as error:
        if error.status == 404:
            return []
        raise forbidden(error) from None


def matched(ids: Sequence[str], items: Sequence[Item]) -> dict[str, Item]:
    """Each asked id with its record: its own, or that of the one into which it was merged."""
    found = {_id(item): item for item in items if _id(item) in ids}
    for item in items:
        into = str(properties(item).get(MERGED) or "").split(";")
        found |= {id: item for id in ids if id not in found and id in into}
    return found


def properties(item: Item) -> Mapping[str, Any]:
    """An item's properties by name."""
    held = item.get("properties")
    return held if isinstance(held, Mapping) else {}


def _id(item: Item) -> str:
    return str(item.get("id") or "")


def _history(
    item: Item, shapes: Shapes, names: Iterable[str]
) -> dict[str, tuple[tuple[datetime, Json], ...]]:
    told = item.get("propertiesWithHistory")
    held = told if isinstance(told, Mapping) else {}
    found = {}
    for name in names:
        steps = [step for step in held.get(name) or () if isinstance(step, Mapping)]
        dated = [(instant(step.get("timestamp")), step.get("value")) for step in steps]
        known = [(at, from_text(value, shapes.get(name))) for at, value in dated if at is not None]
        found[name] = tuple(sorted(known, key=lambda step: step[0]))
    return found
