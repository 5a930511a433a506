"""What ``connector number show`` tells of a number: what it is now, and what was told of it."""

from __future__ import annotations

from typing import Any, Final

from connector.ledger import acts, consents, listings, numbers
from connector.ledger.store import Tx
from connector.phone import Number, mask, zones

MOST: Final = 50  #: acts, and look-ups
OWNERS: Final = {"yes": "has a new owner", "no": "has the same owner"}


def known(tx: Tx, asked: Number, *, full: bool) -> dict[str, Any]:
    """What it is: its kind by the newest look-up, else by its digits, and where it may be."""
    row = consents.number(tx, asked.e164)
    looked_up = row["type"] if row is not None else ""
    return {
        "phone": asked.e164 if full else mask(asked.e164),
        "type": looked_up or asked.type,
        "type_by": "look-up" if looked_up else "digits",
        "country": asked.country,
        "zones": list(zones(asked.e164)),
        "contacts": len(listings.bearers(tx, "phone", asked.e164, MOST)),
        "checked_at": row["checked_at"] if row is not None else None,
        "reassigned_at": row["reassigned_at"] if row is not None else None,
        "reassigned_how": row["reassigned_how"] if row is not None else "",
        "suppressed": row["suppressed_scope"] if row is not None else "",
        "why": row["suppressed_why"] if row is not None else "",
    }


def past(tx: Tx, phone: str) -> list[dict[str, str]]:
    """What people did to it and what look-ups told of it, the newest first."""
    found = [
        {"at": row["at"], "what": row["act"], "says": row["why"], "who": row["who"]}
        for row in acts.of(tx, f"number:{phone}", MOST)
    ]
    found += [
        {"at": row["at"], "what": "looked_up", "says": _told(row), "who": row["provider"]}
        for row in numbers.lookups(tx, phone, MOST)
    ]
    return sorted(found, key=lambda each: each["at"], reverse=True)


def _told(row: Any) -> str:
    if row["error"]:
        return f"failed: {row['error']}"
    owner = OWNERS.get(row["reassigned"], "")
    return ", ".join(filter(None, (row["type"] or "unknown", owner)))
