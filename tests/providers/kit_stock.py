"""A described provider in the contract: the worked example of docs/providers.md, as it stands."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import orjson

from connector.config import stock
from connector.errors import Fault
from connector.messages import Carried, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider
from connector.providers.stock import Stock
from connector.providers.stock_terms import Terms
from tests.providers.contract import ID, MESSAGE, NOW, OURS, SECRET, SEGMENTS
from tests.providers.http_side import DATE, HttpKit

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
CREATE = "https://api.acme.example/v1/messages"
FIND = re.compile(re.escape(CREATE) + r"\?reference=.*")
ONE = re.compile(re.escape(CREATE) + r"/.+")
CALLBACK = "https://sms.example.test/providers/acme"
PRICE = {"amount": "0.0075", "currency": "EUR"}


def example(name: str = "acme") -> str:
    """The file of that name in the docs."""
    found = re.search(
        rf"```toml\n(# mappings/providers/{name}\.toml\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def terms_of(folder: Path, file: str, name: str = "acme") -> tuple[Terms | None, list[Fault]]:
    """A file as the configuration reads it, with its faults."""
    faults: list[Fault] = []
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(file, "utf-8")
    return stock.load(folder, faults, ("twilio",))[name], faults


class StockKit(HttpKit):
    """The invented gateway of the docs, by ``responses``."""

    does = frozenset(
        {
            *(Ability.finds, Ability.finds_by_reference, Ability.tells_status),
            Ability.repeats_safely,
        }
    )
    create = CREATE
    takes_with = 202
    books = (FIND, ONE)
    fates: ClassVar[Mapping[str, tuple[int, Any]]] = {
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
        super().__init__(lambda request: request.headers.get("Idempotency-Key", ""))
        terms, faults = terms_of(folder / "providers", example())
        assert terms is not None, faults
        self.settings: Mapping[str, Any] = {
            "terms": terms,
            "secret": SECRET,
            "callback_secrets": [SECRET],
            "from_number": OURS,
        }
        self.provider: Provider = Stock(**self.settings)

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        return {"error": {"code": code, "message": wording}}

    def lost(self, *, taken: bool) -> None:
        self.finds([(ID, MESSAGE.send_id)] if taken else [])

    def finds(self, entries: list[tuple[str, str]]) -> None:
        told = [{"id": number, "reference": ours} for number, ours in entries]
        self.side.answers("GET", FIND, json={"messages": told}, headers=DATE)

    def acceptance(self) -> Mapping[str, Json]:
        return {"id": ID, "status": "queued", "parts": SEGMENTS}

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
