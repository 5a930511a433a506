"""A described provider in the contract: the worked example of docs/providers.md, as it stands."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import orjson
import requests

from connector.config import stock
from connector.errors import Fault
from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.stock import Stock
from connector.providers.stock_terms import Terms
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, SEGMENTS, SETTLED, TEXT, Call
from tests.providers.http_side import HttpSide

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
CREATE = "https://api.acme.example/v1/messages"
FIND = re.compile(re.escape(CREATE) + r"\?reference=.*")
ONE = re.compile(re.escape(CREATE) + r"/.+")
CALLBACK = "https://sms.example.test/providers/acme"
DATE = {"Date": format_datetime(SETTLED, usegmt=True)}
PRICE = {"amount": "0.0075", "currency": "EUR"}

FATES = {
    "invalid_number": (422, 1001),
    "not_mobile": (422, 1002),
    "opted_out": (422, 1003),
    "blocked": (403, 1004),
    "content": (400, 1005),
    "unheard_of": (400, 98765),
    "configuration": (401, 0),
    "rate_limited": (429, 0),
    "server_error": (503, 0),
}


def example() -> str:
    """The file in the docs."""
    found = re.search(
        r"```toml\n(# mappings/providers/acme\.toml\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def terms_of(folder: Path, file: str, name: str = "acme") -> tuple[Terms | None, list[Fault]]:
    """A file as the configuration reads it, with its faults."""
    faults: list[Fault] = []
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(file, "utf-8")
    return stock.load(folder, faults, ("twilio",))[name], faults


class StockKit:
    """The invented gateway of the docs, by ``responses``."""

    does = frozenset(
        {
            *(Ability.finds, Ability.finds_by_reference, Ability.tells_status),
            Ability.repeats_safely,
        }
    )
    over_http = True
    at_send = frozenset({"invalid_number", "not_mobile", "opted_out", "blocked", "content"})
    codes: ClassVar[Mapping[str, str]] = {
        "invalid_number": "1001",
        "not_mobile": "1002",
        "opted_out": "1003",
        "blocked": "1004",
        "content": "1005",
    }
    statuses: ClassVar[Mapping[str, Status]] = {
        "QUEUED": Status.accepted,
        "SENT": Status.sent,
        "DELIVRD": Status.delivered,
        "UNDELIV": Status.undelivered,
        "EXPIRED": Status.undelivered,
        "REJECTD": Status.failed,
    }
    proof = frozenset({"x-acme-signature"})
    fresh_for = None
    opt_out_types = False
    currency = "EUR"
    priced = frozenset({"receipt", "status"})
    counted = frozenset({"accepted", "receipt", "status"})

    def __init__(self, folder: Path) -> None:
        self.side = HttpSide(lambda request: request.headers.get("Idempotency-Key", ""))
        terms, faults = terms_of(folder / "providers", example())
        assert terms is not None, faults
        self.settings: Mapping[str, Any] = {
            "terms": terms,
            "secret": SECRET,
            "callback_secrets": [SECRET],
            "from_number": OURS,
        }
        self.provider: Provider = Stock(**self.settings)

    def close(self) -> None:
        self.side.close()

    def arrange(self, fate: str) -> None:
        if fate in FATES:
            status, code = FATES[fate]
            wording = f"The number {MESSAGE.to} was told {TEXT} with {SECRET}"
            told = {"error": {"code": code, "message": wording}}
            self.side.answers("POST", CREATE, status=status, json=told)
        elif fate == "accepted":
            self.side.answers("POST", CREATE, status=202, json=self.acceptance())
        elif fate == "malformed":
            self.side.answers("POST", CREATE, status=200, body=b"<html>")
        elif fate == "unreachable":
            self.side.answers("POST", CREATE, body=requests.ConnectTimeout(f"to {MESSAGE.to}"))
        else:
            self.side.answers("POST", CREATE, body=requests.ReadTimeout(f"to {MESSAGE.to}"))
            self.finds([(ID, MESSAGE.send_id)] if fate == "lost_taken" else [])

    def finds(self, entries: list[tuple[str, str]]) -> None:
        told = [{"id": number, "reference": ours} for number, ours in entries]
        self.side.answers("GET", FIND, json={"messages": told}, headers=DATE)

    def answers(self, status: int, body: bytes) -> None:
        self.side.answers("POST", CREATE, status=status, body=body)

    def looks_up(self, status: int, body: bytes) -> None:
        for url in (FIND, ONE):
            self.side.answers("GET", url, status=status, body=body, headers=DATE)

    def acceptance(self) -> Mapping[str, Json]:
        return {"id": ID, "status": "queued", "parts": SEGMENTS}

    def calls(self) -> list[Call]:
        return self.side.calls()

    def holds(self, *entries: Carried | Reply) -> None:
        texts = [each for each in entries if isinstance(each, Carried)]
        self.finds([(each.provider_id, each.send_id) for each in texts])
        if texts:
            told = {"status": texts[0].raw_status, "parts": SEGMENTS, "price": PRICE}
            self.side.answers("GET", ONE, json=told, headers=DATE)
        else:
            self.side.answers("GET", ONE, status=404, headers=DATE)

    def receipt(self, status: str, code: str = "") -> Hook:
        event = {
            "id": ID,
            "status": status,
            "error": int(code or 0),
            "reference": MESSAGE.send_id,
            "time": NOW.isoformat(),
            "parts": SEGMENTS,
            "price": PRICE,
        }
        return self.sign(orjson.dumps({"type": "status", "events": [event]}))

    def reply(self, text: str, opt_out: str = "") -> Hook:
        told = {"id": "r1", "from": MESSAGE.to[1:], "to": OURS[1:], "text": text}
        return self.sign(orjson.dumps({"type": "message", "time": NOW.isoformat(), **told}))

    def sign(self, body: bytes) -> Hook:
        signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
        return Hook("POST", CALLBACK, {"x-acme-signature": signature}, body)


def asked(url: str) -> dict[str, list[str]]:
    """The query of an address that was asked for."""
    return parse_qs(urlsplit(url).query)
