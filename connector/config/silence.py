"""``silent_after`` of a ``[sources.<name>]`` table: how long a silence is before it is an alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connector.config.toml import Table

HABIT: Final = "habit"
NEVER: Final = "never"
SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=365)


def silent_after(table: Table) -> timedelta | None:
    """A span of the operator's own; None goes by the source's habit, zero raises no alarm."""
    said = table.raw("silent_after")
    if said is None or said == HABIT:
        return None
    if said == NEVER:
        return timedelta(0)
    span = table.span("silent_after")
    if not SHORTEST <= span <= LONGEST:
        remedy = f'write "{HABIT}", "{NEVER}", or a span from 5m to 365d such as "6h"'
        table.fault("silent_after", "is no span of that length", remedy)
    return span
