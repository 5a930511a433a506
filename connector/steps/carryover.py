"""What must outlive a ledger that is replaced: opt-outs, what holds texts, and who was forgotten.

A backup knows less than the ledger it replaces. Where that one can still be read, nobody who said
stop since, whose number a hand suppressed or a person has yet to read a reply of, or who was
forgotten since, comes back with the backup.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger import acts, consents, pauses
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.steps import forget
from connector.steps import numbers as by_hand
from connector.steps.consent import Names, record_consent

log = logging.getLogger("connector")

NUMBERS: Final = """SELECT phone, suppressed_at, suppressed_why, suppressed_scope, held_at,
        held_why, reassigned_at, reassigned_how FROM numbers
    WHERE suppressed_at > :since OR held_at > :since OR reassigned_at IS NOT NULL ORDER BY phone"""
REVOKED: Final = """SELECT * FROM consents WHERE action = 'revoked' AND recorded_at > :since
    AND phone <> '' ORDER BY recorded_at, id"""


@dataclass(frozen=True, slots=True)
class Hand:
    """What recording needs where no setup is open."""

    crm: str
    new_id: Callable[[str], str] = clock.new_id


@dataclass(frozen=True, slots=True)
class Before:
    """What the replaced ledger tells."""

    revoked: Sequence[Row]
    held: Sequence[Row]
    numbers: Sequence[Row]
    forgotten: Sequence[Row]
    key: str  #: what its digests of forgotten people were made with


def read(ledger: Path, since: datetime) -> tuple[Before | None, str]:
    """What a ledger knows since an instant, or why it cannot tell."""
    if not ledger.exists():
        return None, ""
    try:
        store = SqliteStore(ledger)
        try:
            with store.read() as tx:
                return (
                    Before(
                        tx.all(REVOKED, since=clock.text(since)),
                        [row for row in pauses.all_(tx).values() if row["play"] != "*"],
                        tx.all(NUMBERS, since=clock.text(since)),
                        forget.listed(tx),
                        forget.key(tx, make=False),
                    ),
                    "",
                )
        finally:
            store.close()
    except (sqlite3.Error, OSError) as error:
        return None, f"the replaced ledger could not be read: {error}"


def take(tx: Tx, rt: Names, before: Before, since: datetime, now: datetime) -> dict[str, int]:
    """Write what is newer than ``since`` into the restored ledger; how many of each there were."""
    for row in before.revoked:
        _revoke(tx, rt, row, now)
    for row in before.held:
        at = clock.instant(row["since"])
        pauses.set_(tx, row["play"], row["verdict"], who=row["who"], why=row["why"], at=at)
        _note(tx, rt, row, now)
    held = sum(_hold(tx, rt, row, since, now) for row in before.numbers)
    again = forget.again(tx, rt, before.forgotten, before.key, now=now)
    found = {
        "opt_outs": len(before.revoked),
        "pauses": len(before.held),
        "numbers": held,
        "forgotten": again,
    }
    return {name: count for name, count in found.items() if count}


def _hold(tx: Tx, rt: Names, row: Row, since: datetime, now: datetime) -> bool:
    """Whether anything keeps texts from a number that the backup did not know of."""
    phone, mark, who = str(row["phone"]), clock.text(since), pauses.RESTORED
    found = False
    if (row["suppressed_at"] or "") > mark:
        why, scope = str(row["suppressed_why"]), str(row["suppressed_scope"])
        found |= by_hand.suppress(tx, rt, phone, why, scope, who=who, now=now)
    if (row["held_at"] or "") > mark:
        consents.hold(tx, phone, str(row["held_why"]), clock.instant(row["held_at"]))
        found = True
    if row["reassigned_at"]:
        told = [(phone, clock.instant(row["reassigned_at"]))]
        how = str(row["reassigned_how"])
        found |= bool(
            by_hand.reassign(tx, rt, told, "before the restore", who=who, now=now, how=how)
        )
    return found


def _note(tx: Tx, rt: Names, row: Row, now: datetime) -> None:
    """Keep that a pause was taken over: the restored ledger never heard of it."""
    name = str(row["play"])
    template = name.removeprefix(pauses.template(""))
    about = f"play:{name}" if template == name else f"template:{template}"
    acts.add(tx, rt.new_id("act"), "pause", about, who=pauses.RESTORED, why=row["why"], at=now)


def _revoke(tx: Tx, rt: Names, row: Row, now: datetime) -> None:
    evidence: dict[str, Any] = orjson.loads(row["evidence"])
    record_consent(
        tx,
        rt,
        phone=row["phone"],
        purpose=row["purpose"],
        granted=False,
        method=row["method"],
        wording=row["wording"],
        source=row["source"],
        recorded_by=row["recorded_by"],
        evidence=evidence,
        occurred_at=clock.instant(row["occurred_at"]),
        now=now,
    )
