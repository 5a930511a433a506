"""Locating: which events one webhook body holds, what they are called, and when they happened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from connector.errors import ExpressionFailed, Unreadable
from connector.expressions import Bundle, Expression
from connector.model import Json

MAX_EVENTS: Final = 1_000
MAX_ID: Final = 256
_MILLISECONDS_FROM: Final = 100_000_000_000  # as seconds this would be the year 5138


@dataclass(frozen=True, slots=True)
class Located:
    """One event of a body; "" and None where the body does not say."""

    id: str
    name: str
    occurred_at: datetime | None
    item: Json


class Locator(Protocol):
    """The ``[event]`` table of a mapping."""

    @property
    def for_each(self) -> Expression | None:
        """Gives the list of events; None: the body is one."""

    @property
    def locator(self) -> Bundle | None:
        """id, name and occurred_at of one event."""

    @property
    def id_from(self) -> str:
        """ "body": the event's id is a hash of it."""


def locate(mapping: Locator, body: Json, headers: Mapping[str, str]) -> list[Located]:
    """The events of a webhook's body, at most 1,000; ``Unreadable`` where it holds no list of them.

    One event that cannot be read among many stays without id and name, so that it is kept and
    seen; raises ``ExpressionFailed`` where it is the only one.
    """
    items = _items(mapping, body, headers)
    found = []
    for item in items:
        context = {"body": body, "item": item, "headers": headers}
        try:
            found.append(_located(mapping, item, context))
        except ExpressionFailed:
            if mapping.for_each is None:
                raise
            found.append(Located(_digest(item), "", None, item))
    return found


def _items(mapping: Locator, body: Json, headers: Mapping[str, str]) -> list[Json]:
    if mapping.for_each is None:
        return [body]
    items = mapping.for_each({"body": body, "headers": headers})
    if not isinstance(items, list):
        raise Unreadable("event.for_each of the mapping gives no list for this body")
    if len(items) > MAX_EVENTS:
        raise Unreadable(f"the body holds {len(items)} events; at most {MAX_EVENTS} are taken")
    return items


def _located(mapping: Locator, item: Json, context: Mapping[str, Json]) -> Located:
    values = mapping.locator(context) if mapping.locator else {}
    event_id = _digest(item) if mapping.id_from == "body" else _text(values.get("id"))
    if len(event_id) > MAX_ID or not event_id.isprintable():
        event_id = _digest(event_id)
    name = _text(values.get("name"))[:MAX_ID]
    return Located(event_id, name, _instant(values.get("occurred_at")), item)


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _digest(item: Json) -> str:
    """SHA-256 of the item written the same way every time."""
    digest = hashlib.sha256()
    try:
        for piece in _pieces(item):
            digest.update(piece.encode("utf-8", "surrogatepass"))
    except RecursionError:
        raise Unreadable("the body is nested too deeply to be read") from None
    return f"sha256:{digest.hexdigest()}"


def _pieces(item: Json) -> Iterator[str]:
    return json.JSONEncoder(sort_keys=True, separators=(",", ":")).iterencode(item)


def _instant(value: Json) -> datetime | None:
    """An instant from ISO text (without a zone: UTC) or unix seconds or milliseconds, or None."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:20])
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(
                value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC
            )
    except (OverflowError, OSError, ValueError):
        return None
    return None
