"""What a record's fields held before, and who else it is about: asked for whole pages at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from connector.crms.salesforce import soql
from connector.crms.salesforce.errors import Rejected
from connector.crms.salesforce.ids import PEOPLE, known_id, object_of
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.session import Line
from connector.model import Json
from connector.records import Record, Wanted

STAGES: Final = ("StageName", "Amount", "Probability", "CloseDate", "ForecastCategory")
"""Fields of a deal that Salesforce keeps the past of by itself, in one row a change."""

CLOSING: Final = ("IsWon", "IsClosed")
"""What a stage says of a deal. Salesforce keeps no past of them, but of the stage."""

TRACKED: Final[Mapping[str, tuple[str, str]]] = {
    "contact": ("ContactHistory", "ContactId"),
    "lead": ("LeadHistory", "LeadId"),
    "deal": ("OpportunityFieldHistory", "OpportunityId"),
    "case": ("CaseHistory", "CaseId"),
}
"""Where the past of other fields stands, if an administrator has switched tracking on."""

ROLES: Final[Mapping[str, tuple[str, str, str]]] = {
    "deal": ("OpportunityContactRole", "OpportunityId", "ContactId"),
    "meeting": ("EventRelation", "EventId", "RelationId"),
}
"""Where further people of an object stand: the object, which of ours, and who."""

MOST: Final = 4_000  #: records of which what was told is remembered

Told = tuple[tuple[datetime, Json], ...]
Beside = tuple[tuple[str, ...], Mapping[str, Told]]  #: a record's people, and its past


@dataclass(frozen=True, slots=True)
class _Was:
    """One value that a field came to hold."""

    record: str
    field: str
    at: datetime
    value: Json


class Past:
    """Adds what is wanted beside a page of records: their past, and their people."""

    def __init__(self, line: Line, wanted: Wanted) -> None:
        self._line, self._wanted = line, wanted
        self._told: dict[tuple[str, datetime], Beside] = {}
        self._unseen: set[str] = set()  #: objects that this org does not let us see
        self._closing: dict[str, Mapping[str, Json]] = {}  #: stage → what it says of a deal

    def told(self, object: str, records: Sequence[Record], *, again: bool = False) -> list[Record]:
        """The records with their past and their people.

        ``again``: of one that was told before and has not changed since, as it was told then. Each
        poll sees the last minutes anew, and would ask all this anew for each of them.
        """
        if object not in ROLES and not self._wanted.history.get(object):
            return list(records)
        known = dict(self._told) if again else {}
        new = [one for one in records if (one.id, one.modified_at) not in known]
        here = [record.id for record in new if record.fate is None]
        people = self._people(object, here)
        past = self._history(object, here)
        for one in new:
            everyone = tuple(dict.fromkeys((*one.people, *people.get(one.id, ()))))
            known[one.id, one.modified_at] = everyone, past.get(one.id, {})
        self._remember(known)
        told = [known[one.id, one.modified_at] for one in records]
        pairs = zip(records, told, strict=True)
        return [replace(one, people=beside[0], history=beside[1]) for one, beside in pairs]

    def _remember(self, known: Mapping[tuple[str, datetime], Beside]) -> None:
        """Keep the newest; threads may each put their own in the place of another's."""
        every = {**self._told, **known}
        newest = sorted(every, key=lambda key: key[1])[-MOST:]
        self._told = {key: every[key] for key in newest}

    def _people(self, object: str, ids: Sequence[str]) -> dict[str, list[str]]:
        if object not in ROLES:
            return {}
        source, of, who = ROLES[object]
        order = "ORDER BY IsPrimary DESC, Id" if object == "deal" else "ORDER BY Id"
        found: dict[str, list[str]] = {}
        for row in self._rows(source, (of, who), of, ids, order):
            person = known_id(row.get(who))
            if object_of(person) in PEOPLE:
                found.setdefault(known_id(row.get(of)), []).append(person)
        return found

    def _history(self, object: str, ids: Sequence[str]) -> dict[str, dict[str, Told]]:
        names = self._wanted.history.get(object, ())
        own = [name for name in names if object == "deal" and name in STAGES]
        closing = [name for name in names if object == "deal" and name in CLOSING]
        other = [name for name in names if name not in (*own, *closing)]
        was = self._stages(own, closing, ids) if own or closing else []
        if other and object in TRACKED:
            was += self._tracked(object, other, ids)
        found: dict[str, dict[str, Told]] = {}
        for one in sorted(was, key=lambda one: one.at):
            held = found.setdefault(one.record, {})
            before = held.get(one.field, ())
            if not before or before[-1][1] != one.value:
                held[one.field] = (*before, (one.at, one.value))
        return found

    def _stages(
        self, names: Sequence[str], closing: Sequence[str], ids: Sequence[str]
    ) -> list[_Was]:
        """Each row holds all the fields as they stood after a change of any of them."""
        source, of = "OpportunityHistory", "OpportunityId"
        asked = (of, "CreatedDate", "StageName", *names)
        rows = self._rows(source, asked, of, ids, "ORDER BY CreatedDate")
        means = self._meanings(rows) if closing else {}
        dark = {known_id(row.get(of)) for row in rows if str(row.get("StageName")) not in means}
        found = []
        for row in rows:
            at, record = soql.instant(row.get("CreatedDate")), known_id(row.get(of))
            if at is None or not record:
                continue
            found += [_Was(record, name, at, soql.plain(row.get(name))) for name in names]
            if record not in dark:
                stage = means[str(row.get("StageName"))]
                found += [_Was(record, name, at, soql.plain(stage.get(name))) for name in closing]
        return found

    def _meanings(self, rows: Sequence[Mapping[str, Json]]) -> Mapping[str, Mapping[str, Json]]:
        """Stage → whether a deal in it is won, and closed; asked anew for one that is new."""
        source = "OpportunityStage"
        if source in self._unseen or {str(row.get("StageName")) for row in rows} <= set(
            self._closing
        ):
            return self._closing
        query = soql.select(("ApiName", "MasterLabel", *CLOSING), source)
        try:
            for stage in self._line.query("beside", query):
                self._closing[str(stage.get("ApiName"))] = stage
                self._closing[str(stage.get("MasterLabel"))] = stage
        except Rejected as error:
            if error.refusals[0].code != "INVALID_TYPE":
                raise
            self._unseen.add(source)
        return self._closing

    def _tracked(self, object: str, names: Sequence[str], ids: Sequence[str]) -> list[_Was]:
        """Each row holds one field's change."""
        source, of = TRACKED[object]
        wanted = {name.lower(): name for name in names}
        fields = (of, "Field", "NewValue", "CreatedDate")
        found = []
        for row in self._rows(source, fields, of, ids, "ORDER BY CreatedDate"):
            at, record = soql.instant(row.get("CreatedDate")), known_id(row.get(of))
            name = wanted.get(str(row.get("Field")).lower())
            if at is not None and record and name:
                found.append(_Was(record, name, at, soql.plain(row.get("NewValue"))))
        return found

    def _rows(
        self, source: str, fields: Sequence[str], of: str, ids: Sequence[str], order: str
    ) -> list[dict[str, Json]]:
        """Rows about these ids; none from an object that is not to be seen in this org."""
        if source in self._unseen:
            return []
        found: list[dict[str, Json]] = []
        for some in in_chunks(ids, soql.IN_ONE):
            query = soql.select(fields, source, soql.ids_in(of, some), order)
            try:
                found += self._line.query("beside", query)
            except Rejected as error:
                if error.refusals[0].code != "INVALID_TYPE":
                    raise
                self._unseen.add(source)
                return []
        return found

    @property
    def unseen(self) -> tuple[str, ...]:
        """The objects that could not be read, so that part of the past is not known."""
        return tuple(sorted(self._unseen))
