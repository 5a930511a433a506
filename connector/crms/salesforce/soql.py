"""Queries in Salesforce's own language: every name checked, every value quoted, never an empty IN.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connector import clock
from connector.crms.salesforce.ids import field_path
from connector.model import Json

IN_ONE: Final = 200  #: ids in one query at most
ADDRESS: Final = 12_000  #: characters of one query as sent, well below the 16,384 of an address
ID_LENGTH: Final = 30  #: characters of an id as sent, with its quotes and comma

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(\+00:?00|Z)")


def quoted(template: str, *values: Any) -> str:
    """A piece of a query with its values quoted by the client's own rules.

    Raises ``ValueError`` for an empty list, which Salesforce cannot read.
    """
    from simple_salesforce.format import format_soql

    if any(isinstance(value, list | tuple) and not value for value in values):
        raise ValueError("IN of nothing is no query")
    return str(format_soql(template, *values))


def select(fields: Iterable[str], source: str, where: str = "", rest: str = "") -> str:
    """``SELECT … FROM … WHERE … rest``; each field once, in order."""
    names = ", ".join(field_path(name) for name in unique(fields))
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {names} FROM {field_path(source)}{condition} {rest}".rstrip()  # noqa: S608


def counted(field: str, source: str, where: str) -> str:
    """How many rows there are of each value of a field, as ``counted``."""
    name = field_path(field)
    return (
        f"SELECT {name}, COUNT(Id) counted FROM {field_path(source)} "  # noqa: S608
        f"WHERE {where} GROUP BY {name}"
    )


def ids_in(field: str, ids: Sequence[str]) -> str:
    """``field IN (…)`` of ids that were checked."""
    return quoted(f"{field_path(field)} IN {{}}", list(ids))


def stamp(instant: datetime) -> str:
    """An instant as a literal, to the millisecond."""
    return f"{instant.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def instant(text: Json) -> datetime | None:
    """What Salesforce writes for an instant (``2026-11-20T10:00:00.000+0000``)."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def at(row: Json, path: str) -> Json:
    """A field of a row, also of a parent; None where the parent is absent."""
    for name in path.split("."):
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def values(row: Json, paths: Iterable[str]) -> dict[str, Json]:
    """The wanted fields of a row by the names that they were asked with.

    Instants are fixed-width UTC text, as everywhere here.
    """
    return {path: plain(at(row, path)) for path in paths}


def plain(value: Json) -> Json:
    """A value as we keep it."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        found = instant(value)
        return clock.text(found) if found else value
    return value


def ids_in_one(fields: Sequence[str]) -> int:
    """How many ids a query for these fields may name, so that its address is not too long."""
    left = ADDRESS - sum(len(name) + 5 for name in fields)
    return max(1, min(IN_ONE, left // ID_LENGTH))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Names in order, each once, without regard to case, as Salesforce has them."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return tuple(found.values())
