"""A person's number has changed: the one before is theirs no longer, and no consent comes along.

Only what keeps one number for a person says that: a profile (``identify``) or a CRM's record. An
order may well bear another number than the last one did. What another source has told of a number
since stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from connector import clock
from connector.ledger import contacts
from connector.ledger.store import Tx
from connector.model import Event, Json, Signal
from connector.steps.identify import Identified
from connector.steps.setup import Setup

BEFORE: Final = """SELECT i.value AS value FROM identities i JOIN events e ON e.id = i.event_id
    WHERE i.contact_id = :contact AND i.kind = 'phone' AND i.detached_at IS NULL
        AND i.value <> :phone AND e.source = :source AND e.type = :type AND e.occurred_at < :at"""
LAST: Final = 9  #: digits by which a number is known again, however its country is written


def is_profile(rt: Setup, event: Event) -> bool:
    """Whether what tells of a person keeps one number for them."""
    return event.type == "identify" or event.source == rt.crm


def leave(tx: Tx, rt: Setup, who: Identified, signal: Signal, event: Event) -> list[str]:
    """Take the number before from a contact whose profile names another now; which they were.

    Called where a trusted source's profile gave the contact a number that they did not bear. One
    that the profile still names beside the new one stays.
    """
    rows = tx.all(
        BEFORE,
        contact=who.contact_id,
        phone=signal.subject.phone,
        source=event.source,
        type=event.type,
        at=clock.text(event.occurred_at),
    )
    still = {_last(text) for text in _texts(event.payload)} if rows else set()
    gone = [str(row["value"]) for row in rows if _last(str(row["value"])) not in still]
    for phone in gone:
        about = (tx, "phone", phone, who.contact_id, event.id, event.occurred_at)
        contacts.detach(*about, link_id=rt.new_id("lnk"))
    return gone


def _texts(value: Json) -> Iterator[str]:
    """Every text and number in what a profile says of now."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "was":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str | int):
        yield str(value)


def _last(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())[-LAST:]
