"""When people answered and clicked, from which their best hour is told.

What is read is bounded: of a person the newest 500, of many people those of the newest 2,000 texts
or members.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger.store import Row, Tx

MOST: Final = 500
AMONG: Final = 2_000  #: texts or people that are looked at
OF_CONTACT: Final = """SELECT occurred_at AS at, '' AS zone FROM replies
    WHERE contact_id = :contact AND label <> 'opt_out' AND label <> 'wrong_person'
    UNION ALL SELECT at, '' FROM clicks WHERE contact_id = :contact AND verdict = 'human'
    ORDER BY at DESC LIMIT :most"""
OF_PLAY: Final = """WITH texts AS
        (SELECT id FROM sends WHERE play = :name ORDER BY id DESC LIMIT :among)
    SELECT r.occurred_at AS at, p.timezone AS zone FROM texts t
    JOIN replies r ON r.send_id = t.id JOIN contacts p ON p.id = r.contact_id
    WHERE r.label <> 'opt_out' AND r.label <> 'wrong_person'
    UNION ALL SELECT c.at, p.timezone FROM texts t
    JOIN clicks c ON c.send_id = t.id JOIN contacts p ON p.id = c.contact_id
    WHERE c.verdict = 'human' ORDER BY at DESC LIMIT :most"""
OF_SEGMENT: Final = """WITH people AS (SELECT contact_id AS id FROM memberships
        WHERE segment = :name AND inside = 1 ORDER BY contact_id DESC LIMIT :among)
    SELECT r.occurred_at AS at, p.timezone AS zone FROM people m
    JOIN replies r ON r.contact_id = m.id JOIN contacts p ON p.id = m.id
    WHERE r.label <> 'opt_out' AND r.label <> 'wrong_person'
    UNION ALL SELECT c.at, p.timezone FROM people m
    JOIN clicks c ON c.contact_id = m.id JOIN contacts p ON p.id = m.id
    WHERE c.verdict = 'human' ORDER BY at DESC LIMIT :most"""

Times = list[tuple[datetime, str]]
"""Instants, each with the zone that the person stated, "" where none."""


def of_contact(tx: Tx, contact_id: str) -> Times:
    """When a person replied or clicked."""
    return _times(tx.all(OF_CONTACT, contact=contact_id, most=MOST))


def of_play(tx: Tx, play: str) -> Times:
    """When people replied to the texts of a play, or clicked in them."""
    return _times(tx.all(OF_PLAY, name=play, among=AMONG, most=MOST))


def of_segment(tx: Tx, segment: str) -> Times:
    """When the people who are known to be in a segment replied or clicked."""
    return _times(tx.all(OF_SEGMENT, name=segment, among=AMONG, most=MOST))


def _times(rows: list[Row]) -> Times:
    return [(clock.instant(row["at"]), str(row["zone"])) for row in rows]
