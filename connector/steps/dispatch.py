"""Dispatching: due texts pass the gate, are handed over, and the provider's answer is settled."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import clock
from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.ledger import attempts, consents, enrolments, sends
from connector.ledger.store import Row, Tx, is_storage, savepoint
from connector.messages import Accepted
from connector.providers import Provider
from connector.rules import retry
from connector.rules.policy import CHECK_AGAIN
from connector.steps import budget, owed, templates, walk
from connector.steps.alarm import alarm
from connector.steps.consent import record_consent
from connector.steps.gate import Ticket, pass_gate
from connector.steps.pace import Pace
from connector.steps.setup import Setup
from connector.steps.versions import play_of

log = logging.getLogger("connector")

CLAIM = 64
REFUSED_ACCOUNT = "configuration"  #: the reason where it is not the text that is at fault
NUMBER_TYPES = {"not_mobile": "fixed_line", "invalid_number": "invalid"}
"""What a provider's refusal tells of the number itself."""
CANNOT_TELL = timedelta(seconds=30)  #: until a text is tried again that could not be asked about


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A ticket that was not handed over: something came up since its text passed the gate."""

    reason: str
    retry_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said to one ticket, and how long it took."""

    ticket: Ticket
    result: Accepted | SendFailed | GivenBack
    took_ms: int


class Dispatcher:
    """Keeps up to ``in_flight`` calls to the provider going at once.

    One transaction a round settles every answer that has come and passes the next due texts
    through the gate; after its commit the tickets are handed to the pool. The pool's threads only
    speak to the provider, so the ledger is never held while anybody waits.
    """

    def __init__(
        self,
        rt: Setup,
        rung: Callable[[], None] = lambda: None,
        pool: Executor | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._rt = rt
        self._rung = rung  #: called when an answer has come
        self._pool = pool or ThreadPoolExecutor(rt.in_flight, thread_name_prefix="provider")
        self._pace = pace or Pace(rt)
        self._answers: deque[Answer] = deque()
        self._flying = 0

    def round(self) -> int:
        """Settle what came and hand over what is due; how many answers and texts there were."""
        settled, due, tickets = self._write(CLAIM)
        for ticket in tickets:
            self._flying += 1
            self._pool.submit(self._fly, ticket)
        return settled + due

    def _write(self, most: int) -> tuple[int, int, list[Ticket]]:
        """Settle every answer that has come, never losing one, and pass what is due.

        Where one text failed, all is done again with a savepoint for each. Gives how many
        answers and how many texts there were, and the tickets.
        """
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        room = max(0, min(self._rt.in_flight - self._flying + len(answers), most))
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
        with self._rt.store.write() as tx:
            now = self._rt.clock()
            for answer in answers:
                self._settle(tx, answer, now, careful=careful)
            due = sends.due(tx, now, room) if room else []
            passed = [self._pass(tx, row, now, careful=careful) for row in due]
        return len(due), [ticket for ticket in passed if ticket is not None]

    def _settle(self, tx: Tx, answer: Answer, now: datetime, *, careful: bool) -> None:
        """Settle one answer; where that is a fault of ours, the text stays in doubt, alone."""
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
                if self._pace.held(tx, row, now):
                    return None
                ticket = pass_gate(tx, self._rt, row, now)
                if ticket is not None:
                    self._pace.took(row, ticket.message.text, now)
                return ticket
        except Exception as error:  # a door: one bad text must not hold up the rest
            if not careful or is_storage(error):
                raise
            log.exception("act=gate send=%s result=failed", row["id"])
            if now < clock.instant(row["expires_at"]):
                sends.wait(tx, str(row["id"]), now + CHECK_AGAIN, "check_failed")
            else:
                sends.close(tx, str(row["id"]), "expired", "check_failed", now)
            return None

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
        self._pool.shutdown(wait=False, cancel_futures=True)


def hand_over(provider: Provider, ticket: Ticket) -> Accepted | SendFailed:
    """Hand a text to the provider. The one place that does; only a ticket opens it."""
    try:
        return provider.send(ticket.message)
    except SendFailed as error:
        return error
    except Exception as error:  # an adapter's own fault: nobody knows whether the text went
        log.exception("act=dispatch send=%s result=uncertain", ticket.send_id)
        return Uncertain(f"the provider adapter failed: {type(error).__name__}", reason="unknown")


def settle(tx: Tx, rt: Setup, answer: Answer, now: datetime) -> None:
    """Write what became of a text into the ledger, and move its enrolment on."""
    send_id = answer.ticket.send_id
    row = sends.standing(tx, send_id)
    if row is None:
        return
    result = answer.result
    if isinstance(result, GivenBack):
        _give_back(tx, answer.ticket, result, now)
        budget.correct(tx, rt, send_id)
        return
    if isinstance(result, Accepted):
        accepted(tx, rt, row, result, now)
        outcome = "accepted"
    elif isinstance(result, Refused):
        _refused(tx, rt, row, result, now)
        outcome = "refused"
    elif isinstance(result, Deferred):
        outcome = _deferred(tx, rt, row, result, now)
    else:
        sends.doubted(tx, send_id, result.reason, result.code)
        outcome = "uncertain"
    told = ("", "") if isinstance(result, Accepted) else (result.reason, result.code)
    if told[0] == REFUSED_ACCOUNT:
        _alarm(tx, rt, answer.ticket.provider, told[1], now)
    attempts.settle(tx, send_id, answer.ticket.attempt, outcome, *told, now)
    budget.correct(tx, rt, send_id)
    changed = sends.standing(tx, send_id)
    if changed is not None and outcome != "deferred":
        owed.send_changed(tx, rt.crm, changed, now)
    log.info(
        "act=dispatch send=%s provider=%s result=%s reason=%s ms=%d",
        send_id,
        answer.ticket.provider,
        outcome,
        "" if isinstance(result, Accepted) else result.reason,
        answer.took_ms,
    )


def _alarm(tx: Tx, rt: Setup, provider: str, code: str, now: datetime) -> None:
    says = (
        f"{provider} refuses us, not the text (error {code or 'without a code'}): look at its "
        "credentials, its sender and the account; texts are tried again until they expire."
    )
    alarm(tx, rt, "provider_refuses", says, now, about=f"{provider} {code}".strip())


def _give_back(tx: Tx, ticket: Ticket, result: GivenBack, now: datetime) -> None:
    """The text was certainly not taken: it is due again, and the gate decides afresh."""
    sends.given_back(tx, ticket.send_id, result.reason, now + result.retry_after)
    attempts.settle(tx, ticket.send_id, ticket.attempt, "given_back", result.reason, "", now)
    log.info("act=dispatch send=%s result=given_back reason=%s", ticket.send_id, result.reason)


def accepted(tx: Tx, rt: Setup, row: Row, answer: Accepted, now: datetime) -> None:
    """A provider took the text: the goal counts from now on, and the next step is due."""
    first = row["accepted_at"] is None
    sends.accepted(tx, str(row["id"]), answer, now)
    if not first or not row["enrolment_id"]:
        return
    enrolment = enrolments.walking(tx, str(row["enrolment_id"]))
    if enrolment is None:
        return
    play = play_of(tx, rt, enrolment)
    until = now + play.goal.within if play is not None and play.goal else None
    enrolments.first_text(tx, str(enrolment["id"]), now, until)
    if play is None:
        enrolments.end(tx, str(enrolment["id"]), "play_removed", now)
        return
    if enrolment["state"] == "walking":
        walk.next_step(tx, rt, play, enrolment, now)


def _refused(tx: Tx, rt: Setup, row: Row, error: Refused, now: datetime) -> None:
    sends.refused(tx, str(row["id"]), error.reason, error.code, now)
    if error.reason in NUMBER_TYPES:
        consents.set_type(tx, str(row["phone"]), NUMBER_TYPES[error.reason])
    if error.reason == "opted_out":
        added = record_consent(
            tx,
            rt,
            phone=str(row["phone"]),
            purpose="all",
            granted=False,
            method="provider",
            source=str(row["provider"]),
            wording=f"provider error {error.code}",
            now=now,
        )
        if added:
            templates.opted_out(tx, rt, str(row["phone"]), now, now)
    if row["enrolment_id"]:
        enrolments.end(tx, str(row["enrolment_id"]), f"refused:{error.reason}", now)


def _deferred(tx: Tx, rt: Setup, row: Row, error: Deferred, now: datetime) -> str:
    """Due again later, for as long as the text is worth sending; the gate drops it after."""
    attempt = int(row["attempt"])
    expires_at = clock.instant(row["expires_at"])
    due_at = retry.next_attempt(attempt, now, error.reason, error.retry_after, rt.chance())
    sends.deferred(
        tx,
        str(row["id"]),
        error.reason,
        error.code,
        min(due_at or expires_at, max(expires_at, now + timedelta(seconds=1))),
    )
    return "deferred"


def next_due(rt: Setup, now: datetime) -> datetime:
    """When the next planned text is due."""
    with rt.store.read() as tx:
        return sends.next_due(tx) or now + timedelta(days=1)
