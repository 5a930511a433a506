"""Consents, append-only and keyed by number; and what stands against a number now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import orjson

from connector import clock
from connector.ledger import chain, erasure
from connector.ledger.store import Row, Tx
from connector.model import NO_CAPTURE, Capture, ConsentRow

NEWEST = """SELECT purpose, action, method, wording, occurred_at,
        (SELECT reassigned_at FROM numbers WHERE numbers.phone = :phone) AS reassigned_at
    FROM consents WHERE phone = :phone ORDER BY occurred_at DESC, id DESC LIMIT 20"""
SAME = """SELECT id FROM consents WHERE phone = :phone AND purpose = :purpose
    AND occurred_at = :at AND action = :action AND method = :method LIMIT 1"""
LATER = """SELECT occurred_at FROM consents WHERE phone = :phone AND occurred_at > :now
    ORDER BY occurred_at DESC LIMIT 1"""
PROPOSED = """SELECT CAST(count(DISTINCT phone) AS BIGINT) AS n FROM consents
    WHERE action = 'pending' AND source = :source AND recorded_at > :since"""
CONFIRMING = "UPDATE numbers SET confirming_at = :at, confirming = :what WHERE phone = :phone"
BRIEF = """SELECT purpose, action, method, occurred_at FROM consents WHERE phone = :phone
    ORDER BY occurred_at, id"""
ROWS = """SELECT id, phone, purpose, action, method, wording, wording_version, source, evidence, ip,
        url, user_agent, recorded_by, event_id, occurred_at, recorded_at
    FROM consents WHERE phone = :phone ORDER BY occurred_at, id"""
OF = "SELECT id FROM consents WHERE phone = :phone ORDER BY seq"
TOUCH = """INSERT INTO numbers (phone, type, country, touched) VALUES (:phone, :type, :country, 1)
    ON CONFLICT (phone) DO UPDATE SET touched = numbers.touched + 1"""
NUMBER = """SELECT n.*, c.last_at AS talk_at, c.closed_at AS talk_closed
    FROM numbers n LEFT JOIN conversations c ON c.phone = n.phone WHERE n.phone = :phone"""
BLOCK = """UPDATE numbers SET blocked_at = :at, blocked_by = :by, blocked_scope = :scope
    WHERE phone = :phone"""
HOLD = "UPDATE numbers SET held_at = :at, held_why = :why WHERE phone = :phone"
TYPE = "UPDATE numbers SET type = :type WHERE phone = :phone"


def touch(tx: Tx, phone: str, kind: str = "", country: str = "") -> None:
    """Write to the number's row first, so that two workers cannot both pass its cap."""
    tx.run(TOUCH, phone=phone, type=kind, country=country)


def number(tx: Tx, phone: str) -> Row | None:
    """What is known of a number itself: its type, a block, a hold."""
    return tx.one(NUMBER, phone=phone)


def set_type(tx: Tx, phone: str, kind: str) -> None:
    """A look-up or a provider's error told what kind of number it is."""
    tx.run(TYPE, phone=phone, type=kind)


def rows(tx: Tx, phone: str) -> list[Row]:
    """Every consent row of a number, oldest first."""
    return tx.all(ROWS, phone=phone)


def history(tx: Tx, phone: str) -> list[ConsentRow]:
    """A number's consent rows as values for the rule that reads them."""
    return [
        ConsentRow(
            row["purpose"],
            row["action"] == "granted",
            row["method"],
            clock.instant(row["occurred_at"]),
            row["action"] == "pending",
        )
        for row in tx.all(BRIEF, phone=phone)
    ]


def later(tx: Tx, phone: str, now: datetime) -> datetime | None:
    """When the last of what was recorded under a clock that was ahead occurred; None: nothing."""
    row = tx.one(LATER, phone=phone, now=clock.text(now))
    return clock.instant(row["occurred_at"]) if row else None


def add(
    tx: Tx,
    *,
    consent_id: str,
    phone: str,
    purpose: str,
    granted: bool,
    method: str,
    wording: str,
    source: str,
    recorded_by: str,
    event_id: str,
    occurred_at: datetime,
    now: datetime,
    evidence: Mapping[str, str] | None = None,
    capture: Capture = NO_CAPTURE,
    pending: bool = False,
    renews_after: timedelta | None = None,
    anew: bool = False,
) -> bool:
    """Append a consent or its end; False when it only repeats what stands already.

    ``pending``: it is only proposed. ``renews_after``: from then on the same counts anew.
    ``anew``: somebody has just said it, so that it repeats nothing of an owner before.
    """
    action = "pending" if pending else "granted" if granted else "revoked"
    newest = _newest(tx, phone, pending=pending)
    if renews_after is not None:
        since = clock.text(occurred_at - renews_after)
        newest = [row for row in newest if row["occurred_at"] > since or row["purpose"] != purpose]
    if anew:
        newest = _of_owner(newest, occurred_at)
    if _repeats(newest, purpose, action, method, wording):
        return False
    touch(tx, phone)
    row = {
        "id": consent_id,
        "phone": phone,
        "purpose": purpose,
        "action": action,
        "method": method,
        "wording": wording,
        "wording_version": capture.wording_version,
        "source": source,
        "evidence": orjson.dumps(dict(evidence or {})).decode(),
        "ip": capture.ip,
        "url": capture.url,
        "user_agent": capture.user_agent,
        "recorded_by": recorded_by,
        "event_id": event_id,
        "occurred_at": clock.text(occurred_at),
        "recorded_at": clock.text(now),
    }
    chain.add(tx, chain.CONSENTS, row)
    return True


def erase(
    tx: Tx, phone: str, *, who: str, why: str, at: datetime, new_id: Callable[[str], str]
) -> int:
    """Erase what every consent row of a number says of a person; how many rows there were.

    Of each row go number, wording, source, evidence, address (IP and URL) and user agent, with
    the salt that bound them to the chain; purpose, action, method and instants stay. An act names
    each row: ``who`` did it and ``why``, which must name nobody, since it stays. The number's
    block (``numbers``) is another's to keep. In the caller's transaction; rows lose the number,
    so whatever else is to be read by it is read before.
    """
    ids = [str(row["id"]) for row in tx.all(OF, phone=phone)]
    return erasure.erase(tx, chain.CONSENTS, ids, who=who, why=why, at=at, new_id=new_id)


def _newest(tx: Tx, phone: str, *, pending: bool) -> list[Row]:
    """A number's newest rows: those that were only proposed, or all others."""
    return [row for row in tx.all(NEWEST, phone=phone) if (row["action"] == "pending") == pending]


def _repeats(newest: list[Row], purpose: str, action: str, method: str, wording: str) -> bool:
    """Whether the same was said before, and nothing since but the like of it for other purposes.

    A STOP and its lifting speak of other purposes too, so what is said after them is said anew.
    """
    for row in newest:
        if row["purpose"] == purpose:
            said = (row["action"], row["method"], row["wording"])
            return said == (action, method, wording)
        if (row["action"], row["method"]) != (action, method):
            return False
    return False


def _of_owner(newest: list[Row], at: datetime) -> list[Row]:
    """The rows without the grants of an owner before the one who speaks at an instant."""
    stamp = clock.text(at)
    return [
        row
        for row in newest
        if row["action"] != "granted"
        or not row["occurred_at"] <= (row["reassigned_at"] or "") < stamp
    ]


def is_known(
    tx: Tx, phone: str, purpose: str, granted: bool, method: str, occurred_at: datetime
) -> bool:
    """Whether this very entry was recorded before, whatever has been said since."""
    action = "granted" if granted else "revoked"
    at = clock.text(occurred_at)
    return bool(tx.one(SAME, phone=phone, purpose=purpose, at=at, action=action, method=method))


def repeats(
    tx: Tx, phone: str, purpose: str, granted: bool, method: str, wording: str, at: datetime
) -> bool:
    """Whether :func:`add` would add nothing that was said anew at an instant, as the newest
    entries say the same already."""
    newest = _of_owner(_newest(tx, phone, pending=False), at)
    return _repeats(newest, purpose, "granted" if granted else "revoked", method, wording)


def proposed_since(tx: Tx, source: str, since: datetime) -> int:
    """How many numbers a source has proposed a consent for since an instant."""
    row = tx.one(PROPOSED, source=source, since=clock.text(since))
    return int(row["n"]) if row else 0


def confirming(tx: Tx, phone: str, what: str, at: datetime | None) -> None:
    """Note what a number was asked to say yes to (JSON, "[]" for nothing), and when."""
    touch(tx, phone)
    tx.run(CONFIRMING, phone=phone, what=what, at=clock.text(at) if at else None)


def block(tx: Tx, phone: str, scope: str, by: str, at: datetime) -> None:
    """Note on the number's row what a STOP covers now; "" lifts it."""
    tx.run(BLOCK, phone=phone, at=clock.text(at) if scope else None, by=by, scope=scope)


def hold(tx: Tx, phone: str, why: str, at: datetime | None) -> None:
    """Hold marketing to a number until a person has read an unclear reply; None ends it."""
    touch(tx, phone)
    tx.run(HOLD, phone=phone, at=clock.text(at) if at else None, why=why)
