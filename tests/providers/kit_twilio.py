"""Twilio in the contract: its API and its callbacks, as Twilio writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import requests

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.twilio import Twilio
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, SETTLED, TEXT, Call
from tests.providers.http_side import HttpSide
from tests.providers.twilio_side import ACCOUNT, MESSAGES_URL, SERVICE, created, signature

FATES = {
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
ONE = re.compile(MESSAGES_URL.replace(".json", "/[^/]+.json").replace(".", r"\."))
LISTED = re.compile(re.escape(MESSAGES_URL) + r"\?.*")
DATE = {"Date": format_datetime(SETTLED, usegmt=True)}
CALLBACK = "https://sms.example.test/providers/twilio"


class TwilioKit:
    """Twilio and its API by ``responses``."""

    does = frozenset(
        {Ability.finds, Ability.lists_texts, Ability.lists_replies, Ability.tells_status}
    )
    over_http = True
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
        self.side = HttpSide()
        self.settings = {
            "account_sid": ACCOUNT,
            "auth_tokens": [SECRET],
            "messaging_service_sid": SERVICE,
        }
        self.provider: Provider = Twilio(**self.settings)  # type: ignore[arg-type]

    def close(self) -> None:
        self.side.close()

    def arrange(self, fate: str) -> None:
        if fate in FATES:
            status, code = FATES[fate]
            wording = f"The number {MESSAGE.to} was told {TEXT} with {SECRET}"
            answer: dict[str, Any] = {"status": status, "json": {"code": code, "message": wording}}
        elif fate == "accepted":
            answer = {"status": 201, "json": self.acceptance()}
        elif fate == "malformed":
            answer = {"status": 201, "body": b"<html>"}
        elif fate == "unreachable":
            answer = {"body": requests.ConnectTimeout(f"to {MESSAGE.to}")}
        else:
            answer = {"body": requests.ReadTimeout(f"to {MESSAGE.to}")}
            self.lists([created()] if fate == "lost_taken" else [])
        self.side.answers("POST", MESSAGES_URL, **answer)

    def answers(self, status: int, body: bytes) -> None:
        self.side.answers("POST", MESSAGES_URL, status=status, body=body)

    def looks_up(self, status: int, body: bytes) -> None:
        for url in (LISTED, ONE):
            self.side.answers("GET", url, status=status, body=body, headers=DATE)

    def acceptance(self) -> Mapping[str, Json]:
        return created(num_segments="2")

    def calls(self) -> list[Call]:
        return self.side.calls()

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
