"""The libraries whose data decisions rest on: time zones, numbers, holidays."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

NAMES: Final = ("tzdata", "phonenumbers", "holidays", "babel")


@cache
def versions() -> dict[str, str]:
    """Each by its version, "" where it is not installed."""
    found = {}
    for name in NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
