"""Dates: what other machines' clocks showed when they answered us, kept unread until asked for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from connector import clock

KEPT: Final = 5  #: answers of a host that are kept, the newest
HOSTS: Final = 32  #: hosts at most

_heard: dict[str, deque[tuple[float, datetime, str]]] = {}


def note(url: str, headers: Mapping[str, str]) -> None:
    """Keep what an answer's ``Date`` says and what our clocks showed; a cached one says nothing."""
    told = headers.get("Date")
    if not told or headers.get("Age"):
        return
    origin = "/".join(url.split("/", 3)[:3])
    heard = _heard.get(origin)
    if heard is None:
        if len(_heard) >= HOSTS:
            return
        heard = _heard.setdefault(origin, deque(maxlen=KEPT))
    heard.append((time.monotonic(), clock.now(), told))


def heard() -> dict[str, list[tuple[float, float]]]:
    """Origin → (monotonic seconds, seconds by which our clock was ahead) of each answer kept."""
    found: dict[str, list[tuple[float, float]]] = {}
    for origin, answers in list(_heard.items()):
        read = [(at, _ahead(ours, told)) for at, ours, told in list(answers)]
        found[origin] = [(at, ahead) for at, ahead in read if ahead is not None]
    return found


def forget() -> None:
    """Forget every answer: our own clock was set since, so they tell nothing of it."""
    _heard.clear()


def _ahead(ours: datetime, told: str) -> float | None:
    try:
        theirs = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return (ours - theirs).total_seconds() if theirs.tzinfo else None
