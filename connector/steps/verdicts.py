"""A CRM's verdicts on what was owed: kept, tried again, parked, or in doubt."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connector.crms import Crm
from connector.errors import CrmUnavailable
from connector.ledger import writebacks
from connector.ledger.claims import Claim
from connector.ledger.store import Tx
from connector.ledger.writebacks import Outage, Refusal
from connector.model import Json, Subject
from connector.records import Writeback, Written
from connector.rules.outages import LOOK_AFTER
from connector.steps import crmfacts, crmoutage
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

SILENT: Final = Refusal("the CRM gave no verdict on it", "no_verdict")

log = logging.getLogger("connector")


@dataclass(slots=True)
class Batch:
    """What was taken together, and what became of it."""

    name: str  #: the CRM's
    crm: Crm
    claims: Sequence[Claim]
    stopped: Outage | None  #: that the CRM was known to have
    began: datetime
    changes: dict[str, Writeback] = field(default_factory=dict)  #: by the claim's id
    refused: dict[str, Refusal] = field(default_factory=dict)  #: what cannot be written, and why
    answers: dict[str, Written] = field(default_factory=dict)


def keep(rt: Setup, batch: Batch) -> None:
    """Keep the CRM's verdicts; what it did not answer is in doubt."""
    now, name = rt.clock(), batch.name
    facts = _facts_now(batch) if batch.crm.echoes else {}
    with rt.store.write() as tx:
        for contact_id, found in facts.items():
            told = crmfacts.of_record(rt, name, found)
            crmfacts.learn(tx, rt, name, contact_id, told, now)
        if batch.stopped and batch.changes:
            crmoutage.over(tx, name, now)
        for claim in batch.claims:
            _settle(tx, rt, batch, claim, now)
    if batch.changes:
        _log(batch, now)


def _facts_now(batch: Batch) -> dict[str, Mapping[str, Json]]:
    """What the CRM knows of the contacts whose fields were just written, for plays and policy."""
    written = [
        (change.contact_id, Subject(crm=batch.name, crm_id=batch.answers[change.id].record))
        for change in batch.changes.values()
        if change.kind == "fields" and change.id in batch.answers and batch.answers[change.id].ok
    ]
    found = batch.crm.fetch([subject for _, subject in written]) if written else []
    known = zip((contact_id for contact_id, _ in written), found, strict=True)
    return {contact_id: facts for contact_id, facts in known if facts is not None}


def _settle(tx: Tx, rt: Setup, batch: Batch, claim: Claim, now: datetime) -> None:
    answer, refusal = batch.answers.get(claim.id), batch.refused.get(claim.id)
    if refusal is not None:
        writebacks.park(tx, claim, refusal, now)
    elif claim.id not in batch.changes:
        writebacks.forget(tx, claim, now)
    elif answer is None:
        _again(tx, rt, claim, SILENT, now, in_doubt=True)
    elif answer.ok:
        writebacks.settle(tx, claim, answer.record, now)
    elif answer.permanent:
        writebacks.park(tx, claim, _refusal(answer), now)
        _tell_parked(tx, rt, claim.crm, answer, now)
    else:
        in_doubt = claim.in_doubt or not answer.certain  # by this call or by an earlier one
        _again(tx, rt, claim, _refusal(answer), now, in_doubt=in_doubt)


def _again(
    tx: Tx, rt: Setup, claim: Claim, refusal: Refusal, now: datetime, *, in_doubt: bool
) -> None:
    at = crmoutage.later(rt, claim.attempt + 1, now, refusal.code)
    at = max(at, now + LOOK_AFTER) if in_doubt else at
    writebacks.retry(tx, claim, at, refusal, in_doubt=in_doubt)


def stopped(rt: Setup, batch: Batch, error: Exception, *, asked: bool) -> None:
    """The CRM could not be asked: the verdicts that had come are kept, the rest waits.

    Of what the CRM does not say that it is certainly not made, each change is in doubt; and one
    that was in doubt before, and was not looked up, still is.
    """
    if isinstance(error, CrmUnavailable):
        answers = (answer for answer in error.written if isinstance(answer, Written))
        batch.answers = {answer.id: answer for answer in answers}
    now = rt.clock()
    unsure = error.in_doubt if isinstance(error, CrmUnavailable) else frozenset(batch.changes)
    done = [claim for claim in batch.claims if asked and _is_settled(batch, claim)]
    left = [claim for claim in batch.claims if claim not in done]
    in_doubt = {claim.id for claim in left if claim.in_doubt or (asked and claim.id in unsure)}
    with rt.store.write() as tx:
        for claim in done:
            _settle(tx, rt, batch, claim, now)
        crmoutage.begin(tx, rt, batch.name, left, batch.stopped, error, in_doubt)


def _is_settled(batch: Batch, claim: Claim) -> bool:
    return claim.id in batch.answers or claim.id not in batch.changes


def _refusal(answer: Written) -> Refusal:
    return Refusal(answer.error, answer.code, answer.remedy)


def _tell_parked(tx: Tx, rt: Setup, crm: str, answer: Written, now: datetime) -> None:
    code = f" ({answer.code})" if answer.code else ""
    remedy = f" {answer.remedy}" if answer.remedy else ""
    says = f"The CRM refused a change for good{code}.{remedy} See `connector writebacks list`."
    alarm(tx, rt, "writeback_parked", says, now, about=crm)


def _log(batch: Batch, now: datetime) -> None:
    parked = sum(answer.permanent and not answer.ok for answer in batch.answers.values())
    log.log(
        logging.WARNING if parked else logging.INFO,
        "act=writeback crm=%s changes=%d ok=%d parked=%d ms=%d",
        batch.name,
        len(batch.changes),
        sum(answer.ok for answer in batch.answers.values()),
        parked,
        (now - batch.began) / timedelta(milliseconds=1),
    )
