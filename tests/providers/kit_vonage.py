"""Vonage in the contract: its Messages API and callbacks, as its libraries' tests write them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import jwt
import orjson

from connector.clock import now
from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.vonage import Vonage
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.http_side import HttpKit

CREATE = "https://api.nexmo.com/v1/messages"
CALLBACK = "https://sms.example.test/providers/vonage"
ERRORS = "https://developer.vonage.com/api-errors"
OCCURRED = "2027-03-01T12:00:03.010Z"


class VonageKit(HttpKit):
    """Vonage and its API by ``responses``."""

    does: frozenset[Ability] = frozenset()
    create = CREATE
    takes_with = 202
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "invalid_number": (422, f"{ERRORS}/messages#1170"),
        "blocked": (422, f"{ERRORS}/messages#1050"),
        "unheard_of": (422, f"{ERRORS}/messages#1999"),
        "configuration": (401, f"{ERRORS}/#unauthorized"),
        "rate_limited": (429, f"{ERRORS}/#throttled"),
        "server_error": (500, f"{ERRORS}/messages#1030"),
    }
    at_send = frozenset({"invalid_number", "blocked"})
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "1190",
        "not_mobile": "1310",
        "opted_out": "1240",
        "blocked": "1280",
        "content": "1210",
    }
    statuses: ClassVar[Mapping[str, Status]] = {
        "submitted": Status.sent,
        "delivered": Status.delivered,
        "read": Status.delivered,
        "rejected": Status.undelivered,
        "undeliverable": Status.failed,
    }
    proof = frozenset({"authorization"})
    fresh_for = timedelta(hours=25)
    opt_out_types = False
    currency = "EUR"
    priced = frozenset({"receipt"})
    counted = frozenset({"receipt"})

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.settings = {
            "api_key": "abcd1234",
            "api_secret": SECRET,
            "signature_secrets": [SECRET],
            "from_number": OURS,
            "clock": now,
        }
        given: dict[str, Any] = {**self.settings, "clock": lambda: NOW}
        self.provider: Provider = Vonage(**given)

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"type": code, "title": wording, "detail": wording, "instance": "bf0ca0bf"}

    def acceptance(self) -> Mapping[str, Json]:
        return {"message_uuid": ID}

    def holds(self, *entries: Carried | Reply) -> None:
        raise NotImplementedError

    def receipt(self, status: str, code: str = "") -> Hook:
        problem = {"type": f"{ERRORS}/messages#{code}", "title": code, "detail": TEXT}
        told = {
            "message_uuid": ID,
            "to": MESSAGE.to[1:],
            "from": OURS[1:],
            "timestamp": OCCURRED,
            "status": status,
            "channel": "sms",
            "client_ref": MESSAGE.send_id,
            "usage": {"currency": "EUR", "price": "0.0075"},
            "sms": {"count_total": "2"},
            "destination": {"network_code": "12345"},
            **({"error": problem} if code else {}),
        }
        return self.sign(orjson.dumps(told))

    def reply(self, text: str, opt_out: str = "") -> Hook:
        told = {
            "channel": "sms",
            "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
            "to": OURS[1:],
            "from": MESSAGE.to[1:],
            "timestamp": OCCURRED,
            "text": text,
            "sms": {"num_messages": "1", "keyword": text.partition(" ")[0].upper()},
        }
        return self.sign(orjson.dumps(told))

    def sign(self, body: bytes) -> Hook:
        token = signed(body, int(NOW.timestamp()))
        url = f"{CALLBACK}?s={MESSAGE.send_id}"
        return Hook("POST", url, {"authorization": f"Bearer {token}"}, body)


def signed(body: bytes, at: int, secret: str = SECRET, **claims: Any) -> str:
    """A token of a body as Vonage makes one."""
    told = {
        "iss": "Vonage",
        "iat": at,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "api_key": "abcd1234",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        **claims,
    }
    return jwt.encode(told, secret, algorithm="HS256")
