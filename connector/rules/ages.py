"""Ages: how old a fact may be that a text rests on, and when it must be asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

CRM: Final = "crm"


@dataclass(frozen=True, slots=True)
class Ages:
    """How old what the CRM told may be (the ``[facts]`` table); None for as old as it is."""

    max_age: timedelta | None = None
    fields: Mapping[str, timedelta] = field(default_factory=dict)  #: field → its own

    def __bool__(self) -> bool:
        return self.max_age is not None or bool(self.fields)

    def allowed(self, paths: Iterable[str]) -> timedelta | None:
        """The shortest age allowed of the CRM's facts among ``paths``; None where none is bound."""
        ages = (self.fields.get(_field(path), self.max_age) for path in crm_paths(paths))
        return min((age for age in ages if age is not None), default=None)


@dataclass(frozen=True, slots=True)
class NumberChecks:
    """Which numbers take texts, and how often they are looked up (the ``[numbers]`` table)."""

    voip: bool = False  #: whether numbers of the internet are texted
    check_every: timedelta | None = None  #: None looks none up
    per_day: int = 1_000  #: look-ups in 24 hours at the most, since each costs money
    reassigned: bool = False  #: whether it is asked too if a number has a new owner


def crm_paths(paths: Iterable[str]) -> frozenset[str]:
    """Those of ``paths`` that read what the CRM told."""
    return frozenset(path for path in paths if path.partition(".")[0] == CRM)


def old_facts(asked_at: datetime | None, allowed: timedelta | None, now: datetime) -> str:
    """Why what the CRM told cannot be gone by, in a sentence that time does not change; or "".

    What was never asked is too old, whatever the rules would read in its place.
    """
    if allowed is None:
        return ""
    limit = f"it may be {spelt(allowed)} old"
    if asked_at is None:
        return f"The CRM was never asked about this person; {limit}."
    if now - asked_at <= allowed:
        return ""
    return f"The CRM was last asked on {asked_at:%Y-%m-%d %H:%M} UTC; {limit}."


def unchecked_number(checked_at: datetime | None, every: timedelta | None, now: datetime) -> str:
    """Why a number is to be looked up before it is texted; or ""."""
    if every is None:
        return ""
    if checked_at is None:
        return "The number was never looked up."
    if now - checked_at < every:
        return ""
    return f"The number was last looked up on {checked_at:%Y-%m-%d}; it is due {spelt(every)} on."


def spelt(span: timedelta) -> str:
    """A span in words: ``90 days``, ``1 hour``, ``30 minutes``."""
    seconds = int(span.total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def _field(path: str) -> str:
    return path.partition(".")[2].partition(".")[0]
