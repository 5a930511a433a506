"""Reviews: which plays and texts nobody has read again in time, and which are no longer valid.

A text says so in a comment on its first line:
``{# valid_until: 2026-12-31, review_every: 90d, reviewed: 2026-11-01, regulated: alcohol #}``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from connector.expressions import Template
from connector.rules.plays import Mode, Play

KEYS: Final = ("valid_until", "review_every", "reviewed", "regulated")
_COMMENT: Final = re.compile(r"\s*\{#-?(.*?)-?#\}")
_PART: Final = re.compile(r"\s*(\w+)\s*:\s*(.*?)\s*")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SPAN: Final = re.compile(r"(\d{1,4})\s*([dw])")
KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")  #: of regulated content
_ALIKE: Final = 0.8  #: from which a word is taken for a misspelt key


@dataclass(frozen=True, slots=True)
class Terms:
    """Until when something may go, and when it is to be read again."""

    valid_until: date | None = None
    review_every: timedelta | None = None
    reviewed: date | None = None
    regulated: str = ""  #: what it is about that a law regulates; policy reads it

    def over(self, today: date) -> str:
        """What is past, as a clause; "" where nothing is."""
        if self.valid_until is not None and today > self.valid_until:
            return f"was valid until {self.valid_until}, and nothing of it goes any more"
        if self.review_every is None:
            return ""
        if self.reviewed is None:
            return "is to be read again from time to time, and nobody has said when it last was"
        due = self.reviewed + self.review_every
        return f"was to be read again by {due}" if today > due else ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A play, or a text, that somebody should look at."""

    what: str  #: play | text
    name: str  #: of a text with its language: welcome.en
    why: str


def terms(source: str) -> Terms:
    """What the comment on a text's first line says; nothing where it is an ordinary one.

    Raises ``ValueError`` where it says it wrongly.
    """
    lines = source.lstrip("\ufeff").splitlines()
    found = _COMMENT.match(lines[0]) if lines else None
    parts = [part for part in found[1].split(",") if part.strip()] if found else []
    said = [_PART.fullmatch(part) for part in parts]
    if not any(part and difflib.get_close_matches(part[1], KEYS, 1, _ALIKE) for part in said):
        return Terms()
    values: dict[str, str] = {}
    for part, text in zip(said, parts, strict=True):
        if part is None or part[1] not in KEYS:
            raise ValueError(f"says {text.strip()!r:.60}; it may say {', '.join(KEYS)}")
        values[part[1]] = part[2]
    return Terms(
        _day(values, "valid_until"),
        _span(values.get("review_every")),
        _day(values, "reviewed"),
        _kind(values.get("regulated")),
    )


def overdue(
    plays: Iterable[Play], templates: Mapping[tuple[str, str], Template], today: date
) -> Iterator[Overdue]:
    """Plays that are not off, and texts, that are past their terms; in their order."""
    for play in plays:
        of_play = Terms(play.valid_until, play.review_every, play.reviewed)
        if play.mode is not Mode.off and (why := of_play.over(today)):
            yield Overdue("play", play.name, why)
    for (name, language), template in sorted(templates.items(), key=lambda item: item[0]):
        if why := terms(template.source).over(today):
            yield Overdue("text", f"{name}.{language}", why)


def _day(values: Mapping[str, str], key: str) -> date | None:
    text = values.get(key)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 31st of a shorter month, which is told like any other
    raise ValueError(f"says {key}: {text!r:.20}, which is no day; write {key}: 2027-01-31")


def _span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _SPAN.fullmatch(text)
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not days:
        raise ValueError(f"says review_every: {text!r:.20}; write it in days: review_every: 90d")
    return timedelta(days=days)


def _kind(text: str | None) -> str:
    if text is None or KIND.fullmatch(text):
        return text or ""
    raise ValueError(f"says regulated: {text!r:.20}; write one word in small letters: alcohol")
