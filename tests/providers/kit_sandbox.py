"""The sandbox in the contract: its other side is its script."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson

from connector.clock import text as instant_text
from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.sandbox import Sandbox
from tests.providers.contract import CLASSES, ID, MESSAGE, NOW, OURS, SECRET, SETTLED, Call

SCRIPTS: dict[str, dict[str, Any]] = {
    "accepted": {},
    **{each: {"fails": "refused", "reason": each} for each in CLASSES},
    "unheard_of": {"fails": "refused", "reason": "unknown", "error_code": "99999"},
    "configuration": {"fails": "deferred", "reason": "configuration"},
    "rate_limited": {"fails": "deferred", "reason": "rate_limited"},
    "unreachable": {"fails": "deferred", "reason": "timeout"},
    "server_error": {"fails": "uncertain", "reason": "unavailable"},
    "malformed": {"fails": "uncertain", "reason": "unknown"},
    "lost_untaken": {"fails": "uncertain", "taken": False},
    "lost_taken": {"fails": "uncertain"},
}


class SandboxKit:
    """The sandbox and its script."""

    does = frozenset(Ability) - {Ability.repeats_safely}
    over_http = False
    at_send = frozenset(CLASSES)
    codes: ClassVar[Mapping[str, str]] = {each: each for each in CLASSES}
    statuses: ClassVar[Mapping[str, Status]] = {each.value: each for each in Status}
    proof = frozenset({"x-sandbox-signature"})
    fresh_for = None
    opt_out_types = False
    currency = ""
    priced: frozenset[str] = frozenset()
    counted = frozenset({"accepted"})

    def __init__(self, folder: Path) -> None:
        self.outbox = folder / "out" / "texts.jsonl"
        self.settings = {"outbox": self.outbox, "secret": SECRET}
        self.provider: Provider = self.made()

    def made(self, *script: dict[str, Any]) -> Sandbox:
        return Sandbox(outbox=self.outbox, secret=SECRET, script=script, clock=lambda: SETTLED)

    def close(self) -> None:
        pass

    def arrange(self, fate: str) -> None:
        self.provider = self.made({"to": MESSAGE.to, **SCRIPTS[fate]})

    def answers(self, status: int, body: bytes) -> None:
        raise NotImplementedError

    def looks_up(self, status: int, body: bytes) -> None:
        raise NotImplementedError

    def acceptance(self) -> Mapping[str, Json]:
        raise NotImplementedError

    def calls(self) -> list[Call]:
        raise NotImplementedError

    def holds(self, *entries: Carried | Reply) -> None:
        self.outbox.parent.mkdir(parents=True, exist_ok=True)
        texts = sorted((e for e in entries if isinstance(e, Carried)), key=lambda e: e.at)
        self.outbox.write_bytes(b"".join(_line(_text(each)) for each in texts))
        replies = [each for each in entries if isinstance(each, Reply)]
        replies.sort(key=lambda each: each.occurred_at or NOW)
        kept = self.outbox.with_suffix(".replies.jsonl")
        kept.write_bytes(b"".join(_line(_reply(each)) for each in replies))

    def receipt(self, status: str, code: str = "") -> Hook:
        return self.posted(
            kind="receipt",
            provider_id=ID,
            send_id=MESSAGE.send_id,
            status=status,
            error_code=code,
            reason=code if code in CLASSES else "unknown" if code else "",
        )

    def reply(self, text: str, opt_out: str = "") -> Hook:
        return self.posted(**_reply(Reply("sandbox", "r1", MESSAGE.to, OURS, text, NOW)))

    def posted(self, **line: Any) -> Hook:
        return self.sign(orjson.dumps([{"at": instant_text(NOW), **line}]))

    def sign(self, body: bytes) -> Hook:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        url = "http://127.0.0.1:8080/providers/sandbox"
        return Hook("POST", url, {"x-sandbox-signature": signature}, body)


def _line(entry: Mapping[str, Any]) -> bytes:
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _text(entry: Carried) -> dict[str, Any]:
    return {
        "send_id": entry.send_id,
        "to": entry.to,
        "text": entry.text,
        "at": instant_text(entry.at),
        "provider_id": entry.provider_id,
    }


def _reply(entry: Reply) -> dict[str, Any]:
    return {
        "kind": "reply",
        "provider_id": entry.provider_id,
        "from": entry.sender,
        "to": entry.to,
        "text": entry.text,
        "at": instant_text(entry.occurred_at or NOW),
    }
