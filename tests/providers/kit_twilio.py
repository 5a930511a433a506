"""Twilio in the contract: its API and its callbacks, as Twilio writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.twilio import Twilio
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET
from tests.providers.http_side import DATE, HttpKit
from tests.providers.twilio_side import ACCOUNT, MESSAGES_URL, SERVICE, created, signature

ONE = re.compile(MESSAGES_URL.replace(".json", "/[^/]+.json").replace(".", r"\."))
LISTED = re.compile(re.escape(MESSAGES_URL) + r"\?.*")
CALLBACK = "https://sms.example.test/providers/twilio"


class TwilioKit(HttpKit):
    """Twilio and its API by ``responses``."""

    does = frozenset(
        {Ability.finds, Ability.lists_texts, Ability.lists_replies, Ability.tells_status}
    )
    create = MESSAGES_URL
    takes_with = 201
    books = (LISTED, ONE)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "invalid_number": (400, 21211),
        "not_mobile": (400, 21614),
        "opted_out": (400, 21610),
        "blocked": (400, 21612),
        "content": (400, 21617),
        "unheard_of": (400, 21999),
        "configuration": (401, 20003),
        "rate_limited": (429, 20429),
        "server_error": (503, 20503),
    }
    at_send = frozenset({"invalid_number", "not_mobile", "opted_out", "blocked", "content"})
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "30005",
        "not_mobile": "30006",
        "opted_out": "21610",
        "blocked": "30004",
        "content": "30007",
    }
    statuses: ClassVar[Mapping[str, Status]] = {
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
    proof = frozenset({"x-twilio-signature"})
    fresh_for = None
    opt_out_types = True
    currency = "USD"
    priced = frozenset({"status", "carried"})
    counted = frozenset({"accepted", "status", "carried"})

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.settings = {
            "account_sid": ACCOUNT,
            "auth_tokens": [SECRET],
            "messaging_service_sid": SERVICE,
        }
        self.provider: Provider = Twilio(**self.settings)  # type: ignore[arg-type]

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"code": code, "message": wording}

    def lost(self, *, taken: bool) -> None:
        self.lists([created()] if taken else [])

    def acceptance(self) -> Mapping[str, Json]:
        return created(num_segments="2")

    def holds(self, *entries: Carried | Reply) -> None:
        when = {entry_at(each): each for each in entries}
        newest = sorted(entries, key=entry_at, reverse=True)
        assert when or not entries
        self.lists([_message(each) for each in newest])
        if entries and isinstance(entries[0], Carried):
            self.side.answers("GET", ONE, json=_message(entries[0]))
        else:
            self.side.answers("GET", ONE, status=404, json={"code": 20404, "status": 404})

    def lists(self, messages: list[dict[str, Any]]) -> None:
        page = {"messages": messages, "next_page_uri": None}
        self.side.answers("GET", LISTED, json=page, headers=DATE)

    def receipt(self, status: str, code: str = "") -> Hook:
        bad = {"ErrorCode": code} if code else {}
        fields = {"MessageSid": ID, "SmsSid": ID, "MessageStatus": status, **bad}
        return self.posted(f"{CALLBACK}?s={MESSAGE.send_id}", urlencode(fields).encode())

    def reply(self, text: str, opt_out: str = "") -> Hook:
        fields = {
            "MessageSid": "SM2",
            "SmsStatus": "received",
            "From": MESSAGE.to,
            "To": OURS,
            "Body": text,
            **({"OptOutType": opt_out} if opt_out else {}),
        }
        return self.sign(urlencode(fields).encode())

    def sign(self, body: bytes) -> Hook:
        return self.posted(CALLBACK, body)

    def posted(self, url: str, body: bytes) -> Hook:
        return Hook("POST", url, {"x-twilio-signature": signature(SECRET, url, body)}, body)


def entry_at(entry: Carried | Reply) -> Any:
    """When a text went, or a reply came."""
    return entry.at if isinstance(entry, Carried) else entry.occurred_at or NOW


def _message(entry: Carried | Reply) -> dict[str, Any]:
    at = format_datetime(entry_at(entry))
    if isinstance(entry, Reply):
        return created(
            sid=entry.provider_id,
            direction="inbound",
            status="received",
            to=entry.to,
            body=entry.text,
            date_created=at,
            **{"from": entry.sender},
        )
    return created(
        sid=entry.provider_id,
        status=entry.raw_status,
        to=entry.to,
        body=entry.text,
        date_created=at,
        num_segments=str(entry.segments),
        price="-0.0075",
    )
