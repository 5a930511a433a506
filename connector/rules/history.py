"""What a person did, as expressions ask for it: how often, when first, when last, in what segment.

Windows go by when a signal occurred; one that is exactly a window old is out of it. Whoever answers
notes by when a windowed answer would change through time alone, so that membership of a segment can
be looked at again then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from connector.errors import ExpressionFailed
from connector.model import Json
from connector.rules.plays import Segment

Context = Callable[[], Mapping[str, Json]]
"""What a segment's expression may read of the person: contact, crm, first_seen … and history."""


class History(Protocol):
    """What the functions of an expression are answered by."""

    @property
    def changes_at(self) -> datetime | None:
        """The first instant at which an answer given so far changes by time alone."""

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        """How often a signal occurred, within a span where one is named.

        Where ``enough`` are all that matters, counting may end there, and ``changes_at`` is when
        there are no longer so many.
        """

    def first(self, name: str) -> datetime | None:
        """When a signal occurred first."""

    def last(self, name: str) -> datetime | None:
        """When a signal occurred last."""

    def in_segment(self, name: str) -> bool:
        """Whether the person is in a segment."""


@dataclass(slots=True)
class Segments:
    """Who is in what, asked once for each segment; a circle of segments is refused."""

    known: Mapping[str, Segment]
    context: Context
    answers: dict[str, bool] = field(default_factory=dict)
    asking: list[str] = field(default_factory=list)

    def hold(self, name: str) -> bool:
        """Whether the person is in a segment.

        Raises ``ExpressionFailed`` where it cannot be told: its condition reads a fact that is
        missing, there is no such segment, or it asks for itself.
        """
        if name in self.answers:
            return self.answers[name]
        segment = self.known.get(name)
        if segment is None:
            raise ExpressionFailed(f"there is no segment {name}")
        if name in self.asking:
            raise ExpressionFailed(f"the segment {name} asks for itself")
        self.asking.append(name)
        try:
            self.answers[name] = bool(segment.when(self.context()))
        except ExpressionFailed as error:
            raise ExpressionFailed(f"segment {name}: {error}", error.code) from None
        finally:
            self.asking.remove(name)
        return self.answers[name]


class Told:
    """A history from a plain list of (signal, instant), as of an instant (included)."""

    def __init__(
        self,
        signals: Iterable[tuple[str, datetime]],
        as_of: datetime,
        segments: Segments | None = None,
    ) -> None:
        self._as_of = as_of
        self._times: dict[str, list[datetime]] = {}
        for name, at in sorted(signals, key=lambda told: told[1]):
            if at <= as_of:
                self._times.setdefault(name, []).append(at)
        self._segments = segments
        self.changes_at: datetime | None = None

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        times = self._times.get(name, [])
        if within is None:
            return len(times)
        inside = [at for at in times if at > self._as_of - within]
        leaving = inside[-enough:] if enough else inside
        self.changes_at = sooner(self.changes_at, leaving[0] + within if leaving else None)
        return len(inside)

    def first(self, name: str) -> datetime | None:
        times = self._times.get(name)
        return times[0] if times else None

    def last(self, name: str) -> datetime | None:
        times = self._times.get(name)
        return times[-1] if times else None

    def in_segment(self, name: str) -> bool:
        return self._segments is not None and self._segments.hold(name)


class Answered:
    """What a history answered, told again: ``counts``, ``first``, ``last``, ``segments``.

    What was not asked then raises ``LookupError``: nobody knows it any more.
    """

    def __init__(self, answers: Mapping[str, Json], as_of: datetime) -> None:
        self._answers, self._as_of = answers, as_of
        self.changes_at: datetime | None = None

    def count(self, name: str, within: timedelta | None, enough: int = 0) -> int:
        """How often a signal occurred, within a span where one is named."""
        if enough == 1:
            last = self.last(name)
            return int(last is not None and (within is None or last > self._as_of - within))
        seconds = int(within.total_seconds()) if within else 0
        return int(self._told("counts", f"{name} {seconds}"))

    def first(self, name: str) -> datetime | None:
        """When a signal occurred first."""
        return self._instant("first", name)

    def last(self, name: str) -> datetime | None:
        """When a signal occurred last."""
        return self._instant("last", name)

    def in_segment(self, name: str) -> bool:
        """Whether the person was in a segment; raises ``ExpressionFailed`` where it did then."""
        answer = self._told("segments", name)
        if isinstance(answer, list):
            code, says = answer
            raise ExpressionFailed(says, code)
        return bool(answer)

    def _instant(self, what: str, name: str) -> datetime | None:
        found = self._told(what, name)
        return datetime.fromisoformat(found) if found else None

    def _told(self, what: str, name: str) -> Json:
        told = self._answers.get(what, {})
        if name not in told:
            raise LookupError(f"what was answered about {name} is not kept")
        return told[name]


def sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two instants, of which either may not be there."""
    return min((at for at in (one, other) if at is not None), default=None)
