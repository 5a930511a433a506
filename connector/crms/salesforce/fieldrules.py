"""A person's fields as they are to stand: some of them hang on what the record holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.crms.salesforce import growing, rows, soql
from connector.crms.salesforce.errors import Refusal, Rejected
from connector.crms.salesforce.ids import OBJECTS, known_id, object_of
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.session import Line
from connector.model import Json
from connector.records import Writeback

EMPTY: Final = (None, "")
ASKING: Final = ("if_empty", "increment")  #: groups for which the record is read first

Held = dict[str, Any]  #: record → its fields now, or the refusal for which they are not known


class Values:
    """Works out what to set, with one query for each object where the rules ask for it."""

    def __init__(self, line: Line, totals: growing.Totals) -> None:
        self._line, self._totals = line, totals

    def held(self, changes: Sequence[Writeback]) -> Held:
        """What the records hold of the fields whose rule asks for it."""
        found: Held = {}
        for object in ("contact", "lead"):
            asked: dict[str, tuple[str, ...]] = {}
            for change in changes:
                record = known_id(change.record)
                if object_of(record) == object and (names := _asked(change)):
                    asked[record] = names
            every = soql.unique(name for each in asked.values() for name in each)
            for ids in in_chunks(list(asked), soql.IN_ONE):
                found |= self._read(object, ids, every)
        return found

    def _read(self, object: str, ids: Sequence[str], names: Iterable[str]) -> Held:
        query = soql.select(("Id", *names), OBJECTS[object], soql.ids_in("Id", ids))
        try:
            told = self._line.query("fields", query)
        except Rejected as error:
            return dict.fromkeys(ids, error.refusals[0])
        return {known_id(row.get("Id")): row for row in told}

    def row(self, change: Writeback, held: Held) -> rows.Row | Refusal:
        """The row that makes the change. Raises ``Unwritable``."""
        groups = _groups(change)
        values = dict(groups.get("always", {}))
        if not _asked(change):
            return rows.fields(change, values)
        record = rows.person(change)
        now = held.get(record, {})
        if isinstance(now, Refusal):
            return now
        now = {name.lower(): value for name, value in now.items()}
        for name, value in groups.get("if_empty", {}).items():
            if values.get(name, now.get(name.lower())) in EMPTY:
                values[name] = value
        values |= self._grown(change, record, groups.get("increment", {}), now)
        return rows.fields(change, values)

    def _grown(
        self, change: Writeback, record: str, totals: Mapping[str, Json], now: Mapping[str, Json]
    ) -> dict[str, Json]:
        if not totals:
            return {}
        held = {name: now.get(name.lower()) for name in totals}
        kept = self._totals.of(change.contact_id, record)
        values, growth = growing.begin(kept, totals, held)
        if growth != kept:
            self._totals.keep(change.contact_id, record, growth)
        return values

    def made(self, change: Writeback) -> None:
        """The change stands: what was being added is added."""
        if _groups(change).get("increment"):
            record = rows.person(change)
            growth = self._totals.of(change.contact_id, record)
            self._totals.keep(change.contact_id, record, growing.done(growth))


def _groups(change: Writeback) -> Mapping[str, Mapping[str, Json]]:
    for name, group in change.change.items():
        if name not in ("always", *ASKING):
            raise rows.Unwritable(f"there is no rule for fields called {name}")
        if not isinstance(group, Mapping):
            raise rows.Unwritable(f"{name} is a table of fields")
    return change.change


def _asked(change: Writeback) -> tuple[str, ...]:
    """The fields whose rule asks for what they hold."""
    try:
        groups = _groups(change)
        return tuple(rows.written(name) for group in ASKING for name in groups.get(group, {}))
    except rows.Unwritable:
        return ()  # it is refused where its row is made
