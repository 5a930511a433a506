"""Bird's messages and callbacks: the proof that they are Bird's, and what they say.

https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/verifying-a-webhook-subscription
https://docs.bird.com/api/channels-api/message-status-and-interactions
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.errors import Unreadable
from connector.messages import Carried, Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers.reading import e164, inside, is_fresh, iso_date, json_object

PROVIDER: Final = "bird"

STATUSES: Final[Mapping[str, Status]] = {
    "accepted": Status.accepted,
    "processing": Status.accepted,
    "scheduled": Status.accepted,
    "sent": Status.sent,
    "delivered": Status.delivered,
    "delivery_failed": Status.undelivered,
    "sending_failed": Status.failed,
    "rejected": Status.failed,
}

#: ``failure.code`` → our reason; of Bird's list only what its pages explain.
CODES: Final[Mapping[str, str]] = {
    "11001": "configuration",  # the channel does not support the request
    "12001": "unavailable",  # something that Bird depends on
    "12002": "content",  # a type that the platform does not carry
    "12003": "blocked",  # this sender may not write to this destination
    "15001": "unavailable",  # the network's failure
    "15005": "invalid_number",  # unknown subscriber
}

FRESH: Final = timedelta(hours=9)
"""Bird repeats a callback for 8 hours, and nobody says that it is signed anew each time."""
AHEAD: Final = timedelta(minutes=5)


def proven(hook: Hook, keys: Sequence[str], now: datetime) -> bool:
    """Whether one of the keys signed time, address and body."""
    stamp = hook.headers.get("messagebird-request-timestamp", "").encode("latin-1", "replace")
    given = hook.headers.get("messagebird-signature", "").encode("latin-1", "replace")
    if not given or not is_fresh(stamp, now, FRESH, AHEAD):
        return False
    address = hook.url.encode(errors="replace")
    signed = b"\n".join((stamp, address, hashlib.sha256(hook.body).digest()))
    wanted = [base64.b64encode(hmac.digest(key.encode(), signed, "sha256")) for key in keys]
    return any([hmac.compare_digest(one, given) for one in wanted])


def read(hook: Hook) -> Receipt | Reply:
    """The receipt or reply that a callback is; raise ``Unreadable`` when it is neither."""
    message = json_object(hook.body).get("payload")
    if not isinstance(message, dict):
        raise Unreadable("neither receipt nor reply: a callback of Bird holds a payload")
    return reply(message) if message.get("direction") == "incoming" else receipt(message)


def receipt(message: Mapping[str, Json]) -> Receipt:
    """How a message of ours stands; raise ``Unreadable`` where id or status is missing."""
    number, status = message.get("id"), message.get("status")
    if not isinstance(number, str) or not number or not isinstance(status, str) or not status:
        raise Unreadable("Bird's message bears no id or no status")
    code = _code(message)
    at = message.get("lastStatusAt") or message.get("updatedAt")
    return Receipt(
        provider=PROVIDER,
        provider_id=number,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=_reason(code),
        occurred_at=iso_date(at),
        stamp=str(at or ""),
        send_id=str(message.get("reference") or ""),
    )


def reply(message: Mapping[str, Json]) -> Reply:
    """An inbound text; raise ``Unreadable`` where id or sender is missing."""
    sender = inside(message, "sender", "contact", "identifierValue")
    if not isinstance(message.get("id"), str) or not message["id"] or not sender:
        raise Unreadable("Bird's inbound message bears no id or no sender")
    ours = inside(message, "receiver", "connector", "identifierValue")
    return Reply(
        provider=PROVIDER,
        provider_id=message["id"],
        sender=e164(sender),
        to=e164(ours) or str(message.get("channelId") or ""),
        text=_text(message),
        occurred_at=iso_date(message.get("createdAt")),
    )


def carried(message: Mapping[str, Json]) -> Carried:
    """A message of ours in a list; raise ``Unreadable`` where id or time is missing."""
    at = iso_date(message.get("createdAt"))
    if at is None or not isinstance(message.get("id"), str):
        raise Unreadable("Bird's list of messages is unreadable")
    contacts = inside(message, "receiver", "contacts")
    first = contacts[0] if isinstance(contacts, list) and contacts else None
    code, status = _code(message), str(message.get("status") or "")
    return Carried(
        provider=PROVIDER,
        provider_id=message["id"],
        to=e164(first.get("identifierValue")) if isinstance(first, dict) else "",
        text=_text(message),
        at=at,
        send_id=str(message.get("reference") or ""),
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=_reason(code),
    )


def _text(message: Mapping[str, Json]) -> str:
    return str(inside(message, "body", "text", "text") or "")


def _code(message: Mapping[str, Json]) -> str:
    code = inside(message, "failure", "code")
    return str(code) if isinstance(code, int) and 0 < code < 10**6 else ""


def _reason(code: str) -> str:
    return CODES.get(code, "unknown") if code else ""
