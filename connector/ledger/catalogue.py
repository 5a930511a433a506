"""The catalogue: every event name heard of each source, counted, and each source's busy hours.

Nothing is written as an event is taken. What was taken is counted later, slice by slice, up to a
cursor; what came after it is counted as it is asked for. So the counts outlive the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.clock import first_id
from connector.ledger import cursors
from connector.ledger.store import Row, Tx

CURSOR: Final = "catalogue"  #: the id of the last event that was counted
SLICE: Final = 20_000  #: events counted at a time
LATE: Final = timedelta(minutes=5)
"""An identifier is made before its event is written; what is younger is left for the next time."""
MOST_NAMES: Final = 500  #: of one source; a stranger may make up as many as they like
REST: Final = "…"  #: the name under which what is beyond them is counted
MAX_NAME: Final = 200
KEPT_HOURS: Final = timedelta(days=70)  #: of which a source's habit is told
PAST_ALL: Final = "evt_~"

UNTIL = """SELECT id FROM events WHERE id > :after AND id < :before ORDER BY id
    LIMIT 1 OFFSET :skip"""
LAST = "SELECT max(id) AS id FROM events WHERE id > :after AND id < :before"
COUNT = """SELECT source, type, substr(name, 1, 200) AS name, substr(received_at, 1, 13) AS hour,
        CAST(count(*) AS BIGINT) AS heard,
        CAST(sum(CASE WHEN state = 'done' THEN 1 ELSE 0 END) AS BIGINT) AS done,
        CAST(sum(CASE WHEN contact_id IS NOT NULL AND EXISTS (SELECT 1 FROM identities i
            WHERE i.contact_id = events.contact_id AND i.kind <> 'anonymous_id'
                AND i.detached_at IS NULL) THEN 1 ELSE 0 END) AS BIGINT) AS known,
        CAST(sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed,
        CAST(sum(CASE WHEN state = 'unmapped' AND reason = 'robot' THEN 1 ELSE 0 END) AS BIGINT)
            AS robots,
        CAST(sum(CASE WHEN state = 'unmapped' AND reason = 'staff' THEN 1 ELSE 0 END) AS BIGINT)
            AS staff,
        CAST(sum(CASE WHEN state = 'unmapped' AND reason = 'test' THEN 1 ELSE 0 END) AS BIGINT)
            AS tests,
        min(received_at) AS first_at, max(received_at) AS last_at
    FROM events WHERE id > :after AND id <= :until
    GROUP BY source, type, substr(name, 1, 200), substr(received_at, 1, 13)"""
ALL = "SELECT * FROM catalogue"
ADD = """INSERT INTO catalogue (source, type, name, heard, done, known, failed, robots, staff,
        tests, first_at, last_at)
    VALUES (:source, :type, :name, :heard, :done, :known, :failed, :robots, :staff, :tests,
        :first_at, :last_at)
    ON CONFLICT (source, type, name) DO UPDATE SET heard = catalogue.heard + excluded.heard,
        done = catalogue.done + excluded.done, known = catalogue.known + excluded.known,
        failed = catalogue.failed + excluded.failed, robots = catalogue.robots + excluded.robots,
        staff = catalogue.staff + excluded.staff, tests = catalogue.tests + excluded.tests,
        first_at = CASE WHEN excluded.first_at < catalogue.first_at THEN excluded.first_at
            ELSE catalogue.first_at END,
        last_at = CASE WHEN excluded.last_at > catalogue.last_at THEN excluded.last_at
            ELSE catalogue.last_at END"""
ADD_HOUR = """INSERT INTO source_hours (source, hour, heard) VALUES (:source, :hour, :heard)
    ON CONFLICT (source, hour) DO UPDATE SET heard = source_hours.heard + excluded.heard"""
FORGET_HOURS = "DELETE FROM source_hours WHERE hour < :before"
HOURS = "SELECT hour, heard FROM source_hours WHERE source = :source ORDER BY hour"
COUNTED: Final = ("heard", "done", "known", "failed", "robots", "staff", "tests")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event name of one source, and what became of the events that bore it."""

    source: str
    type: str
    name: str  #: "" where events of this type have none
    heard: int
    done: int  #: of which a signal came
    known: int  #: of which the person was more than a device
    failed: int
    robots: int
    staff: int
    tests: int
    first_at: str
    last_at: str

    @property
    def apart(self) -> int:
        """Those that were no customer's."""
        return self.robots + self.staff + self.tests

    def plus(self, other: Entry) -> Entry:
        """Both together, under this one's name."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in COUNTED}
        first_at, last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)
        return replace(self, first_at=first_at, last_at=last_at, **sums)


Hours = Mapping[tuple[str, str], int]
"""(source, hour as ``2026-11-21T14`` in UTC) → events heard in it."""


def span(tx: Tx, before: datetime) -> tuple[str, str]:
    """The next slice that may be counted: after one id, up to another ("" where there is none)."""
    after = cursors.get(tx, CURSOR)
    bounds = {"after": after, "before": first_id("evt", before)}
    row = tx.one(UNTIL, **bounds, skip=SLICE - 1) or tx.one(LAST, **bounds)
    return after, str(row["id"]) if row and row["id"] else ""


def counted(tx: Tx, after: str, until: str) -> tuple[list[Entry], Hours]:
    """What the events between two ids are, by name and by hour."""
    entries: dict[tuple[str, str, str], Entry] = {}
    hours: dict[tuple[str, str], int] = {}
    for row in tx.all(COUNT, after=after, until=until):
        hour = (str(row["source"]), str(row["hour"]))
        hours[hour] = hours.get(hour, 0) + int(row["heard"])
        _gather(entries, _entry(row))
    return list(entries.values()), hours


def add(tx: Tx, entries: Iterable[Entry], hours: Hours, until: str) -> None:
    """Count a slice for good; events up to ``until`` are counted no more."""
    for entry in _bounded({_key(row) for row in tx.all(ALL)}, entries):
        tx.run(ADD, **{name: getattr(entry, name) for name in Entry.__slots__})
    for (source, hour), heard in hours.items():
        tx.run(ADD_HOUR, source=source, hour=hour, heard=heard)
    cursors.set_(tx, CURSOR, until)


def forget_hours(tx: Tx, now: datetime) -> None:
    """Drop the hours that no habit is told of any longer."""
    tx.run(FORGET_HOURS, before=clock.text(now - KEPT_HOURS)[:13])


def entries(tx: Tx) -> list[Entry]:
    """Every name heard so far, also of what was not counted for good yet."""
    found = {_key(row): _entry(row) for row in tx.all(ALL)}
    recent, _ = counted(tx, cursors.get(tx, CURSOR), PAST_ALL)
    for entry in _bounded(set(found), recent):
        _gather(found, entry)
    return sorted(found.values(), key=_key)


def hours(tx: Tx, source: str) -> list[Row]:
    """The hours in which a source told anything, the oldest first."""
    return tx.all(HOURS, source=source)


def last_heard(tx: Tx) -> dict[str, str]:
    """Source → when it was heard last, as far as it is counted."""
    sql = "SELECT source, max(last_at) AS at FROM catalogue GROUP BY source"
    return {str(row["source"]): str(row["at"]) for row in tx.all(sql)}


def became(tx: Tx, before: Row, after: Row) -> None:
    """An event that was kept aside became something else: its count moves, if it was counted."""
    if str(after["id"]) > cursors.get(tx, CURSOR):
        return
    was, now = _alone(before), _alone(after)
    change = {name: getattr(now, name) - getattr(was, name) for name in COUNTED}
    moved = replace(now, **change)
    for entry in _bounded({_key(row) for row in tx.all(ALL)}, [moved]):
        tx.run(ADD, **{name: getattr(entry, name) for name in Entry.__slots__})


def _alone(row: Row) -> Entry:
    """An event by itself as an entry; whom it speaks of counts as known where it has a contact."""
    state, reason = str(row["state"]), str(row["reason"])
    apart = {name: int(state == "unmapped" and reason == why) for name, why in _APART.items()}
    return Entry(
        source=str(row["source"]),
        type=str(row["type"]),
        name=str(row["name"])[:MAX_NAME],
        heard=1,
        done=int(state == "done"),
        known=int(bool(row["contact_id"])),
        failed=int(state == "failed"),
        **apart,
        first_at=str(row["received_at"]),
        last_at=str(row["received_at"]),
    )


_APART: Final = {"robots": "robot", "staff": "staff", "tests": "test"}


def _bounded(known: set[tuple[str, str, str]], entries: Iterable[Entry]) -> list[Entry]:
    """The entries, those beyond a source's bound under one name."""
    names: dict[str, int] = {}
    for source, _, _ in known:
        names[source] = names.get(source, 0) + 1
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in _busiest(entries):
        if _key(entry) not in known and _key(entry) not in found:
            if names.get(entry.source, 0) >= MOST_NAMES:
                entry = replace(entry, name=REST)
            else:
                names[entry.source] = names.get(entry.source, 0) + 1
        _gather(found, entry)
    return list(found.values())


def _busiest(entries: Iterable[Entry]) -> Sequence[Entry]:
    """Those of which something came first, so that made-up names do not crowd them out."""
    return sorted(entries, key=lambda entry: (-entry.done, -entry.heard, _key(entry)))


def _gather(found: dict[tuple[str, str, str], Entry], entry: Entry) -> None:
    known = found.get(_key(entry))
    found[_key(entry)] = entry if known is None else known.plus(entry)


def _entry(row: Row) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__slots__})


def _key(row: Row | Entry) -> tuple[str, str, str]:
    if isinstance(row, Entry):
        return row.source, row.type, row.name
    return str(row["source"]), str(row["type"]), str(row["name"])
