"""Errands of a CRM's workflows: an event that is heard, or one text whose end finishes a step.

1. The errand is kept by its key, and a hint has its record read first (``steps/hints``).
2. Once that is read, the event is heard; or the play is started by hand, or one text by hand is
   planned. Both pass the gate as every other text does.
3. When the text will come no further, the CRM is owed the end of the workflow's step.

Each is one transaction, so that a death at any instant repeats nothing: never a second text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from connector import clock
from connector.errors import Unreadable
from connector.ledger import acts, contacts, enrolments, errands, sends, writebacks
from connector.ledger.errands import Came
from connector.ledger.store import Row, Tx
from connector.model import Cause, Contact, Event, Purpose, SendState, Verdict
from connector.records import Owed
from connector.rules.crm import PEOPLE
from connector.rules.optin import CONFIRMED, REQUEST
from connector.steps import advance, byhand, crmtell, gather
from connector.steps.apart import apart
from connector.steps.setup import Setup

log = logging.getLogger("connector")

FEW: Final = 32  #: in one transaction
KIND: Final = "callback"
LONGEST: Final = timedelta(days=7)  #: that a workflow waits; then it is told how things stand
EXPIRES: Final = {Purpose.marketing: timedelta(hours=24), Purpose.service: timedelta(hours=4)}
OURS: Final = frozenset({REQUEST, CONFIRMED, "stop_confirmed", "start_confirmed", "help_answer"})
"""Texts that are our own answers; no workflow may send them."""
WENT: Final = frozenset({SendState.accepted.value, SendState.delivered.value})
NOT_SENT: Final = "not_sent"


def run(rt: Setup) -> int:
    """Do what there is to do for a few errands; how many."""
    with rt.store.read() as tx:
        if not errands.is_any(tx):
            return 0
        now = rt.clock()
        ready = errands.read(tx, now, FEW)
        settled = errands.settled(tx, now, FEW)
    if ready or settled:
        with rt.store.write() as tx:
            for row in ready:
                _carefully(tx, rt, row, partial(_begin, tx, rt, row, now), now)
            for row in settled:
                _carefully(tx, rt, row, partial(_end, tx, rt, row, now), now)
    return len(ready) + len(settled)


def _carefully(tx: Tx, rt: Setup, row: Row, act: Callable[[], None], now: datetime) -> None:
    """One errand that fails is over, and holds up no other."""
    if not apart(tx, act, f"errand {row['crm']}", careful=True):
        _finish(tx, rt, row, "", Came(NOT_SENT, "internal"), now)


def _begin(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Its record was read, or could not be for long enough."""
    if row["event"]:
        _hear(tx, rt, row, now)
        errands.done(tx, row, Came("heard", ""), now)
        return
    contact_id, why = _whom(tx, row)
    if not why:
        try:
            begun = _start_play if row["play"] else _plan_text
            why = begun(tx, rt, row, contact_id, now)
        except Unreadable as error:
            why = str(error)
    if why:
        _finish(tx, rt, row, contact_id, Came(NOT_SENT, why), now)


def _whom(tx: Tx, row: Row) -> tuple[str, str]:
    """The contact, and why nobody can be texted where that is so."""
    if row["object"] not in PEOPLE:
        return "", "not_a_person"
    named = f"{row['crm']}:{row['record']}"
    found = next(iter(contacts.bearers(tx, "crm_id", named)), "")
    return found, "" if found else "contact_unknown"


def _start_play(tx: Tx, rt: Setup, row: Row, contact_id: str, now: datetime) -> str:
    """Start the play by hand; why it was not begun, or ""."""
    play, key = str(row["play"]), str(row["key"])
    who, why = _who(row), "a workflow asks for it"
    decision = byhand.start(tx, rt, play, contact_id, {}, who=who, why=why, key=key, now=now)
    if decision.verdict is not Verdict.send:
        return decision.reason or "not_begun"
    walked = enrolments.by_key(tx, play, contact_id, key) or enrolments.latest(tx, play, contact_id)
    errands.open_(tx, row, now + LONGEST, enrolment_id=str(walked["id"]) if walked else "")
    return ""


def _plan_text(tx: Tx, rt: Setup, row: Row, contact_id: str, now: datetime) -> str:
    """Plan one text by hand from a template; why it was not planned, or ""."""
    template, purpose = str(row["template"]), Purpose(row["purpose"])
    if template in OURS or not any(name == template for name, _ in rt.templates):
        return "unknown_template"
    if rt.require_approval:
        return "not_approved"  # what two people must stand behind is a play
    contact = gather.person(
        tx, contact_id, frozenset({purpose.value}), rt.book.policy.expiries, now
    )
    if contact is None or not contact.phone:
        return "no_mobile"
    planned = _plan(rt, row, contact, template, purpose, now)
    if sends.plan(tx, planned, now):
        why, about = f"a workflow asks for {template}", f"send:{planned.id}"
        acts.add(tx, rt.new_id("act"), "send", about, who=_who(row), at=now, why=why)
    send = sends.of_cause(tx, planned.cause, planned.cause_id, planned.step)
    errands.open_(tx, row, now + LONGEST, send_id=str(send["id"]) if send else planned.id)
    return ""


def _plan(
    rt: Setup, row: Row, contact: Contact, template: str, purpose: Purpose, now: datetime
) -> sends.Plan:
    """The one text of an errand: its key is the text's cause, so that there is never a second."""
    return sends.Plan(
        id=rt.new_id("snd"),
        cause=Cause.hand.value,
        cause_id=f"{row['crm']}:{row['key']}",
        step=template,
        contact_id=contact.id,
        phone=contact.phone,
        purpose=purpose.value,
        template=template,
        due_at=now,
        expires_at=now + EXPIRES[purpose],
        mode=rt.earnest.value,
    )


def _end(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Its text will come no further, or the workflow waited long enough."""
    contact_id = str(row["contact_id"] or row["walker"] or "")
    if row["send_state"]:
        came = Came(str(row["send_state"]), str(row["send_reason"]))
    elif row["walk_state"] in ("done", "ended"):
        came = Came(NOT_SENT, str(row["exit_reason"]) or "no_text")
    else:
        came = Came(NOT_SENT, "still_waiting")
    _finish(tx, rt, row, contact_id, came, now)


def _finish(tx: Tx, rt: Setup, row: Row, contact_id: str, came: Came, now: datetime) -> None:
    """Note what came of it, and owe the CRM the end of the step, once."""
    if not errands.done(tx, row, came, now) or row["event"]:
        return
    key, crm = str(row["key"]), str(row["crm"])
    went = came.result in WENT
    told = {"callback": key, "went": went, "result": came.result, "reason": came.reason}
    owed = Owed(KIND, f"{KIND}:{key}", told, str(row["send_id"] or ""), urgent=True)
    writebacks.owe(tx, crm, contact_id, owed, now)
    log.info("act=errand crm=%s result=%s why=%s", crm, came.result, came.reason or "-")


def _hear(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """An event that a workflow names, of each person its record is about, by what was read."""
    crm, source = str(row["crm"]), rt.sources.get(str(row["crm"]))
    known = crmtell.known(tx, crm, str(row["object"]), str(row["record"]))
    people = (str(row["record"]),) if row["object"] in PEOPLE else known.people if known else ()
    values = dict(known.fields) if known else {}
    if source is None:
        return
    for person in people:
        event = _event(rt, row, person, values)
        advance.hear(tx, rt, event, advance.map_event(rt, source, event), now)


def _event(rt: Setup, row: Row, person: str, values: dict[str, object]) -> Event:
    item = {
        "object": row["object"],
        "id": row["record"],
        "person": person,
        "now": values,
        "was": {},
        "changed": [],
        "related": {},
        "people": [],
    }
    name = str(row["event"])
    return Event(
        id=rt.new_id("evt"),
        source=str(row["crm"]),
        source_event_id=f"{row['key']}:{person}",
        type="webhook",
        name=name,
        occurred_at=clock.instant(row["occurred_at"]),
        received_at=clock.instant(row["asked_at"]),
        payload={"name": name, "item": item, "headers": {}},
    )


def _who(row: Row) -> str:
    return f"workflow:{row['crm']}"
