"""The functions an expression may call by name: what a person did, and how long ago it was.

What a person did is asked of the ``history`` in the context, of which nothing else can be read.
The names of signals, segments and spans are written out, so that a file can be checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connector import clock
from connector.expressions import local
from connector.expressions.values import Missing, Operation, Unusable, fail
from connector.model import Json

HISTORY: Final = "history"
LINKS: Final = "links"
NOW: Final = "now"

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
LONGEST: Final = 3_700 * 86_400  #: seconds of a window


@dataclass(frozen=True, slots=True)
class Function:
    """A function: what its first value names, what else it reads, and whether ``within`` goes."""

    operation: Operation
    names: str = ""  #: signal | segment: its first value is a text that names one
    root: str = ""  #: the value of the context it is asked of
    within: bool = False
    only: str = ""  #: texts: only templates may call it


def did(history: Any, name: str, seconds: int) -> Json:
    """Whether the person gave a signal, within a span where one is named."""
    return bool(_history(history).count(name, _span(seconds), 1))


def count(history: Any, name: str, seconds: int) -> Json:
    """How often the person gave a signal."""
    return int(_history(history).count(name, _span(seconds)))


def first(history: Any, name: str) -> Json:
    """When the person first gave a signal, written as ``now`` is; none if never."""
    return _text(_history(history).first(name))


def last(history: Any, name: str) -> Json:
    """When the person last gave a signal, written as ``now`` is; none if never."""
    return _text(_history(history).last(name))


def in_segment(history: Any, name: str) -> Json:
    """Whether the person is in a segment."""
    return bool(_history(history).in_segment(name))


def days_since(now: Any, value: Any) -> Json:
    """Days from an instant until now, with a fraction; negative where it is to come."""
    return (_instant(now, NOW) - _instant(value, "what days_since asks about")) / timedelta(days=1)


def hours_until(now: Any, value: Any) -> Json:
    """Hours from now until an instant, with a fraction; negative where it is over."""
    until = _instant(value, "what hours_until asks about")
    return (until - _instant(now, NOW)) / timedelta(hours=1)


def link(links: Any, url: Any) -> Json:
    """The short link to an address; the address itself where there are no short links."""
    if not isinstance(_known(url), str) or not url.strip():
        raise Unusable("link wants an address")
    if links is None or isinstance(links, Missing):
        return str(url)
    return str(links.link(url))


def seconds_of(span: Any) -> int:
    """The seconds of a span such as ``30d``; raises ``ValueError``."""
    text = span if isinstance(span, str) else ""
    if not (text[:-1].isascii() and text[:-1].isdigit() and text[-1:] in UNITS and len(text) < 8):
        raise ValueError('a span is written "30m", "24h", "7d" or "2w"')
    seconds = int(text[:-1]) * UNITS[text[-1]]
    if not 0 < seconds <= LONGEST:
        raise ValueError("the span is no time at all, or over ten years")
    return seconds


def _history(value: Any) -> Any:
    if value is None or isinstance(value, Mapping | str | int | float | list):
        raise Unusable("what the person did is not known here")
    return _known(value)


def _known(value: Any) -> Any:
    if isinstance(value, Missing):
        fail(value)
    return value


def _instant(value: Any, label: str) -> datetime:
    return local.instant(_known(Missing(label) if value is None else value))


def _span(seconds: int) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else clock.text(moment)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "count": Function(count, "signal", HISTORY, within=True),
    "days_since": Function(days_since, root=NOW),
    "did": Function(did, "signal", HISTORY, within=True),
    "first": Function(first, "signal", HISTORY),
    "hours_until": Function(hours_until, root=NOW),
    "in_segment": Function(in_segment, "segment", HISTORY),
    "last": Function(last, "signal", HISTORY),
    "link": Function(link, root=LINKS, only="texts"),
}
