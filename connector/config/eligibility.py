"""Eligibility: what ``policy.toml`` says of numbers, and of how old the CRM's facts may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.config.supply import Supply, check_paths
from connector.config.toml import Table
from connector.rules.ages import CRM, Ages, NumberChecks

SHORTEST_CHECK: Final = timedelta(days=1)  #: between two look-ups of a number
SHORTEST_AGE: Final = timedelta(minutes=5)  #: less would ask the CRM again while it answers
LONGEST: Final = timedelta(days=3650)
ELSEWHERE: Final = timedelta(hours=24)  #: what a CRM elsewhere told may be so old, unless said
LOCAL: Final = "local"
"""The CRM inside the ledger: what it holds is always known, so nothing bounds it unless said."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the policy is read against beside the mappings."""

    country: str = "US"  #: of numbers without a +
    crm: str = LOCAL  #: the CRM in use
    provider: str = "sandbox"
    looks_up: bool = True  #: whether it, or another that is configured, looks numbers up
    lists: Path | None = None  #: where suppression lists stand; None: beside the policy


AROUND: Final = Around()


def number_checks(table: Table, around: Around) -> NumberChecks:
    """The ``[numbers]`` table."""
    found = NumberChecks(
        voip=table.text("voip", "stop", choices=("stop", "allow")) == "allow",
        check_every=_span(table, "check_every", SHORTEST_CHECK),
        per_day=table.whole("check_at_most", 1_000, low=1, high=10_000_000),
        reassigned=table.flag("check_owner", False),
    )
    if found.check_every is not None and not around.looks_up:
        remedy = "leave it out, or add [providers.twilio], which does, whoever sends"
        table.fault("check_every", f"is set, and {around.provider} looks no number up", remedy)
    if found.check_every is None:
        for key in ("check_at_most", "check_owner"):
            if key in table:
                table.fault(key, "says nothing alone", 'add check_every = "90d"')
    table.done()
    return found


def ages(table: Table, supply: Supply, crm: str) -> Ages:
    """The ``[facts]`` table: ``max_age``, and ``crm.<field>`` for a field of its own."""
    max_age = _span(table, "max_age", SHORTEST_AGE)
    if max_age is None and "max_age" not in table and crm != LOCAL:
        max_age = ELSEWHERE
    below = table.table(CRM)
    fields = {}
    for name in below.values:
        span = _span(below, name, SHORTEST_AGE)
        if span is not None:
            fields[name] = span
        check_paths(below, name, [f"{CRM}.{name}"], {CRM: supply.crm})
    below.done()
    table.done()
    return Ages(max_age, fields)


def _span(table: Table, key: str, shortest: timedelta) -> timedelta | None:
    """A span of a sensible length; None where the key is absent."""
    if key not in table:
        table.raw(key)
        return None
    known = len(table.faults)
    span = table.span(key)
    if len(table.faults) == known and not shortest <= span <= LONGEST:
        least = f"{shortest.days}d" if shortest.days else f"{shortest.seconds // 60}m"
        table.fault(key, "is too short or too long", f"from {least} to {LONGEST.days}d")
    return max(span, shortest)
