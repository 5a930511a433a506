"""A person's number has changed: the one before is theirs no longer, and no consent comes along.

Only what keeps one number for a person says that: a profile (``identify``) or a CRM's record. An
order may well bear another number than the last one did. What another source has told of a number
since stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from connector import clock
from connector.ledger import contacts, numbers
from connector.ledger.store import Tx
from connector.model import Event, Json, Signal
from connector.steps.identify import Identified
from connector.steps.setup import Setup

LAST: Final = 9  #: digits by which a number is known again, however its country is written


def leave(tx: Tx, rt: Setup, who: Identified, signal: Signal, event: Event) -> list[str]:
    """Take the number before from a contact whose profile names another now; which they were.

    Called where a trusted source's profile names a number, new to the contact or not. One that the
    profile still names beside it stays. Of a profile that is heard late it is the number it names
    that leaves, where a later one had named another.
    """
    rows = numbers.of_profile(tx, who.contact_id, who.profile)
    if len(rows) < 2:
        return []
    at, named = clock.text(event.occurred_at), signal.subject.phone
    is_late = any(row["profile_at"] > at for row in rows if row["value"] != named)
    still = {_last(text) for text in _texts(event.payload)}
    gone = [
        str(row["value"])
        for row in rows
        if (row["confirmed_at"] or "") <= at
        and (is_late if row["value"] == named else _last(str(row["value"])) not in still)
    ]
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
