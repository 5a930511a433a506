"""Fan-outs: facts about things and schedules, on their way to the people they are for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx

OPEN = """INSERT INTO fanouts (id, play, version, signal_id, key, occurred_at, heard_at, state)
    VALUES (:id, :play, :version, :signal, :key, :occurred, :heard, 'open')
    ON CONFLICT (play, signal_id) DO NOTHING"""
NEXT = """SELECT f.*, s.name AS signal_name, s.key AS signal_key, s.facts AS signal_facts,
        s.event_id AS event_id
    FROM fanouts f JOIN signals s ON s.id = f.signal_id WHERE f.state = 'open'
    ORDER BY f.heard_at, f.id LIMIT 1"""
ANY = "SELECT 1 FROM fanouts WHERE state = 'open' LIMIT 1"
MOVE = "UPDATE fanouts SET cursor = :cursor, taken = taken + :taken WHERE id = :id"
CLOSE = "UPDATE fanouts SET state = :state, ended_at = :at WHERE id = :id"
CARING = """SELECT DISTINCT contact_id FROM signals WHERE name = :name AND key = :key
    AND contact_id > :after AND occurred_at > :since AND occurred_at <= :until
    ORDER BY contact_id LIMIT :limit"""


def open_(
    tx: Tx,
    fanout_id: str,
    play: str,
    version: str,
    signal_id: str,
    key: str,
    occurred_at: datetime,
    now: datetime,
) -> bool:
    """Begin one; False where this play was told of this signal already."""
    return bool(
        tx.run(
            OPEN,
            id=fanout_id,
            play=play,
            version=version,
            signal=signal_id,
            key=key,
            occurred=clock.text(occurred_at),
            heard=clock.text(now),
        )
    )


def next_open(tx: Tx) -> Row | None:
    """The oldest that is not through, with its signal."""
    return tx.one(NEXT)


def is_any(tx: Tx) -> bool:
    """Whether one is on its way."""
    return tx.one(ANY) is not None


def move(tx: Tx, fanout_id: str, cursor: str, taken: int) -> None:
    """So many more were told; go on after this person."""
    tx.run(MOVE, id=fanout_id, cursor=cursor, taken=taken)


def close(tx: Tx, fanout_id: str, state: str, at: datetime) -> None:
    """Through (``done``), or at its limit (``full``)."""
    tx.run(CLOSE, id=fanout_id, state=state, at=clock.text(at))


def caring(
    tx: Tx,
    names: Sequence[str],
    key: str,
    after: str,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[str]:
    """Ids of the next people who gave one of some signals about a thing in a span, in order."""
    found: set[str] = set()
    for name in names:
        rows = tx.all(
            CARING,
            name=name,
            key=key,
            after=after,
            since=clock.text(since),
            until=clock.text(until),
            limit=limit,
        )
        found |= {str(row["contact_id"]) for row in rows if row["contact_id"]}
    return sorted(found)[:limit]
