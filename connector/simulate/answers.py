"""Answers: what the provider said then, to each text at the instant at which it said it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connector import clock
from connector.errors import Deferred, Refused, Uncertain
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Message
from connector.rules.routing import Way
from connector.simulate.carrier import AtOnce, Carrier
from connector.simulate.faithful import GIVEN_BACK, SEND, FaithfulTx
from connector.simulate.recorded import Line, Recorded
from connector.simulate.scratch import ScratchTx
from connector.steps.pace import Pace
from connector.steps.route import Ways


class FaithfulPace(Pace):
    """A sender's pace, by which nothing is held that was asked about at this instant then."""

    def held(self, tx: Tx, row: Row, way: Way, now: datetime) -> bool:
        """Whether a due text is too early for its sender."""
        was_asked = isinstance(tx, FaithfulTx) and tx.was_asked(row, now)
        return not was_asked and super().held(tx, row, way, now)


class FaithfulWays(Ways):
    """The way of a text, which is the one that it went then."""

    def of(self, tx: Tx, row: Row, phone: str, now: datetime) -> Way:
        """By whom a text goes to a number."""
        way = super().of(tx, row, phone, now)
        then = tx.went(row) if self._rt.routes and isinstance(tx, FaithfulTx) else None
        if then is None or not then.get("provider"):
            return way
        return replace(way, provider=then["provider"], sender=then["sender"], until=None)


class FaithfulCarrier(Carrier):
    """Answers what was answered then; where nothing was, takes the text."""

    def __init__(self) -> None:
        self.answers: dict[str, Line] = {}

    def send(self, message: Message) -> Accepted:
        """Give the recorded answer. Raises the recorded failure."""
        line = self.answers.pop(message.send_id, None)
        if line is None:
            return super().send(message)
        failure = FAILURES.get(line["result"])
        if failure is not None:
            raise failure("as it was then", reason=line["reason"], code=line["code"])
        return Accepted(
            line["provider_id"] or f"SIM-{message.send_id}",
            line["segments"],
            line["cost_micros"],
            line["currency"] or "",
        )


FAILURES: Final[dict[str, type[Refused] | type[Deferred] | type[Uncertain]]] = {
    "refused": Refused,
    "deferred": Deferred,
    "uncertain": Uncertain,
}


class Later(AtOnce):
    """Stands in for the dispatcher's pool: a call is answered at the instant it was then."""

    def __init__(
        self, tx: ScratchTx, recorded: Recorded, carrier: FaithfulCarrier, now: clock.Clock
    ) -> None:
        self._tx, self._recorded, self._carrier, self._now = tx, recorded, carrier, now
        self._calls: list[tuple[datetime, int, Callable[[], Any]]] = []  # a heap
        self._count = 0

    def submit(self, act: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Keep the call of one ticket until its answer comes."""
        ticket = args[0]
        send = self._tx.one(SEND, id=ticket.send_id)
        about = self._recorded.about_send(send)
        line, at = self._answer(about, ticket.attempt, self._now())
        self._carrier.answers.pop(ticket.send_id, None)
        if line is not None and line["result"] != GIVEN_BACK:
            self._carrier.answers[ticket.send_id] = line
        self._count += 1
        heapq.heappush(self._calls, (at, self._count, lambda: act(*args, **named)))
        return Future()

    def _answer(self, about: str, attempt: int, now: datetime) -> tuple[Line | None, datetime]:
        """What was answered then, and when that comes."""
        line = self._recorded.answer(about, attempt, clock.text(now))
        settled = line["settled_at"] if line else ""
        return line, clock.instant(settled) if settled else now

    def next(self) -> datetime | None:
        """When the next answer comes."""
        return self._calls[0][0] if self._calls else None

    def answer(self, now: datetime) -> int:
        """Let the answers come whose instant is here; how many."""
        count = 0
        while self._calls and self._calls[0][0] <= now:
            heapq.heappop(self._calls)[2]()
            count += 1
        return count
