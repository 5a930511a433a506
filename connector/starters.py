"""The files a new folder starts with, wherever this installation keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

LIBRARY: Final = "library"
"""Folders of this name hold what is copied play by play, not what a new folder starts with."""

_HERE = Path(__file__).parent


def root() -> Path:
    """Where the starters are: inside the wheel, or the repository of an editable install."""
    packed = _HERE / "starters"
    return packed if packed.is_dir() else _HERE.parent


def files() -> Iterator[tuple[Path, Path]]:
    """Each starter as (its path in a new folder, the file to copy), in a fixed order."""
    start = root()
    yield Path("config.toml"), start / "config.example.toml"
    for part in ("mappings", "templates"):
        for path in sorted((start / part).rglob("*")):
            if _is_starter(path.relative_to(start)) and path.is_file():
                yield path.relative_to(start), path


def _is_starter(path: Path) -> bool:
    return LIBRARY not in path.parts and not path.name.startswith(".")
