"""Reading records: those of given ids, what changed since a cursor, and all of them.

A cursor is an instant of Salesforce's own clock, and inside a page of many rows the last row's
stamp and id: a bulk load stamps thousands of rows alike, at which a plain instant would stick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from connector import clock
from connector.crms.salesforce import soql
from connector.crms.salesforce.ids import OBJECTS, PEOPLE, Unfit, known_id, object_of, record_id
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.past import Past
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Fate, Json
from connector.records import Page, Record, Wanted

PAGE: Final = 2_000  #: rows in one call
STAMPED: Final = "SystemModstamp"
MADE: Final = "CreatedDate"
ALWAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "contact": ("MasterRecordId", "AccountId"),
    "lead": ("MasterRecordId", "IsConverted", "ConvertedContactId"),
    "deal": ("AccountId",),
    "meeting": ("WhoId", "WhatId"),
    "case": ("ContactId", "AccountId"),
}
"""What is read of an object beside what is wanted: where it went, and whom it is about."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on: after a row, or from an instant on; neither is from the beginning."""

    since: datetime | None
    after: str = ""  #: the id of the last row that was read, of those stamped ``since``
    resume: datetime | None = None  #: inside of several pages: where the next poll begins

    def text(self) -> str:
        """As the ledger keeps it."""
        parts = (self.since, self.after, self.resume)
        words = [clock.text(one) if isinstance(one, datetime) else one or "" for one in parts]
        return "|".join(words).rstrip("|")


def cursor_of(text: str) -> Cursor:
    """The cursor behind its text. Raises ``CrmUnavailable`` for what is none."""
    since, after, resume = [*text.split("|"), "", ""][:3]
    try:
        if after:
            after = record_id(after)
        return Cursor(_instant(since), after, _instant(resume))
    except (Unfit, ValueError):
        raise CrmUnavailable("the cursor cannot be read", code="malformed") from None


class Reader:
    """Records of the objects that are wanted."""

    def __init__(
        self, line: Line, wanted: Wanted, now: Callable[[], datetime], overlap: timedelta
    ) -> None:
        self._line, self._wanted, self._now, self._overlap = line, wanted, now, overlap
        self._past = Past(line, wanted)

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """The records of these ids, those in the bin too; what cannot be seen is left out."""
        known = list(dict.fromkeys(id for one in ids if (id := known_id(one))))
        names = self._names(object)
        found: list[Record] = []
        for some in in_chunks(known, soql.ids_in_one(names)):
            query = soql.select(names, OBJECTS[object], soql.ids_in("Id", some))
            found += self._records(object, self._line.query("read", query, deleted=True))
        return found

    def changes(self, object: str, cursor: str | None) -> Page:
        """What changed since the cursor, and a little before it; without one nothing has.

        Long transactions are stamped when they began and seen when they end, so that each poll
        looks at the last minutes again, but never at what was there at the first connection.
        """
        if not cursor:
            return Page((), Cursor(self._began(object)).text())
        at = cursor_of(cursor)
        rows, asked = self._page(object, at, deleted=True)
        resume = at.resume or max(asked - self._overlap, at.since or asked)
        is_last = len(rows) < PAGE
        onward = Cursor(resume) if is_last else replace(_after(rows[-1]), resume=resume)
        return Page(tuple(self._records(object, rows, again=True)), onward.text(), is_last)

    def _began(self, object: str) -> datetime:
        """Now, by Salesforce's own clock, which stamps its records."""
        self._line.query("poll", soql.select(("Id",), OBJECTS[object], "", "LIMIT 1"))
        return self._line.told_at() or self._now()

    def history(self, object: str, cursor: str | None) -> Page:
        """All records that are there now, oldest change first."""
        at = cursor_of(cursor) if cursor else Cursor(None)
        rows, _ = self._page(object, at, deleted=False)
        onward = _after(rows[-1]).text() if rows else at.text()
        return Page(tuple(self._records(object, rows)), onward, is_last=len(rows) < PAGE)

    def became(self, ids: Iterable[str]) -> dict[str, str]:
        """People who were merged or converted → the record that took their place."""
        found: dict[str, str] = {}
        for object in PEOPLE:
            some = [one for one in ids if object_of(one) == object]
            for record in self.read(object, some) if some else ():
                if known_id(record.became):
                    found[record.id] = record.became
        return found

    def _names(self, object: str) -> tuple[str, ...]:
        wanted = self._wanted.fields.get(object, ())
        return soql.unique(("Id", STAMPED, MADE, "IsDeleted", *ALWAYS.get(object, ()), *wanted))

    def _page(
        self, object: str, at: Cursor, *, deleted: bool
    ) -> tuple[list[dict[str, Json]], datetime]:
        """The next rows in order, and when they were asked for by the slower of both clocks."""
        where = _where(at)
        if object == "lead" and not deleted:
            where = f"({where}) AND IsConverted = false" if where else "IsConverted = false"
        rest = f"ORDER BY {STAMPED}, Id LIMIT {PAGE}"
        query = soql.select(self._names(object), OBJECTS[object], where, rest)
        asked = self._now()
        rows = self._line.query("history" if not deleted else "poll", query, deleted=deleted)
        told = self._line.told_at()
        return rows, min(asked, told) if told else asked

    def _records(
        self, object: str, rows: Sequence[dict[str, Json]], *, again: bool = False
    ) -> list[Record]:
        records = [self._record(object, row) for row in rows]
        return self._past.told(object, records, again=again)

    def _record(self, object: str, row: dict[str, Json]) -> Record:
        at, id = soql.instant(row.get(STAMPED)), known_id(row.get("Id"))
        if at is None or not id:
            raise CrmUnavailable("a record's id or its stamp cannot be read", code="malformed")
        fate, became = _fate(object, row)
        if fate is not None:
            return Record(object, id, at, fate=fate, became=became)
        wanted = self._wanted.fields.get(object, ())
        people, related = _about(row)
        values = soql.values(row, wanted)
        made = soql.instant(row.get(MADE))
        return Record(object, id, at, values, people=people, related=related, created_at=made)


def _fate(object: str, row: Mapping[str, Json]) -> tuple[Fate | None, str]:
    """What became of a record that is no longer there, and the id of what took its place."""
    if row.get("IsDeleted") is True:
        master = known_id(row.get("MasterRecordId"))
        return (Fate.merged, master) if master else (Fate.deleted, "")
    if object == "lead" and row.get("IsConverted") is True:
        return Fate.converted, known_id(row.get("ConvertedContactId"))
    return None, ""


def _about(row: Mapping[str, Json]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Whom and what a record is about."""
    people: list[str] = []
    related: dict[str, str] = {}
    for name in ("WhoId", "ContactId", "WhatId", "AccountId"):
        found = known_id(row.get(name))
        object = object_of(found)
        if object in PEOPLE:
            people.append(found)
        elif object:
            related.setdefault(object, found)
    return tuple(people), related


def _where(at: Cursor) -> str:
    if at.since is None:
        return ""
    stamp = soql.stamp(at.since)
    if at.after:
        last = soql.quoted("Id > {}", at.after)
        return f"({STAMPED} = {stamp} AND {last}) OR {STAMPED} > {stamp}"
    return f"{STAMPED} >= {stamp}"


def _after(row: Mapping[str, Any]) -> Cursor:
    return Cursor(soql.instant(row.get(STAMPED)), known_id(row.get("Id")))


def _instant(text: str) -> datetime | None:
    return clock.instant(text) if text else None
