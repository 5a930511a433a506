"""A CRM that cannot be asked is left alone for a while, and the operator told what to do."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from connector.errors import ConnectorError, CrmUnavailable
from connector.ledger import alarms, writebacks
from connector.ledger.claims import Claim
from connector.ledger.store import Tx
from connector.ledger.writebacks import Outage, Refusal
from connector.rules import outages
from connector.rules.outages import LOOK_AFTER
from connector.rules.retry import WRITEBACKS, next_attempt
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

LONGEST_PAUSE: Final = timedelta(minutes=10)  #: between two probes, unless the CRM names longer
DAILY_LIMIT: Final = "daily_limit"  #: is over when the CRM's day is, however often it is asked

log = logging.getLogger("connector")


def begin(
    tx: Tx,
    rt: Setup,
    name: str,
    claims: Collection[Claim],
    stopped: Outage | None,
    error: Exception,
    in_doubt: Collection[str],
) -> None:
    """The CRM could not be asked: nothing is lost, and it is asked again later.

    Each change is put off by its own count, so that one which makes the CRM fail lets the others
    pass when it is probed with one change at a time. Of those in doubt none is looked up sooner
    than what came late may have acted.
    """
    now, code = rt.clock(), _code(error)
    failures = stopped.failures + 1 if stopped else 1
    after = getattr(error, "retry_after", None)
    until = later(rt, failures, now, code, after)
    if not after and code != DAILY_LIMIT:
        until = min(until, now + LONGEST_PAUSE)
    since = (stopped.since if stopped else None) or now
    writebacks.note_outage(tx, name, Outage(failures, until, since))
    refusal = Refusal(_words(error), code, getattr(error, "remedy", ""))
    for claim in claims:
        at = max(until, later(rt, claim.attempt + 1, now, code))
        if claim.id in in_doubt:
            at = max(at, now + LOOK_AFTER)
        writebacks.retry(tx, claim, at, refusal, in_doubt=claim.id in in_doubt)
    _tell(tx, rt, name, refusal, since, until, now)
    log.warning(
        "act=writeback crm=%s changes=%d ok=0 result=outage failures=%d again_in_s=%d why=%s",
        name,
        len(claims),
        failures,
        (until - now).total_seconds(),
        code or type(error).__name__,
    )


def over(tx: Tx, name: str, now: datetime) -> None:
    """The CRM answers again."""
    writebacks.note_outage(tx, name, None)
    for kind in outages.KINDS:
        alarms.clear(tx, kind, name, now)


def later(
    rt: Setup, attempt: int, now: datetime, code: str, after: float | None = None
) -> datetime:
    """When to ask again. What the CRM did not refuse for good is never given up."""
    at = next_attempt(attempt, now, code, after, rt.chance(), pace=WRITEBACKS)
    return at or now + WRITEBACKS.longest


def _tell(
    tx: Tx,
    rt: Setup,
    name: str,
    refusal: Refusal,
    since: datetime,
    until: datetime,
    now: datetime,
) -> None:
    found = outages.alarm_for(refusal.code, refusal.remedy, since, until, now, crm=name)
    if found is not None:
        alarm(tx, rt, found.kind, found.says, now, about=name)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, CrmUnavailable) else ""


def _words(error: Exception) -> str:
    """What to keep of an error: our own words, but of a stranger's only its name."""
    return str(error) if isinstance(error, ConnectorError) else type(error).__name__
