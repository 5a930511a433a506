"""Telnyx's callbacks: the proof that they are Telnyx's, and what they say.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks

The signature covers the body and its time, not the address: our reference is read from the
``webhook_url`` that the body repeats, never from the address that was called.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from connector.errors import Unreadable
from connector.messages import Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers.reading import (
    e164,
    identifier,
    inside,
    iso_date,
    json_object,
    price,
    referred,
    whole,
    written,
)
from connector.providers.telnyx_errors import code_of, reason

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROVIDER: Final = "telnyx"
SIGNATURE: Final = "telnyx-signature-ed25519"
TIMESTAMP: Final = "telnyx-timestamp"
TOLERANCE: Final = timedelta(seconds=300)  #: as in Telnyx's own libraries

STATUSES: Final[Mapping[str, Status]] = {
    "scheduled": Status.accepted,
    "queued": Status.accepted,
    "sending": Status.accepted,
    "sent": Status.sent,
    "delivery_unconfirmed": Status.sent,  # no more will be heard of it
    "delivered": Status.delivered,
    "read": Status.delivered,
    "delivery_failed": Status.undelivered,
    "sending_failed": Status.failed,
    "expired": Status.failed,
    "cancelled": Status.canceled,
}


class Proof:
    """The keys that Telnyx signs with; several while one is replaced."""

    def __init__(self, public_keys: Sequence[str]) -> None:
        self._raw = [_decoded(key) for key in public_keys if key]
        if not self._raw:
            raise ValueError("public_keys is empty: callbacks could not be verified")
        if any(raw is None or len(raw) != 32 for raw in self._raw):
            raise ValueError("each of public_keys is 32 bytes in base64, as Mission Control shows")

    @cached_property
    def _keys(self) -> list[Ed25519PublicKey]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return [Ed25519PublicKey.from_public_bytes(raw) for raw in self._raw if raw]

    def holds(self, hook: Hook, now: datetime) -> bool:
        """Whether one of the keys signed the body at a time that is not long ago."""
        signature = _decoded(hook.headers.get(SIGNATURE, ""))
        stamp = hook.headers.get(TIMESTAMP, "")
        if not signature or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
            return False
        signed = f"{stamp}|".encode() + hook.body
        return any(_signed(key, signature, signed) for key in self._keys)


def read(hook: Hook) -> Receipt | Reply:
    """The receipt or reply that an event is; raise ``Unreadable`` when it is neither."""
    event = json_object(hook.body).get("data")
    payload = inside(event, "payload")
    kind, direction = inside(event, "event_type"), inside(payload, "direction")
    inbound = kind == "message.received" or direction == "inbound"
    occurred_at = written(inside(event, "occurred_at"))
    told = _reply(payload) if inbound else receipt(payload, occurred_at)
    if told is None:
        raise Unreadable("neither receipt nor reply: a Telnyx event has data.payload with an id")
    return told


def receipt(payload: Json, occurred_at: str = "") -> Receipt | None:
    """How an outbound message stands; None where that cannot be read."""
    number, status = identifier(inside(payload, "id")), written(inside(payload, "to", 0, "status"))
    if not number or not status:
        return None
    code = code_of(payload)
    segments, cost, currency = amounts(payload)
    return Receipt(
        provider=PROVIDER,
        provider_id=number,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=reason(code),
        occurred_at=iso_date(occurred_at),
        stamp=occurred_at,
        send_id=referred(written(inside(payload, "webhook_url"))),
        segments=segments,
        cost_micros=cost,
        currency=currency,
    )


def amounts(payload: Json) -> tuple[int | None, int | None, str]:
    """Segments, price in millionths and its currency, each where it is told."""
    cost = price(inside(payload, "cost", "amount"), inside(payload, "cost", "currency"))
    return whole(inside(payload, "parts")), *cost


def _reply(payload: Json) -> Reply | None:
    number, sender = identifier(inside(payload, "id")), inside(payload, "from", "phone_number")
    if not number or not written(sender):
        return None
    return Reply(
        provider=PROVIDER,
        provider_id=number,
        sender=e164(sender),
        to=e164(written(inside(payload, "to", 0, "phone_number"))),
        text=written(inside(payload, "text")),
        occurred_at=iso_date(inside(payload, "received_at")),
        opt_out_type=written(inside(payload, "autoresponse_type")).upper(),
    )


def _signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
