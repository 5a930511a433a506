"""Health: a provider that fails again and again is left alone for a while, then tried once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FAILURES: Final = 5  #: in a row, after which a provider is left alone
FIRST: Final = timedelta(seconds=30)  #: the first rest; each one after it is twice as long ...
LONGEST: Final = timedelta(minutes=10)  #: ... up to this


@dataclass(frozen=True, slots=True)
class Health:
    """How a provider has answered of late."""

    failed: int = 0  #: tries in a row that it could not be reached or refused us as a whole
    rests: int = 0  #: how often in a row it was left alone
    until: datetime | None = None  #: it is left alone until then, and after it tried once
    is_tried: bool = False  #: whether that one try is under way


WELL: Final = Health()


def may_try(health: Health, now: datetime) -> bool:
    """Whether a text may be handed to it: it is well, or it is time for the one try."""
    return health.until is None or (now >= health.until and not health.is_tried)


def tried(health: Health) -> Health:
    """A text is handed to it."""
    return replace(health, is_tried=True) if health.until is not None else health


def spared(health: Health) -> Health:
    """A text was not handed to it after all."""
    return replace(health, is_tried=False) if health.is_tried else health


def failed(health: Health, now: datetime) -> Health:
    """It could not be reached, did not answer, or refused us as a whole."""
    count = health.failed + 1
    was_the_try = health.until is not None and health.is_tried
    if not was_the_try and (health.until is not None or count < FAILURES):
        return replace(health, failed=count)
    return Health(count, health.rests + 1, now + rest(health.rests + 1))


def rest(time: int) -> timedelta:
    """How long it is left alone the first, the second … time in a row."""
    times: int = 2 ** min(max(time, 1) - 1, 10)
    return min(FIRST * times, LONGEST)
