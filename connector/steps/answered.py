"""Answered: what becomes of a text by what its provider said, or by what kept it from the call."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.errors import Deferred, Refused, SendFailed
from connector.ledger import attempts, doubts, enrolments, sends
from connector.ledger.store import Row, Tx
from connector.messages import Accepted
from connector.steps import budget, owed, repeats, untaken, walk
from connector.steps.gate import Ticket
from connector.steps.setup import Setup
from connector.steps.versions import play_of

log = logging.getLogger("connector")

OVER = ("cancelled", "expired")  #: ends of a text that did not go


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


def settle(tx: Tx, rt: Setup, answer: Answer, now: datetime) -> None:
    """Write what became of a text into the ledger, and move its enrolment on."""
    send_id = answer.ticket.send_id
    row = sends.standing(tx, send_id)
    if row is None:
        return
    result = answer.result
    if int(row["attempt"]) != answer.ticket.attempt and not isinstance(result, Accepted):
        return  # it was handed over again since
    if isinstance(result, GivenBack):
        _give_back(tx, answer.ticket, result, now)
        budget.correct(tx, rt, send_id)
        return
    outcome = _take_over(tx, rt, row, answer.ticket, result, now)
    told = ("", "") if isinstance(result, Accepted) else (result.reason, result.code)
    if told[0] == untaken.ACCOUNT:
        untaken.alarm_of(tx, rt, answer.ticket.provider, told[1], now)
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


def _take_over(
    tx: Tx, rt: Setup, row: Row, ticket: Ticket, result: Accepted | SendFailed, now: datetime
) -> str:
    """What became of a text by its provider's answer, in the word that its attempt keeps."""
    if isinstance(result, Accepted):
        accepted(tx, rt, row, result, now)
        return "accepted"
    if repeats.failed(tx, ticket.send_id, ticket.attempt):
        if isinstance(result, Refused):
            untaken.of_number(tx, rt, row, result, now)
        return "uncertain"
    if isinstance(result, Refused):
        untaken.refused(tx, rt, row, result, now)
        return "refused"
    if isinstance(result, Deferred):
        untaken.deferred(tx, rt, row, result, ticket.way, now)
        return "deferred"
    sends.doubted(tx, ticket.send_id, result.reason, result.code)
    return "uncertain"


def _give_back(tx: Tx, ticket: Ticket, result: GivenBack, now: datetime) -> None:
    """The text was certainly not taken: it is due again, and the gate decides afresh."""
    if not repeats.failed(tx, ticket.send_id, ticket.attempt):
        sends.given_back(tx, ticket.send_id, result.reason, now + result.retry_after)
    attempts.settle(tx, ticket.send_id, ticket.attempt, "given_back", result.reason, "", now)
    log.info("act=dispatch send=%s result=given_back reason=%s", ticket.send_id, result.reason)


def accepted(tx: Tx, rt: Setup, row: Row, answer: Accepted, now: datetime) -> None:
    """A provider took the text: the goal counts from now on, and the next step is due.

    One that was taken for not gone did go: it counts, and is not sent (again). Where it had ended,
    its play has gone on meanwhile, which stays so.
    """
    first, state = row["accepted_at"] is None, str(row["state"])
    if state in ("planned", *OVER):
        log.warning("act=settle send=%s result=taken_after_all was=%s", row["id"], state)
        sends.revive(tx, str(row["id"]))
    if state != "sending" or int(row["attempt"]) > 1:
        doubts.close(tx, str(row["id"]), "sent", "its provider told", now, who="connector")
    sends.accepted(tx, str(row["id"]), answer, now)
    if not first or not row["enrolment_id"] or state in OVER:
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
