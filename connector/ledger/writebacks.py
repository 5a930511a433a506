"""What each CRM is owed: one row a thing, taken in order for each contact, kept until written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from connector import clock
from connector.ledger import cursors
from connector.ledger.claims import LEASE, Claim
from connector.ledger.store import Tx
from connector.model import Json
from connector.records import Owed

OWE = """INSERT INTO writebacks (id, crm, contact_id, kind, key, change, send_id, state, due_at,
        owed_at, waits)
    VALUES (:id, :crm, :contact, :kind, :key, :change, :send, 'owed', :now, :now, :waits)
    ON CONFLICT (crm, key) DO UPDATE SET
        change = CASE WHEN excluded.change = '{}' THEN writebacks.change ELSE excluded.change END,
        revision = writebacks.revision + 1, state = 'owed',
        attempt = CASE WHEN writebacks.state = 'owed' THEN writebacks.attempt ELSE 0 END,
        error = CASE WHEN writebacks.state = 'owed' THEN writebacks.error ELSE '' END,
        waits = CASE WHEN writebacks.state = 'owed' AND writebacks.waits = 0 THEN 0
            ELSE excluded.waits END,
        due_at = CASE WHEN writebacks.state = 'owed' THEN writebacks.due_at ELSE :now END,
        owed_at = CASE WHEN writebacks.state = 'owed' THEN writebacks.owed_at ELSE :now END"""
TOUCH = """UPDATE writebacks SET revision = revision + 1, state = 'owed',
        attempt = CASE WHEN state = 'owed' THEN attempt ELSE 0 END,
        error = CASE WHEN state = 'owed' THEN error ELSE '' END,
        waits = CASE WHEN state = 'owed' THEN waits ELSE 1 END,
        due_at = CASE WHEN state = 'owed' THEN due_at ELSE :now END,
        owed_at = CASE WHEN state = 'owed' THEN owed_at ELSE :now END
    WHERE crm = :crm AND key = :key"""
STILL = """UPDATE writebacks SET revision = revision + 1
    WHERE crm = :crm AND key = :key AND state = 'owed'"""
CHANGE = "SELECT change FROM writebacks WHERE crm = :crm AND key = :key"
WRITTEN = """UPDATE writebacks SET state = 'written', written_at = :now, record = :record,
        attempt = 0, error = '', change = '{}', leased_until = NULL, in_doubt = 0, waits = 1
    WHERE id = :id AND revision = :revision AND state = 'owed'"""
AGAIN = """UPDATE writebacks SET due_at = :now, attempt = 0, leased_until = NULL, in_doubt = :doubt,
        waits = 1, written_at = coalesce(:written, written_at),
        record = CASE WHEN :record = '' THEN record ELSE :record END
    WHERE id = :id AND state = 'owed'"""
RETRY = """UPDATE writebacks SET attempt = attempt + 1, due_at = :at, error = :error,
        code = :code, remedy = :remedy, in_doubt = :doubt, leased_until = NULL, waits = 0
    WHERE id = :id AND state = 'owed'"""
PARK = """UPDATE writebacks SET state = 'parked', due_at = :now, error = :error, code = :code,
        remedy = :remedy, leased_until = NULL, in_doubt = :doubt
    WHERE id = :id AND revision = :revision AND state = 'owed'"""
FORGET = "DELETE FROM writebacks WHERE id = :id AND revision = :revision"
FOUND = """UPDATE writebacks SET state = 'owed', attempt = 0, due_at = :now, error = '', waits = 1
    WHERE contact_id = :contact AND state = 'parked' AND code = 'no_record'"""
GONE = """UPDATE writebacks SET state = 'parked', due_at = :now, error = :error,
        code = 'no_record', remedy = '', leased_until = NULL
    WHERE contact_id = :contact AND crm = :crm AND state = 'owed' AND kind <> 'callback'"""
UNKNOWN = """SELECT 1 FROM writebacks WHERE contact_id = :contact AND crm = :crm
    AND state = 'parked' AND code = 'no_record' AND due_at > :since LIMIT 1"""
COUNTS = "SELECT crm, CAST(count(*) AS BIGINT) AS n FROM writebacks WHERE state = '{}' GROUP BY crm"
NEXT = """SELECT due_at FROM writebacks WHERE state = 'owed' AND crm = :crm AND waits = :waits
    AND leased_until IS NULL ORDER BY due_at LIMIT 1"""
LEASED = """SELECT leased_until FROM writebacks WHERE state = 'owed' AND crm = :crm
    AND leased_until IS NOT NULL ORDER BY leased_until LIMIT 1"""

FREE = """UPDATE writebacks SET leased_until = :until WHERE crm = :crm AND state = 'owed'
    AND leased_until > :until AND leased_until <= :latest"""

ERROR_LENGTH: Final = 500
NO_RECORD: Final = "no_record"  #: why a change is parked: the CRM knows nobody by these names
AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change was not made: the CRM's words, its code, and what can be done about it."""

    error: str
    code: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A CRM that could not be asked: how often in a row, and when to ask again."""

    failures: int
    until: datetime
    since: datetime | None = None  #: its first failure


def owe(tx: Tx, crm: str, contact_id: str, owed: Owed, now: datetime) -> None:
    """Owe a CRM a change. A newer wording replaces the owed one and keeps its place in the line.

    Without a ``change`` the row only says that something changed; what is known of it then is
    looked up when it is written. Changes of ``fields`` merge, the newer value winning.
    """
    change = dict(owed.change)
    if owed.kind == "fields":
        # Mostly marked already when much happens at once, and this is four times cheaper.
        if not change and tx.run(STILL, crm=crm, key=owed.key):
            return
        waiting = tx.one(CHANGE, crm=crm, key=owed.key) if change else None
        change = _merged(orjson.loads(waiting["change"]), change) if waiting else change
    tx.run(
        OWE,
        id=f"{crm}:{owed.key}",
        crm=crm,
        contact=contact_id,
        kind=owed.kind,
        key=owed.key,
        change=orjson.dumps(change).decode() if change else "{}",
        send=owed.send_id or None,
        waits=0 if owed.urgent else 1,
        now=clock.text(now),
    )


def touch(tx: Tx, crm: str, key: str, now: datetime) -> bool:
    """Owe a change again, only where the CRM is owed it or has it already; whether it was."""
    return bool(tx.run(TOUCH, crm=crm, key=key, now=clock.text(now)))


def settle(tx: Tx, claim: Claim, record: str, now: datetime) -> None:
    """The CRM has made the change. If a newer wording came meanwhile, that one is owed now.

    What a written row said is forgotten: it stands in the CRM, and names stay in few tables.
    """
    stamp = clock.text(now)
    done = tx.run(WRITTEN, id=claim.id, revision=claim.revision, record=record, now=stamp)
    if not done:
        tx.run(AGAIN, id=claim.id, now=stamp, written=stamp, record=record, doubt=0)


def retry(tx: Tx, claim: Claim, at: datetime, refusal: Refusal, *, in_doubt: bool = False) -> None:
    """The CRM did not make the change, or may have (``in_doubt``); ask again at ``at``."""
    tx.run(
        RETRY,
        id=claim.id,
        at=clock.text(at),
        doubt=int(in_doubt),
        error=refusal.error[:ERROR_LENGTH],
        code=refusal.code,
        remedy=refusal.remedy[:ERROR_LENGTH],
    )


def park(tx: Tx, claim: Claim, refusal: Refusal, now: datetime) -> None:
    """The CRM refused the change for good, in its own words; a newer wording is tried again.

    What was in doubt still is: an earlier call may have made what this one was refused.
    """
    parked = tx.run(
        PARK,
        id=claim.id,
        revision=claim.revision,
        doubt=int(claim.in_doubt),
        now=clock.text(now),
        error=refusal.error[:ERROR_LENGTH],
        code=refusal.code,
        remedy=refusal.remedy[:ERROR_LENGTH],
    )
    if not parked:
        _anew(tx, claim, now)


def forget(tx: Tx, claim: Claim, now: datetime) -> None:
    """There is nothing to tell: the text did not leave after all, or its row is gone."""
    if not tx.run(FORGET, id=claim.id, revision=claim.revision):
        _anew(tx, claim, now)


def _anew(tx: Tx, claim: Claim, now: datetime) -> None:
    """A newer wording came meanwhile, and is owed now."""
    doubt = int(claim.in_doubt)
    tx.run(AGAIN, id=claim.id, now=clock.text(now), written=None, record="", doubt=doubt)


def free(tx: Tx, crm: str, now: datetime, patience: timedelta) -> int:
    """What a dead worker had taken may be taken again after ``patience``; how much there was.

    What is leased for longer than a worker leases is somebody else's, who may well live.
    """
    latest = now + LEASE
    return tx.run(FREE, crm=crm, until=clock.text(now + patience), latest=clock.text(latest))


def counts(tx: Tx) -> dict[str, dict[str, int]]:
    """How many changes each CRM is owed and how many are parked."""
    found: dict[str, dict[str, int]] = {}
    for state in ("owed", "parked"):
        for row in tx.all(COUNTS.format(state)):
            found.setdefault(str(row["crm"]), {"owed": 0, "parked": 0})[state] = int(row["n"])
    return found


def record_found(tx: Tx, contact_id: str, now: datetime) -> int:
    """A record of the contact is known now: what was parked for want of one is owed; how much."""
    return tx.run(FOUND, contact=contact_id, now=clock.text(now))


def record_gone(tx: Tx, crm: str, contact_id: str, now: datetime) -> int:
    """The contact's record was deleted there: what is owed to it is parked; how much."""
    error = "the record was deleted in the CRM"
    return tx.run(GONE, crm=crm, contact=contact_id, error=error, now=clock.text(now))


def is_unknown(tx: Tx, crm: str, contact_id: str, since: datetime) -> bool:
    """Whether the CRM was asked for the contact since an instant, and knew nobody."""
    found = tx.one(UNKNOWN, crm=crm, contact=contact_id, since=clock.text(since))
    return found is not None


def next_due(tx: Tx, crm: str, wait: timedelta = AT_ONCE) -> datetime | None:
    """When the CRM is to be asked next, an outage counted in; None when nothing is owed.

    ``wait``: how long a change that nobody waits for is kept back, so that others go along.
    """
    waiting, pressing = tx.one(NEXT, crm=crm, waits=1), tx.one(NEXT, crm=crm, waits=0)
    leased = tx.one(LEASED, crm=crm)
    found = [
        *([clock.instant(waiting["due_at"]) + wait] if waiting else []),
        *([clock.instant(pressing["due_at"])] if pressing else []),
        *([clock.instant(leased["leased_until"])] if leased else []),
    ]
    if not found:
        return None
    stopped = outage(tx, crm)
    return max(min(found), stopped.until) if stopped else min(found)


def outage(tx: Tx, crm: str) -> Outage | None:
    """The outage that the CRM is known to have, if any."""
    kept = cursors.get(tx, _outage(crm)).split()
    if not kept:
        return None
    failures, until, *since = kept
    return Outage(int(failures), clock.instant(until), clock.instant(since[0]) if since else None)


def note_outage(tx: Tx, crm: str, stopped: Outage | None) -> None:
    """Keep that the CRM cannot be asked until an instant, or, with None, that it answers again."""
    instants = (stopped.until, stopped.since) if stopped else ()
    value = " ".join(clock.text(at) for at in instants if at is not None)
    cursors.set_(tx, _outage(crm), f"{stopped.failures} {value}" if stopped else "")


def _outage(crm: str) -> str:
    return f"crm_outage:{crm}"


def _merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Two changes of fields as one: within each group the newer value wins."""
    return {group: old.get(group, {}) | new.get(group, {}) for group in {**old, **new}}
