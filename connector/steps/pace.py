"""The pace: how fast texts leave, by sender and by account, and how many calls are under way.

What is more waits in a line of its own. Each text is given a place there, so that it is asked
about once and not each time another leaves; service has a line before that of marketing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.ledger import sends
from connector.ledger.store import Row, Tx
from connector.model import Purpose
from connector.rules.policy.limits import sender_of
from connector.rules.routing import Way
from connector.steps.route import RESTS
from connector.steps.setup import Setup
from connector.text import count

BURST: Final = timedelta(seconds=1)
"""What a sender may send in this span may leave at once."""
REASON: Final = "pacing"  #: the sender or the account sends no faster
IN_FLIGHT: Final = "in_flight"  #: no more calls to the provider at one time
LINES: Final = (REASON, IN_FLIGHT, RESTS)  #: why a text stands in a line
MOMENT: Final = timedelta(milliseconds=1)
USUAL_CALL: Final = 0.25  #: seconds that a provider takes to answer, until it is known
LATEST: Final = timedelta(seconds=30)
"""The last place in a line whose speed is a guess: how soon a provider answers may change."""
SHARE: Final = 0.1  #: of a new value in what is remembered of texts and of calls


@dataclass(slots=True)
class Lane:
    """One sender, one account, or the calls to one provider: what is free again when."""

    free: datetime | None = None  #: when what it was given has gone
    size: float = 1.0  #: segments of its texts, of late
    places: dict[tuple[bool, bool], datetime] = field(default_factory=dict)
    """(marketing, second time) → the next place in that line."""

    def ready(self, now: datetime) -> datetime:
        """From when on it may take another text."""
        return now - MOMENT if self.free is None else self.free - BURST

    def busy(self, span: timedelta, segments: int, now: datetime) -> None:
        """It is given a text, which takes so long."""
        self.free = max(self.free or now, now) + span
        self.size += SHARE * (segments - self.size)

    def place(
        self, line: tuple[bool, bool], ready: datetime, span: timedelta, latest: datetime
    ) -> datetime:
        """The next place in a line; one that is not of use any more takes up none."""
        found = max(ready + MOMENT, self.places.get(line, ready))
        if found >= latest:
            return latest
        self.places[line] = found + span
        return found


class Pace:
    """When each sender and each account is free again, and what is under way at each provider.

    In memory: after a start all are free, and whatever stood in a line is lined up anew.
    """

    def __init__(self, rt: Setup) -> None:
        self._rt = rt
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._lock = threading.Lock()  #: calls end in threads of their own
        self._flying: dict[str, int] = {}  #: provider → calls under way
        self._passed: dict[str, int] = {}  #: provider → texts of this round, about to fly
        self._call: dict[str, float] = {}  #: provider → seconds a call takes, of late
        self._limits: object = None
        self._given: list[tuple[Lane, datetime | None]] = []  #: in this round; free before that
        self.lags = False  #: whether places in a line are left free

    def begin(self, tx: Tx, now: datetime) -> None:
        """A round begins. At a start, and when limits were changed, whoever stands in a line is
        asked about anew."""
        limits = self._rt.book.policy.senders
        self._passed.clear()
        if self._limits is None or (limits is not self._limits and limits != self._limits):
            sends.line_up(tx, LINES, now)
            self._lanes.clear()
        self._limits = limits

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What a round gives, unless its transaction fails: then nothing of it leaves."""
        limits = self._limits
        self._given.clear()
        try:
            yield
        except BaseException:
            for lane, free in reversed(self._given):
                lane.free = free
            self._limits = limits
            raise

    def held(self, tx: Tx, row: Row, way: Way, now: datetime) -> bool:
        """Whether a due text is too early for its way; it then waits, with the reason why."""
        latest = clock.instant(row["expires_at"])  # the gate ends it there
        if now >= latest or (found := self._first(way, now)) is None:
            return False
        lane, ready, span, reason = found
        line = (row["purpose"] == Purpose.marketing, row["reason"] == reason)
        self.lags |= line[1]  # what was guessed of those before it was wrong
        if reason != REASON:
            latest = min(latest, max(ready, now) + LATEST)
        sends.wait(tx, str(row["id"]), lane.place(line, ready, span, latest), reason)
        return True

    def move_up(self, tx: Tx, line: Iterable[tuple[Row, Way]], now: datetime) -> None:
        """Give the first of each lane the place that is free next, where it has a later one.

        ``lags`` stays while any that is looked at stands further back than it would need to.
        """
        seen: dict[int, datetime] = {}
        self.lags = False
        for row, way in line:
            found = self._first(way, now)
            if found is None:
                continue
            lane, ready, span, reason = found
            is_first, due = id(lane) not in seen, clock.instant(row["due_at"])
            at = seen.get(id(lane), ready + MOMENT)
            seen[id(lane)] = at + span
            self.lags |= due > at + span
            if is_first and at < due:
                sends.wait(tx, str(row["id"]), at, reason)

    def is_free(self, way: Way, now: datetime) -> bool:
        """Whether a text may go this way now."""
        return self._first(way, now) is None

    def took(self, way: Way, text: str, now: datetime) -> None:
        """A text was let through: its sender is busy for as long as its segments take."""
        segments = count(text).segments
        for lane, per_second in self._paced(way):
            self._given.append((lane, lane.free))
            lane.busy(timedelta(seconds=segments / per_second), segments, now)
        self._passed[way.provider] = self._passed.get(way.provider, 0) + 1

    def flies(self, provider: str) -> None:
        """A call begins."""
        with self._lock:
            self._flying[provider] = self._flying.get(provider, 0) + 1

    def landed(self, provider: str, took_ms: int) -> None:
        """A call is over."""
        with self._lock:
            self._flying[provider] = self._flying.get(provider, 0) - 1
            known = self._call.get(provider, USUAL_CALL)
            self._call[provider] = known + SHARE * (took_ms / 1_000 - known)

    def _first(self, way: Way, now: datetime) -> tuple[Lane, datetime, timedelta, str] | None:
        """(lane, from when it is free, how long a text takes it, why) of what holds a text longest;
        None where nothing does."""
        if way.until is not None:
            lane = self._lane(way.provider, "rests")
            return lane, way.until, self._call_span(way.provider), way.why
        rates = self._paced(way)
        found = max(rates, key=lambda each: each[0].ready(now), default=None)
        if found is not None and (ready := found[0].ready(now)) >= now:
            span = timedelta(seconds=max(found[0].size, 1.0) / found[1])
            return found[0], ready, span, REASON
        if self._rt.routes and self._is_full(way.provider):
            return self._lane(way.provider, "calls"), now, self._call_span(way.provider), IN_FLIGHT
        return None

    def _paced(self, way: Way) -> list[tuple[Lane, float]]:
        """(lane, segments a second) of the sender and of the account, where they have a limit."""
        found = []
        if senders := self._rt.book.policy.senders:
            limits = sender_of(senders, way.sender)
            if limits is not None and limits.per_second:
                found.append((self._lane(way.provider, f"sender {way.sender}"), limits.per_second))
        account = self._rt.accounts.get(way.provider)
        if account is not None and account.per_second:
            found.append((self._lane(way.provider, "account"), account.per_second))
        return found

    def _is_full(self, provider: str) -> bool:
        busy = self._flying.get(provider, 0) + self._passed.get(provider, 0)
        return busy >= self._rt.room_at(provider)

    def _call_span(self, provider: str) -> timedelta:
        """How often a call to a provider ends, about."""
        seconds = max(self._call.get(provider, USUAL_CALL), 0.001)
        return timedelta(seconds=seconds / self._rt.room_at(provider))

    def _lane(self, provider: str, what: str) -> Lane:
        return self._lanes.setdefault((provider, what), Lane())
