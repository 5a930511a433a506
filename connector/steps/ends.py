"""Ending: a signal ends enrolments that waited for it, and is the goal of others."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import enrolments, outcomes, sends
from connector.ledger.outcomes import Heard
from connector.ledger.store import Row, Tx
from connector.model import Contact, Event, Json, Signal
from connector.rules import triggers
from connector.rules.plays import Condition, Play
from connector.rules.triggers import silence
from connector.steps import contexts, exits, owed, walk
from connector.steps.setup import Setup
from connector.steps.versions import play_of

log = logging.getLogger("connector")


def end_for(
    tx: Tx,
    rt: Setup,
    going: Iterable[Row],
    contact: Contact,
    signal: Signal,
    event: Event,
    context: dict[str, Json],
    now: datetime,
) -> None:
    """End those of a contact's enrolments that this signal ends, and count the goals it reaches.

    ``going``: see :func:`connector.ledger.enrolments.going`.
    """
    for row in going:
        play = play_of(tx, rt, row)
        reason = "play_removed"
        if play is not None:
            reason = _reason(tx, rt, play, row, contact, signal, event, context, now)
        if reason and enrolments.end(tx, str(row["id"]), reason, now):
            sends.cancel_planned(tx, str(row["id"]), reason, now)
        elif play is None or reason or not row["awaiting_since"]:
            continue
        elif triggers.is_about(play, signal.key, str(row["key"])):
            walk.heard(tx, rt, play, row, signal.name, event.occurred_at, now)


def _reason(
    tx: Tx,
    rt: Setup,
    play: Play,
    row: Row,
    contact: Contact,
    signal: Signal,
    event: Event,
    context: dict[str, Json],
    now: datetime,
) -> str:
    """Why a signal ends an enrolment, "" where it does not; the goal before anything else.

    A silence that was none ends, also where what broke it occurred before the play began.
    """
    is_later = event.occurred_at > clock.instant(row["triggered_at"])
    reason = ""
    if is_later:
        reason = _goal(tx, rt, play, row, signal, event, context, now)
        if not reason and triggers.is_about(play, signal.key, str(row["key"])):
            reason = triggers.ends(play, signal.name, str(row["state"]))
    if reason or row["state"] not in ("waiting", "walking"):
        return reason
    if (
        play.start.silence is not None
        and signal.activity
        and not walk.awaits(play, row, signal.name)
    ):
        began = clock.instant(row["triggered_at"]) - play.start.silence.span
        return "active_again" if silence.is_broken(began, event.occurred_at) else ""
    if is_later and exits.has_any(play):
        return exits.reason(play, contact, walk.context_of(tx, rt, play, contact, row, now))
    return ""


def _goal(
    tx: Tx,
    rt: Setup,
    play: Play,
    row: Row,
    signal: Signal,
    event: Event,
    context: dict[str, Json],
    now: datetime,
) -> str:
    """Count a goal that this signal reaches; the exit reason it gives, or ""."""
    goal = play.goal
    if goal is None or goal.signal != signal.name or row["goal_at"]:
        return ""
    if goal.same_key and signal.key != row["key"]:
        return ""
    if goal.where is not None:
        start = contexts.signal_of(enrolments.get(tx, str(row["id"])))
        if not _true(goal.where, {**context, "start": start}, row["id"]):
            return ""
    first_text = clock.instant(row["first_text_at"]) if row["first_text_at"] else None
    until = clock.instant(row["goal_until"]) if row["goal_until"] else None
    kind = triggers.goal_kind(event.occurred_at, first_text, until)
    if not kind:
        return "goal_late"  # no conversion, but what was wanted has happened
    if not enrolments.goal(tx, str(row["id"]), event.occurred_at, event.id, kind):
        return ""
    if kind == "converted":
        _converted(tx, rt, row, signal, event, now)
    return "goal" if kind == "converted" else "goal_before_text"


def _true(condition: Condition, context: dict[str, Json], enrolment_id: str) -> bool:
    try:
        return bool(condition(context))
    except ExpressionFailed as error:
        log.warning("act=goal enrolment=%s result=%s", enrolment_id, error.code)
        return False


def _converted(tx: Tx, rt: Setup, row: Row, signal: Signal, event: Event, now: datetime) -> None:
    last = tx.one(
        """SELECT id FROM sends WHERE enrolment_id = :enrolment AND accepted_at IS NOT NULL
        ORDER BY accepted_at DESC LIMIT 1""",
        enrolment=row["id"],
    )
    heard = Heard(
        id=rt.new_id("out"),
        cause=f"goal:{row['id']}",
        contact_id=row["contact_id"],
        kind="goal_reached",
        occurred_at=event.occurred_at,
        thing=signal.key,
        value_micros=signal.value_micros,
        currency=signal.currency,
        enrolment_id=row["id"],
        send_id=str(last["id"]) if last else "",
        event_id=event.id,
    )
    if outcomes.add(tx, heard, now):
        owed.outcome_heard(tx, rt.crm, outcomes.get(tx, heard.id), now)
