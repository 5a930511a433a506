"""Numbers as such: what look-ups told of them, a new owner, and those that a hand suppressed."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger.consents import touch
from connector.ledger.store import Row, Tx

LOOKED_UP = """UPDATE numbers SET type = CASE WHEN :type = '' THEN type ELSE :type END,
        checked_at = :at WHERE phone = :phone"""
LOOKUP = """INSERT INTO lookups (id, phone, provider, type, reassigned, error, at)
    VALUES (:id, :phone, :provider, :type, :reassigned, :error, :at)"""
LOOKUPS = "SELECT CAST(count(*) AS BIGINT) AS n FROM lookups WHERE at > :since"
REASSIGNED = """UPDATE numbers SET reassigned_at = :at, reassigned_how = :how
    WHERE phone = :phone AND (reassigned_at IS NULL OR reassigned_at < :at)"""
NOT_REASSIGNED = """UPDATE numbers SET reassigned_at = NULL, reassigned_how = ''
    WHERE phone = :phone AND reassigned_at IS NOT NULL"""
GRANTED = """SELECT max(occurred_at) AS at FROM consents
    WHERE phone = :phone AND action = 'granted'"""
OF_SOMEBODY = """SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM consents WHERE phone = :phone)
    OR EXISTS (SELECT 1 FROM identities WHERE kind = 'phone' AND value = :phone)"""
PASSED_ON = """SELECT 1 AS n FROM identities i WHERE i.kind = 'phone' AND i.value = :phone
    AND i.contact_id = :contact AND i.linked_at <= :since AND EXISTS (SELECT 1 FROM identities o
        WHERE o.kind = 'phone' AND o.value = :phone AND o.contact_id <> :contact
        AND o.detached_at IS NULL AND o.linked_at > :since)"""
OF_PROFILE = """SELECT value, profile_at, confirmed_at FROM identities
    WHERE contact_id = :contact AND kind = 'phone' AND detached_at IS NULL AND profile = :profile
    ORDER BY value"""
LOOKUPS_OF = """SELECT provider, type, reassigned, error, at FROM lookups
    WHERE phone = :phone ORDER BY id DESC LIMIT :limit"""
SUPPRESS = """UPDATE numbers SET suppressed_at = :at, suppressed_why = :why,
        suppressed_scope = :scope WHERE phone = :phone"""
SUPPRESSED = """SELECT phone, suppressed_at, suppressed_why, suppressed_scope FROM numbers
    WHERE suppressed_at IS NOT NULL AND phone > :after ORDER BY phone LIMIT :limit"""


def looked_up(
    tx: Tx,
    lookup_id: str,
    phone: str,
    provider: str,
    at: datetime,
    *,
    kind: str,
    reassigned: str,
    error: str = "",
) -> None:
    """Keep what a look-up told; with an error only that it was tried.

    ``kind`` is the type of number, "" where it is not known: what was known stands then.
    ``reassigned`` is yes, no or "" (not asked, or no telling).
    """
    touch(tx, phone)
    stamp = clock.text(at)
    tx.run(
        LOOKUP,
        id=lookup_id,
        phone=phone,
        provider=provider,
        type=kind,
        reassigned=reassigned,
        error=error[:200],
        at=stamp,
    )
    if error:
        return
    tx.run(LOOKED_UP, phone=phone, type=kind, at=stamp)
    if reassigned == "yes":
        reassign(tx, phone, at)


def newest_grant(tx: Tx, phone: str) -> datetime | None:
    """When a number's newest consent was given: whose number it was then. None for none."""
    row = tx.one(GRANTED, phone=phone)
    return clock.instant(row["at"]) if row and row["at"] else None


def lookups_since(tx: Tx, since: datetime) -> int:
    """How many look-ups were made since an instant; each costs money."""
    row = tx.one(LOOKUPS, since=clock.text(since))
    return int(row["n"]) if row else 0


def reassign(tx: Tx, phone: str, at: datetime, how: str = "") -> bool:
    """The number has a new owner since ``at``, or (``how``) was deactivated by its carrier.

    An older date than is known changes nothing.
    """
    touch(tx, phone)
    return bool(tx.run(REASSIGNED, phone=phone, at=clock.text(at), how=how))


def is_of_somebody(tx: Tx, phone: str) -> bool:
    """Whether a number has a consent here, or ever was a contact's."""
    return tx.one(OF_SOMEBODY, phone=phone) is not None


def passed_on(tx: Tx, phone: str, contact_id: str, since: datetime) -> bool:
    """Whether a contact bore a number before an instant, and another came to bear it since."""
    named = {"phone": phone, "contact": contact_id, "since": clock.text(since)}
    return tx.one(PASSED_ON, **named) is not None


def of_profile(tx: Tx, contact_id: str, profile: str) -> list[Row]:
    """The contact's numbers that a profile ever named: value, when it did last, and when
    any trusted source told of it last."""
    return tx.all(OF_PROFILE, contact=contact_id, profile=profile)


def lookups(tx: Tx, phone: str, limit: int) -> list[Row]:
    """What look-ups told of a number, the newest first."""
    return tx.all(LOOKUPS_OF, phone=phone, limit=limit)


def not_reassigned(tx: Tx, phone: str) -> bool:
    """It was wrong that the number has a new owner; False where nobody had said so."""
    return bool(tx.run(NOT_REASSIGNED, phone=phone))


def suppress(tx: Tx, phone: str, why: str, scope: str, at: datetime | None) -> None:
    """Keep texts from a number by hand: ``all`` of them or ``marketing``; None lets them go."""
    touch(tx, phone)
    stamp = clock.text(at) if at else None
    tx.run(SUPPRESS, phone=phone, at=stamp, why=why[:500], scope=scope if at else "")


def suppressed(tx: Tx, limit: int, after: str = "") -> list[Row]:
    """Numbers that were suppressed by hand, in their order."""
    return tx.all(SUPPRESSED, limit=limit, after=after)
