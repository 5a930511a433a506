"""Plivo's callbacks: the proof that they are Plivo's, and what they say.

https://www.plivo.com/docs/messaging/concepts/signature-validation/
https://www.plivo.com/docs/messaging/api/message/message-status-callbacks

The signature is built as Plivo's own library builds it (plivo-python 4.63.0, ``utils``). Of
message callbacks a captured one is known, by a third party: it bears the nonce in
``X-Plivo-Signature-V3-Nonce`` and the signature of the main account's token in
``X-Plivo-Signature-MA-V3``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs

from connector.errors import Uncertain, Unreadable
from connector.messages import Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers.plivo_errors import reason
from connector.providers.reading import (
    e164,
    form_fields,
    identifier,
    micros,
    public_address,
    reference,
    whole,
    written,
)

PROVIDER: Final = "plivo"
DELIVERED: Final = "000"  #: an error code that is none

V3: Final = ("x-plivo-signature-v3", "x-plivo-signature-ma-v3")
V3_NONCE: Final = "x-plivo-signature-v3-nonce"
V2: Final = ("x-plivo-signature-v2", "x-plivo-signature-ma-v2")
V2_NONCE: Final = "x-plivo-signature-v2-nonce"

STATUSES: Final[Mapping[str, Status]] = {
    "queued": Status.accepted,
    "sent": Status.sent,
    "delivered": Status.delivered,
    "read": Status.delivered,
    "undelivered": Status.undelivered,
    "failed": Status.failed,
    "rejected": Status.failed,
}


class Proof:
    """The tokens that Plivo signs with; several while one is replaced."""

    def __init__(self, tokens: Sequence[str], public_url: str, v2: bool) -> None:
        self._tokens = tokens
        self._public_url = public_url
        self._v2 = v2

    def holds(self, hook: Hook) -> bool:
        """Whether the callback is signed with one of the tokens for this address and body."""
        url = public_address(self._public_url, hook.url).partition("#")[0]
        fields = form_fields(hook)
        nonce = hook.headers.get(V3_NONCE, "")
        if nonce and fields is not None and self._fits(hook, V3, f"{_v3(url, fields)}.{nonce}"):
            return True
        nonce = hook.headers.get(V2_NONCE, "")
        return self._v2 and bool(nonce) and self._fits(hook, V2, url.partition("?")[0] + nonce)

    def _fits(self, hook: Hook, names: Sequence[str], signed: str) -> bool:
        """Whether any header holds any token's signature; one header may list several."""
        given = [
            each.strip().encode(errors="replace")
            for name in names
            for each in hook.headers.get(name, "").split(",")
        ]
        wanted = [_signature(token, signed) for token in self._tokens]
        return any(hmac.compare_digest(one, each) for one in wanted for each in given)


def read(hook: Hook, currency: str, *, address_is_proven: bool) -> Receipt | Reply:
    """The receipt or reply that a callback is; raise ``Unreadable`` when it is neither."""
    found = form_fields(hook)
    if found is None:
        raise Unreadable("a Plivo callback is a form in UTF-8")
    fields = {name: values[0] for name, values in found.items()}
    number, status = identifier(fields.get("MessageUUID")), fields.get("Status", "")
    if number and status:
        send_id = reference(hook) if address_is_proven else ""
        return _receipt(number, status, fields, send_id, currency)
    if number and fields.get("From") and "Text" in fields:
        return Reply(PROVIDER, number, e164(fields["From"]), e164(fields.get("To")), fields["Text"])
    raise Unreadable("neither receipt nor reply: MessageUUID, Status or From and Text is missing")


def standing(told: Mapping[str, Json], number: str, send_id: str, currency: str) -> Receipt:
    """How a text stands by its record; raises ``Uncertain`` where that cannot be read."""
    status = written(told.get("message_state"))
    if told.get("message_uuid") != number or not status:
        raise Uncertain("Plivo's answer about a text is unreadable")
    names = {"ErrorCode": "error_code", "Units": "units", "TotalAmount": "total_amount"}
    fields = {ours: str(told.get(theirs) or "") for ours, theirs in names.items()}
    return _receipt(number, status, fields, send_id, currency)


def _receipt(
    number: str, status: str, fields: Mapping[str, str], send_id: str, currency: str
) -> Receipt:
    """Plivo's times name no zone: a stamp, not an instant."""
    code = fields.get("ErrorCode", "")
    code = "" if code == DELIVERED else code
    cost = _cost(fields)
    return Receipt(
        provider=PROVIDER,
        provider_id=number,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code=code,
        reason=reason(code),
        stamp=fields.get("DeliveryReportTime") or fields.get("SentTime", ""),
        send_id=send_id,
        segments=whole(fields.get("Units")),
        cost_micros=cost,
        currency=currency if cost is not None else "",
    )


def _cost(fields: Mapping[str, str]) -> int | None:
    """What the text cost in all: ``TotalAmount``, else the rate of each unit times the units."""
    total, rate = micros(fields.get("TotalAmount")), micros(fields.get("TotalRate"))
    units = whole(fields.get("Units"))
    if total is None and rate is not None and units:
        return int(Decimal(rate) * units)
    return total


def _v3(url: str, fields: Mapping[str, Sequence[str]]) -> str:
    """What V3 signs before the nonce: the address, its query by name, and every field by name."""
    base, _, asked = url.partition("?")
    query = _sorted(parse_qs(asked, keep_blank_values=True), "=", "&")
    body = _sorted(fields, "", "")
    if body:
        return f"{base}?{query}{'.' if query else ''}{body}"
    return f"{base}?{query}" if query else base


def _sorted(fields: Mapping[str, Sequence[str]], equals: str, joint: str) -> str:
    return joint.join(
        f"{name}{equals}{value}" for name in sorted(fields) for value in sorted(fields[name])
    )


def _signature(token: str, signed: str) -> bytes:
    digest = hmac.new(token.encode(), signed.encode(errors="replace"), hashlib.sha256).digest()
    return base64.b64encode(digest)
