"""Errands: what a CRM's workflows want, kept from the asking until they are told what came of it.

``reading`` while the record is read in the CRM, ``open`` while a text is on its way, ``done``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector import clock
from connector.ledger.store import Row, Tx
from connector.model import Errand

ADD = """INSERT INTO errands (crm, key, object, record, event, play, template, purpose, state,
        occurred_at, asked_at, until_at)
    VALUES (:crm, :key, :object, :record, :event, :play, :template, :purpose, 'reading',
        :occurred, :now, :until)
    ON CONFLICT (crm, key) DO NOTHING"""
READ = """SELECT e.* FROM errands e WHERE e.state = 'reading' AND (e.until_at <= :now
        OR NOT EXISTS (SELECT 1 FROM crm_hints h WHERE h.crm = e.crm AND h.object = e.object
            AND h.record = e.record AND h.fate = ''))
    ORDER BY e.asked_at LIMIT :limit"""
SETTLED = """SELECT e.*, s.state AS send_state, s.reason AS send_reason,
        s.contact_id AS contact_id, n.state AS walk_state, n.exit_reason AS exit_reason,
        n.contact_id AS walker
    FROM errands e LEFT JOIN enrolments n ON n.id = e.enrolment_id
        LEFT JOIN sends s ON s.id = coalesce(e.send_id,
            (SELECT min(f.id) FROM sends f WHERE f.enrolment_id = e.enrolment_id))
    WHERE e.state = 'open' AND (e.until_at <= :now
        OR s.state = 'delivered' OR s.state = 'undelivered' OR s.state = 'refused'
        OR s.state = 'cancelled' OR s.state = 'expired'
        OR (s.state = 'accepted' AND s.accepted_at <= :long_ago)
        OR (s.id IS NULL AND (n.state = 'done' OR n.state = 'ended')))
    ORDER BY e.asked_at LIMIT :limit"""
OPEN = """UPDATE errands SET state = 'open', enrolment_id = :enrolment, send_id = :send,
        until_at = :until WHERE crm = :crm AND key = :key AND state = 'reading'"""
DONE = """UPDATE errands SET state = 'done', result = :result, reason = :reason, done_at = :now,
        record = ''
    WHERE crm = :crm AND key = :key AND state <> 'done'"""
OLD = "SELECT 1 FROM errands WHERE done_at < :before LIMIT 1"
FORGET = "DELETE FROM errands WHERE done_at < :before"
ANY = "SELECT 1 FROM errands WHERE state <> 'done' LIMIT 1"

PATIENCE: Final = timedelta(minutes=15)  #: that a record is waited for until it is read
RECEIPTS: Final = timedelta(hours=6)  #: after which an accepted text is not told of any more
KEPT: Final = timedelta(days=90)  #: so long the same errand is known again


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a text: its state, and why."""

    result: str
    reason: str


def add(tx: Tx, errand: Errand, now: datetime) -> bool:
    """Keep an errand; False where the same one is known."""
    return bool(
        tx.run(
            ADD,
            crm=errand.crm,
            key=errand.key,
            object=errand.object,
            record=errand.record,
            event=errand.event,
            play=errand.play,
            template=errand.template,
            purpose=errand.purpose,
            occurred=clock.text(errand.occurred_at),
            now=clock.text(now),
            until=clock.text(now + PATIENCE),
        )
    )


def is_any(tx: Tx) -> bool:
    """Whether any waits for something."""
    return tx.one(ANY) is not None


def read(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """Those whose record was read in the CRM since they were asked, or was waited for enough."""
    return tx.all(READ, now=clock.text(now), limit=limit)


def settled(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """Those whose text will come no further, or was waited for enough."""
    long_ago = clock.text(now - RECEIPTS)
    return tx.all(SETTLED, now=clock.text(now), long_ago=long_ago, limit=limit)


def open_(
    tx: Tx, errand: Row, until: datetime, *, enrolment_id: str = "", send_id: str = ""
) -> None:
    """A text is on its way; ``until`` is when whoever waits is told in any case."""
    tx.run(
        OPEN,
        crm=errand["crm"],
        key=errand["key"],
        enrolment=enrolment_id or None,
        send=send_id or None,
        until=clock.text(until),
    )


def done(tx: Tx, errand: Row, came: Came, now: datetime) -> bool:
    """Nothing more is to be done, and whom it was about is forgotten; False where it was so."""
    return bool(
        tx.run(
            DONE,
            crm=errand["crm"],
            key=errand["key"],
            result=came.result,
            reason=came.reason,
            now=clock.text(now),
        )
    )


def is_old(tx: Tx, now: datetime) -> bool:
    """Whether any was done so long ago that it is forgotten."""
    return tx.one(OLD, before=clock.text(now - KEPT)) is not None


def forget(tx: Tx, now: datetime) -> int:
    """Remove those that were done long ago; how many."""
    return tx.run(FORGET, before=clock.text(now - KEPT))
