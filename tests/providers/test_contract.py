"""Both adapters keep the contract; each kit is that adapter's other side."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import requests

from connector.clock import text as instant_text
from connector.model import Hook
from connector.providers import ADAPTERS, Provider
from connector.providers.sandbox import Sandbox
from connector.providers.twilio import Twilio
from tests.providers.contract import (
    MESSAGE,
    NOW,
    SECRET,
    SETTLED,
    TEXT,
    Kit,
    ProviderContract,
)
from tests.providers.twilio_side import LIST, TwilioSide, created

SCRIPTS: dict[str, dict[str, Any]] = {
    "accepted": {},
    **{
        reason: {"fails": "refused", "reason": reason}
        for reason in ("invalid_number", "not_mobile", "opted_out", "blocked", "content")
    },
    "unheard_of": {"fails": "refused", "reason": "unknown", "error_code": "99999"},
    "configuration": {"fails": "deferred", "reason": "configuration"},
    "rate_limited": {"fails": "deferred", "reason": "rate_limited"},
    "unreachable": {"fails": "deferred", "reason": "timeout"},
    "server_error": {"fails": "uncertain", "reason": "unavailable"},
    "malformed": {"fails": "uncertain", "reason": "unknown"},
    "lost_untaken": {"fails": "uncertain", "taken": False},
    "lost_taken": {"fails": "uncertain"},
}

CODES = {
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


class SandboxKit:
    """The sandbox's other side is its script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.provider: Provider = self.made()

    def made(self, *script: dict[str, Any]) -> Sandbox:
        return Sandbox(
            outbox=self.folder / "out" / "texts.jsonl",
            secret=SECRET,
            script=script,
            clock=lambda: NOW,
        )

    def arrange(self, fate: str) -> None:
        self.provider = self.made({"to": MESSAGE.to, **SCRIPTS[fate]})

    def receipt(self, provider_id: str, status: str) -> Hook:
        bad = status in ("undelivered", "failed")
        return self.posted(
            kind="receipt",
            provider_id=provider_id,
            send_id=MESSAGE.send_id,
            status=status,
            error_code="7" if bad else "",
            reason="not_mobile" if bad else "",
        )

    def reply(self, text: str) -> Hook:
        return self.posted(
            kind="reply", provider_id="SM1-reply", **{"from": MESSAGE.to}, to="sandbox", text=text
        )

    def posted(self, **line: Any) -> Hook:
        return self.sign(orjson.dumps([{**line, "at": instant_text(NOW)}]))

    def sign(self, body: bytes) -> Hook:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        url = "http://127.0.0.1:8080/providers/sandbox"
        return Hook("POST", url, {"x-sandbox-signature": signature}, body)


class TwilioKit:
    """Twilio's other side is ``responses``; unexpected and missing calls both fail."""

    def __init__(self, side: TwilioSide) -> None:
        self.side = side
        self.provider: Provider = side.adapter

    def arrange(self, fate: str) -> None:
        if fate in CODES:
            status, code = CODES[fate]
            wording = f"The number {MESSAGE.to} was told {TEXT}"
            self.side.answers_send(status=status, json={"code": code, "message": wording})
        elif fate == "accepted":
            self.side.answers_send(status=201, json=created())
        elif fate == "malformed":
            self.side.answers_send(status=201, body=b"<html>")
        elif fate == "unreachable":
            self.side.answers_send(body=requests.ConnectTimeout(f"to {MESSAGE.to}"))
        else:
            self.side.answers_send(body=requests.ReadTimeout(f"to {MESSAGE.to}"))
            self.lists([created()] if fate == "lost_taken" else [])

    def lists(self, messages: list[dict[str, Any]]) -> None:
        page = {**LIST, "messages": messages}
        # Looked up by one test only, so this call may be missing.
        self.side.answers_list(json=page, at=SETTLED, expected=False)

    def receipt(self, provider_id: str, status: str) -> Hook:
        bad = {"ErrorCode": "30006"} if status in ("undelivered", "failed") else {}
        fields = {"MessageSid": provider_id, "SmsSid": provider_id, "MessageStatus": status, **bad}
        return self.signed(f"?s={MESSAGE.send_id}", urlencode(fields).encode())

    def reply(self, text: str) -> Hook:
        fields = {
            "MessageSid": "SM2",
            "SmsStatus": "received",
            "From": MESSAGE.to,
            "To": "+15005550006",
            "Body": text,
        }
        return self.signed("", urlencode(fields).encode())

    def sign(self, body: bytes) -> Hook:
        return Hook("POST", "https://sms.example.test/", {"x-twilio-signature": "x"}, body)

    def signed(self, query: str, body: bytes) -> Hook:
        return self.side.signed(f"https://sms.example.test/providers/twilio{query}", body)


class TestSandbox(ProviderContract):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> Kit:
        return SandboxKit(tmp_path)


class TestTwilio(ProviderContract):
    @pytest.fixture
    def kit(self) -> Iterator[Kit]:
        with TwilioSide(SECRET) as side:
            yield TwilioKit(side)


def test_every_adapter_is_in_the_contract() -> None:
    tried = {Sandbox, Twilio}
    assert set(ADAPTERS.values()) == {f"{each.__module__}:{each.__name__}" for each in tried}


def test_verifying_callbacks_loads_no_http_client() -> None:
    program = "import connector.providers, sys; sys.exit('requests' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
