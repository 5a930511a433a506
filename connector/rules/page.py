"""A page of plain lines: a label in the margin, sentences beside it, instants in UTC and there."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

MARGIN: Final = 10  #: columns of the labels
DEEPER: Final = 2  #: columns by which a line goes on after it was broken
NARROWEST: Final = 40


class Page:
    """Lines of at most ``width`` columns; ``zone`` is the person's own, or "" where unknown.

    ``full``: everything that is kept is told, not only what most people ask.
    """

    def __init__(self, width: int, zone: str = "", *, full: bool = False) -> None:
        self.lines: list[str] = []
        self.full = full
        self._width = max(width, NARROWEST)
        self._zone = _zone(zone)
        self._day = ""
        self._label = ""

    def add(self, label: str, *sentences: str) -> None:
        """Sentences beside one label; empty ones are left out, and a label is not repeated."""
        for sentence in filter(None, sentences):
            label, self._label = ("" if label == self._label else label), label or self._label
            deeper = len(sentence) - len(sentence.lstrip(" "))
            self.lines += textwrap.wrap(
                f"{label:<{MARGIN}}{sentence}",
                self._width,
                subsequent_indent=" " * (MARGIN + deeper + DEEPER),
                break_on_hyphens=False,
            )

    def gap(self) -> None:
        """An empty line, never two, and not at the top."""
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self._day = self._label = ""

    def at(self, instant: str | None, *, there: bool = False) -> str:
        """An instant of the ledger: its date where that is another than the last one told.

        ``there`` adds what the clock shows where the person is, if that is known.
        """
        if not instant:
            return "never"
        read = datetime.fromisoformat(instant)
        day = f"{read:%Y-%m-%d}"
        words = f"{read:%H:%M:%S}" if day == self._day else f"{day} {read:%H:%M:%S} UTC"
        self._day = day
        if there and self._zone is not None:
            words += f" ({read.astimezone(self._zone):%H:%M %Z})"
        return words


def one_line(value: Any) -> str:
    """A value on one line, whatever a stranger wrote into it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one_line(item)}" for name, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str("none" if value is None else value).split())


def short(text: Any, length: int = 60) -> str:
    """A value on one line, cut with an ellipsis."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def span(first: str, last: str) -> str:
    """How long from one instant to another, as people say it: ``0.2 s``, ``12 min``, ``3 h``."""
    seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)) / timedelta(seconds=1)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, ValueError, OSError):  # a zone that this machine does not know
        return None
