"""The library: ready plays with their texts, wherever this installation keeps them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector import starters

PLACE: Final = "library"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
_MODE: Final = re.compile(r'^mode\s*=\s*"[a-z]+"', re.MULTILINE)
_ROLE: Final = re.compile(r"^role\s*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ready:
    """A play of the library, as its file says it."""

    name: str
    role: str
    next_step: str
    description: str
    not_for: str


def folders() -> tuple[Path, Path]:
    """Where the library's plays and texts are."""
    root = starters.root()
    return root / "mappings" / PLACE, root / "templates" / PLACE


def is_name(name: str) -> bool:
    """Whether a play may be called so."""
    return bool(_NAME.fullmatch(name))


def plays() -> Iterator[Ready]:
    """Every ready play, by name."""
    for path in sorted(folders()[0].glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        names = ("role", "next_step", "description", "not_for")
        yield Ready(path.stem, *(str(told.get(name, "")) for name in names))


def starting_on(signal: str) -> list[str]:
    """Names of the ready plays that begin with a signal."""
    found = []
    for path in sorted(folders()[0].glob("*.toml")):
        start = tomllib.loads(path.read_text(encoding="utf-8")).get("start", {})
        if start.get("signal") == signal:
            found.append(path.stem)
    return found


def copy(source: str, name: str, folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy a ready play and its texts into a folder: (written, already there and kept).

    The play is put into shadow mode, so that it sends nothing before somebody has looked.
    """
    play, texts = folders()
    content = (play / f"{source}.toml").read_text(encoding="utf-8")
    files = {Path("mappings/plays") / f"{name}.toml": _in_shadow(content)}
    for template in sorted(_templates(tomllib.loads(content))):
        for path in sorted(texts.glob(f"{template}.*.txt")):
            files[Path("templates") / path.name] = path.read_text(encoding="utf-8")
    written, kept = [], []
    for target, body in files.items():
        place = folder / target
        if place.exists():
            kept.append(target)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(body, encoding="utf-8")
        written.append(target)
    return written, kept


def _in_shadow(content: str) -> str:
    if _MODE.search(content):
        return _MODE.sub('mode = "shadow"', content, count=1)
    return _ROLE.sub(lambda found: f'{found[0]}\nmode = "shadow"', content, count=1)


def _templates(value: Any) -> set[str]:
    """Every template that a play names, wherever in its steps or experiment."""
    if isinstance(value, dict):
        own = {item for key, item in value.items() if _is_template(key, item)}
        return own.union(*(_templates(item) for item in value.values()))
    if isinstance(value, list):
        return {name for item in value for name in _templates(item)}
    return set()


def _is_template(key: str, value: Any) -> bool:
    return isinstance(value, str) and (key == "template" or key.endswith(".template"))
