"""Samples of what a source sends: a file with a body, or what ``connector source capture`` kept."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from connector import clock
from connector.cli import Faulty, NothingFound
from connector.ledger.captures import MARK

STDIN: Final = "-"
REDACTED: Final = "redacted ("


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as it may come."""

    name: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  #: names in small letters
    received_at: datetime | None = None  #: of one that was captured
    redacted: frozenset[str] = frozenset()  #: headers of which the capture kept no value
    is_masked: bool = False  #: the body is not what was signed


def read(path: str, headers: Mapping[str, str]) -> list[Sample]:
    """The samples of a file, of every file of a folder, or of the standard input.

    ``headers`` go over those of a capture. Raises ``Faulty`` or ``NothingFound``.
    """
    if path == STDIN:
        return [_sample(STDIN, sys.stdin.buffer.read(), headers)]
    place = Path(path)
    files = sorted(place.glob("[0-9]*.json")) if place.is_dir() else [place]
    if not files:
        raise NothingFound(f"{path} holds no delivery; see `connector source capture NAME --show`")
    return [_sample(file.name, _bytes(file), headers) for file in files]


def headers_of(file: str | None, written: Iterable[str]) -> dict[str, str]:
    """Headers from a JSON file and from ``Name: value`` options; names in small letters."""
    found: dict[str, Any] = {}
    if file is not None:
        try:
            found = orjson.loads(_bytes(Path(file)))
        except orjson.JSONDecodeError as error:
            raise Faulty(f'{file} is not JSON ({error}); write {{"X-Topic": "orders"}}') from None
        if not isinstance(found, dict):
            raise Faulty(f'{file} is no table of headers; write {{"X-Topic": "orders"}}')
    for each in written:
        name, mark, value = each.partition(":")
        if not mark or not name.strip():
            raise Faulty(f"{each!r:.60} is no header; write --header 'X-Topic: orders/create'")
        found[name.strip()] = value.strip()
    return {name.lower(): str(value) for name, value in found.items()}


def _sample(name: str, raw: bytes, headers: Mapping[str, str]) -> Sample:
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Sample(name, raw, headers)
    if not isinstance(told, dict) or MARK not in told:
        return Sample(name, raw, headers)
    return _captured(name, told, headers)


def _captured(name: str, told: Mapping[str, Any], headers: Mapping[str, str]) -> Sample:
    if "body" not in told:
        why = told.get("left_out") or "its body is not JSON, which is all that a mapping can read"
        raise Faulty(f"{name} cannot be tried: {why}")
    kept = {key: str(value) for key, value in told.get("headers", {}).items()}
    gone = frozenset(key for key, value in kept.items() if value.startswith(REDACTED))
    shown = {key: value for key, value in kept.items() if key not in gone}
    return Sample(
        name,
        orjson.dumps(told["body"]),
        {**shown, **headers},
        clock.instant(str(told["received_at"])),
        gone - set(headers),
        bool(told.get("redacted", True)),
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Faulty(f"{path} cannot be read: {error.strerror or error}") from None
