"""Telnyx in the contract: its API and its events, as its documentation and library write them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.reading import tagged
from connector.providers.telnyx import Telnyx
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.http_side import HttpKit

CREATE = "https://api.telnyx.com/v2/messages"
ONE = re.compile(re.escape(CREATE) + "/.+")
CALLBACK = "https://sms.example.test/providers/telnyx"
OCCURRED = "2027-03-01T12:00:00.148+00:00"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


class TelnyxKit(HttpKit):
    """Telnyx and its API by ``responses``."""

    does = frozenset({Ability.repeats_safely, Ability.tells_status})
    create = CREATE
    books = (ONE,)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "invalid_number": (400, "40310"),
        "opted_out": (400, "40300"),
        "content": (400, "40322"),
        "unheard_of": (400, "49999"),
        "configuration": (401, "10009"),
        "rate_limited": (429, "10011"),
        "server_error": (503, "10007"),
    }
    at_send = frozenset({"invalid_number", "opted_out", "content"})
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "40012",
        "not_mobile": "40001",
        "opted_out": "40300",
        "blocked": "40004",
        "content": "40002",
    }
    statuses: ClassVar[Mapping[str, Status]] = {
        "queued": Status.accepted,
        "sending": Status.accepted,
        "sent": Status.sent,
        "delivery_unconfirmed": Status.sent,
        "delivered": Status.delivered,
        "read": Status.delivered,
        "delivery_failed": Status.undelivered,
        "sending_failed": Status.failed,
        "expired": Status.failed,
    }
    proof = frozenset({"telnyx-signature-ed25519", "telnyx-timestamp"})
    fresh_for = timedelta(seconds=300)
    opt_out_types = True
    currency = "USD"
    priced = frozenset({"receipt", "status"})
    counted = frozenset({"accepted", "receipt", "status"})

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda request: request.headers.get("Idempotency-Key", ""))
        self.settings = {"api_key": SECRET, "public_keys": [PUBLIC], "from_number": OURS}
        self.provider: Provider = Telnyx(**self.settings)  # type: ignore[arg-type]

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"errors": [{"code": code, "title": wording, "detail": wording}]}

    def acceptance(self) -> Mapping[str, Json]:
        return {"data": {**outbound("queued"), "cost": None}}

    def holds(self, *entries: Carried | Reply) -> None:
        if entries and isinstance(entries[0], Carried):
            self.side.answers("GET", ONE, json={"data": outbound(entries[0].raw_status)})
        else:
            told = {"errors": [{"code": "10005", "title": "Resource not found"}]}
            self.side.answers("GET", ONE, status=404, json=told)

    def receipt(self, status: str, code: str = "") -> Hook:
        kind = "message.sent" if status == "sent" else "message.finalized"
        return self.event(kind, outbound(status, code))

    def reply(self, text: str, opt_out: str = "") -> Hook:
        payload = {
            "record_type": "message",
            "direction": "inbound",
            "id": "7ee4241c-f127-47e5-9c34-3aac291f8058",
            "type": "SMS",
            "from": {"phone_number": MESSAGE.to, "carrier": "", "line_type": "Wireless"},
            "to": [{"phone_number": OURS, "status": "webhook_delivered"}],
            "text": text,
            "parts": 1,
            "received_at": OCCURRED,
            "errors": [],
            **({"autoresponse_type": opt_out} if opt_out else {}),
        }
        return self.event("message.received", payload)

    def event(self, kind: str, payload: Mapping[str, Any]) -> Hook:
        data = {
            "record_type": "event",
            "id": "4ee8c3a6-4995-4309-a3c6-38e3db9ea4be",
            "event_type": kind,
            "occurred_at": OCCURRED,
            "payload": payload,
        }
        return self.sign(orjson.dumps({"data": data, "meta": {"attempt": 1}}))

    def sign(self, body: bytes) -> Hook:
        stamp = str(int(NOW.timestamp()))
        signature = base64.b64encode(SIGNER.sign(f"{stamp}|".encode() + body)).decode()
        headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
        return Hook("POST", f"{CALLBACK}?s={MESSAGE.send_id}", headers, body)


def outbound(status: str, code: str = "") -> dict[str, Any]:
    """An outbound message as Telnyx writes it in answers and events."""
    return {
        "record_type": "message",
        "direction": "outbound",
        "id": ID,
        "type": "SMS",
        "from": {"phone_number": OURS, "carrier": "TELNYX LLC", "line_type": "VoIP"},
        "to": [{"phone_number": MESSAGE.to, "status": status, "line_type": "Wireless"}],
        "text": TEXT,
        "parts": 2,
        "cost": {"amount": "0.0075", "currency": "USD"},
        "errors": [{"code": code, "title": "", "detail": TEXT}] if code else [],
        "webhook_url": tagged(MESSAGE.callback_url, MESSAGE.send_id),
    }
