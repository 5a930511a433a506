"""HubSpot's property values, which all travel as text: from ours to its, and back again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import orjson

from connector import clock
from connector.crms.hubspot.names import LONGEST
from connector.model import Json
from connector.records import FieldShape

TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "phone_number": "text",
    "number": "number",
    "bool": "flag",
    "date": "date",
    "datetime": "instant",
}
FLAGS: Final = {"true": True, "false": False}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_MILLIS = re.compile(r"-?\d{1,15}")


def to_text(value: Json, shape: FieldShape | None = None) -> str:
    """A value as HubSpot takes it; "" clears. An instant to a date is that day in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, list | tuple):
        return ";".join(to_text(item) for item in value)[:LONGEST]
    if isinstance(value, Mapping):
        return orjson.dumps(dict(value)).decode()[:LONGEST]
    text = str(value)[:LONGEST]
    if not _INSTANT.fullmatch(text):
        return text
    at = datetime.fromisoformat(text).astimezone(UTC)
    if shape is not None and shape.type == "date":
        return at.date().isoformat()
    return stamp(at)


def from_text(value: str | None, shape: FieldShape | None) -> Json:
    """A property's value in the type that it has in HubSpot; None where nothing stands.

    Instants are fixed-width UTC text, as everywhere here. Of a property whose type is not known
    only "true" and "false" are taken for more than text.
    """
    if value is None or value == "":
        return None
    kind = shape.type if shape is not None else ""
    if kind == "number":
        return _number(value)
    if kind == "instant":
        at = instant(value)
        return clock.text(at) if at else value
    if kind in ("flag", ""):
        return FLAGS.get(value.lower(), value)
    return value


def stamp(at: datetime) -> str:
    """An instant in milliseconds, as HubSpot writes it."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def instant(value: Json) -> datetime | None:
    """An instant that HubSpot told, as text or as milliseconds since 1970."""
    text = str(value)
    try:
        if _MILLIS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1_000, UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _number(value: str) -> Json:
    try:
        return int(value) if _MILLIS.fullmatch(value) else float(value)
    except ValueError:
        return value
