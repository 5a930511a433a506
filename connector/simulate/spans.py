"""Instants as people write them in examples: spans from the start of the clock, or dates."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_PART = re.compile(r"([+-]?)\s*(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])\s*")


def span(text: str) -> timedelta:
    """A span such as ``70m``, ``-3d``, ``1d 2h`` or ``5d -2h``; raises ``ValueError``.

    A sign holds for what follows it until there is another.
    """
    whole, sign, place = timedelta(), 1, 0
    told = text.strip()
    while place < len(told):
        found = _PART.match(told, place)
        if not found:
            break
        sign = {"": sign, "+": 1, "-": -1}[found[1]]
        whole += sign * timedelta(**{UNITS[found[3]]: float(found[2])})
        place = found.end()
    if not told or place < len(told):
        raise ValueError(f'{text!r:.40} is no span: write one such as "70m", "-3d" or "1d 2h"')
    return whole


def instant(value: Any, start: datetime, zone: tzinfo) -> datetime:
    """An instant: a span from ``start``, or a date and time (on ``zone``'s clock unless it says).

    Raises ``ValueError``.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return start + span(value)
    if not isinstance(value, datetime):
        raise ValueError(f'{value!r:.40} is no instant: write a span such as "70m"')
    return value.replace(tzinfo=zone) if value.tzinfo is None else value


def shown(at: datetime, start: datetime, zone: tzinfo) -> str:
    """An instant for people: on the zone's clock, and how long after the start it is."""
    return f"{at.astimezone(zone):%a %d %b %H:%M:%S} ({offset(at - start)})"


def offset(since: timedelta) -> str:
    """A span as it is written: ``+1d 2h``, ``-30m``."""
    seconds = since.total_seconds()
    left, parts = abs(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count:g}{unit}")
    if left:
        parts.append(f"{left:.3f}s")
    return ("-" if seconds < 0 else "+") + (" ".join(parts) or "0m")
