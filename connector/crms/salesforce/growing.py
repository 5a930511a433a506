"""Fields that grow by a running total of ours: what was added already, and what is being added.

Salesforce keeps only the sum. So that a growth whose call's fate is unknown is not added twice,
what the field held and is to hold is kept before the call, and compared when it comes again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from connector.clock import Clock
from connector.model import Json

KEPT: Final = "_salesforce"  #: where it stands among what the ledger keeps beside a contact

Growth = dict[str, Any]
"""``added``: field → our total that it holds; ``begun``: field → [held, is to hold, our total]."""


class Totals(Protocol):
    """Where the growth of a person's fields is kept."""

    def of(self, contact_id: str, record: str) -> Growth:
        """What is kept of a record; empty where nothing is."""

    def keep(self, contact_id: str, record: str, growth: Growth) -> None:
        """Keep it in the place of what was kept."""


class InMemory:
    """For as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, Growth] = {}

    def of(self, contact_id: str, record: str) -> Growth:
        return dict(self._kept.get(record, {}))

    def keep(self, contact_id: str, record: str, growth: Growth) -> None:
        self._kept[record] = growth


class InLedger:
    """In the ledger, beside the contact; on disk before the call is made."""

    def __init__(self, records: Any, clock: Clock) -> None:
        self._records, self._clock, self._lock = records, clock, threading.Lock()

    def of(self, contact_id: str, record: str) -> Growth:
        with self._records.writing() as batch:
            kept = batch.fields(batch.open(contact_id, self._clock())).get(KEPT, {})
        return dict(kept.get(record, {}))

    def keep(self, contact_id: str, record: str, growth: Growth) -> None:
        now: datetime = self._clock()
        with self._lock, self._records.writing() as batch:
            beside = batch.open(contact_id, now)
            fields = batch.fields(beside)
            kept = {**fields.get(KEPT, {}), record: growth}
            batch.set_fields(beside, {**fields, KEPT: kept}, now)


def begin(
    growth: Growth, totals: Mapping[str, Json], held: Mapping[str, Json]
) -> tuple[dict[str, Json], Growth]:
    """The fields as they are to stand, and what to keep before the call is made."""
    settled = settle(growth, held)
    added, begun = settled["added"], {}
    values: dict[str, Json] = {}
    for name, total in totals.items():
        grown = total - added.get(name, 0)
        if grown:
            values[name] = amount(held.get(name)) + grown
            begun[name] = [amount(held.get(name)), values[name], total]
    return values, {"added": added, "begun": begun}


def settle(growth: Growth, held: Mapping[str, Json]) -> Growth:
    """What was being added is done, unless the field still holds what it held before."""
    added = dict(growth.get("added", {}))
    for name, (before, _, total) in growth.get("begun", {}).items():
        if amount(held.get(name)) != before:
            added[name] = total
    return {"added": added, "begun": {}}


def done(growth: Growth) -> Growth:
    """After the call: what was being added is added."""
    totals = {name: total for name, (_, _, total) in growth.get("begun", {}).items()}
    return {"added": {**growth.get("added", {}), **totals}, "begun": {}}


def amount(value: Json) -> float:
    """A field's number; anything else counts as nothing."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
