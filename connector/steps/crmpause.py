"""A CRM that cannot be read is left alone for a while, and somebody is told."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.errors import ConnectorError, CrmUnavailable
from connector.ledger import alarms, crm_hints, writebacks
from connector.ledger.crm_hints import Waiting
from connector.ledger.store import Tx
from connector.ledger.writebacks import Outage
from connector.rules.retry import WRITEBACKS, next_attempt
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

ALARM: Final = "crm_not_read"
LONGEST: Final = timedelta(minutes=10)  #: between two tries, unless the CRM names longer
OF_ONE_KIND: Final = frozenset({"forbidden", "malformed"})
"""What may be so of some records while all others can be read."""

log = logging.getLogger("connector")


def until(tx: Tx, crm: str, now: datetime) -> datetime | None:
    """Until when the CRM is not to be asked; None where it may be."""
    stopped = writebacks.outage(tx, _reading(crm))
    return stopped.until if stopped is not None and stopped.until > now else None


def answered(tx: Tx, rt: Setup, name: str, now: datetime) -> None:
    """The CRM in use told of some of its records of a kind."""
    if writebacks.outage(tx, _reading(rt.crm)) is not None:
        writebacks.note_outage(tx, _reading(rt.crm), None)
    alarms.clear(tx, ALARM, rt.crm, now)
    if not crm_hints.is_stuck(tx, rt.crm, name):
        alarms.clear(tx, ALARM, f"{rt.crm}:{name}", now)


def failed(rt: Setup, name: str, error: Exception, batch: Sequence[Waiting] = ()) -> bool:
    """Records of a kind could not be read: later again, and an alarm that says what can be done.

    A CRM that does not answer, or asks for patience, is left alone as a whole. Where it lets us
    not read these, or an answer could not be understood, others are read all the same: whether
    that is so.
    """
    now, words = rt.clock(), _words(error)
    after = getattr(error, "retry_after", None)
    is_outage = isinstance(error, CrmUnavailable) and error.code not in OF_ONE_KIND
    what = rt.crm if is_outage else f"Each {name} of {rt.crm}"
    with rt.store.write() as tx:
        if is_outage:
            _pause(tx, rt, now, after)
        for each in () if is_outage else batch:
            crm_hints.put_off(tx, [each], later(rt, each.attempt + 1, now, after))
        says = f"{what} could not be read ({words}); it is asked again.{remedy(error)}"
        about = rt.crm if is_outage else f"{rt.crm}:{name}"
        alarm(tx, rt, ALARM, says, now, about=about)
    log.warning("act=read crm=%s object=%s result=failed why=%s", rt.crm, name, words)
    return not is_outage


def _pause(tx: Tx, rt: Setup, now: datetime, after: float | None) -> None:
    stopped = writebacks.outage(tx, _reading(rt.crm))
    failures = stopped.failures + 1 if stopped else 1
    again = later(rt, failures, now, after)
    again = again if after else min(again, now + LONGEST)
    since = stopped.since if stopped and stopped.since else now
    writebacks.note_outage(tx, _reading(rt.crm), Outage(failures, again, since))


def later(rt: Setup, attempt: int, now: datetime, after: float | None = None) -> datetime:
    """When to ask again after so many failures."""
    at = next_attempt(attempt, now, "unavailable", after, rt.chance(), pace=WRITEBACKS)
    return at or now + WRITEBACKS.longest


def remedy(error: Exception) -> str:
    """What an alarm adds of what can be done about a CRM that did not answer; "" for nothing."""
    said = error.remedy if isinstance(error, CrmUnavailable) else ""
    return f" {said[:1].upper()}{said[1:].rstrip('.')}." if said else ""


def _reading(crm: str) -> str:
    """Reading is left alone apart from writing: a key may be allowed the one and not the other."""
    return f"read:{crm}"


def _words(error: Exception) -> str:
    """What to keep of an error: our own words, but of a stranger's only its name."""
    return str(error) if isinstance(error, ConnectorError) else type(error).__name__
