"""Writing back: what each CRM is owed goes to it in batches, and never holds up a text.

1. A batch is taken in one short write transaction, in order for each contact, under a lease, and
   is in doubt from then on.
2. What there is to say is looked up afterwards, so that it is never older than what was taken.
3. The CRM is called outside any transaction.
4. Its verdicts are kept in one transaction; what was owed anew meanwhile stays owed.

A process that dies between any two of these leaves leased rows in doubt. They are soon due again,
and the CRM is asked whether it has them before it is told them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.crms import Crm
from connector.ledger import claims as taking
from connector.ledger import writebacks
from connector.ledger.claims import Claim
from connector.ledger.store import Tx
from connector.ledger.writebacks import Refusal
from connector.records import Writeback
from connector.rules.flush import longest_wait
from connector.steps import crmrecord, crmwords, verdicts
from connector.steps.crmwords import Told
from connector.steps.setup import Setup
from connector.steps.verdicts import Batch

BATCHES: Final = 10  #: rounds of calls to a CRM before other steps have their turn
ON_RECORDS: Final = frozenset({"activity", "task", "fields"})  #: kinds that need a record
PROBE: Final = 1  #: changes with which a CRM in an outage is asked whether it is back


def writeback(rt: Setup, batches: int = BATCHES) -> int:
    """Write what is owed and due to every CRM, a bounded part of it; how many were written."""
    return sum(_drain(rt, name, batches) for name in rt.crms)


def next_due(rt: Setup) -> datetime | None:
    """When the next write-back is due; None when nothing is owed."""
    with rt.store.read() as tx:
        due = [writebacks.next_due(tx, name, _wait(rt, name)) for name in rt.crms]
    return min((at for at in due if at is not None), default=None)


def _wait(rt: Setup, name: str) -> timedelta:
    """How long a change waits for others; a tool is called at once."""
    return longest_wait(rt.flush_after) if name == rt.crm else timedelta(0)


def _drain(rt: Setup, name: str, batches: int) -> int:
    written = 0
    for _ in range(batches):
        with rt.store.read() as tx:
            due = writebacks.next_due(tx, name, _wait(rt, name))
        if due is None or due > rt.clock():
            break
        written += _flush(rt, name)
    return written


def _flush(rt: Setup, name: str) -> int:
    """Take one batch and write it; how much of it the CRM has made."""
    batch = _taken(rt, name)
    if batch.claims and look_up(rt, batch) and _write(rt, batch):
        verdicts.keep(rt, batch)
    return sum(answer.ok for answer in batch.answers.values())


def _taken(rt: Setup, name: str) -> Batch:
    crm, now, wait = rt.crms[name], rt.clock(), _wait(rt, name)
    with rt.store.write() as tx:
        stopped = writebacks.outage(tx, name)
        if stopped:
            claims = taking.claim(tx, name, now, PROBE, wait=wait)
        else:
            claims = taking.claim(tx, name, now, crm.batch, route=crm.route, wait=wait)
    return Batch(name, crm, claims, stopped, now)


def look_up(rt: Setup, batch: Batch) -> bool:
    """What to tell of each change, and on which record it goes; False where the CRM was asked
    whose record is whose, and did not answer."""
    with rt.store.read() as tx:
        told = {claim.id: crmwords.told(tx, rt, claim) for claim in batch.claims}
        on_records = [told[claim.id] for claim in batch.claims if claim.kind in ON_RECORDS]
        people = dict.fromkeys(each.contact_id for each in on_records if each is not None)
        unknown = [one for one in people if not crmrecord.known(tx, batch.name, one)]
    missing = _find(rt, batch, unknown)
    if missing is None:
        return False
    with rt.store.read() as tx:
        for claim in batch.claims:
            each = told[claim.id]
            if each and claim.kind in ON_RECORDS and each.contact_id in missing:
                batch.refused[claim.id] = missing[each.contact_id]
            elif each is not None:
                batch.changes[claim.id] = _change(tx, batch.crm, claim, each)
    return True


def _find(rt: Setup, batch: Batch, people: Sequence[str]) -> Mapping[str, Refusal] | None:
    """Look up those of whom no record is known; why those who have none have none, or None where
    the CRM could not be asked.

    A CRM that cannot be asked for anybody (the local one, a tool) knows people by our own ids.
    """
    if not people or not batch.crm.objects:
        return {}
    asked = crmrecord.subjects(rt, batch.name, people)
    try:
        found = batch.crm.fetch(list(asked.values())) if asked else []
    except Exception as error:  # a door: whatever went wrong, it is asked again later
        verdicts.stopped(rt, batch, error, asked=False)
        return None
    return crmrecord.found(rt, batch.name, people, dict(zip(asked, found, strict=True)))


def _write(rt: Setup, batch: Batch) -> bool:
    """Call the CRM; False where it did not answer, or not to everything."""
    wanted = list(batch.changes.values())
    try:
        answers = batch.crm.write(wanted) if wanted else []
    except Exception as error:  # a door: whatever went wrong, it is asked again later
        verdicts.stopped(rt, batch, error, asked=True)
        return False
    batch.answers = {answer.id: answer for answer in answers}
    return True


def _change(tx: Tx, crm: Crm, claim: Claim, told: Told) -> Writeback:
    has_records = bool(crm.objects)
    beside = crmrecord.beside(tx, claim.crm, told.contact_id) if has_records else ({}, "")
    return Writeback(
        id=claim.id,
        crm=claim.crm,
        contact_id=told.contact_id,
        record=crmrecord.known(tx, claim.crm, told.contact_id) if has_records else claim.record,
        kind=claim.kind,
        key=claim.key,
        change=told.change,
        attempt=claim.attempt,
        made=claim.record,
        in_doubt=claim.in_doubt,
        related=beside[0],
        owner=beside[1],
    )
