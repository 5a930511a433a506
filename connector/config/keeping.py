"""What is kept and for how long: ``[backup]`` and ``[retention]`` of ``config.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config.toml import Table

DAY: Final = timedelta(days=1)
YEARS: Final = timedelta(days=365)

#: kind → (how long it is kept unless said, the least that may be said).
KINDS: Final[Mapping[str, tuple[timedelta, timedelta]]] = {
    "events": (730 * DAY, 90 * DAY),  # keys are kept 90 days beyond the event
    "signals": (730 * DAY, 90 * DAY),
    "texts": (5 * YEARS, 90 * DAY),  # bodies only: the message log itself stays
    "replies": (5 * YEARS, 90 * DAY),  # bodies only
    "decisions": (5 * YEARS, 90 * DAY),  # and the facts they saw
    "clicks": (730 * DAY, 30 * DAY),
    "unreadable": (90 * DAY, DAY),
    "receipts": (730 * DAY, 30 * DAY),
    "crm_changes": (730 * DAY, 7 * DAY),
    "crm_history": (5 * YEARS, 90 * DAY),
    "touches": (400 * DAY, 90 * DAY),
    "lookups": (730 * DAY, 30 * DAY),
}
"""What a rule of ours needs is the least: caps look back 90 days at most."""


@dataclass(frozen=True, slots=True)
class Backups:
    """The ``[backup]`` table."""

    folder: Path | None = None  #: where the worker puts backups; None for no backups by itself
    every: timedelta = DAY
    keep: int = 14  #: how many of them, the newest


@dataclass(frozen=True, slots=True)
class Retention:
    """The ``[retention]`` table: kind → how long its rows are kept."""

    keep: Mapping[str, timedelta] = field(
        default_factory=lambda: {name: kept for name, (kept, _) in KINDS.items()}
    )


def backups(table: Table, folder: Path) -> Backups:
    """Read ``[backup]``; a path is beside ``config.toml`` unless it is a whole one."""
    place = table.text("dir", "")
    every = table.span("every", DAY)
    if timedelta(0) < every < timedelta(minutes=5):
        table.fault("every", "is under 5 minutes", 'write a span such as "24h"')
    keep = table.whole("keep", 14, low=1, high=10_000)
    table.done()
    return Backups((folder / place).resolve() if place else None, every, keep)


def retention(table: Table) -> Retention:
    """Read ``[retention]``: days for each kind; 0 keeps it for ever."""
    keep = {}
    for name, (usual, least) in KINDS.items():
        days = table.whole(name, usual // DAY, high=36_500)
        if days and days * DAY < least:
            table.fault(name, f"is {days} days", f"at least {least // DAY}, or 0 for ever")
        elif days:
            keep[name] = days * DAY
    table.done()
    return Retention(keep)
