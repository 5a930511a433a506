"""What became of a deal, a meeting or a case, instant by instant, as its CRM tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from connector.model import Json
from connector.records import Record, Wanted
from connector.rules.crmchange import Change, FieldChange, Known, mapped, said, same, steps

MAKING: Final = timedelta(minutes=1)
"""How long a CRM's own automation goes on changing a record that was just made."""

REMEMBERED: Final = timedelta(days=90)
"""For how long at least each change is kept, so that it is known to have been told."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One instant at which fields of a record came to hold other values."""

    change: Change
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a reading of a record tells, in the order in which it happened.

    ``found`` is what fields held when they were first read, of which nobody can say since when:
    it is history, and no news.
    """

    turns: tuple[Turn, ...]
    found: tuple[FieldChange, ...] = ()


def read(
    record: Record, wanted: Wanted, known: Known | None, began: datetime | None = None
) -> Told:
    """What a record tells, given what it held when it was read last.

    A field of whose past the CRM tells changed when it says; any other changed when the record did.
    The whole past is told at each reading, so that it is told alike whoever reads, and when. Of a
    record without any past, read for the first time, it is known when it came to be so only where
    it was made since the CRM is read (``began``), or never changed since it was made.
    """
    values = mapped(record, wanted)
    moves = [*steps(record, (name for name in values if record.history.get(name)))]
    found = []
    for name, value in values.items():
        if record.history.get(name):
            continue
        if known is None or name not in known.fields:
            found += [FieldChange(name, None, value, record.modified_at)] if said(value) else []
        elif not same(known.fields[name], value):
            moves.append(FieldChange(name, known.fields[name], value, record.modified_at))
    plain = {name: value for name, value in values.items() if not record.history.get(name)}
    if known is None and not moves and _is_made_so(record, began):
        return Told((Turn(Change(record.modified_at, values), tuple(found)),))
    return Told(tuple(_turns(moves, values, plain, known)), tuple(found))


def news(turn: Turn, kept: Iterable[str]) -> Change:
    """Of a turn, what was not heard before: only ``kept`` counts as changed.

    What a record began with has no past, and is told whole.
    """
    if not turn.change.was:
        return turn.change
    fresh = set(kept)
    was = {name: value for name, value in turn.change.was.items() if name in fresh}
    return replace(turn.change, was=was)


def is_first_look(change: Change, known: Known | None) -> bool:
    """Whether only fields changed that the mapping did not name when the record was read last."""
    return known is not None and not any(name in known.fields for name in change.changed)


def is_past(change: Change, known: Known | None, now: datetime) -> bool:
    """Whether a change was told long ago, and may be kept no longer: it is no news, nor history.

    It happened before the record was read last, in fields that were read then.
    """
    if known is None or change.at > known.modified_at or change.at > now - REMEMBERED:
        return False
    return not is_first_look(change, known)


def hearing(
    people: Sequence[str], before: Iterable[str], since: datetime | None, at: datetime
) -> list[str]:
    """Who hears of a change at an instant, of those who stand on the record now.

    ``before`` stood on it when it was read last, at ``since`` (None: never). Who came since then
    hears of what happened after that.
    """
    stood = set(before)
    return [each for each in people if since is None or each in stood or at > since]


def _is_made_so(record: Record, began: datetime | None) -> bool:
    made = record.created_at
    if made is None:
        return False
    return record.modified_at - made <= MAKING or (began is not None and made >= began)


def _turns(
    moves: Sequence[FieldChange],
    values: Mapping[str, Json],
    plain: Mapping[str, Json],
    known: Known | None,
) -> Iterable[Turn]:
    """The instants, each with what the fields held then.

    Fields without a past (``plain``) held what was read last, until they changed. Of a record that
    was never read nobody knows since when they hold what they do: they stand in the last instant.
    """
    state: dict[str, Json] = dict.fromkeys(values)
    if known is not None:
        state |= {name: known.fields.get(name, value) for name, value in plain.items()}
    instants = sorted({move.at for move in moves})
    for at in instants:
        fields = tuple(sorted((m for m in moves if m.at == at), key=lambda move: move.field))
        is_first = known is None and at == instants[0]
        was = {} if is_first else {move.field: move.before for move in fields}
        state |= {move.field: move.after for move in fields}
        if known is None and at == instants[-1]:
            state |= plain
        yield Turn(Change(at, dict(state), was), fields)
