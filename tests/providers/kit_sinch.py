"""Sinch in the contract: its API and its callbacks, as its documentation and library write them."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson

from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.sinch import Sinch
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, SEGMENTS, TEXT
from tests.providers.http_side import DATE, HttpKit

PLAN = "jd63jf88477ll123ab4567cd89012ef3"
ROOT = f"https://eu.sms.api.sinch.com/xms/v1/{PLAN}"
CREATE = f"{ROOT}/batches"
LISTED = {
    name: re.compile(re.escape(f"{ROOT}/{name}") + r"\?.*")
    for name in ("batches", "delivery_reports", "inbounds")
}
REPORT = re.compile(re.escape(CREATE) + r"/[^/]+/delivery_report.*")
CALLBACK = f"https://sms.example.test/providers/sinch?s={MESSAGE.send_id}"
OK = {"Queued": 400, "Dispatched": 401, "Cancelled": 407}  # what is no error, in its codes


class SinchKit(HttpKit):
    """Sinch and its API by ``responses``."""

    does = frozenset(
        {
            *(Ability.finds, Ability.finds_by_reference, Ability.tells_status),
            *(Ability.lists_replies, Ability.lists_texts),
        }
    )
    create = CREATE
    takes_with = 201
    books = (*LISTED.values(), REPORT)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "not_mobile": (403, "illegal_number_type"),
        "content": (400, "syntax_constraint_violation"),
        "unheard_of": (400, "syntax_of_tomorrow"),
        "configuration": (401, "unauthorized"),
        "rate_limited": (429, "too_many_requests"),
        "server_error": (503, "unavailable"),
    }
    at_send = frozenset({"not_mobile", "content"})
    codes: ClassVar[Mapping[str, str]] = {"not_mobile": "416", "blocked": "402", "content": "411"}
    untold = frozenset({"invalid_number", "opted_out"})
    statuses: ClassVar[Mapping[str, Status]] = {
        "Queued": Status.accepted,
        "Dispatched": Status.sent,
        "Unknown": Status.sent,
        "Delivered": Status.delivered,
        "Rejected": Status.undelivered,
        "Deleted": Status.undelivered,
        "Expired": Status.undelivered,
        "Failed": Status.failed,
        "Aborted": Status.failed,
        "Cancelled": Status.canceled,
    }
    proof = frozenset(f"x-sinch-webhook-signature{part}" for part in ("", "-nonce", "-timestamp"))
    fresh_for = timedelta(hours=24)
    opt_out_types = False
    currency = ""
    priced: frozenset[str] = frozenset()
    counted = frozenset({"receipt"})

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.settings = {
            "service_plan_id": PLAN,
            "api_token": SECRET,
            "from_number": OURS,
            "clock": NOW.replace,  # called without a change it tells NOW, and can be pickled
            "callback_secrets": [SECRET],
            "region": "eu",
        }
        self.provider: Provider = Sinch(**self.settings)  # type: ignore[arg-type]

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"code": code, "text": wording}

    def lost(self, *, taken: bool) -> None:
        self.lists(batches=[batch()] if taken else [])

    def acceptance(self) -> Mapping[str, Json]:
        return batch()

    def holds(self, *entries: Carried | Reply) -> None:
        texts = [each for each in entries if isinstance(each, Carried)]
        replies = [each for each in entries if isinstance(each, Reply)]
        self.lists(
            batches=[
                batch(
                    id=each.provider_id,
                    to=[each.to[1:]],
                    body=each.text,
                    client_reference=each.send_id,
                    created_at=written(each.at),
                )
                for each in texts
            ],
            inbounds=[
                inbound(each.text, id=each.provider_id, received_at=written(each.occurred_at))
                for each in replies
            ],
        )
        if texts:
            listed = [{"code": 0, "count": 1, "status": texts[0].raw_status}]
            told = {"type": "delivery_report_sms", "batch_id": ID, "statuses": listed}
            self.side.answers("GET", REPORT, json=told, headers=DATE)
        else:
            self.side.answers("GET", REPORT, status=404, headers=DATE)

    def lists(self, **entries: list[dict[str, Any]]) -> None:
        for name, url in LISTED.items():
            page = {"count": len(entries.get(name, [])), "page": 0, name: entries.get(name, [])}
            self.side.answers("GET", url, json=page, headers=DATE)

    def receipt(self, status: str, code: str = "") -> Hook:
        usual = OK.get(status, 0)
        return self.sign(
            orjson.dumps(
                {
                    "type": "recipient_delivery_report_sms",
                    "batch_id": ID,
                    "recipient": MESSAGE.to[1:],
                    "code": int(code) if code else usual,
                    "status": status,
                    "at": written(NOW),
                    "client_reference": MESSAGE.send_id,
                    "number_of_message_parts": SEGMENTS,
                }
            )
        )

    def reply(self, text: str, opt_out: str = "") -> Hook:
        return self.sign(orjson.dumps(inbound(text)))

    def sign(self, body: bytes) -> Hook:
        return signed(body, SECRET)


def signed(body: bytes, secret: str) -> Hook:
    """A callback as package sinch 2.3.0 checks it: ``body.nonce.timestamp``."""
    nonce, stamp = "01FJA8B4A7BM43YGWSG9GBV067", str(int(NOW.timestamp()))
    what = body + f".{nonce}.{stamp}".encode()
    name = "x-sinch-webhook-signature"
    headers = {
        "content-type": "application/json",
        name: base64.b64encode(hmac.digest(secret.encode(), what, "sha256")).decode(),
        f"{name}-nonce": nonce,
        f"{name}-timestamp": stamp,
        f"{name}-algorithm": "HmacSHA256",
    }
    return Hook("POST", CALLBACK, headers, body)


def written(at: Any) -> str:
    """An instant as Sinch writes it."""
    return str(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def batch(**changes: Any) -> dict[str, Any]:
    """A batch as Sinch describes one."""
    return {
        "id": ID,
        "to": [MESSAGE.to[1:]],
        "from": OURS,
        "canceled": False,
        "body": TEXT,
        "type": "mt_text",
        "created_at": written(NOW),
        "modified_at": written(NOW),
        "delivery_report": "per_recipient",
        "expire_at": written(NOW + timedelta(hours=4)),
        "client_reference": MESSAGE.send_id,
        **changes,
    }


def inbound(text: str, **changes: Any) -> dict[str, Any]:
    """An inbound text as Sinch describes one; its numbers have no plus."""
    return {
        "type": "mo_text",
        "id": "01XXXXX21XXXXX119Z8P1XXXXX",
        "from": MESSAGE.to[1:],
        "to": OURS[1:],
        "body": text,
        "received_at": written(NOW),
        "operator_id": "310260",
        **changes,
    }
