"""What the ledger knows of one contact, as a CRM's fields sum it up; flat however full it is."""

from __future__ import annotations

from dataclasses import dataclass

from connector.ledger import contacts
from connector.ledger.store import Row, Tx
from connector.model import Contact

COUNTED = """FROM sends WHERE contact_id = :contact AND counts_at IS NOT NULL
    AND state <> 'sending' AND mode <> 'shadow' AND cause <> 'test'"""
LAST_TEXT = f"""SELECT counts_at, text, state, reason, error_code {COUNTED}
    ORDER BY counts_at DESC LIMIT 1"""
TEXTS_SENT = f"SELECT CAST(count(*) AS BIGINT) AS n {COUNTED}"
NAMES = """SELECT i.kind, i.value, i.detached_at, n.blocked_at
    FROM identities i LEFT JOIN numbers n ON i.kind = 'phone' AND n.phone = i.value
    WHERE i.contact_id = :contact ORDER BY coalesce(i.confirmed_at, i.linked_at) DESC"""
LAST_REPLY = """SELECT text, occurred_at FROM replies
    WHERE phone = :phone AND contact_id = :contact ORDER BY occurred_at DESC LIMIT 1"""

REPLY = "SELECT * FROM replies WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Summary:
    """A contact and what was said last, both ways. ``opted_out_at`` is None while open."""

    contact: Contact
    texts_sent: int
    last_text: Row | None
    last_reply: Row | None
    opted_out_at: str | None


def of(tx: Tx, contact_id: str) -> Summary | None:
    """The summary of a contact (of the winner, where it was merged away); None if unknown.

    A person has opted out when every number of theirs has: one that joined later stands on its
    own consent.
    """
    found = contacts.row(tx, contact_id)
    if found is None:
        return None
    contact_id = str(found["id"])
    sent = tx.one(TEXTS_SENT, contact=contact_id)
    names = tx.all(NAMES, contact=contact_id)
    attached = [row for row in names if not row["detached_at"]]
    blocked = [row["blocked_at"] for row in attached if row["kind"] == "phone"]
    return Summary(
        contact=contacts.read(found, attached),
        texts_sent=int(sent["n"]) if sent else 0,
        last_text=tx.one(LAST_TEXT, contact=contact_id),
        last_reply=_last_reply(tx, contact_id, names),
        opted_out_at=max(blocked) if blocked and all(blocked) else None,
    )


def reply(tx: Tx, reply_id: str) -> Row | None:
    """One reply."""
    return tx.one(REPLY, id=reply_id)


def _last_reply(tx: Tx, contact_id: str, names: list[Row]) -> Row | None:
    """The last reply from any number that is or was the contact's."""
    phones = [row["value"] for row in names if row["kind"] == "phone"]
    found = [tx.one(LAST_REPLY, phone=phone, contact=contact_id) for phone in phones]
    replies = [row for row in found if row is not None]
    return max(replies, key=lambda row: str(row["occurred_at"]), default=None)
