"""When people answered and clicked, from which their best hour is told."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.store import Tx

MOST = 500
OF_CONTACT = """SELECT occurred_at AS at FROM replies
    WHERE contact_id = :contact AND label <> 'opt_out' AND label <> 'wrong_person'
    UNION ALL SELECT at FROM clicks WHERE contact_id = :contact AND verdict = 'human'
    ORDER BY at DESC LIMIT :most"""
OF_PLAY = """SELECT o.occurred_at AS at FROM enrolments e JOIN outcomes o ON o.enrolment_id = e.id
    WHERE e.play = :play AND (o.kind = 'replied' OR o.kind = 'clicked')
    ORDER BY o.occurred_at DESC LIMIT :most"""


def of_contact(tx: Tx, contact_id: str) -> list[datetime]:
    """When a person replied or clicked, the newest first; 500 at most."""
    return [clock.instant(row["at"]) for row in tx.all(OF_CONTACT, contact=contact_id, most=MOST)]


def of_play(tx: Tx, play: str) -> list[datetime]:
    """When the people of a play replied or clicked, the newest first; 500 at most."""
    return [clock.instant(row["at"]) for row in tx.all(OF_PLAY, play=play, most=MOST)]
