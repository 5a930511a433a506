"""Vonage's callbacks: the proof that they are Vonage's, and what they say.

https://developer.vonage.com/en/getting-started/concepts/webhooks#validating-signed-webhooks
https://developer.vonage.com/en/messages/concepts/messages-status-callbacks

The token is of the body, by ``payload_hash``, and not of the address: our reference is read from
``client_ref`` in the body, never from the address that was called.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

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
    whole,
    written,
)
from connector.providers.vonage_errors import code_of, reason

PROVIDER: Final = "vonage"
FRESH: Final = timedelta(hours=25)
"""How old a token may be. Vonage repeats a callback for 24 hours, and does not say whether it
signs it anew; a repetition changes nothing here, since each thing told is kept once."""
AHEAD: Final = timedelta(minutes=5)  #: how far Vonage's clock may be before ours
JUDGED_HERE: Final = ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")  #: or not at all

STATUSES: Final[Mapping[str, Status]] = {
    "submitted": Status.sent,
    "delivered": Status.delivered,
    "read": Status.delivered,
    "rejected": Status.undelivered,  # also what expired, failed or is unknown to the carrier
    "undeliverable": Status.failed,
}


class Proof:
    """The secrets that Vonage signs with; several while one is replaced."""

    def __init__(self, signature_secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret for secret in signature_secrets if secret)
        if not self._secrets:
            raise ValueError("signature_secrets is empty: callbacks could not be verified")

    def holds(self, hook: Hook, now: datetime) -> bool:
        """Whether one of the secrets signed a token of this very body, not long ago."""
        scheme, _, token = hook.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            return False
        return any(
            _is_of(claims, hook.body) and _is_fresh(claims, now)
            for claims in (_claims(token.strip(), secret) for secret in self._secrets)
        )


def _claims(token: str, secret: str) -> Mapping[str, Any]:
    """What a token claims; nothing where it is not signed with the secret."""
    import jwt

    lenient = {f"verify_{claim}": False for claim in JUDGED_HERE}
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], options=lenient)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, TypeError):
        return {}


def _is_fresh(claims: Mapping[str, Any], now: datetime) -> bool:
    at = claims.get("iat")
    if not isinstance(at, (int, float)):
        return False
    age = now.timestamp() - at
    return -AHEAD.total_seconds() <= age <= FRESH.total_seconds()


def _is_of(claims: Mapping[str, Any], body: bytes) -> bool:
    """Whether the token names this body's hash: as sent, or as JSON without any blanks.

    Vonage's own examples hash the body after reading it and writing it again.
    """
    named = written(claims.get("payload_hash")).lower().encode(errors="replace")
    return any(hmac.compare_digest(named, _hash(form)) for form in (body, _compact(body)))


def _hash(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _compact(body: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(body))
    except ValueError:
        return body


def read(hook: Hook) -> Receipt | Reply:
    """The receipt or reply that a callback is; raise ``Unreadable`` when it is neither."""
    told = json_object(hook.body)
    number, status = identifier(told.get("message_uuid")), written(told.get("status"))
    if number and status:
        return _receipt(number, status, told)
    if number and written(told.get("from")) and ("text" in told or told.get("message_type")):
        return _reply(number, told)
    raise Unreadable("neither receipt nor reply: message_uuid, status or from and text is missing")


def _receipt(number: str, status: str, told: Mapping[str, Json]) -> Receipt:
    code, stamp = code_of(told.get("error")), written(told.get("timestamp"))
    cost, currency = price(inside(told, "usage", "price"), inside(told, "usage", "currency"))
    return Receipt(
        provider=PROVIDER,
        provider_id=number,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=reason(code),
        occurred_at=iso_date(stamp),
        stamp=stamp,
        send_id=written(told.get("client_ref")),
        segments=whole(inside(told, "sms", "count_total")),
        cost_micros=cost,
        currency=currency,
    )


def _reply(number: str, told: Mapping[str, Json]) -> Reply:
    """An inbound text; the words of a picture are its caption."""
    caption = inside(told, written(told.get("message_type")), "caption")
    return Reply(
        provider=PROVIDER,
        provider_id=number,
        sender=e164(written(told.get("from"))),
        to=e164(written(told.get("to"))),
        text=written(told.get("text")) or written(caption),
        occurred_at=iso_date(told.get("timestamp")),
    )
