"""What a CRM tells by itself is noted: records to be read there, and errands of its workflows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from connector.ledger import crm_hints, cursors, errands
from connector.ledger.store import Tx
from connector.model import Errand, Fate, Hint, Parsed
from connector.steps.setup import Setup

GONE = frozenset({Fate.merged, Fate.converted, Fate.erased})
"""What happens to people's records alone, and is acted on without their being read."""
PEOPLE = frozenset({"contact", "lead"})


@dataclass(frozen=True, slots=True)
class Ignored:
    """What of a delivery is of no use here: how often each kind of it came."""

    source: str
    kinds: tuple[tuple[str, int], ...]


Noted = Hint | Errand | Ignored


def of(source: str, parsed: Parsed) -> tuple[Noted, ...]:
    """What a delivery told beside events, errands behind the hints of their records."""
    noted: tuple[Noted, ...] = (*parsed.hints, *parsed.errands)
    if not parsed.ignored:
        return noted
    return (*noted, Ignored(source, tuple(sorted(Counter(parsed.ignored).items()))))


def take(tx: Tx, rt: Setup, told: Noted, now: datetime) -> None:
    """Note one of them; told again it has no second effect."""
    if isinstance(told, Errand):
        errands.add(tx, told, now)
    elif isinstance(told, Hint):
        if _is_read(rt, told):
            crm_hints.note(tx, told, now)
        else:
            cursors.count(tx, f"{told.crm}_ignored:{told.object}")
    else:
        for kind, count in told.kinds:
            cursors.count(tx, f"{told.source}_ignored:{kind}", count)


def _is_read(rt: Setup, hint: Hint) -> bool:
    """Whether the CRM can be asked for such records, so that a hint does not wait for ever."""
    crm = rt.crms.get(hint.crm)
    if crm is None or hint.object in crm.objects:
        return True
    return hint.object in PEOPLE and hint.fate in GONE
