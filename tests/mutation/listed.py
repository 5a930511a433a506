"""The list of survivors, each with its reason, beside those that were found."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("survivors.toml")
KEYS: Final = {"play", "line", "mutation", "why"}

Name = tuple[str, str, str]  #: play, line, mutation


def listed(path: Path = FILE) -> dict[Name, str]:
    """Each listed survivor with its reason; raises ``ValueError`` where one has none."""
    found: dict[Name, str] = {}
    for item in tomllib.loads(path.read_text(encoding="utf-8")).get("survivors", []):
        name = (item["play"], item["line"], item["mutation"])
        if set(item) != KEYS or len(item["why"]) < 10:
            raise ValueError(f"{path.name}: {name} needs play, line, mutation and why, a sentence")
        if name in found:
            raise ValueError(f"{path.name}: {name} stands there twice")
        found[name] = item["why"]
    return found


def differences(
    survived: Collection[Name], known: Mapping[Name, str], tried: Collection[str]
) -> list[str]:
    """What is wrong, of the plays that were tried: survivors without a reason, and the reverse."""
    lines = [
        f"survives, and no reason is given: {_shown(name)}"
        for name in sorted(survived)
        if name not in known
    ]
    return lines + [
        f"is listed, and does not survive any more: {_shown(name)}"
        for name in sorted(known)
        if name[0] in tried and name not in survived
    ]


def _shown(name: Name) -> str:
    return f"{name[0]}: {name[1]} · {name[2]}"
