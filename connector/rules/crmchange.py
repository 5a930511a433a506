"""What changed of a CRM's record since it was read last: the fields, when, and what they held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.model import Json
from connector.records import Record, Wanted


@dataclass(frozen=True, slots=True)
class Known:
    """A record as it was read last."""

    fields: Mapping[str, Json]
    modified_at: datetime
    contact_id: str = ""
    people: tuple[str, ...] = ()
    fate: str = ""
    became: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field came to hold another value; ``at`` is when, as far as the CRM tells."""

    field: str
    before: Json
    after: Json
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a record at one instant.

    ``now`` is what its mapped fields hold after that, ``was`` what those that changed held before:
    nothing where the record is new. ``back_fill``: nobody can say that this happened just now.
    """

    at: datetime
    now: Mapping[str, Json]
    was: Mapping[str, Json] = field(default_factory=dict)
    back_fill: bool = False

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields that changed; of a record that is new, all that hold something."""
        held = self.was or {name: value for name, value in self.now.items() if said(value)}
        return tuple(sorted(held))


def mapped(record: Record, wanted: Wanted) -> dict[str, Json]:
    """The fields of a record that the mapping reads; all that were told where it names none."""
    names = wanted.fields.get(record.object)
    if names is None:
        return dict(record.values)
    return {name: record.values.get(name) for name in names}


def differing(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """Fields that hold another value than when they were read last, and what they held then.

    One that was not read then (the mapping did not name it yet) did not change.
    """
    return {
        name: was for name, was in before.items() if name in after and not same(was, after[name])
    }


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same to a person, however they are written.

    A CRM gives back ``"true"`` for true, ``"3"`` for 3, and an instant in its own spelling.
    """
    if said(one) == said(other):
        return True
    if isinstance(one, str) and isinstance(other, str):
        first, second = _instant(one), _instant(other)
        return first is not None and first == second
    return False


def said(value: Json) -> str:
    """A value as one text; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return repr(value)
    return str(value)


def steps(record: Record, names: Iterable[str]) -> Iterator[FieldChange]:
    """Every change of these fields that the CRM itself tells of, oldest first for each."""
    for name in names:
        before: Json = None
        for at, value in record.history.get(name, ()):
            if not same(before, value):
                yield FieldChange(name, before, value, at)
            before = value


def since(record: Record, fields: Mapping[str, Json], at: datetime) -> dict[str, Json]:
    """Of a record never read before: fields that the CRM says changed since ``at``, and what they
    held until then."""
    found: dict[str, Json] = {}
    for step in steps(record, fields):
        if step.at >= at:
            found.setdefault(step.field, step.before)
    return {name: was for name, was in found.items() if not same(was, fields[name])}


def last_step(record: Record, names: Iterable[str], after: datetime) -> datetime:
    """When the last of these fields changed, as far as the CRM tells; else when the record did."""
    found = [step.at for step in steps(record, names) if step.at >= after]
    return max(found, default=record.modified_at)


def _instant(value: str) -> datetime | None:
    if len(value) < 10 or not value[:4].isdigit():
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
