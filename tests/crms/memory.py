"""A CRM in memory in which people, and we, change records; its clock is the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from connector.crms.local import merge_fields
from connector.model import Fate, Hint, Json, Subject
from connector.records import Page, Record, Writeback, Written
from tests.crms.quiet import QuietCrm

PAGE = 100


@dataclass
class Held:
    """One record as the CRM holds it."""

    object: str
    id: str
    created_at: datetime
    modified_at: datetime
    place: int  #: in the order of all changes
    values: dict[str, Json] = field(default_factory=dict)
    history: dict[str, list[tuple[datetime, Json]]] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    fate: Fate | None = None
    became: str = ""


class MemoryCrm(QuietCrm):
    """Records by object and id. ``tells`` are the fields whose history it tells."""

    name = "desk"
    objects: tuple[str, ...] = ("contact", "lead", "deal", "case")

    def __init__(self, clock: Callable[[], datetime], tells: Sequence[str] = ()) -> None:
        self._clock, self._tells, self._places = clock, tells, count(1)
        self.page = PAGE
        self.held: dict[tuple[str, str], Held] = {}
        self.hints: list[Hint] = []  #: what webhooks say, in order
        self.calls: list[tuple[str, int]] = []
        self.error: Exception | None = None
        self.spells: dict[bool, Json] = {True: "true", False: "false"}
        self.poison = ""  #: an id over which every answer breaks

    # -- what people do there --------------------------------------------------------------------

    def put(
        self,
        id: str,
        object: str = "contact",
        *,
        at: Any = None,
        people: Any = (),
        **values: Json,
    ) -> Hint:
        """A person makes a record, or changes it; what a webhook would say of it."""
        now: datetime = at or self._clock()
        held = self.held.get((object, id))
        if held is None:
            held = self.held[object, id] = Held(object, id, now, now, 0)
        held.modified_at, held.place = max(held.modified_at, now), next(self._places)
        held.fate, held.people = None, people or held.people
        for name, value in values.items():
            if held.values.get(name) != value:
                held.history.setdefault(name, []).append((now, value))
            held.values[name] = value
        return self._hint(held)

    def ends(self, id: str, fate: Fate, became: str = "", object: str = "contact") -> Hint:
        """A record is deleted, merged, converted or erased."""
        held = self.held[object, id]
        held.modified_at, held.place = self._clock(), next(self._places)
        held.fate, held.became = fate, became
        return self._hint(held)

    def _hint(self, held: Held) -> Hint:
        told = (self.name, held.object, held.id, held.modified_at, held.fate, held.became)
        self.hints.append(Hint(*told))
        return self.hints[-1]

    # -- what it answers -------------------------------------------------------------------------

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        self._called("read", len(ids), ids)
        found = [self.held.get((object, id)) for id in ids]
        return [self._record(held) for held in found if held is not None]

    def changes(self, object: str, cursor: str | None) -> Page:
        self._called("changes", 1)
        if cursor is None:
            return Page((), str(next(self._places)))
        held = sorted(
            (held for held in self.held.values() if held.object == object),
            key=lambda each: each.place,
        )
        new = [each for each in held if each.place > int(cursor)]
        page = new[: self.page]
        after = str(page[-1].place) if page else cursor
        return Page(tuple(map(self._record, page)), after, len(new) <= self.page)

    def history(self, object: str, cursor: str | None) -> Page:
        return self.changes(object, cursor or "0")

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        self._called("fetch", len(subjects))
        return [self._fetched(subject) for subject in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        self._called("write", len(changes))
        return [self._write(change) for change in changes]

    def _write(self, change: Writeback) -> Written:
        record = change.record
        held = self.held.get(("contact", record)) or self.held.get(("lead", record))
        if held is None or held.fate is not None:
            return Written(change.id, ok=False, permanent=True, error="no such record")
        if change.kind == "fields":
            values = merge_fields(held.values, change.change)
            self.put(record, held.object, **self._spelled(values))
        return Written(change.id, ok=True, record=record)

    def _spelled(self, values: Mapping[str, Json]) -> dict[str, Json]:
        """As HubSpot gives back what it is told: true is ``"true"``; Salesforce leaves it true."""
        return {
            name: self.spells[value] if isinstance(value, bool) else value
            for name, value in values.items()
        }

    def _fetched(self, subject: Subject) -> Mapping[str, Json] | None:
        mine = [each for each in self.held.values() if each.object in ("contact", "lead")]
        found = [
            each
            for each in mine
            if each.fate is None
            and (
                each.id == subject.crm_id
                if subject.crm_id
                else subject.phone and each.values.get("phone") == subject.phone
            )
        ]
        if len(found) != 1:
            return None
        cases = [
            each
            for each in self.held.values()
            if each.object == "case" and found[0].id in each.people and each.values.get("open")
        ]
        told = {"id": found[0].id, "object": found[0].object, "open_cases": len(cases)}
        return {**found[0].values, **told}

    def _record(self, held: Held) -> Record:
        if held.fate is not None:
            about = (held.object, held.id, held.modified_at)
            return Record(*about, fate=held.fate, became=held.became)
        return Record(
            held.object,
            held.id,
            held.modified_at,
            dict(held.values),
            {name: tuple(held.history[name]) for name in self._tells if name in held.history},
            held.people,
            created_at=held.created_at,
        )

    def _called(self, what: str, size: int, ids: Sequence[str] = ()) -> None:
        self.calls.append((what, size))
        if self.error is not None:
            raise self.error
        if self.poison and self.poison in ids:
            raise ValueError("an answer that nobody understands")


def after(at: datetime, seconds: float) -> datetime:
    """An instant so much later."""
    return at + timedelta(seconds=seconds)
