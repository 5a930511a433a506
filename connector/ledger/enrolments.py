"""Enrolments: one contact's way through one play about one occurrence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Json, light

OPEN = """INSERT INTO enrolments (id, play, version, contact_id, key, signal_id, mode, state, step,
        due_at, triggered_at, eligible_at, opened_at, arm)
    VALUES (:id, :play, :version, :contact, :key, :signal, :mode, 'waiting', 0, :due, :triggered,
        :eligible, :now, :arm)
    ON CONFLICT (play, contact_id, key) DO NOTHING"""
BY_KEY = "SELECT * FROM enrolments WHERE play = :play AND contact_id = :contact AND key = :key"
LATEST = """SELECT * FROM enrolments WHERE play = :play AND contact_id = :contact
    ORDER BY triggered_at DESC LIMIT 1"""
GOING = """SELECT e.*, s.facts AS signal_facts, s.sensitive AS sensitive, s.name AS signal_name,
        s.event_id AS event_id
    FROM enrolments e LEFT JOIN signals s ON s.id = e.signal_id WHERE e.contact_id = :contact
    AND e.state <> 'ended' AND (e.state <> 'done' OR e.goal_until >= :at) LIMIT 200"""
START = """s.facts AS signal_facts, s.sensitive AS sensitive, s.name AS signal_name,
        s.key AS signal_key, s.event_id AS event_id, v.source AS source
    FROM enrolments e LEFT JOIN signals s ON s.id = e.signal_id
    LEFT JOIN events v ON v.id = s.event_id"""
WAY = """e.id, e.play, e.version, e.arm, e.contact_id, e.key, e.mode, e.state, e.step, e.step_name,
        e.due_at, e.triggered_at, e.opened_at, e.first_text_at, e.awaiting_since, e.exit_reason"""
DUE = f"SELECT {WAY}, {START} WHERE e.due_at <= :now ORDER BY e.due_at LIMIT :limit"
WALKING = f"SELECT {WAY}, {START} WHERE e.id = :id"
GET = f"SELECT e.*, {START} WHERE e.id = :id"
NEXT = "SELECT min(due_at) AS due FROM enrolments WHERE due_at IS NOT NULL"
SPEAKING = """SELECT e.id, e.play FROM enrolments e WHERE e.contact_id = :contact
    AND e.state = 'walking' AND (e.first_text_at IS NOT NULL OR EXISTS (SELECT 1 FROM sends s
        WHERE s.enrolment_id = e.id AND s.counts_at IS NOT NULL))
    ORDER BY coalesce(e.first_text_at, '9'), e.id LIMIT 50"""
ON_THE_WAY = """SELECT id FROM enrolments WHERE contact_id = :contact AND state = 'walking'
    LIMIT 2"""
TEXTS = """SELECT CAST(count(*) AS BIGINT) AS n,
        max(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END) AS delivered
    FROM sends WHERE enrolment_id = :enrolment AND accepted_at IS NOT NULL"""
STARTED = """SELECT play, CAST(count(DISTINCT contact_id) AS BIGINT) AS n FROM enrolments
    WHERE opened_at >= :since GROUP BY play"""
LAST_REPLY = """SELECT r.text, r.label, r.answer FROM sends s JOIN replies r ON r.send_id = s.id
    WHERE s.enrolment_id = :enrolment ORDER BY r.occurred_at DESC, r.id DESC LIMIT 1"""
CLICKED = """SELECT 1 FROM sends s JOIN clicks c ON c.send_id = s.id
    WHERE s.enrolment_id = :enrolment AND c.verdict = 'human' LIMIT 1"""
WAITING = """SELECT e.*, s.key AS signal_key
    FROM enrolments e LEFT JOIN signals s ON s.id = e.signal_id
    WHERE e.play = :play AND e.contact_id = :contact AND e.state = 'waiting' LIMIT 100"""
MEASURED = """SELECT e.* FROM enrolments e JOIN signals s ON s.id = e.signal_id
    WHERE e.play = :play AND e.contact_id = :contact AND s.key = :key
    ORDER BY e.triggered_at DESC LIMIT 1"""
REARM = """UPDATE enrolments SET signal_id = :signal, due_at = :due, triggered_at = :triggered
    WHERE id = :id AND state = 'waiting'"""
STEP = """UPDATE enrolments SET state = 'walking', step = :step, step_name = :name, due_at = :due,
        awaiting_since = :awaiting WHERE id = :id AND (state = 'waiting' OR state = 'walking')"""
HOLD_UNTIL = """UPDATE enrolments SET due_at = :due WHERE id = :id AND state = 'waiting'"""
DONE = "UPDATE enrolments SET state = 'done', due_at = NULL WHERE id = :id AND state <> 'ended'"
FIRST_TEXT = """UPDATE enrolments SET first_text_at = :at, goal_until = :until
    WHERE id = :id AND first_text_at IS NULL"""
END = """UPDATE enrolments SET state = 'ended', due_at = NULL, ended_at = :at, exit_reason = :reason
    WHERE id = :id AND state IN ('waiting', 'walking')"""
GOAL = """UPDATE enrolments SET goal_at = :at, goal_event_id = :event, goal_kind = :kind
    WHERE id = :id AND goal_at IS NULL"""


@light
@dataclass(frozen=True, slots=True)
class Opening:
    """What a new enrolment is made of."""

    id: str
    play: str
    version: str
    contact_id: str
    key: str
    signal_id: str
    mode: str
    due_at: datetime | None
    triggered_at: datetime
    eligible_at: datetime
    arm: str = ""


def open_(tx: Tx, opening: Opening, now: datetime) -> bool:
    """Open an enrolment; False when this contact has walked this play for this key already."""
    return bool(
        tx.run(
            OPEN,
            id=opening.id,
            play=opening.play,
            version=opening.version,
            contact=opening.contact_id,
            key=opening.key,
            signal=opening.signal_id,
            mode=opening.mode,
            due=clock.text(opening.due_at) if opening.due_at else None,
            triggered=clock.text(opening.triggered_at),
            eligible=clock.text(opening.eligible_at),
            now=clock.text(now),
            arm=opening.arm,
        )
    )


def by_key(tx: Tx, play: str, contact_id: str, key: str) -> Row | None:
    """The enrolment of a contact in a play about an occurrence."""
    return tx.one(BY_KEY, play=play, contact=contact_id, key=key)


def latest(tx: Tx, play: str, contact_id: str) -> Row | None:
    """The contact's enrolment in a play that was triggered last."""
    return tx.one(LATEST, play=play, contact=contact_id)


def others_walk(tx: Tx, contact_id: str, but: str) -> bool:
    """Whether a contact is on the way in any enrolment but one."""
    return any(row["id"] != but for row in tx.all(ON_THE_WAY, contact=contact_id))


def started(tx: Tx, since: datetime) -> dict[str, int]:
    """For how many people each play started since an instant."""
    return {str(row["play"]): int(row["n"]) for row in tx.all(STARTED, since=clock.text(since))}


def speaking(tx: Tx, contact_id: str) -> list[Row]:
    """Enrolments of a contact that have spoken and are not through, who spoke first first.

    A text that is being handed over, or of which nobody knows whether it went, has been said.
    """
    return tx.all(SPEAKING, contact=contact_id)


def walked(tx: Tx, enrolment_id: str) -> dict[str, Json]:
    """What has come of an enrolment: texts that went, the last reply, clicks by a person."""
    texts = tx.one(TEXTS, enrolment=enrolment_id)
    reply = tx.one(LAST_REPLY, enrolment=enrolment_id)
    return {
        "texts": int(texts["n"]) if texts else 0,
        "delivered": bool(texts and texts["delivered"]),
        "replied": reply is not None,
        "reply": reply["text"] if reply else None,
        "label": reply["label"] if reply else "",
        "answer": reply["answer"] if reply else "",
        "clicked": tx.one(CLICKED, enrolment=enrolment_id) is not None,
    }


def waiting(tx: Tx, play: str, contact_id: str) -> list[Row]:
    """Enrolments of a contact in a play that have not acted yet, with their start signal's key."""
    return tx.all(WAITING, play=play, contact=contact_id)


def measured(tx: Tx, play: str, contact_id: str, key: str) -> Row | None:
    """The newest enrolment of a contact in a play that a reading of this key began."""
    return tx.one(MEASURED, play=play, contact=contact_id, key=key)


def going(tx: Tx, contact_id: str, at: datetime) -> list[Row]:
    """Enrolments that a signal at ``at`` may end or whose goal it may be."""
    return tx.all(GOING, contact=contact_id, at=clock.text(at))


def due(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """Enrolments whose next step is due, most overdue first, each as :func:`walking` has it."""
    return tx.all(DUE, now=clock.text(now), limit=limit)


def walking(tx: Tx, enrolment_id: str) -> Row | None:
    """What a step asks of one enrolment, with its start signal: half of what ``get`` reads."""
    return tx.one(WALKING, id=enrolment_id)


def get(tx: Tx, enrolment_id: str) -> Row | None:
    """One enrolment with its start signal."""
    return tx.one(GET, id=enrolment_id)


def next_due(tx: Tx) -> datetime | None:
    """When the next step of any enrolment is due."""
    row = tx.one(NEXT)
    return clock.instant(row["due"]) if row and row["due"] else None


def rearm(tx: Tx, enrolment_id: str, signal_id: str, due_at: datetime | None, at: datetime) -> bool:
    """Start the waiting timer anew from a later start signal; None waits for its own threshold."""
    return bool(
        tx.run(
            REARM,
            id=enrolment_id,
            signal=signal_id,
            due=clock.text(due_at) if due_at else None,
            triggered=clock.text(at),
        )
    )


def to_step(
    tx: Tx,
    enrolment_id: str,
    step: int,
    due_at: datetime | None,
    *,
    name: str = "",
    awaiting: datetime | None = None,
) -> None:
    """Stand at a step; without a due instant the enrolment waits for its text to leave.

    ``awaiting``: since when it waits there for a signal.
    """
    tx.run(
        STEP,
        id=enrolment_id,
        step=step,
        name=name,
        due=clock.text(due_at) if due_at else None,
        awaiting=clock.text(awaiting) if awaiting else None,
    )


def speak(tx: Tx, enrolment_id: str, due_at: datetime) -> bool:
    """Let one that waits be due at an instant (its own threshold was reached)."""
    return bool(tx.run(HOLD_UNTIL, id=enrolment_id, due=clock.text(due_at)))


def done(tx: Tx, enrolment_id: str) -> None:
    """Every step is done; the goal is still watched for."""
    tx.run(DONE, id=enrolment_id)


def first_text(tx: Tx, enrolment_id: str, at: datetime, goal_until: datetime | None) -> None:
    """The first text was accepted: from now on the goal is a conversion."""
    tx.run(
        FIRST_TEXT,
        id=enrolment_id,
        at=clock.text(at),
        until=clock.text(goal_until) if goal_until else None,
    )


def end(tx: Tx, enrolment_id: str, reason: str, at: datetime) -> bool:
    """End an enrolment that waits or walks; False when it had ended already."""
    return bool(tx.run(END, id=enrolment_id, reason=reason, at=clock.text(at)))


def goal(tx: Tx, enrolment_id: str, at: datetime, event_id: str, kind: str) -> bool:
    """The goal was reached: ``converted`` or ``goal_before_text``; once."""
    return bool(tx.run(GOAL, id=enrolment_id, at=clock.text(at), event=event_id, kind=kind))
