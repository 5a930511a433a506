"""Versions: what a play rests on as one text, and a play made again from such a text alone."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson

from connector.config.segments import read_segments
from connector.config.supply import UNCLEAR, Supply
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Template, compile_template
from connector.rules.plays import Play, Segment
from connector.rules.render import version

log = logging.getLogger("connector")

Templates = Mapping[tuple[str, str], Template]  #: by (name, language)

_PART: Final = re.compile(
    r"^--- (templates/([a-z0-9_]+)\.([A-Za-z-]+)\.txt|segments|stages)$", re.MULTILINE
)


def content_of(
    source: str, texts: Templates, segments: Iterable[Segment], stages: Iterable[str]
) -> str:
    """A play's file, texts, segments and stages as one text, as the ledger keeps them."""
    parts = [source]
    for (name, language), template in sorted(texts.items(), key=lambda item: item[0]):
        parts.append(f"--- templates/{name}.{language}.txt\n{template.source}")
    if tables := segments_text(segments):
        parts.append(f"--- segments\n{tables}")
    if order := list(stages):
        parts.append("--- stages\n" + "\n".join(order))
    return "\n".join(parts)


def segments_text(segments: Iterable[Segment]) -> str:
    """Segments as a file would say them, which is what the ledger keeps of them."""
    return "\n".join(
        f"[[segments]]\nname = {_quoted(segment.name)}\nwhen = {_quoted(segment.source)}"
        for segment in sorted(segments, key=lambda segment: segment.name)
    )


@lru_cache(maxsize=256)
def revive(name: str, content: str) -> Play | None:
    """A play from what the ledger kept of one of its versions; None (and logged) if unreadable.

    Nothing outside the text is asked: names are not checked again, and its own texts and
    segments are compiled anew.
    """
    from connector.config.plays.reader import Around, read_play

    source, texts, segments, stages = _apart(content)
    faults: list[Fault] = []
    supply = Supply(complete=False, stages=stages)
    try:
        templates = {key: compile_template(text) for key, text in texts.items()}
        top = Table(name, tomllib.loads(source), faults, {})
        known = read_segments(Table(name, tomllib.loads(segments), faults, {}), supply)
        around = Around(supply, templates, "", segments=known)
        play = read_play(Path(name), top, source, around)
        _refuse_holes(play, faults)
    except ValueError as error:
        log.error("act=revive play=%s result=failed: %s", name, error)
        return None
    return replace(play, content=content, version=version(content))


def _refuse_holes(play: Play, faults: list[Fault]) -> None:
    """A condition that cannot be understood any more must not count as one that always holds."""
    if not play.steps:
        raise ValueError("it has no steps")
    for fault in faults:
        if fault.message.startswith(UNCLEAR):
            raise ValueError(str(fault))


def _apart(
    content: str,
) -> tuple[str, dict[tuple[str, str], str], str, tuple[str, ...]]:
    found = list(_PART.finditer(content))
    starts = [part.start() for part in found] or [len(content)]
    source, ends = content[: starts[0]], [*starts[1:], len(content) + 1]
    texts: dict[tuple[str, str], str] = {}
    segments, stages = "", tuple[str, ...]()
    for part, end in zip(found, ends, strict=False):
        body = content[part.end() + 1 : end - 1]
        if part[2]:
            texts[part[2], part[3]] = body
        elif part[1] == "segments":
            segments = body
        else:
            stages = tuple(body.split())
    return source, texts, segments, stages


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
