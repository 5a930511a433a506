"""What each CRM is owed: one row a thing, taken in order for each contact, kept until written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from connector import clock
from connector.ledger import cursors
from connector.ledger.store import Row, Tx
from connector.model import Json, Owed

OWE = """INSERT INTO writebacks (id, crm, contact_id, kind, key, change, send_id, state, due_at,
        owed_at)
    VALUES (:id, :crm, :contact, :kind, :key, :change, :send, 'owed', :now, :now)
    ON CONFLICT (crm, key) DO UPDATE SET
        change = CASE WHEN excluded.change = '{}' THEN writebacks.change ELSE excluded.change END,
        revision = writebacks.revision + 1, state = 'owed',
        attempt = CASE WHEN writebacks.state = 'owed' THEN writebacks.attempt ELSE 0 END,
        due_at = CASE WHEN writebacks.state = 'owed' THEN writebacks.due_at ELSE :now END,
        owed_at = CASE WHEN writebacks.state = 'owed' THEN writebacks.owed_at ELSE :now END"""
TOUCH = """UPDATE writebacks SET revision = revision + 1, state = 'owed',
        attempt = CASE WHEN state = 'owed' THEN attempt ELSE 0 END,
        due_at = CASE WHEN state = 'owed' THEN due_at ELSE :now END,
        owed_at = CASE WHEN state = 'owed' THEN owed_at ELSE :now END
    WHERE crm = :crm AND key = :key"""
STILL = """UPDATE writebacks SET revision = revision + 1
    WHERE crm = :crm AND key = :key AND state = 'owed'"""
CHANGE = "SELECT change FROM writebacks WHERE crm = :crm AND key = :key"
HEADS = """SELECT contact_id FROM writebacks WHERE state = 'owed' AND crm = :crm
    AND due_at <= :now ORDER BY due_at LIMIT :limit """
LINE = """SELECT * FROM writebacks WHERE contact_id = :contact AND crm = :crm AND state = 'owed'
    ORDER BY owed_at, id LIMIT :limit"""
TAKE = """UPDATE writebacks SET due_at = :until
    WHERE id = :id AND state = 'owed' AND due_at = :seen"""
WRITTEN = """UPDATE writebacks SET state = 'written', written_at = :now, record = :record,
        attempt = 0, error = '', change = '{}'
    WHERE id = :id AND revision = :revision AND state = 'owed'"""
AGAIN = """UPDATE writebacks SET due_at = :now, attempt = 0, written_at = coalesce(:written,
        written_at), record = CASE WHEN :record = '' THEN record ELSE :record END
    WHERE id = :id AND state = 'owed'"""
RETRY = """UPDATE writebacks SET attempt = attempt + 1, due_at = :at, error = :error
    WHERE id = :id AND state = 'owed'"""
PARK = """UPDATE writebacks SET state = 'parked', error = :error
    WHERE id = :id AND revision = :revision AND state = 'owed'"""
FORGET = "DELETE FROM writebacks WHERE id = :id AND revision = :revision"
COUNTS = "SELECT crm, CAST(count(*) AS BIGINT) AS n FROM writebacks WHERE state = '{}' GROUP BY crm"
NEXT = """SELECT due_at FROM writebacks WHERE state = 'owed' AND crm = :crm
    ORDER BY due_at LIMIT 1"""

LEASE: Final = timedelta(minutes=2)
"""How long a taken change is nobody else's; longer than any one call to a CRM."""

LINE_LENGTH: Final = 200  #: changes of one contact that are looked at together
ERROR_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """One owed change, taken to be written. ``revision`` tells which wording of it this is."""

    id: str
    crm: str
    contact_id: str
    kind: str
    key: str
    change: Mapping[str, Json]  #: only what cannot be looked up
    send_id: str
    record: str  #: what the CRM answered when it was written before
    attempt: int  #: calls that failed
    revision: int
    known: bool  #: the CRM has been told of it before


@dataclass(frozen=True, slots=True)
class Outage:
    """A CRM that could not be asked: how often in a row, and when to ask again."""

    failures: int
    until: datetime


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
        now=clock.text(now),
    )


def touch(tx: Tx, crm: str, key: str, now: datetime) -> bool:
    """Owe a change again, only where the CRM is owed it or has it already; whether it was."""
    return bool(tx.run(TOUCH, crm=crm, key=key, now=clock.text(now)))


def claim(tx: Tx, crm: str, now: datetime, limit: int) -> list[Claim]:
    """Take up to ``limit`` due changes, in order for each contact.

    1. The contacts with something due are found, most overdue first.
    2. Of each, the owed changes are taken from the oldest on, up to one that is not due yet:
       a later change is never taken while an earlier one still waits.
    3. What waits behind such a one is put off to its instant, so that nobody asks in vain.

    A taken change is leased, not marked: when the process dies it is simply due again.
    """
    heads = tx.all(HEADS + tx.skip_locked, crm=crm, now=clock.text(now), limit=limit)
    taken: list[Claim] = []
    for contact_id in dict.fromkeys(str(row["contact_id"]) for row in heads):
        if len(taken) == limit:
            break
        taken += _claim_line(tx, crm, contact_id, now, limit - len(taken))
    return taken


def _claim_line(tx: Tx, crm: str, contact_id: str, now: datetime, room: int) -> list[Claim]:
    stamp, until = clock.text(now), clock.text(now + LEASE)
    line = tx.all(LINE, crm=crm, contact=contact_id, limit=LINE_LENGTH)
    taken: list[Claim] = []
    for place, row in enumerate(line):
        if row["due_at"] > stamp:
            _put_off(tx, line[place + 1 :], str(row["due_at"]))
            break
        if len(taken) == room or not tx.run(TAKE, id=row["id"], until=until, seen=row["due_at"]):
            break
        taken.append(_claim(row))
    return taken


def _put_off(tx: Tx, rows: list[Row], until: str) -> None:
    for row in rows:
        if row["due_at"] < until:
            tx.run(TAKE, id=row["id"], until=until, seen=row["due_at"])


def _claim(row: Row) -> Claim:
    return Claim(
        id=row["id"],
        crm=row["crm"],
        contact_id=row["contact_id"],
        kind=row["kind"],
        key=row["key"],
        change=orjson.loads(row["change"]),
        send_id=row["send_id"] or "",
        record=row["record"],
        attempt=row["attempt"],
        revision=row["revision"],
        known=row["written_at"] is not None,
    )


def settle(tx: Tx, claim: Claim, record: str, now: datetime) -> None:
    """The CRM has made the change. If a newer wording came meanwhile, that one is owed now.

    What a written row said is forgotten: it stands in the CRM, and names stay in few tables.
    """
    stamp = clock.text(now)
    done = tx.run(WRITTEN, id=claim.id, revision=claim.revision, record=record, now=stamp)
    if not done:
        tx.run(AGAIN, id=claim.id, now=stamp, written=stamp, record=record)


def retry(tx: Tx, claim: Claim, at: datetime, error: str) -> None:
    """The CRM did not make the change; ask again at ``at``."""
    tx.run(RETRY, id=claim.id, at=clock.text(at), error=error[:ERROR_LENGTH])


def park(tx: Tx, claim: Claim, error: str, now: datetime) -> None:
    """The CRM refused the change for good, in its own words; a newer wording is tried again."""
    if not tx.run(PARK, id=claim.id, revision=claim.revision, error=error[:ERROR_LENGTH]):
        tx.run(AGAIN, id=claim.id, now=clock.text(now), written=None, record="")


def forget(tx: Tx, claim: Claim, now: datetime) -> None:
    """There is nothing to tell: the text did not leave after all, or its row is gone."""
    if not tx.run(FORGET, id=claim.id, revision=claim.revision):
        tx.run(AGAIN, id=claim.id, now=clock.text(now), written=None, record="")


def counts(tx: Tx) -> dict[str, dict[str, int]]:
    """How many changes each CRM is owed and how many are parked."""
    found: dict[str, dict[str, int]] = {}
    for state in ("owed", "parked"):
        for row in tx.all(COUNTS.format(state)):
            found.setdefault(str(row["crm"]), {"owed": 0, "parked": 0})[state] = int(row["n"])
    return found


def next_due(tx: Tx, crm: str) -> datetime | None:
    """When the CRM is to be asked next, an outage counted in; None when nothing is owed."""
    row = tx.one(NEXT, crm=crm)
    if row is None:
        return None
    due = clock.instant(row["due_at"])
    stopped = outage(tx, crm)
    return max(due, stopped.until) if stopped else due


def outage(tx: Tx, crm: str) -> Outage | None:
    """The outage that the CRM is known to have, if any."""
    failures, _, until = cursors.get(tx, _outage(crm)).partition(" ")
    return Outage(int(failures), clock.instant(until)) if until else None


def note_outage(tx: Tx, crm: str, stopped: Outage | None) -> None:
    """Keep that the CRM cannot be asked until an instant, or, with None, that it answers again."""
    value = f"{stopped.failures} {clock.text(stopped.until)}" if stopped else ""
    cursors.set_(tx, _outage(crm), value)


def _outage(crm: str) -> str:
    return f"crm_outage:{crm}"


def _merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Two changes of fields as one: within each group the newer value wins."""
    return {group: old.get(group, {}) | new.get(group, {}) for group in {**old, **new}}
