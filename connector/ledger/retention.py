"""Retention: the oldest rows of a kind, a few at a time, found by their ids, which are in time
order; what is chained goes only from the beginning on, and an act says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector import clock
from connector.clock import first_id
from connector.ledger import chain, cursors, erasure
from connector.ledger.store import Tx

OLD_DECISIONS = """SELECT facts_hash, contact_id FROM decisions WHERE decided_at < :before
    ORDER BY seq LIMIT :limit"""
UNUSED = """DELETE FROM facts WHERE hash = :hash AND NOT EXISTS
    (SELECT 1 FROM decisions d WHERE d.contact_id = :contact AND d.facts_hash = :hash)"""
UNCOUNTED = """DELETE FROM decision_repeats WHERE decision_id < :before
    AND decision_id NOT IN (SELECT id FROM decisions WHERE id < :before)"""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that are deleted, or (with ``blank``) lose what a person wrote or read.

    ``unless`` names rows that stay whatever their age.
    """

    table: str
    prefix: str  #: of its ids
    at: str  #: the column with the instant that counts
    blank: str = ""
    unless: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    "events": Kind("events", "evt", "occurred_at", unless="state = 'failed'"),
    "signals": Kind(
        "signals",
        "sig",
        "occurred_at",
        unless="""EXISTS (SELECT 1 FROM enrolments e WHERE e.contact_id = signals.contact_id
            AND e.signal_id = signals.id AND (e.state = 'waiting' OR e.state = 'walking'))""",
    ),
    "texts": Kind("sends", "snd", "planned_at", blank="text"),
    "replies": Kind("replies", "rpl", "occurred_at", blank="text"),
    "clicks": Kind("clicks", "clk", "at"),
    "unreadable": Kind("unreadable", "unr", "received_at"),
    "receipts": Kind("receipts", "rcp", "heard_at"),
    "crm_changes": Kind("crm_changes", "", "heard_at"),
    "crm_history": Kind("crm_history", "crh", "occurred_at"),
    "touches": Kind("touches", "", "at"),
    "lookups": Kind("lookups", "", "at"),
}


def remove(tx: Tx, name: str, before: datetime, limit: int) -> int:
    """Remove up to ``limit`` rows of a kind that are older than an instant; how many went."""
    kind = KINDS[name]
    if kind.blank:
        return _blank(tx, name, kind, before, limit)
    old = f"{kind.at} < :before"
    if kind.prefix:  # of an index; a late row is younger by its id and stays longer
        old += " AND id < :cut"
    unless = f" AND NOT ({kind.unless})" if kind.unless else ""
    sql = f"""DELETE FROM {kind.table} WHERE id IN
        (SELECT id FROM {kind.table} WHERE {old}{unless} ORDER BY id LIMIT :limit)"""  # noqa: S608
    return tx.run(sql, before=clock.text(before), cut=first_id(kind.prefix, before), limit=limit)


def _blank(tx: Tx, name: str, kind: Kind, before: datetime, limit: int) -> int:
    """Empty a column of the next old rows; a cursor says how far that has come."""
    cursor = f"retention:{name}"
    sql = f"""SELECT id FROM {kind.table} WHERE id > :after AND id < :cut AND {kind.at} < :before
        AND {kind.blank} <> '' ORDER BY id LIMIT :limit"""  # noqa: S608
    after, cut = cursors.get(tx, cursor), first_id(kind.prefix, before)
    rows = tx.all(sql, after=after, cut=cut, before=clock.text(before), limit=limit)
    for row in rows:
        tx.run(f"UPDATE {kind.table} SET {kind.blank} = '' WHERE id = :id", id=row["id"])  # noqa: S608
    if rows:
        cursors.set_(tx, cursor, str(rows[-1]["id"]))
    return len(rows)


def cut_decisions(
    tx: Tx, before: datetime, limit: int, *, at: datetime, new_id: Callable[[str], str]
) -> int:
    """Let the oldest decisions go, with what they saw; the chain then begins after them."""
    rows = tx.all(OLD_DECISIONS, before=clock.text(before), limit=limit)
    if not rows:
        return 0
    why = "older than [retention] decisions says"
    count = erasure.cut(
        tx,
        chain.DECISIONS,
        before,
        who="connector",
        why=why,
        at=at,
        new_id=new_id,
        limit=limit,
    )
    for row in rows:
        tx.run(UNUSED, hash=row["facts_hash"], contact=row["contact_id"])
    tx.run(UNCOUNTED, before=first_id("dec", before))
    return count
