"""Captures: the next deliveries of a webhook that nobody can read yet, kept in files of their own.

The web writes them and nothing acts on them. A capture is opened by a command, is bounded in time,
number and bytes, and goes away by itself: the files are a few megabytes at the very most, whoever
calls. They stand beside the ledger, in ``captures/<name>/``, for nobody but their owner to read.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from connector import clock
from connector.errors import ConnectorError

FOLDER: Final = "captures"
OPEN: Final = "open.json"  #: of a capture: what it was asked for
CLOSING: Final = "open.json.new"
MOST_OPEN: Final = 10
MOST_COUNT: Final = 100
MOST_BYTES: Final = 5_000_000  #: of one capture
MOST_BODY: Final = 256 * 1024  #: of one delivery; of a larger one only its size is kept
LONGEST: Final = timedelta(days=1)
KEPT: Final = timedelta(days=1)  #: after a capture has closed
MARK: Final = "connector_capture"  #: the field by which a file is known to be one

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Capture:
    """What was asked for: the next deliveries at ``/in/<name>``."""

    name: str
    until: datetime
    count: int
    opened_at: datetime
    whole: bool = False  #: keep what is proven to come from a configured source as it is


def open_(folder: Path, asked: Capture) -> None:
    """Begin to keep deliveries; what an earlier capture of the name kept goes.

    Raises ``ConnectorError`` where too many captures are open.
    """
    standing = [each for each in _all(folder) if each.until > asked.opened_at]
    if len([each for each in standing if each.name != asked.name]) >= MOST_OPEN:
        names = ", ".join(sorted(each.name for each in standing))
        remedy = "end one: connector source capture NAME --stop"
        raise ConnectorError(f"{MOST_OPEN} captures are open ({names}); {remedy}")
    forget(folder, asked.name)
    place = _place(folder, asked.name)
    place.mkdir(mode=0o700, parents=True)
    _write(place / OPEN, _lines(asked))


def current(folder: Path, name: str, now: datetime) -> Capture | None:
    """The capture of a name that takes deliveries now; None where there is none, or it is full."""
    found = asked(folder, name)
    if found is None or now >= found.until:
        return None
    files = kept(folder, name)
    if len(files) >= found.count or sum(file.stat().st_size for file in files) >= MOST_BYTES:
        return None
    return found


def asked(folder: Path, name: str) -> Capture | None:
    """What was last asked for under a name, also where it is over; None where it is forgotten."""
    if not is_name(name):
        return None
    try:
        told = orjson.loads((_place(folder, name) / OPEN).read_bytes())
        at = {key: clock.instant(told[key]) for key in ("until", "opened_at")}
        return Capture(name, count=int(told["count"]), whole=bool(told["whole"]), **at)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def keep(folder: Path, capture: Capture, delivery: Mapping[str, Any]) -> bool:
    """Keep one delivery in a file of its own; False where there is no room left."""
    place = _place(folder, capture.name)
    body = orjson.dumps({MARK: 1, "name": capture.name, **delivery}, option=orjson.OPT_INDENT_2)
    used = sum(file.stat().st_size for file in kept(folder, capture.name))
    if used + len(body) > MOST_BYTES:
        return False
    for number in range(1, capture.count + 1):
        with suppress(FileExistsError, FileNotFoundError):
            _write(place / f"{number:03}.json", body)
            return True
    return False


def read(path: Path) -> dict[str, Any]:
    """One delivery as it was kept; empty where the file cannot be read."""
    try:
        told = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def is_name(name: str) -> bool:
    """Whether a source may be called so."""
    return bool(_NAME.fullmatch(name))


def kept(folder: Path, name: str) -> list[Path]:
    """The files of a name's deliveries, in the order in which they came."""
    return sorted(_place(folder, name).glob("[0-9][0-9][0-9].json"))


def close(folder: Path, name: str, now: datetime) -> bool:
    """Take no more deliveries of a name; what was kept stays a while. False where none was open."""
    found = asked(folder, name)
    if found is None or found.until <= now:
        return False
    place = _place(folder, name)
    (place / CLOSING).unlink(missing_ok=True)
    _write(place / CLOSING, _lines(replace(found, until=now)))
    (place / CLOSING).replace(place / OPEN)  # there is one at every instant, else it never goes
    return True


def forget(folder: Path, name: str) -> bool:
    """Remove a capture with all it kept; False where there is none."""
    place = _place(folder, name)
    if not is_name(name) or not place.is_dir():
        return False
    shutil.rmtree(place)
    return True


def tidy(folder: Path, now: datetime) -> int:
    """Remove captures that closed a day ago; how many."""
    if not (folder / FOLDER).is_dir():
        return 0
    old = [each.name for each in _all(folder) if each.until + KEPT <= now]
    return sum(forget(folder, name) for name in old)


def _all(folder: Path) -> Iterator[Capture]:
    for place in sorted((folder / FOLDER).glob("*")):
        if (found := asked(folder, place.name)) is not None:
            yield found


def _place(folder: Path, name: str) -> Path:
    return folder / FOLDER / name


def _lines(asked: Capture) -> bytes:
    told = {"count": asked.count, "whole": asked.whole}
    at = {"until": clock.text(asked.until), "opened_at": clock.text(asked.opened_at)}
    return orjson.dumps({**told, **at})


def _write(path: Path, body: bytes) -> None:
    """Write a new file that only its owner may read; raises ``FileExistsError``."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
