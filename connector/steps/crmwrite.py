"""The other way of a back-fill: the CRM is owed what it was never told, and every field anew.

Nothing is written here: it is owed as ever, so that it goes out in the CRM's own batches, inside
its limits, and never holds up what is news.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Final

from connector.ledger import cursors, unwritten
from connector.ledger.store import Tx
from connector.rules import activities as rules
from connector.steps import owed
from connector.steps.setup import Setup

CURSOR: Final = "crm_sync_write:"  #: the last contact whose past the CRM was owed
SLICE: Final = 20  #: people in one transaction, so that no other writer waits long


def run(rt: Setup, *, dry: bool = False) -> Generator[Counter[str], None, None]:
    """Owe the CRM in use every known person's fields, and what it was never told of them.

    Gives the counts so far after each few people: people, texts, replies, outcomes. One that was
    broken off goes on where it stopped. ``dry``: nothing is owed.
    """
    counts, after, goes_on = Counter[str](), "", True
    name = f"{CURSOR}{rt.crm}"
    if not dry:
        with rt.store.read() as tx:
            after = cursors.get(tx, name)
    while goes_on:
        with rt.store.read() if dry else rt.store.write() as tx:
            found = unwritten.people(tx, rt.crm, after, SLICE, everybody=_everybody(rt))
            for contact_id in found:
                counts.update(_owe(tx, rt, contact_id, dry=dry))
            goes_on, after = bool(found), found[-1] if found else ""
            if not dry:
                cursors.set_(tx, name, after)
        yield counts


def forget(tx: Tx, crm: str) -> None:
    """The next one begins with the first contact."""
    cursors.set_(tx, f"{CURSOR}{crm}", "")


def _everybody(rt: Setup) -> bool:
    return rt.crm == "local"


def _owe(tx: Tx, rt: Setup, contact_id: str, *, dry: bool) -> Counter[str]:
    now, crm = rt.clock(), rt.crm
    texts = [row for row in unwritten.sends(tx, crm, contact_id) if rules.is_shown(row)]
    replies = unwritten.replies(tx, crm, contact_id)
    outcomes = unwritten.outcomes(tx, crm, contact_id)
    if not dry:
        for row in texts:
            owed.send_changed(tx, crm, row, now)
        for row in replies:
            owed.replied(tx, crm, row, now)
        for row in outcomes:
            owed.outcome_heard(tx, crm, row, now)
        owed.contact_changed(tx, crm, contact_id, now)
    return Counter(people=1, texts=len(texts), replies=len(replies), outcomes=len(outcomes))
