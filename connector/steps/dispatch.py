"""Dispatching: due texts pass the gate, are handed over, and the provider's answer is settled."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial

from connector import clock
from connector.errors import SendFailed, Uncertain
from connector.ledger import enrolments, sends
from connector.ledger.store import Row, Tx, is_storage, savepoint
from connector.messages import Accepted
from connector.providers import Provider
from connector.rules.policy import CHECK_AGAIN
from connector.steps import repeats
from connector.steps.answered import Answer, GivenBack, settle
from connector.steps.gate import Ticket, pass_gate
from connector.steps.pace import REASON, Pace
from connector.steps.route import Ways
from connector.steps.setup import Setup

log = logging.getLogger("connector")

CLAIM = 64
LOOK = 8  #: texts of a line that are looked at to fill a free place
CANNOT_TELL = timedelta(seconds=30)  #: until a text is tried again that could not be asked about


class Dispatcher:
    """Keeps calls to each provider going at once, up to what its account takes.

    One transaction a round settles every answer that has come and passes the next due texts
    through the gate; after its commit the tickets are handed to the pool. The pool's threads only
    speak to the provider, so the ledger is never held while anybody waits. Each provider has
    threads of its own, so that one which does not answer keeps no other waiting.
    """

    def __init__(
        self,
        rt: Setup,
        rung: Callable[[], None] = lambda: None,
        pool: Executor | None = None,
        pace: Pace | None = None,
        ways: Ways | None = None,
    ) -> None:
        self._rt = rt
        self._rung = rung  #: called when an answer has come
        self._pool = pool  #: of all calls; without one, each provider has its own
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._pace = pace or Pace(rt)
        self._ways = ways or Ways(rt)
        self._answers: deque[Answer] = deque()
        self._flying = 0

    def round(self) -> int:
        """Settle what came and hand over what is due; how many answers and texts there were."""
        settled, due, tickets = self._write(CLAIM)
        for ticket in tickets:
            self._flying += 1
            self._pace.flies(ticket.provider)
            self._pool_of(ticket.provider).submit(self._fly, ticket)
        return settled + due

    def _pool_of(self, provider: str) -> Executor:
        if self._pool is not None:
            return self._pool
        if provider not in self._pools:
            room, name = self._rt.room_at(provider), f"to {provider}"
            self._pools[provider] = ThreadPoolExecutor(room, thread_name_prefix=name)
        return self._pools[provider]

    def _write(self, most: int) -> tuple[int, int, list[Ticket]]:
        """Settle every answer that has come, never losing one, and pass what is due.

        Where one text failed, all is done again with a savepoint for each. Gives how many
        answers and how many texts there were, and the tickets.
        """
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        in_all = sum(map(self._rt.room_at, self._rt.carriers))
        room = max(0, min(in_all - self._flying + len(answers), most))
        try:
            try:
                due, tickets = self._write_all(answers, room, careful=False)
            except Exception as error:
                if is_storage(error):
                    raise
                due, tickets = self._write_all(answers, room, careful=True)
        except BaseException:
            self._answers.extendleft(reversed(answers))  # settled later
            raise
        self._flying -= len(answers)
        return len(answers), due, tickets

    def _write_all(
        self, answers: Sequence[Answer], room: int, *, careful: bool
    ) -> tuple[int, list[Ticket]]:
        with self._ways.kept(), self._pace.kept(), self._rt.store.write() as tx:
            now = self._rt.clock()
            self._ways.begin(tx, now)
            self._pace.begin(tx, now)
            for answer in answers:
                self._settle(tx, answer, now, careful=careful)
            due = sends.due(tx, now, room) if room else []
            passed = [self._pass(tx, row, now, careful=careful) for row in due]
            if self._pace.lags and room:
                passed += self._from_the_line(tx, now, careful=careful)
        return len(due), [ticket for ticket in passed if ticket is not None]

    def _from_the_line(self, tx: Tx, now: datetime, *, careful: bool) -> list[Ticket | None]:
        """Those behind texts that stood in a line and do not go: each goes up to the free place."""
        found: list[Ticket | None] = []
        while self._pace.lags and len(found) < CLAIM:
            rows = sends.in_line(tx, REASON, now, LOOK)
            ways = [self._ways.of(tx, row, str(row["phone"]), now) for row in rows]
            free = [self._pace.is_free(way, now) for way in ways]
            if not any(free):
                self._pace.move_up(tx, zip(rows, ways, strict=True), now)
                break
            found.append(self._pass(tx, rows[free.index(True)], now, careful=careful))
        return found

    def _settle(self, tx: Tx, answer: Answer, now: datetime, *, careful: bool) -> None:
        """Settle one answer; where that is a fault of ours, the text stays in doubt, alone."""
        self._note(tx, answer, now)
        try:
            with savepoint(tx) if careful else nullcontext():
                settle(tx, self._rt, answer, now)
        except Exception as error:  # a door: one bad answer must not hold up the rest
            if not careful or is_storage(error):
                raise
            log.exception("act=settle send=%s result=failed", answer.ticket.send_id)
            sends.doubted(tx, answer.ticket.send_id, "internal", type(error).__name__)

    def _pass(self, tx: Tx, row: Row, now: datetime, *, careful: bool) -> Ticket | None:
        """Ask the gate about one text; where that is a fault of ours, the text waits, alone."""
        try:
            with savepoint(tx) if careful else nullcontext():
                choose = partial(self._ways.of, tx, row, now=now)
                if self._pace.held(tx, row, choose(str(row["phone"])), now):
                    return None
                ticket = pass_gate(tx, self._rt, row, now, choose)
                if ticket is not None:
                    self._ways.took(ticket.way)
                    self._pace.took(ticket.way, ticket.message.text, now)
                elif row["reason"] == REASON:
                    self._pace.lags = True
                return ticket
        except Exception as error:  # a door: one bad text must not hold up the rest
            if not careful or is_storage(error):
                raise
            log.exception("act=gate send=%s result=failed", row["id"])
            _check_failed(tx, self._rt, row, now)
            return None

    def _note(self, tx: Tx, answer: Answer, now: datetime) -> None:
        """What an answer tells of the provider itself."""
        provider = answer.ticket.provider
        if isinstance(answer.result, GivenBack):
            self._ways.spared(provider)
        else:
            self._ways.answered(tx, provider, answer.result, now)

    @property
    def flying(self) -> int:
        """Calls handed over whose answer is not settled."""
        return self._flying

    def _fly(self, ticket: Ticket) -> None:
        started = time.perf_counter()
        result: Accepted | SendFailed | GivenBack | None = self._given_back(ticket)
        if result is None:
            result = hand_over(self._rt.providers[ticket.provider], ticket)
        took_ms = int((time.perf_counter() - started) * 1_000)
        self._pace.landed(ticket.provider, took_ms)
        self._answers.append(Answer(ticket, result, took_ms))
        self._rung()

    def _given_back(self, ticket: Ticket) -> GivenBack | None:
        """Whether something that forbids the text came while it waited for its call.

        That is a pause (of everything, the play, the template, or by the clock guard), a block or
        any consent that ended, a suppression, a reply that a person must read, or that the text
        was settled elsewhere. Asked right before the call, so that nothing leaves once they stand
        in the ledger: the row stays ``sending`` until the answer is settled, which is what
        whoever paused waits for.
        """
        try:
            with self._rt.store.read() as tx:
                why = sends.objection(
                    tx,
                    ticket.send_id,
                    ticket.attempt,
                    ticket.play,
                    ticket.message.to,
                    ticket.message.purpose,
                )
        except Exception as error:  # a door: where nobody can tell, nothing leaves
            log.error("act=dispatch send=%s result=not_asked %s", ticket.send_id, error)
            return GivenBack("check_failed", CANNOT_TELL)
        return GivenBack(why) if why else None

    def close(self, patience: float = 15.0) -> None:
        """Take nothing new, wait for the calls under way, settle their answers."""
        until = time.monotonic() + patience
        while self._flying > len(self._answers) and time.monotonic() < until:
            time.sleep(0.01)
        if self._answers:
            self._write(0)
        for pool in (self._pool, *self._pools.values()):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


def hand_over(provider: Provider, ticket: Ticket) -> Accepted | SendFailed:
    """Hand a text to the provider. The one place that does; only a ticket opens it."""
    try:
        return provider.send(ticket.message)
    except SendFailed as error:
        return error
    except Exception as error:  # an adapter's own fault: nobody knows whether the text went
        log.exception("act=dispatch send=%s result=uncertain", ticket.send_id)
        return Uncertain(f"the provider adapter failed: {type(error).__name__}", reason="unknown")


def _check_failed(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """A text about which the gate cannot decide waits; at its end it does not go, and its play
    ends, since of the next step nobody could decide either."""
    if now < clock.instant(row["expires_at"]):
        sends.wait(tx, str(row["id"]), now + CHECK_AGAIN, "check_failed")
    elif row["counts_at"] is not None:
        repeats.back(tx, rt, row, "check_failed", now)
    else:
        sends.close(tx, str(row["id"]), "expired", "check_failed", now)
        if row["enrolment_id"]:
            enrolments.end(tx, str(row["enrolment_id"]), "check_failed", now)


def next_due(rt: Setup, now: datetime) -> datetime:
    """When the next planned text is due."""
    with rt.store.read() as tx:
        return sends.next_due(tx) or now + timedelta(days=1)
