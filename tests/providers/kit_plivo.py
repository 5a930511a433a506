"""Plivo in the contract: its API and callbacks, as its documentation and library write them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.plivo import Plivo
from tests.providers.contract import ID, MESSAGE, OURS, SECRET
from tests.providers.http_side import HttpKit

ACCOUNT = "MA" + "X" * 18
CREATE = f"https://api.plivo.com/v1/Account/{ACCOUNT}/Message/"
ONE = re.compile(re.escape(CREATE) + "[^/?]+/")
CALLBACK = "https://sms.example.test/providers/plivo"
NONCE = "80141613862041567711"


class PlivoKit(HttpKit):
    """Plivo and its API by ``responses``."""

    does = frozenset({Ability.tells_status})
    create = CREATE
    takes_with = 202
    books = (ONE,)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "unheard_of": (400, None),
        "configuration": (401, None),
        "rate_limited": (429, None),
        "server_error": (500, None),
    }
    at_send: frozenset[str] = frozenset()
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "50",
        "not_mobile": "100",
        "opted_out": "200",
        "blocked": "90",
        "content": "30",
    }
    statuses: ClassVar[Mapping[str, Status]] = {
        "queued": Status.accepted,
        "sent": Status.sent,
        "delivered": Status.delivered,
        "read": Status.delivered,
        "undelivered": Status.undelivered,
        "failed": Status.failed,
        "rejected": Status.failed,
    }
    proof = frozenset({"x-plivo-signature-ma-v3", "x-plivo-signature-v3-nonce"})
    fresh_for = None
    opt_out_types = False
    currency = "USD"
    priced = frozenset({"receipt", "status"})
    counted = frozenset({"receipt", "status"})

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.settings = {"auth_id": ACCOUNT, "auth_tokens": [SECRET], "from_number": OURS}
        self.provider: Provider = Plivo(**self.settings)  # type: ignore[arg-type]

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"api_id": "97ceeb52", "error": wording}

    def acceptance(self) -> Mapping[str, Json]:
        return {"api_id": "db342550", "message": "message(s) queued", "message_uuid": [ID]}

    def holds(self, *entries: Carried | Reply) -> None:
        if entries and isinstance(entries[0], Carried):
            self.side.answers("GET", ONE, json=record(entries[0]))
        else:
            self.side.answers("GET", ONE, status=404, json={"error": "not found"})

    def receipt(self, status: str, code: str = "") -> Hook:
        fields = {
            "MessageUUID": ID,
            "From": OURS[1:],
            "To": MESSAGE.to[1:],
            "Type": "sms",
            "Status": status,
            "ErrorCode": code or ("000" if status == "delivered" else ""),
            "Units": "2",
            "TotalRate": "0.00375",
            "TotalAmount": "0.00750",
            "MCC": "310",
            "MNC": "004",
            "Sequence": "3",
            "MessageTime": "2027-03-01 12:00:00.000000",
        }
        return self.posted(f"{CALLBACK}?s={MESSAGE.send_id}", urlencode(fields).encode())

    def reply(self, text: str, opt_out: str = "") -> Hook:
        fields = {
            "From": MESSAGE.to[1:],
            "To": OURS[1:],
            "Type": "sms",
            "Text": text,
            "MessageUUID": "bb881e43-7e8d-41fc-bf83-5f00074bd2b2",
        }
        return self.sign(urlencode(fields).encode())

    def sign(self, body: bytes) -> Hook:
        return self.posted(CALLBACK, body)

    def posted(self, url: str, body: bytes) -> Hook:
        headers = {
            "x-plivo-signature-ma-v3": f"other,{v3(SECRET, url, body, NONCE)}",
            "x-plivo-signature-v3-nonce": NONCE,
        }
        return Hook("POST", url, headers, body)


def record(entry: Carried) -> dict[str, Any]:
    """A text's own record, as Plivo gives it."""
    return {
        "api_id": "95747262",
        "error_code": "000",
        "from_number": OURS[1:],
        "message_direction": "outbound",
        "message_state": entry.raw_status,
        "message_time": "2027-03-01 17:30:00+05:30",
        "message_type": "sms",
        "message_uuid": entry.provider_id,
        "to_number": entry.to[1:],
        "total_amount": "0.00750",
        "total_rate": "0.00375",
        "units": 2,
        "error_message": "",
    }


def v3(token: str, url: str, body: bytes, nonce: str) -> str:
    """X-Plivo-Signature-V3 of a posted form, as plivo-python 4.63.0 builds it."""
    base, _, query = url.partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    told = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    asked_text = "&".join(f"{n}={v}" for n in sorted(asked) for v in sorted(asked[n]))
    told_text = "".join(f"{n}{v}" for n in sorted(told) for v in sorted(told[n]))
    if asked_text or told_text:
        base += f"?{asked_text}"
    if asked_text and told_text:
        base += "."
    signed = f"{base}{told_text}.{nonce}".encode(errors="replace")
    return base64.b64encode(hmac.new(token.encode(), signed, hashlib.sha256).digest()).decode()
