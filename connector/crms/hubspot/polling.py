"""What changed, by search, oldest first: the floor where no webhook can be had.

https://developers.hubspot.com/docs/api-reference/search/guide
Each page starts where the last one ended, not at its place: a place shifts when a record that
was told changes again, and ends at 10,000. The search lags, so that each poll begins a minute
before the last change that was seen; what was told already is known by its mark in the cursor.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from connector.clock import Clock
from connector.crms.hubspot.failures import Refusal, forbidden
from connector.crms.hubspot.finding import next_page, search
from connector.crms.hubspot.names import OBJECTS, modified
from connector.crms.hubspot.reading import Item, Reader, properties
from connector.crms.hubspot.values import instant
from connector.crms.hubspot.wire import Wire
from connector.model import Json
from connector.records import Page, Record, Wanted

PAGE: Final = 200  #: records in one page of a search
LIST: Final = 100  #: in one page of a list; 50 with history
LIST_WITH_HISTORY: Final = 50
LAG_MS: Final = 60_000
CALM_MS: Final = 600_000  #: what changed longer ago than this no search misses any more
MARKS: Final = 120  #: of what was told, at most, so that the cursor stays short
LONGEST_QUERY: Final = 6_000  #: characters of properties in an address
END: Final = "end"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an object's changes were told."""

    start: int  #: where the next search begins, in milliseconds since 1970
    floor: int  #: where all began: nothing before is ever told
    above: str = ""  #: of those that changed in the millisecond ``start``, ids after this one
    told: tuple[str, ...] = ()  #: marks of what was told since ``start``

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor behind its text; None where it is none of ours."""
        try:
            held = orjson.loads(text)
            told = tuple(str(mark) for mark in held.get("told", ()))
            return cls(int(held["at"]), int(held["floor"]), str(held.get("above", "")), told)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def text(self) -> str:
        """The cursor as the ledger keeps it."""
        held: dict[str, Json] = {"at": self.start, "floor": self.floor}
        if self.above:
            held["above"] = self.above
        if self.told:
            held["told"] = self.told
        return orjson.dumps(held).decode()


class Poller:
    """Pages through what changed, and through all there is."""

    def __init__(self, wire: Wire, reader: Reader, wanted: Wanted, clock: Clock) -> None:
        self._wire, self._reader, self._wanted, self._clock = wire, reader, wanted, clock

    def changes(self, object: str, text: str | None) -> Page:
        """One page of what changed since the cursor, and where to go on."""
        cursor = Cursor.parse(text) if text else None
        if cursor is None:
            now = _millis(self._clock())
            return Page((), Cursor(now, now).text())
        items = self._search(object, cursor)
        news = [item for item in items if _mark(object, item) not in cursor.told]
        is_last = len(items) < PAGE and not cursor.above
        after = self._rested(object, cursor, items) if is_last else _onward(object, cursor, items)
        return Page(tuple(self._told(object, news)), after.text(), is_last)

    def history(self, object: str, after: str | None) -> Page:
        """One page of all records; HubSpot lists them by id, and not by when they changed."""
        if after == END:
            return Page((), END)
        names, history = self._reader.names(object), self._wanted.history.get(object, ())
        is_long = sum(map(len, (*names, *history))) + 30 * len(names) > LONGEST_QUERY
        asked: dict[str, Any] = {"limit": LIST_WITH_HISTORY if history else LIST}
        if not is_long:
            asked |= {"properties": names} | (
                {"properties_with_history": history} if history else {}
            )
        if after:
            asked["after"] = after
        body = self._listed(OBJECTS[object], asked)
        items = body.items()
        records = (
            self._reader.read(object, [str(item.get("id")) for item in items])
            if is_long
            else self._reader.records(object, items)
        )
        onward = next_page(body.body)
        return Page(tuple(records), onward or END, not onward)

    def _listed(self, plural: str, asked: Mapping[str, Any]) -> Any:
        try:
            return self._wire.ask(
                f"{plural}-list", "objects.basic_api", "get_page", plural, **asked
            )
        except Refusal as error:
            raise forbidden(error) from None

    def _search(self, object: str, cursor: Cursor) -> list[dict[str, Any]]:
        name = modified(object)
        if cursor.above:
            filters = [_filter(name, "EQ", str(cursor.start))]
            filters.append(_filter("hs_object_id", "GT", cursor.above))
            sort = "hs_object_id"
        else:
            filters, sort = [_filter(name, "GTE", str(cursor.start))], name
        body: dict[str, Json] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": self._reader.names(object),
            "limit": PAGE,
        }
        found: list[dict[str, Any]] = search(self._wire, OBJECTS[object], body).items()
        return found

    def _rested(self, object: str, cursor: Cursor, items: Sequence[Item]) -> Cursor:
        """All is told: the next poll begins where the search may still have lagged."""
        last = _changed(object, items[-1]) if items else cursor.start
        calm = _millis(self._clock()) - CALM_MS
        start = max(cursor.floor, last - LAG_MS, calm)
        if not items:
            start = max(cursor.start, calm)
        return _kept(object, replace(cursor, start=start), items)

    def _told(self, object: str, items: Sequence[Item]) -> list[Record]:
        """The records of hits; those of which a search does not tell all are read."""
        if object == "contact" and not self._wanted.history.get(object):
            return self._reader.records(object, items)
        read = self._reader.read(object, [str(item.get("id")) for item in items])
        return sorted(read, key=lambda record: record.modified_at)


def _onward(object: str, cursor: Cursor, items: Sequence[Item]) -> Cursor:
    """Where to go on after a page that was not the last.

    One that ends in the millisecond in which it began goes on by id within that, so that
    thousands of records that were imported at once are told too.
    """
    last = _changed(object, items[-1]) if items else cursor.start
    if len(items) < PAGE:
        return replace(cursor, start=cursor.start + 1, above="")
    if last <= cursor.start:
        return replace(cursor, above=str(items[-1].get("id")) if cursor.above else "0")
    return _kept(object, replace(cursor, start=last, above=""), items)


def _kept(object: str, cursor: Cursor, items: Sequence[Item]) -> Cursor:
    """The cursor with marks of what was told and will be found again."""
    again = [_mark(object, item) for item in items if _changed(object, item) >= cursor.start]
    told = tuple(dict.fromkeys((*cursor.told, *again)))
    return replace(cursor, told=told[-MARKS:])


def _mark(object: str, item: Item) -> str:
    """A short name of one state of one record."""
    state = f"{item.get('id')}:{_changed(object, item)}"
    return f"{zlib.crc32(state.encode()):08x}"


def _changed(object: str, item: Item) -> int:
    at = instant(properties(item).get(modified(object)) or item.get("updatedAt"))
    return _millis(at) if at else 0


def _filter(name: str, operator: str, value: str) -> dict[str, Json]:
    return {"propertyName": name, "operator": operator, "value": value}


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
