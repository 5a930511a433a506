"""Restores: since when a ledger remembers nothing, and what was found out about the gap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from connector import clock
from connector.ledger import cursors, pauses
from connector.ledger.store import Row, Tx
from connector.messages import Carried

RESTORED = pauses.RESTORED  #: the cursor that holds the mark
DUE = """SELECT id FROM sends WHERE state = 'planned' AND due_at <= :until
    ORDER BY due_at LIMIT :limit"""
DOUBT = """UPDATE sends SET state = 'uncertain', reason = 'restored',
        counts_at = coalesce(counts_at, due_at),
        text = CASE WHEN :text = '' THEN text ELSE :text END
    WHERE id = :id AND state = 'planned'"""
CLEAR = """UPDATE sends SET state = 'planned', reason = '', counts_at = NULL, due_at = :at
    WHERE id = :id AND state = 'uncertain'"""
TAKE = "UPDATE sends SET reason = 'found', provider = :provider, text = :text WHERE id = :id"
DOUBTED = """SELECT * FROM sends WHERE (state = 'sending' OR state = 'uncertain')
    AND state = 'uncertain' AND reason = 'restored' AND id > :after ORDER BY id LIMIT :limit"""
KNOWN = "SELECT id FROM sends WHERE provider_id = :provider_id AND provider = :provider LIMIT 1"
OPEN = """SELECT * FROM sends WHERE phone = :phone AND counts_at IS NOT NULL
    AND state = 'uncertain' AND provider_id IS NULL ORDER BY due_at LIMIT 50"""
PROVIDERS = "SELECT DISTINCT provider FROM sends WHERE provider <> '' ORDER BY provider"
LOST = """SELECT id, provider, provider_id, text, counts_at, cause FROM sends WHERE phone = :phone
    AND counts_at IS NOT NULL AND counts_at >= :since AND (cause = 'lost' OR reason = 'found')
    ORDER BY counts_at LIMIT 200"""
KEEP = """INSERT INTO sends (id, cause, cause_id, step, contact_id, purpose, mode, phone, provider,
        template, text, state, reason, planned_at, due_at, expires_at, begun_at, accepted_at,
        counts_at, provider_id, segments, cost_micros, currency)
    VALUES (:id, 'lost', :provider_id, :provider, :contact, 'marketing', 'live', :phone, :provider,
        '', :text, 'accepted', 'restored', :at, :at, :at, :at, :at, :at, :provider_id, :segments,
        :cost, :currency)
    ON CONFLICT (cause, cause_id, step) DO NOTHING"""
DROP = "DELETE FROM sends WHERE id = :id AND cause = 'lost'"


@dataclass(frozen=True, slots=True)
class Restored:
    """That this ledger was a backup once, and whether the gap has been looked into."""

    backup_at: datetime  #: what happened after it is not remembered
    restored_at: datetime
    fetched_at: datetime | None = None  #: when provider and CRM had told all of the gap
    confirmed_at: datetime | None = None  #: when a person answered for it instead
    trouble: str = ""  #: why the last fetching failed

    @property
    def is_open(self) -> bool:
        """Whether nobody has looked into the gap yet, so that nothing may leave."""
        return self.fetched_at is None and self.confirmed_at is None


def mark(tx: Tx, restored: Restored) -> None:
    """Note how a restore stands."""
    found = {
        "backup_at": clock.text(restored.backup_at),
        "restored_at": clock.text(restored.restored_at),
        "fetched_at": clock.text(restored.fetched_at) if restored.fetched_at else "",
        "confirmed_at": clock.text(restored.confirmed_at) if restored.confirmed_at else "",
        "trouble": restored.trouble[:300],
    }
    cursors.set_(tx, RESTORED, orjson.dumps(found).decode())
    cursors.set_(tx, pauses.RESTORE_OPEN, "1" if restored.is_open else "")


def read(tx: Tx) -> Restored | None:
    """How the last restore stands; None where this ledger never was a backup."""
    text = cursors.get(tx, RESTORED)
    if not text:
        return None
    found = orjson.loads(text)
    return Restored(
        clock.instant(found["backup_at"]),
        clock.instant(found["restored_at"]),
        clock.instant(found["fetched_at"]) if found["fetched_at"] else None,
        clock.instant(found["confirmed_at"]) if found["confirmed_at"] else None,
        found["trouble"],
    )


def end(tx: Tx, restored: Restored, **how: datetime) -> Restored:
    """Note that the gap was looked into, and lift the kill switch if it is still the restore's."""
    ended = replace(restored, trouble="", **how)
    mark(tx, ended)
    held = pauses.all_(tx).get(pauses.EVERYTHING)
    if held is not None and held["who"] == pauses.RESTORED:
        pauses.lift(tx, pauses.EVERYTHING)
    return ended


def doubt_due(tx: Tx, until: datetime, limit: int) -> int:
    """Doubt planned texts that were due by an instant; how many."""
    rows = tx.all(DUE, until=clock.text(until), limit=limit)
    for row in rows:
        doubt(tx, str(row["id"]))
    return len(rows)


def doubt(tx: Tx, send_id: str, text: str = "") -> None:
    """A planned text may have gone before the restore: it counts as sent until that is known."""
    tx.run(DOUBT, id=send_id, text=text)


def clear(tx: Tx, send_id: str, now: datetime) -> None:
    """A doubtful text certainly did not go: it is planned again, and due."""
    tx.run(CLEAR, id=send_id, at=clock.text(now))


def doubted(tx: Tx, after: str, limit: int) -> list[Row]:
    """Texts in doubt because of a restore, by id."""
    return tx.all(DOUBTED, after=after, limit=limit)


def is_known(tx: Tx, provider: str, provider_id: str) -> bool:
    """Whether a provider's text is a row already."""
    return tx.one(KNOWN, provider=provider, provider_id=provider_id) is not None


def open_to(tx: Tx, phone: str) -> list[Row]:
    """Texts to a number of which nobody knows whether they went."""
    return tx.all(OPEN, phone=phone)


def providers(tx: Tx) -> list[str]:
    """Every provider that any text was handed to."""
    return [str(row["provider"]) for row in tx.all(PROVIDERS)]


def lost_to(tx: Tx, phone: str, since: datetime) -> list[Row]:
    """Texts to a number since an instant that were found at the provider."""
    return tx.all(LOST, phone=phone, since=clock.text(since))


def keep(tx: Tx, found: Carried, contact_id: str, send_id: str) -> bool:
    """Keep a text that nobody remembers: it counts in caps as a marketing text."""
    return bool(
        tx.run(
            KEEP,
            id=send_id,
            provider_id=found.provider_id,
            provider=found.provider,
            contact=contact_id,
            phone=found.to,
            text=found.text,
            at=clock.text(found.at),
            segments=found.segments,
            cost=found.cost_micros,
            currency=found.currency,
        )
    )


def take(tx: Tx, send_id: str, provider: str, text: str, lost_id: str = "") -> None:
    """A doubtful text is the one that was found; it stands in the place of what was kept of it."""
    tx.run(TAKE, id=send_id, provider=provider, text=text)
    if lost_id:
        tx.run(DROP, id=lost_id)
