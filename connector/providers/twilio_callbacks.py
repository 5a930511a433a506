"""Twilio's callbacks: the proof that they are Twilio's, and what they say.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.errors import Unreadable
from connector.messages import Receipt, Reply, bare, channel_of
from connector.model import Hook, Status
from connector.providers.reading import form_fields, identifier, query, reference, whole
from connector.providers.twilio_errors import reason

PROVIDER: Final = "twilio"
SETTINGS: Final = "x-twilio-webhooks-signature-settings"  #: a public beta of Twilio's

STATUSES: Final[Mapping[str, Status]] = {
    "accepted": Status.accepted,
    "scheduled": Status.accepted,
    "queued": Status.accepted,
    "sending": Status.accepted,
    "sent": Status.sent,
    "delivered": Status.delivered,
    "read": Status.delivered,
    "undelivered": Status.undelivered,
    "failed": Status.failed,
    "canceled": Status.canceled,
}
INBOUND: Final = ("receiving", "received")

_ADDRESS = re.compile(
    r"(https?)://([^/?#:@]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?", re.DOTALL
)


def proven(hook: Hook, url: str, tokens: Sequence[str], shared_keys: Sequence[str] = ()) -> bool:
    """Whether the callback is signed with one of the tokens for this address.

    Twilio signs the address with or without its port, whatever was configured, so both count.
    Where a header says that one of the account's ``shared_keys`` signed, those count instead,
    with SHA-256.
    """
    method: Any = hashlib.sha1
    if "algorithm=HMAC_SHA256" in hook.headers.get(SETTINGS, ""):
        method, tokens = hashlib.sha256, shared_keys
    given = hook.headers.get("x-twilio-signature", "").encode(errors="replace")
    signed = _signed_fields(hook, url)
    if not given or signed is None:
        return False
    forms = [form + signed for form in _port_forms(url)]
    wanted = [_signature(token, form, method) for token in tokens for form in forms]
    return any(hmac.compare_digest(one, given) for one in wanted)


def read(hook: Hook) -> Receipt | Reply:
    """The receipt or reply that a callback is; raise ``Unreadable`` when it is neither."""
    found = form_fields(hook)
    if found is None:
        raise Unreadable("a Twilio callback is a form in UTF-8")
    fields = {name: values[0] for name, values in found.items()}
    sid = identifier(fields.get("MessageSid") or fields.get("SmsSid"))
    status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    if sid and status in INBOUND and fields.get("From"):
        return _reply(sid, fields)
    if not sid or not status or status in INBOUND:
        raise Unreadable("neither receipt nor reply: MessageSid, its status or From is missing")
    return _receipt(sid, status, hook, fields)


def _receipt(sid: str, status: str, hook: Hook, fields: Mapping[str, str]) -> Receipt:
    """``RawDlrDoneDate`` is the carrier's own clock in no stated zone: a stamp, not an instant."""
    code = fields.get("ErrorCode", "")
    return Receipt(
        provider=PROVIDER,
        provider_id=sid,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=reason(code),
        stamp=fields.get("RawDlrDoneDate", ""),
        send_id=reference(hook),
        segments=whole(fields.get("NumSegments")),
    )


def _reply(sid: str, fields: Mapping[str, str]) -> Reply:
    """An inbound text; what comes by WhatsApp or RCS names its channel before the number."""
    sender = fields.get("From", "")
    return Reply(
        provider=PROVIDER,
        provider_id=sid,
        sender=bare(sender),
        channel=channel_of(sender),
        to=fields.get("To", ""),
        text=fields.get("Body", ""),
        opt_out_type=fields.get("OptOutType", "").upper(),
    )


def _signed_fields(hook: Hook, url: str) -> str | None:
    """What is signed after the address: every field by name, or nothing for a hashed body."""
    hashed = query(url).get("bodySHA256")
    if hashed:
        body = hashlib.sha256(hook.body).hexdigest().encode()
        return "" if hmac.compare_digest(body, hashed[0].encode(errors="replace")) else None
    found = form_fields(hook)
    if found is None:
        return None
    return "".join(name + value for name in sorted(found) for value in sorted(set(found[name])))


def _port_forms(url: str) -> list[str]:
    found = _ADDRESS.fullmatch(url)
    if not found:
        return []
    scheme, host, port, rest = found[1], found[2], found[3], found[4] or ""
    port = port or ("443" if scheme == "https" else "80")
    return [f"{scheme}://{host}{rest}", f"{scheme}://{host}:{port}{rest}"]


def _signature(token: str, signed: str, method: Any) -> bytes:
    digest = hmac.new(token.encode(), signed.encode(errors="replace"), method).digest()
    return base64.b64encode(digest)
