"""Who was forgotten: keyed digests that are compared with, and tell nobody anything by themselves.

The key stands in the same ledger, so the digests are pseudonyms: whoever holds the whole ledger
can try numbers against them. That is what keeps a forgotten number from being texted again.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from connector import clock
from connector.ledger import cursors
from connector.ledger.store import Row, Tx

KEY = "forget_key"
ADD = """INSERT INTO forgotten (digest, kind, stopped_at, at)
    VALUES (:digest, :kind, :stopped, :at) ON CONFLICT (digest) DO NOTHING"""
FIND = "SELECT * FROM forgotten WHERE digest = :digest"
KNOWN = "SELECT 1 FROM consents WHERE phone = :phone LIMIT 1"
ALL = "SELECT * FROM forgotten ORDER BY at, digest"


def key(tx: Tx, *, make: bool) -> str:
    """What digests are made with; "" where nobody was ever forgotten, unless it is made now."""
    value = cursors.get(tx, KEY)
    if not value and make:
        value = clock.new_salt()
        set_key(tx, value)
    return value


def set_key(tx: Tx, value: str) -> None:
    """Take over the key of the ledger that this one follows."""
    cursors.set_(tx, KEY, value)


def digest(value: str, kind: str, secret: str) -> str:
    """The digest of an identity."""
    told = f"{kind}:{value}".encode()
    return hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()


def add(tx: Tx, mark: str, kind: str, stopped_at: datetime | None, at: datetime) -> None:
    """Keep a digest; ``stopped_at`` is when the number said stop, where it is one."""
    stopped = clock.text(stopped_at) if stopped_at else None
    tx.run(ADD, digest=mark, kind=kind, stopped=stopped, at=clock.text(at))


def find(tx: Tx, phone: str) -> Row | None:
    """That a number was forgotten; one look where nobody ever was."""
    secret = key(tx, make=False)
    return tx.one(FIND, digest=digest(phone, "phone", secret)) if secret else None


def returning(tx: Tx, phone: str) -> datetime | None:
    """Since when a number that was forgotten, and of which nothing is known yet, wants nothing."""
    row = find(tx, phone)
    if row is None or tx.one(KNOWN, phone=phone) is not None:
        return None
    return clock.instant(row["stopped_at"] or row["at"])


def all_(tx: Tx) -> list[Row]:
    """Every digest, the first forgotten first."""
    return tx.all(ALL)
