"""Who is in a segment now: everybody known, asked one by one, a page of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.errors import ExpressionFailed
from connector.ledger import contacts, crm_facts, listings
from connector.ledger.store import Row, Store, Tx
from connector.rules.plays import Segment
from connector.steps import contexts

PAGE: Final = 500  #: people read in one transaction, so that no long one holds up the ledger
NAMED: Final = frozenset({"contact", "contact.phone", "contact.email"})
"""What stands among a contact's identities, which are read only where a segment asks for them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether one person is in; None where it cannot be told, and why."""

    contact_id: str
    inside: bool | None
    why: str = ""


def people(
    store: Store, segment: Segment, known: Mapping[str, Segment], crm: str, now: datetime
) -> Iterator[Judged]:
    """Everybody, the newest first, with whether they are in the segment as of ``now``.

    ``known`` are the segments it may ask for, ``crm`` the name of the CRM in use.
    """
    before = ""
    while True:
        with store.read() as tx:
            rows = listings.page(tx, before, PAGE)
            judged = [_judge(tx, segment, known, crm, row, now) for row in rows]
        yield from judged
        if len(rows) < PAGE:
            return
        before = str(rows[-1]["id"])


def _judge(
    tx: Tx,
    segment: Segment,
    known: Mapping[str, Segment],
    crm: str,
    row: Row,
    now: datetime,
) -> Judged:
    contact_id = str(row["id"])
    names = contacts.identities(tx, contact_id) if segment.paths & NAMED else []
    asks_crm = any(path.partition(".")[0] == "crm" for path in segment.paths)
    facts = crm_facts.of(tx, crm, contact_id) if asks_crm else {}
    context = contexts.about(tx, contacts.read(row, names), facts, now, known)
    try:
        return Judged(contact_id, bool(segment.when(context)))
    except ExpressionFailed as error:
        return Judged(contact_id, None, str(error))
