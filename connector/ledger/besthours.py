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
_SAID: Final = "r.label <> 'opt_out' AND r.label <> 'wrong_person'"
OF_CONTACT: Final = f"""SELECT r.occurred_at AS at, '' AS zone FROM replies r
    WHERE r.contact_id = :contact AND {_SAID}
    UNION ALL SELECT c.at, '' FROM clicks c WHERE c.contact_id = :contact AND c.verdict = 'human'
    ORDER BY at DESC LIMIT :most"""
_MANY: Final = """SELECT r.occurred_at AS at, p.timezone AS zone
    FROM ({{among}}) a JOIN replies r ON r.{{reply}}
    JOIN contacts p ON p.id = r.contact_id WHERE {said}
    UNION ALL SELECT c.at, p.timezone FROM ({{among}}) a JOIN clicks c ON c.{{click}}
    JOIN contacts p ON p.id = c.contact_id WHERE c.verdict = 'human'
    ORDER BY at DESC LIMIT :most""".format(said=_SAID)
OF_PLAY: Final = _MANY.format(
    among="SELECT id FROM sends WHERE play = :name ORDER BY id DESC LIMIT :among",
    reply="send_id = a.id",
    click="send_id = a.id",
)
OF_SEGMENT: Final = _MANY.format(
    among="""SELECT contact_id FROM memberships WHERE segment = :name AND inside = 1
        ORDER BY contact_id DESC LIMIT :among""",
    reply="contact_id = a.contact_id",
    click="contact_id = a.contact_id",
)

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
