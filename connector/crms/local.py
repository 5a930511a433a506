"""A CRM inside the ledger, so that everything works before any account is opened.

It is written and read exactly as a CRM elsewhere is; only that its records stand in two tables
beside the ledger's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Protocol

from connector.clock import Clock
from connector.model import Json, Subject
from connector.records import Page, Record, Schema, Writeback, Written

ADDED: Final = "_added"
"""Beside a record's fields: how much of our running totals its ``increment`` fields hold."""

ACTIVITY: Final = ("kind", "subject", "body", "status", "occurred_at")


class Batch(Protocol):
    """Changes of records that are kept together or not at all."""

    def open(self, contact_id: str, now: datetime) -> str:
        """The id of the contact's record, made the first time it is asked for."""

    def fields(self, record: str) -> dict[str, Json]:
        """What the record's fields hold."""

    def set_fields(self, record: str, fields: Mapping[str, Json], now: datetime) -> None:
        """Make the record's fields hold this and nothing else."""

    def put(self, record: str, key: str, activity: Mapping[str, Any], now: datetime) -> None:
        """Put an activity on the record, or in the place of the one with its key."""


class Records(Protocol):
    """Where the records are kept."""

    def writing(self) -> AbstractContextManager[Batch]:
        """Begin a batch; it is on disk when the block ends."""

    def find(self, subjects: list[Subject]) -> list[tuple[str, dict[str, Json]] | None]:
        """For each subject its record's id and fields, or None when it has none."""


class LocalCrm:
    """The ``Crm`` that needs no account."""

    name = "local"
    batch = 100
    objects: tuple[str, ...] = ()
    echoes = True

    def __init__(self, *, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """The fields of each subject's record, with its ``id``.

        A record is found by its id, else by an identity that exactly one contact bears.
        """
        return [found and _shown(*found) for found in self._records.find(list(subjects))]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Make the changes in one transaction; a contact's record is made with its first one."""
        now = self._clock()
        with self._records.writing() as batch:
            return [_write(batch, change, now) for change in changes]

    def route(self, kind: str, made: bool) -> str:
        """Every change travels alike."""
        return "change"

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """Nothing: nobody but the connector writes here."""
        return []

    def changes(self, object: str, cursor: str | None) -> Page:
        """Nothing: nobody but the connector writes here, and it knows what it wrote."""
        return Page((), cursor or "")

    def history(self, object: str, cursor: str | None) -> Page:
        """Nothing: there was nobody before the connector."""
        return Page((), cursor or "")

    def schema(self) -> Schema:
        """Any field is taken."""
        return Schema()


def merge_fields(current: Mapping[str, Json], change: Mapping[str, Json]) -> dict[str, Json]:
    """A record's fields after a change, which groups its values by rule.

    ``always`` sets; ``if_empty`` sets where nothing stands; ``increment`` holds a running total
    of ours, and the field grows by what that total has grown since it was last taken over, so
    that the same change made twice is made once.
    """
    merged = {**current, **change.get("always", {})}
    for name, value in change.get("if_empty", {}).items():
        if merged.get(name) in (None, ""):
            merged[name] = value
    added = dict(current.get(ADDED) or {})
    for name, total in change.get("increment", {}).items():
        merged[name] = _amount(merged.get(name)) + total - added.get(name, 0)
        added[name] = total
    return {**merged, ADDED: added} if added else merged


def _write(batch: Batch, change: Writeback, now: datetime) -> Written:
    if fault := _fault(change):
        return Written(change.id, ok=False, permanent=True, error=fault)
    record = batch.open(change.contact_id, now)
    if change.kind == "fields":
        batch.set_fields(record, merge_fields(batch.fields(record), change.change), now)
    else:
        batch.put(record, change.key, change.change, now)
    return Written(change.id, ok=True, record=record)


def _fault(change: Writeback) -> str:
    """Why a change cannot be made, or ""."""
    if change.kind == "fields":
        return ""
    if change.kind not in ("activity", "task"):
        return f"there is no kind of change called {change.kind}"
    missing = [name for name in ACTIVITY if not isinstance(change.change.get(name), str)]
    return f"the {change.kind} lacks {', '.join(missing)}" if missing else ""


def _amount(value: Json) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _shown(record: str, fields: Mapping[str, Json]) -> dict[str, Json]:
    return {**{name: fields[name] for name in fields if name != ADDED}, "id": record}
