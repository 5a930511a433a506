"""Recording consent: a row is appended, and the number's block brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from connector.ledger import consents
from connector.ledger.store import Tx
from connector.model import Event
from connector.rules.consent import standing


class Names(Protocol):
    """What recording needs of the setup."""

    @property
    def new_id(self) -> Callable[[str], str]:
        """Makes identifiers."""


def record_consent(
    tx: Tx,
    rt: Names,
    *,
    phone: str,
    purpose: str,
    granted: bool,
    method: str,
    wording: str = "",
    source: str = "",
    recorded_by: str = "connector",
    evidence: Mapping[str, str] | None = None,
    event: Event | None = None,
    occurred_at: datetime | None = None,
    now: datetime,
) -> bool:
    """Append to a number's consent ledger and bring its block up to date; False if known."""
    if not phone:
        return False
    at = occurred_at or (event.occurred_at if event else now)
    added = consents.add(
        tx,
        consent_id=rt.new_id("cns"),
        phone=phone,
        purpose=purpose,
        granted=granted,
        method=method,
        wording=wording,
        source=source,
        recorded_by=recorded_by,
        event_id=event.id if event else "",
        occurred_at=at,
        now=now,
        evidence=evidence,
    )
    if added:
        stands = standing(consents.history(tx, phone))
        known = consents.number(tx, phone)
        if known is not None and known["blocked_scope"] != stands.stopped:
            consents.block(tx, phone, stands.stopped, method if stands.stopped else "", at)
    return added
