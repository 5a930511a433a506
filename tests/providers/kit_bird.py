"""Bird in the contract: its Channels API and its callbacks, as its documentation writes them."""

from __future__ import annotations

import base64
import hashlib
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
from connector.providers.bird import Bird
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, TEXT
from tests.providers.http_side import DATE, HttpKit

WORKSPACE, CHANNEL = "a1405560-c8d3-4b1a-877d-3f449ad95352", "614208aa-b153-4d5d-9989-2fddfc0ce4c3"
CREATE = f"https://api.bird.com/workspaces/{WORKSPACE}/channels/{CHANNEL}/messages"
OUT, IN = (
    re.compile(re.escape(CREATE) + rf"\?direction={direction}&.*")
    for direction in ("outgoing", "incoming")
)
ONE = re.compile(re.escape(CREATE) + r"/[^/?]+$")
CALLBACK = "https://sms.example.test/providers/bird"


class BirdKit(HttpKit):
    """Bird and its API by ``responses``."""

    does = frozenset(
        {
            *(Ability.finds, Ability.finds_by_reference, Ability.tells_status),
            *(Ability.lists_replies, Ability.lists_texts),
        }
    )
    create = CREATE
    takes_with = 202
    books = (OUT, IN, ONE)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "unheard_of": (422, "InvalidPayload"),
        "configuration": (401, "Unauthorized"),
        "rate_limited": (429, "TooManyRequests"),
        "server_error": (503, "Unavailable"),
    }
    at_send: frozenset[str] = frozenset()
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "15005",
        "blocked": "12003",
        "content": "12002",
    }
    untold = frozenset({"not_mobile", "opted_out"})
    statuses: ClassVar[Mapping[str, Status]] = {
        "accepted": Status.accepted,
        "processing": Status.accepted,
        "scheduled": Status.accepted,
        "sent": Status.sent,
        "delivered": Status.delivered,
        "delivery_failed": Status.undelivered,
        "sending_failed": Status.failed,
        "rejected": Status.failed,
    }
    proof = frozenset({"messagebird-signature", "messagebird-request-timestamp"})
    fresh_for = timedelta(hours=9)
    opt_out_types = False
    currency = ""
    priced: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.settings = {
            "workspace_id": WORKSPACE,
            "channel_id": CHANNEL,
            "access_key": SECRET,
            "signing_keys": [SECRET],
        }
        self.provider: Provider = Bird(**self.settings)  # type: ignore[arg-type]

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"code": code, "message": wording}

    def lost(self, *, taken: bool) -> None:
        self.lists(OUT, [outgoing("accepted")] if taken else [])

    def acceptance(self) -> Mapping[str, Json]:
        return outgoing("accepted")

    def holds(self, *entries: Carried | Reply) -> None:
        texts = [each for each in entries if isinstance(each, Carried)]
        self.lists(OUT, [_listed(each) for each in texts])
        self.lists(
            IN,
            [
                incoming(each.text, id=each.provider_id, createdAt=written(each.occurred_at))
                for each in entries
                if isinstance(each, Reply)
            ],
        )
        if texts:
            self.side.answers("GET", ONE, json=_listed(texts[0]))
        else:
            self.side.answers("GET", ONE, status=404, json={"code": "NotFound"})

    def lists(self, url: re.Pattern[str], messages: list[dict[str, Any]]) -> None:
        self.side.answers("GET", url, json={"results": messages}, headers=DATE)

    def receipt(self, status: str, code: str = "") -> Hook:
        return self.event("sms.outbound", outgoing(status, code))

    def reply(self, text: str, opt_out: str = "") -> Hook:
        return self.event("sms.inbound", incoming(text))

    def event(self, name: str, payload: Mapping[str, Any]) -> Hook:
        told = {"service": "channels", "event": name, "payload": payload}
        return self.sign(orjson.dumps(told))

    def sign(self, body: bytes) -> Hook:
        return signed(body, SECRET, CALLBACK)


def signed(body: bytes, key: str, url: str) -> Hook:
    """A callback as Bird's page on verifying a webhook subscription says."""
    stamp = str(int(NOW.timestamp()))
    what = f"{stamp}\n{url}\n".encode() + hashlib.sha256(body).digest()
    signature = base64.b64encode(hmac.digest(key.encode(), what, "sha256")).decode()
    headers = {"messagebird-signature": signature, "messagebird-request-timestamp": stamp}
    return Hook("POST", url, headers, body)


def written(at: Any) -> str:
    """An instant as Bird writes it."""
    return str(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def outgoing(status: str, code: str = "", **changes: Any) -> dict[str, Any]:
    """A message of ours as Bird describes one."""
    failure = {"code": int(code or 0), "source": {"name": "sms-messagebird", "code": "1"}}
    return {
        "id": ID,
        "channelId": CHANNEL,
        "sender": {"connector": {"id": "86cc4dc0-3dc0-41b7-ac43-8ec829ead56f"}},
        "receiver": {
            "contacts": [
                {
                    "id": "32cf5eee-f940-422c-ab8c-5f753aad5efd",
                    "identifierKey": "phonenumber",
                    "identifierValue": MESSAGE.to,
                }
            ]
        },
        "body": {"type": "text", "text": {"text": TEXT}},
        "reference": MESSAGE.send_id,
        "parts": [{"platformReference": "e8077d803532c0b5937c639b60216938"}],
        "status": status,
        "direction": "outgoing",
        "lastStatusAt": written(NOW),
        "createdAt": written(NOW),
        "updatedAt": written(NOW),
        **({"failure": failure, "reason": f"details: {TEXT}"} if code else {}),
        **changes,
    }


def incoming(text: str, **changes: Any) -> dict[str, Any]:
    """An inbound text as Bird describes one."""
    return {
        "id": "96a0b5fa-a986-453d-be5c-3117f989f025",
        "channelId": CHANNEL,
        "sender": {
            "contact": {
                "id": "32cf5eee-f940-422c-ab8c-5f753aad5efd",
                "identifierKey": "phonenumber",
                "identifierValue": MESSAGE.to,
            }
        },
        "receiver": {
            "connector": {
                "id": "86cc4dc0-3dc0-41b7-ac43-8ec829ead56f",
                "identifierValue": OURS,
            }
        },
        "body": {"type": "text", "text": {"text": text}},
        "status": "delivered",
        "direction": "incoming",
        "createdAt": written(NOW),
        **changes,
    }


def _listed(text: Carried) -> dict[str, Any]:
    to = {"contacts": [{"identifierKey": "phonenumber", "identifierValue": text.to}]}
    return outgoing(
        text.raw_status,
        id=text.provider_id,
        receiver=to,
        body={"type": "text", "text": {"text": text.text}},
        reference=text.send_id,
        createdAt=written(text.at),
    )
