"""What a contact consented to, as a CRM's fields may hold it; read only where one does."""

from __future__ import annotations

from collections.abc import Iterable

from connector import clock
from connector.ledger import consents
from connector.ledger.store import Tx
from connector.ledger.summaries import Summary
from connector.model import Json
from connector.rules import places
from connector.rules.consent import of_marketing
from connector.rules.writeback import CONSENT, Field
from connector.steps import consent
from connector.steps.setup import Setup


def facts(tx: Tx, rt: Setup, known: Summary, fields: Iterable[Field]) -> dict[str, Json]:
    """Marketing's consent of the contact's number; {} where no field is made of it."""
    phone = known.contact.phone
    if not any(field.reads & CONSENT for field in fields):
        return {}
    rows = consents.history(tx, phone) if phone else []
    stands = consent.read(
        rows,
        rt.book.policy.expiries,
        rt.clock(),
        lambda: places.places(known.contact, phone).rules,
        consent.owner_since(consents.number(tx, phone)),
    )
    word, row = of_marketing(rows, stands)
    return {
        "consent": word,
        "consent_at": clock.text(row.occurred_at) if row else None,
        "consent_source": row.method if row else None,
    }
