"""Sinch's callbacks: the proof that they are Sinch's, and what they say.

https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/
The signature is as package sinch 2.3.0 checks it: HMAC-SHA256 of ``body.nonce.timestamp``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector.errors import Unreadable
from connector.messages import Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers.reading import e164, is_fresh, iso_date, json_object, whole
from connector.providers.sinch_errors import NO_ERRORS, reason

PROVIDER: Final = "sinch"
TAKEN: Final = Status.accepted
CANCELED: Final = Status.canceled

STATUSES: Final[Mapping[str, Status]] = {
    "Queued": Status.accepted,
    "Dispatched": Status.sent,
    "Unknown": Status.sent,  # the carrier's centre has it, and told nothing more
    "Delivered": Status.delivered,
    "Rejected": Status.undelivered,
    "Deleted": Status.undelivered,
    "Expired": Status.undelivered,
    "Failed": Status.failed,
    "Aborted": Status.failed,
    "Cancelled": Status.canceled,
}
RANKS: Final = ("Queued", "Dispatched")  #: what a report of several entries may be left at

FRESH: Final = timedelta(hours=24)
"""Sinch repeats a callback for up to 23 hours, and nobody says that it is signed anew each time.
What is repeated changes nothing, so old age is no danger; a lost STOP is."""
AHEAD: Final = timedelta(minutes=5)

SIGNATURE: Final = "x-sinch-webhook-signature"


@dataclass(frozen=True, slots=True)
class Proof:
    """The secrets that prove a callback; any of them does."""

    secrets: Sequence[str]
    logins: Sequence[str]  #: user:password

    def holds(self, hook: Hook, now: datetime) -> bool:
        """Whether the callback is signed, or its sender knows the password."""
        return self._signed(hook, now) or self._logged_in(hook)

    def _signed(self, hook: Hook, now: datetime) -> bool:
        given, nonce, stamp = (
            hook.headers.get(name, "").encode("latin-1", "replace")
            for name in (SIGNATURE, f"{SIGNATURE}-nonce", f"{SIGNATURE}-timestamp")
        )
        if not given or not nonce or not is_fresh(stamp, now, FRESH, AHEAD):
            return False
        signed = b".".join((hook.body, nonce, stamp))
        wanted = [hmac.digest(each.encode(), signed, "sha256") for each in self.secrets if each]
        return any([hmac.compare_digest(base64.b64encode(each), given) for each in wanted])

    def _logged_in(self, hook: Hook) -> bool:
        kind, _, written = hook.headers.get("authorization", "").strip().partition(" ")
        try:
            given = base64.b64decode(written.strip().encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return False
        fits = [hmac.compare_digest(given, each.encode()) for each in self.logins if each]
        return kind.lower() == "basic" and any(fits)


def read(hook: Hook) -> Sequence[Receipt | Reply]:
    """What a callback says; raise ``Unreadable`` when it is neither receipt nor reply.

    Our reference is read from the signed body; the address, which no signature covers, is not.
    """
    told = json_object(hook.body)
    kind = told.get("type")
    if kind == "recipient_delivery_report_sms" and told.get("batch_id") and told.get("status"):
        return [_receipt(told, str(told["batch_id"]), str(told.get("client_reference") or ""))]
    if kind == "delivery_report_sms" and told.get("batch_id"):
        found = reported(told, str(told["batch_id"]), str(told.get("client_reference") or ""))
        return [found] if found else []
    if kind in ("mo_text", "mo_media", "mo_binary") and told.get("id") and told.get("from"):
        return [reply(told)]
    raise Unreadable("neither receipt nor reply: type, batch_id, status, id or from is missing")


def reported(told: Mapping[str, Json], provider_id: str, send_id: str) -> Receipt | None:
    """The receipt in a report on a whole batch, which is of one text; None where none is told.

    Raises ``Unreadable`` where it is no such report.
    """
    listed = told.get("statuses")
    if not isinstance(listed, list):
        raise Unreadable("a delivery report lists its statuses, and this one does not")
    entries = [each for each in listed if isinstance(each, dict) and each.get("status")]
    if not entries:
        return None
    final = [each for each in entries if each["status"] not in RANKS]
    return _receipt(final[-1] if final else entries[-1], provider_id, send_id)


def reply(told: Mapping[str, Json]) -> Reply:
    """An inbound text; a picture without words is an empty one."""
    body = told.get("body")
    written = body if isinstance(body, str) and told.get("type") == "mo_text" else ""
    if isinstance(body, dict):
        written = str(body.get("message") or "")
    return Reply(
        provider=PROVIDER,
        provider_id=str(told.get("id") or ""),
        sender=e164(told.get("from")),
        to=e164(told.get("to")),
        text=written,
        occurred_at=iso_date(told.get("received_at")),
    )


def _receipt(told: Mapping[str, Json], provider_id: str, send_id: str) -> Receipt:
    code, status = str(told.get("code") or ""), str(told["status"])
    at = told.get("operator_status_at") or told.get("at")
    return Receipt(
        provider=PROVIDER,
        provider_id=provider_id,
        status=STATUSES.get(status, Status.unknown),
        raw_status=status,
        error_code="" if code in NO_ERRORS else code,
        reason=reason(code),
        occurred_at=iso_date(at),
        stamp=str(at or ""),
        send_id=send_id,
        segments=whole(told.get("number_of_message_parts")),
    )
