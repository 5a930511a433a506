"""What came of it: receipts, replies, and what the person did next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connector import clock
from connector.ledger.store import Row, Tx
from connector.messages import Receipt, Reply

RECEIPT = """INSERT INTO receipts (id, provider, provider_id, status, raw_status, error_code,
        reason, stamp, send_id, occurred_at, heard_at)
    VALUES (:id, :provider, :provider_id, :status, :raw, :code, :reason, :stamp, :send, :occurred,
        :heard)
    ON CONFLICT (provider, provider_id, raw_status, error_code, stamp)
    DO UPDATE SET repeats = receipts.repeats + 1 RETURNING repeats"""
CLAIM = """UPDATE receipts SET send_id = :send WHERE provider = :provider
    AND provider_id = :provider_id AND raw_status = :raw AND error_code = :code AND stamp = :stamp
    AND send_id IS NULL"""
REPLY = """INSERT INTO replies (id, provider, provider_id, phone, sender, text, label, why,
        answer, contact_id, send_id, occurred_at, heard_at)
    VALUES (:id, :provider, :provider_id, :phone, :to, :text, :label, :why, :answer, :contact,
        :send, :occurred, :heard)
    ON CONFLICT (provider, provider_id) DO UPDATE SET repeats = replies.repeats + 1
    RETURNING repeats"""
OUTCOME = """INSERT INTO outcomes (id, cause, contact_id, kind, occurred_at, heard_at, thing,
        value_micros, currency, enrolment_id, send_id, event_id)
    VALUES (:id, :cause, :contact, :kind, :occurred, :heard, :thing, :value, :currency, :enrolment,
        :send, :event)
    ON CONFLICT (cause) DO NOTHING"""
SEND_OF = "SELECT id FROM sends WHERE provider_id = :provider_id AND provider = :provider LIMIT 1"
LAST_TO = """SELECT id, contact_id, enrolment_id, play, step, key FROM sends
    WHERE phone = :phone AND counts_at IS NOT NULL AND begun_at <= :at
    ORDER BY counts_at DESC LIMIT 1"""
LAST_ASKED = """SELECT id, contact_id, enrolment_id, play, step, key, counts_at FROM sends
    WHERE phone = :phone AND counts_at > :since AND cause <> 'system' AND begun_at <= :at
    ORDER BY counts_at DESC LIMIT 1"""

GOES_ON = """UPDATE conversations SET last_at = :at WHERE phone = :phone AND closed_at IS NULL
    AND last_at < :at AND last_at >= :since"""


@dataclass(frozen=True, slots=True)
class Heard:
    """An outcome as it is kept. ``cause`` makes it harmless to hear twice."""

    id: str
    cause: str
    contact_id: str
    kind: str
    occurred_at: datetime
    thing: str = ""
    value_micros: int | None = None
    currency: str = ""
    enrolment_id: str = ""
    send_id: str = ""
    event_id: str = ""


def add_receipt(tx: Tx, receipt: Receipt, send_id: str, now: datetime, *, receipt_id: str) -> bool:
    """Keep a receipt; False when it was told before (it is counted)."""
    row = tx.one(
        RECEIPT,
        id=receipt_id,
        provider=receipt.provider,
        provider_id=receipt.provider_id,
        status=receipt.status.value,
        raw=receipt.raw_status,
        code=receipt.error_code,
        reason=receipt.reason,
        stamp=receipt.stamp,
        send=send_id or None,
        occurred=clock.text(receipt.occurred_at) if receipt.occurred_at else None,
        heard=clock.text(now),
    )
    return row is None or not row["repeats"]


def claim(tx: Tx, receipt: Receipt, send_id: str) -> bool:
    """A receipt that was told before turns out to be a send's; False where that was known."""
    return bool(
        tx.run(
            CLAIM,
            send=send_id,
            provider=receipt.provider,
            provider_id=receipt.provider_id,
            raw=receipt.raw_status,
            code=receipt.error_code,
            stamp=receipt.stamp,
        )
    )


def send_of(tx: Tx, receipt: Receipt) -> str:
    """The send a receipt speaks of: by our own reference, else by the provider's id."""
    if receipt.send_id:
        return receipt.send_id
    row = tx.one(SEND_OF, provider_id=receipt.provider_id, provider=receipt.provider)
    return str(row["id"]) if row else ""


def last_to(tx: Tx, phone: str, at: datetime) -> Row | None:
    """The last text to a number before an instant: its id, contact, enrolment, play, step, key."""
    return tx.one(LAST_TO, phone=phone, at=clock.text(at))


def last_asked(tx: Tx, phone: str, since: datetime, at: datetime) -> Row | None:
    """As ``last_to``, but after ``since`` and no answer of ours (to HELP, say)."""
    return tx.one(LAST_ASKED, phone=phone, since=clock.text(since), at=clock.text(at))


def add_reply(
    tx: Tx,
    reply: Reply,
    *,
    reply_id: str,
    label: str,
    why: str,
    contact_id: str,
    send_id: str,
    occurred_at: datetime,
    now: datetime,
    answer: str = "",
) -> bool:
    """Keep a reply; False when it was told before (it is counted)."""
    row = tx.one(
        REPLY,
        id=reply_id,
        provider=reply.provider,
        provider_id=reply.provider_id,
        phone=reply.sender,
        to=reply.to,
        text=reply.text[:1_600],
        label=label,
        why=why,
        answer=answer,
        contact=contact_id or None,
        send=send_id or None,
        occurred=clock.text(occurred_at),
        heard=clock.text(now),
    )
    return row is None or not row["repeats"]


def add(tx: Tx, heard: Heard, now: datetime) -> bool:
    """Keep an outcome; False when its cause was heard before."""
    return bool(
        tx.run(
            OUTCOME,
            id=heard.id,
            cause=heard.cause,
            contact=heard.contact_id,
            kind=heard.kind,
            occurred=clock.text(heard.occurred_at),
            heard=clock.text(now),
            thing=heard.thing,
            value=heard.value_micros,
            currency=heard.currency,
            enrolment=heard.enrolment_id or None,
            send=heard.send_id or None,
            event=heard.event_id or None,
        )
    )


def talk(tx: Tx, phone: str, since: datetime, at: datetime) -> bool:
    """A reply moves on the conversation with its number, if one was open since an instant."""
    return bool(tx.run(GOES_ON, phone=phone, since=clock.text(since), at=clock.text(at)))


def find(tx: Tx, outcome_id: str) -> Row | None:
    """One outcome, if it is there."""
    return tx.one("SELECT * FROM outcomes WHERE id = :id", id=outcome_id)


def get(tx: Tx, outcome_id: str) -> Row:
    """One outcome; raises ``LookupError`` for an unknown id."""
    return _known(find(tx, outcome_id), outcome_id)


def get_reply(tx: Tx, reply_id: str) -> Row:
    """One reply; raises ``LookupError`` for an unknown id."""
    return _known(tx.one("SELECT * FROM replies WHERE id = :id", id=reply_id), reply_id)


def _known(row: Row | None, row_id: str) -> Row:
    if row is None:
        raise LookupError(f"there is no {row_id} in the ledger")
    return row
