"""Writing back: what each CRM is owed goes to it in batches, and never holds up a text.

1. A batch is taken in one short write transaction, in order for each contact, under a lease.
2. What there is to say is looked up afterwards, so that it is never older than what was taken.
3. The CRM is called outside any transaction.
4. Its verdicts are kept in one transaction; what was owed anew meanwhile stays owed.

A process that dies between any two of these leaves leased rows, which are soon due again; the
CRM knows each change by its key, so that making it twice is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.crms import Crm
from connector.errors import ConnectorError
from connector.ledger import (
    contacts,
    crm_facts,
    enrolments,
    outcomes,
    sends,
    summaries,
    writebacks,
)
from connector.ledger.store import Tx
from connector.ledger.summaries import Summary
from connector.ledger.writebacks import Claim, Outage
from connector.model import Json, Owed, Subject, Writeback, Written
from connector.rules import writeback as rules
from connector.rules.retry import WRITEBACKS, next_attempt
from connector.rules.writeback import Field
from connector.steps import contexts, crmfacts, optouts
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

BATCH: Final = 100  #: changes in one call to a CRM
BATCHES: Final = 10  #: calls to a CRM before other steps have their turn
PROBE: Final = 1  #: changes with which a CRM in an outage is asked whether it is back
LONGEST_PAUSE: Final = timedelta(minutes=10)  #: between two probes, unless the CRM names longer

log = logging.getLogger("connector")


def writeback(rt: Setup, batches: int = BATCHES) -> int:
    """Write what is owed and due to every CRM, a bounded part of it; how many were written."""
    return sum(_drain(rt, name, batches) for name in rt.crms)


def next_due(rt: Setup) -> datetime | None:
    """When the next write-back is due; None when nothing is owed."""
    with rt.store.read() as tx:
        due = [writebacks.next_due(tx, name) for name in rt.crms]
    return min((at for at in due if at is not None), default=None)


def _drain(rt: Setup, name: str, batches: int) -> int:
    written = 0
    for _ in range(batches):
        with rt.store.read() as tx:
            due = writebacks.next_due(tx, name)
        if due is None or due > rt.clock():
            break
        written += _batch(rt, name)
    return written


def _batch(rt: Setup, name: str) -> int:
    began, fields = rt.clock(), rt.crm_fields.get(name) or rules.standard_fields()
    with rt.store.write() as tx:
        stopped = writebacks.outage(tx, name)
        claims = writebacks.claim(tx, name, began, PROBE if stopped else BATCH)
    if not claims:
        return 0
    with rt.store.read() as tx:
        field = rt.opt_out_fields.get(name, "")
        changes = {claim.id: _change(tx, claim, fields, field) for claim in claims}
    wanted = [change for change in changes.values() if change is not None]
    try:
        answers = {answer.id: answer for answer in rt.crms[name].write(wanted)} if wanted else {}
    except Exception as error:
        _stop(rt, name, claims, stopped, error)
        return 0
    now = rt.clock()
    facts = _facts_now(rt.crms[name], wanted, answers)
    with rt.store.write() as tx:
        for contact_id, found in facts.items():
            crmfacts.learn(tx, rt, name, contact_id, found, now)
        if stopped and wanted:
            writebacks.note_outage(tx, name, None)
        for claim in claims:
            _settle(tx, rt, claim, changes[claim.id], answers.get(claim.id), now)
    if wanted:
        _log(name, answers, len(wanted), now - began)
    return sum(answer.ok for answer in answers.values())


def _facts_now(
    crm: Crm, wanted: Sequence[Writeback], answers: Mapping[str, Written]
) -> dict[str, Mapping[str, Json]]:
    """What the CRM knows of the contacts whose fields were just written, for plays and policy."""
    written = [
        (change.contact_id, Subject(crm=crm.name, crm_id=answers[change.id].record))
        for change in wanted
        if change.kind == "fields" and change.id in answers and answers[change.id].ok
    ]
    found = crm.fetch([subject for _, subject in written]) if written else []
    known = zip((contact_id for contact_id, _ in written), found, strict=True)
    return {contact_id: facts for contact_id, facts in known if facts is not None}


def _settle(
    tx: Tx,
    rt: Setup,
    claim: Claim,
    change: Writeback | None,
    answer: Written | None,
    now: datetime,
) -> None:
    if change is None:
        writebacks.forget(tx, claim, now)
    elif answer is None or not (answer.ok or answer.permanent):
        error = answer.error if answer else "the CRM gave no verdict on it"
        writebacks.retry(tx, claim, _later(rt, claim.attempt + 1, now), error)
    elif answer.ok:
        writebacks.settle(tx, claim, answer.record, now)
    else:
        writebacks.park(tx, claim, answer.error, now)
        says = "The CRM refused a change for good; see `connector explain` for whose it was."
        alarm(tx, rt, "writeback_parked", says, now, about=claim.crm)


def _stop(
    rt: Setup, name: str, claims: Sequence[Claim], stopped: Outage | None, error: Exception
) -> None:
    """The CRM could not be asked at all: nothing is lost, and it is left alone for a while.

    Each change is put off by its own count, so that one which makes the CRM fail lets the others
    pass when it is probed with one change at a time.
    """
    now, words = rt.clock(), _words(error)
    failures = stopped.failures + 1 if stopped else 1
    after = getattr(error, "retry_after", None)
    until = _later(rt, failures, now, after)
    if not after:
        until = min(until, now + LONGEST_PAUSE)
    with rt.store.write() as tx:
        writebacks.note_outage(tx, name, Outage(failures, until))
        for claim in claims:
            at = max(until, _later(rt, claim.attempt + 1, now))
            writebacks.retry(tx, claim, at, words)
    log.warning(
        "act=writeback crm=%s changes=%d ok=0 result=outage failures=%d again_in_s=%d why=%s",
        name,
        len(claims),
        failures,
        (until - now).total_seconds(),
        type(error).__name__,
    )


def _later(rt: Setup, attempt: int, now: datetime, after: float | None = None) -> datetime:
    """When to ask again. What the CRM did not refuse for good is never given up."""
    at = next_attempt(attempt, now, "unavailable", after, rt.chance(), pace=WRITEBACKS)
    return at or now + WRITEBACKS.longest


def _words(error: Exception) -> str:
    """What to keep of an error: our own words, but of a stranger's only its name."""
    return str(error) if isinstance(error, ConnectorError) else type(error).__name__


def _log(name: str, answers: Mapping[str, Written], wanted: int, took: timedelta) -> None:
    good = sum(answer.ok for answer in answers.values())
    parked = sum(answer.permanent and not answer.ok for answer in answers.values())
    log.log(
        logging.WARNING if parked else logging.INFO,
        "act=writeback crm=%s changes=%d ok=%d parked=%d ms=%d",
        name,
        wanted,
        good,
        parked,
        took / timedelta(milliseconds=1),
    )


def _change(tx: Tx, claim: Claim, fields: Sequence[Field], opt_out: str) -> Writeback | None:
    """The change as the CRM is to make it, from what the ledger knows now; None for nothing."""
    about, _, thing = claim.key.partition(":")
    if about == "fields":
        return _fields_change(tx, claim, fields, opt_out)
    owed, contact_id = _activity(tx, claim, about, thing)
    return _writeback(claim, contact_id, owed[0].change) if owed else None


def _activity(tx: Tx, claim: Claim, about: str, thing: str) -> tuple[list[Owed], str]:
    if about == "send" and (send := sends.get(tx, thing)):
        return rules.for_send(send, claim.known), send["contact_id"]
    if about == "reply" and (reply := summaries.reply(tx, thing)):
        return rules.for_reply(reply), reply["contact_id"] or claim.contact_id
    if about == "outcome" and (outcome := outcomes.find(tx, thing)):
        walked = outcome["enrolment_id"] and enrolments.get(tx, outcome["enrolment_id"])
        return rules.for_outcome(outcome, walked["play"] if walked else ""), outcome["contact_id"]
    if about == "call":
        return [Owed("webhook", claim.key, claim.change)], claim.contact_id
    if about == "note":
        return [Owed("activity", claim.key, claim.change)], claim.contact_id
    if about == "task":
        found = contacts.row(tx, claim.contact_id)
        contact_id = str(found["id"]) if found else claim.contact_id
        return [Owed("task", claim.key, claim.change)], contact_id
    return [], claim.contact_id


def _fields_change(tx: Tx, claim: Claim, fields: Sequence[Field], opt_out: str) -> Writeback | None:
    known = summaries.of(tx, claim.contact_id)
    if known is None:
        return None
    owed, faults = rules.summary(known.contact.id, _facts(known), fields)
    for fault in faults:
        log.warning("act=writeback crm=%s result=field_left_alone why=%s", claim.crm, fault)
    change = {group: dict(values) for group, values in owed.change.items()}
    for group, values in claim.change.items():
        change.setdefault(group, {}).update(values)
    if opt_out and change.get("always", {}).get(opt_out) is False:
        ticked = crm_facts.of(tx, claim.crm, known.contact.id).get(opt_out)
        if not optouts.is_ticked(ticked):  # somebody may have ticked it there a moment ago
            del change["always"][opt_out]
    return _writeback(claim, known.contact.id, change)


def _facts(known: Summary) -> dict[str, Json]:
    """A contact's facts by the names that a CRM mapping's expressions use."""
    contact, text, reply = known.contact, known.last_text, known.last_reply
    return {
        "last_text_at": text["counts_at"] if text else None,
        "last_text": text["text"] if text else None,
        "last_text_status": rules.status_words(text) if text else None,
        "last_reply_at": reply["occurred_at"] if reply else None,
        "last_reply": reply["text"] if reply else None,
        "texts_sent": known.texts_sent,
        "opted_out": known.opted_out_at is not None,
        "opted_out_at": known.opted_out_at,
        "stage": contact.stage,
        "contact": contexts.contact_facts(contact),
    }


def _writeback(claim: Claim, contact_id: str, change: Mapping[str, Json]) -> Writeback:
    return Writeback(
        id=claim.id,
        crm=claim.crm,
        contact_id=contact_id,
        record=claim.record,
        kind=claim.kind,
        key=claim.key,
        change=change,
        attempt=claim.attempt,
    )
