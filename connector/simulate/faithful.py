"""Faithfully: what is due is done at the instant at which it was done then, and answered so."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Final

from connector import clock
from connector.errors import Deferred, Refused, Uncertain
from connector.ledger import cursors, enrolments, fanouts, links, quiet, sends, timers
from connector.ledger.store import Row
from connector.model import Accepted, Message
from connector.rules.plays import Play
from connector.simulate.begun import Begun
from connector.simulate.carrier import AtOnce, Carrier
from connector.simulate.opening import Ids
from connector.simulate.recorded import BY_HAND, Line, Recorded
from connector.simulate.scratch import FIRST_HELD, ScratchTx
from connector.steps import schedules, tidy

MANY: Final = 100_000
KNOWN: Final = 50_000  #: instants remembered
NEXT_ENROLMENTS: Final = """SELECT * FROM enrolments WHERE due_at IS NOT NULL
    ORDER BY due_at LIMIT :limit OFFSET :offset"""
NEXT_SENDS: Final = """SELECT * FROM sends WHERE state = 'planned'
    ORDER BY due_at LIMIT :limit OFFSET :offset"""
HELD: Final = "SELECT phone, held_at FROM numbers WHERE held_at IS NOT NULL"
SEND: Final = "SELECT * FROM sends WHERE id = :id"
PAGE: Final = 200

NEXT_TIMERS: Final = "SELECT * FROM timers ORDER BY due_at LIMIT :limit OFFSET :offset"
NEXT: Final = {
    enrolments.NEXT: NEXT_ENROLMENTS,
    sends.NEXT: NEXT_SENDS,
    timers.NEXT: NEXT_TIMERS,
}
"""What asks when something is next due → what lists it in the order in which it is due."""

When = Callable[[Row], str]
"""When the thing of a row was done then."""


class FaithfulTx(ScratchTx):
    """A transaction in which a thing is due when it was done then; else when it is due."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        recorded: Recorded,
        plays: Callable[[], Mapping[str, Play]],
        now: clock.Clock,
    ) -> None:
        super().__init__(connection)
        self._recorded, self._plays, self._now = recorded, plays, now
        self._begun = Begun(recorded, lambda: tuple(plays().values()))
        self._known: dict[tuple[str, str, str], str] = {}
        self.code = ""  #: of the link that is about to be made

    def all(self, sql: str, **params: Any) -> list[Row]:
        """Every row; of what is due only that whose instant has come."""
        if sql == enrolments.DUE:
            return [self._as_due(row) for row in self._due(sql, self._when, params)]
        if sql in (sends.DUE, sends.DUE_ANSWERS):
            return self._due(sql, self._when, params)
        if sql == timers.DUE:
            return self._due(sql, self._begun.timer, params)
        found = super().all(sql, **params)
        if sql in (quiet.ACTIVE, quiet.NEVER):
            return self._begun.silent(found, str(params["until"]))
        if sql == tidy.HELD:
            return [row for row in super().all(HELD) if self._lapsed(row) <= str(params["before"])]
        return found

    def one(self, sql: str, **params: Any) -> Row | None:
        """The first row; of when something is next due, when it was done then."""
        if sql in NEXT:
            when = self._begun.timer if sql == timers.NEXT else self._when
            return {"due": self._next(NEXT[sql], when)}
        if sql in (fanouts.ANY, fanouts.NEXT):
            return self._fanout(sql)
        if sql == FIRST_HELD:
            return {"at": min(map(self._lapsed, super().all(HELD)), default=None)}
        if sql == cursors.GET:
            return self._cursor(str(params["name"]), super().one(sql, **params))
        if sql == links.CODE:
            self._note_code(str(params["send"]), str(params["url"]))
        return super().one(sql, **params)

    def _cursor(self, name: str, row: Row | None) -> Row | None:
        self._begun.note_cursor(name)
        if row is None or not name.startswith("schedule:") or row["value"] == schedules.NEVER:
            return row
        return {"value": self._begun.schedule(name, str(row["value"]), clock.text(self._now()))}

    def _due(self, sql: str, when: When, params: Mapping[str, Any]) -> list[Row]:
        found = super().all(sql, **{**params, "limit": MANY})
        now = str(params["now"])
        return [row for row in found if when(row) <= now][: params["limit"]]

    def _as_due(self, row: Row) -> Row:
        """A due step with the instant at which it was due then: a step before it that was passed
        over late, of which nothing tells, may have put it off."""
        play = self._plays().get(str(row["play"]))
        step = (
            next((each for each in play.steps if each.name == row["step_name"]), None)
            if play
            else None
        )
        until = self._recorded.expires(self._about(row), clock.text(self._now())) if step else ""
        if step is None or not until:
            return row
        return {**dict(row), "due_at": clock.text(clock.instant(until) - step.expires)}

    def _lapsed(self, row: Row) -> str:
        """Since when a number would be held for its reply to lapse when it did."""
        due = clock.instant(row["held_at"]) + tidy.UNDECIDED
        at = self._recorded.lapse(str(row["phone"]), clock.text(due))
        return clock.text(clock.instant(at) - tidy.UNDECIDED) if at else str(row["held_at"])

    def _fanout(self, sql: str) -> Row | None:
        """The oldest fan-out, once the instant is here at which its next people were told."""
        row = super().one(fanouts.NEXT)
        at = self._begun.told_at(row) if row else ""
        now = clock.text(self._now())
        self.wake = at if at > now else None
        if row is None or self.wake:
            return None
        if sql == fanouts.NEXT:
            self._begun.tell(row, now)
        return row

    def run(self, sql: str, **params: Any) -> int:
        """Run a statement; what hangs on when it was done is as it was then."""
        if sql in AS_IT_WAS:
            params = {**params, **AS_IT_WAS[sql](self, params)}
        return super().run(sql, **params)

    def put_off(self, params: Mapping[str, Any]) -> dict[str, str]:
        """A text put off is due when it was tried again."""
        send = super().one(SEND, id=params["id"])
        about = self._recorded.about_send(send) if send else ""
        again = self._recorded.answer(about, int(send["attempt"]) + 1) if send else None
        return {"due": again["begun_at"]} if again else {}

    def planned(self, params: Mapping[str, Any]) -> dict[str, str]:
        """A text is worth sending for as long as it was."""
        about = self._recorded.about(
            "plan", params["contact"], params["play"], params["key"], params["step"]
        )
        until = self._recorded.expires(about, str(params["now"]))
        return {"expires": until} if until else {}

    def marked(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Silences are told as far as they were shown."""
        return {"value": self._begun.mark(str(params["name"]), str(params["value"]))}

    def _next(self, sql: str, when: When) -> str | None:
        """The earliest instant at which anything is done: never before it is due."""
        first, offset = "", 0
        while True:
            rows = super().all(sql, limit=PAGE, offset=offset)
            for row in rows:
                if first and row["due_at"] >= first:
                    return first
                first = min(filter(None, (first, when(row))))
            if len(rows) < PAGE:
                return first or None
            offset += PAGE

    def _when(self, row: Row) -> str:
        due = str(row["due_at"])
        thing = (str(row["id"]), str(row["step"]), due)
        known = self._known.get(thing)
        if known is None:
            if len(self._known) > KNOWN:
                self._known.clear()
            known = self._recorded.instant(self._about(row), due) or due
            self._known[thing] = known
        return known

    def _about(self, row: Row) -> str:
        names = row.keys()
        moment, step = "send", row["step"]
        if "cause" not in names:
            moment, step = "plan", self._step(row)
        contact_id, play, key = str(row["contact_id"]), str(row["play"]), str(row["key"])
        if moment == "send" and row["cause"] in BY_HAND:
            key = str(row["id"])
        return self._recorded.about(moment, contact_id, play, key, str(step))

    def _step(self, row: Row) -> str:
        if row["step_name"]:
            return str(row["step_name"])
        play, place = self._plays().get(str(row["play"])), int(row["step"])
        if play is None or place >= len(play.steps):
            return ""
        return str(play.steps[place].name)

    def _note_code(self, send_id: str, url: str) -> None:
        send = super().one(SEND, id=send_id)
        self.code = self._recorded.code(self._recorded.about_send(send), url) if send else ""


AS_IT_WAS: Final[Mapping[str, Callable[[FaithfulTx, Mapping[str, Any]], dict[str, str]]]] = {
    sends.DEFER: FaithfulTx.put_off,
    sends.PLAN: FaithfulTx.planned,
    cursors.SET: FaithfulTx.marked,
}
"""Statements with something in them that hangs on when it was done → what that was then."""


class FaithfulIds(Ids):
    """Identifiers; contacts, signals, CRM changes and links are called as they were then."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, str] = {}  #: kind → what the next one of it is called
        self.tx: FaithfulTx | None = None

    def __call__(self, kind: str) -> str:
        return self.given.pop(kind, "") or super().__call__(kind)

    def code(self) -> str:
        """The code that the link had, where there was one."""
        known = self.tx.code if self.tx else ""
        return known or super().code()


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
        line = self._recorded.answer(about, ticket.attempt, clock.text(self._now()))
        at = self._now()
        if line is not None:
            self._carrier.answers[ticket.send_id] = line
            at = clock.instant(line["settled_at"]) if line["settled_at"] else at
        self._count += 1
        heapq.heappush(self._calls, (at, self._count, lambda: act(*args, **named)))
        return Future()

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
