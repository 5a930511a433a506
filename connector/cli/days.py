"""Days as options name them."""

from __future__ import annotations

from datetime import UTC, datetime

import click


class Day(click.ParamType[datetime]):
    """A day, as text: 2026-03-01; its first instant, UTC."""

    name = "day"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it, or say how it is written."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.strptime(value.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"{value!r} is no day; write 2026-03-01", param, ctx)
