"""A runtime of stand-ins for the doors: an inbox in memory, sources and providers that say yes."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.config.forms import Consent, Form
from connector.errors import Unverified
from connector.ledger.inbox import Delivery
from connector.model import Hook, Json, Trust
from connector.rules.traffic import Traffic
from connector.sources import Source
from connector.sources.posthog import PostHog
from connector.sources.segment import Segment
from connector.sources.standard import Standard
from connector.web.app import create_app
from connector.webside import Key

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass
class MemoryInbox:
    """Keeps what it is given; raises ``error`` instead where one is set."""

    deliveries: list[Delivery] = field(default_factory=list)
    error: Exception | None = None

    def append(self, delivery: Delivery) -> None:
        if self.error is not None:
            raise self.error
        self.deliveries.append(delivery)


@dataclass(frozen=True)
class Verify:
    scheme: str = "hmac"
    header: str = "X-Shop-Hmac"
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    tolerance: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Found:
    id: str
    name: str
    occurred_at: datetime | None
    item: Json


@dataclass(frozen=True)
class MappingFile:
    verify: Verify | None


@dataclass(frozen=True)
class Opened:
    adapter: Source
    mapping: MappingFile


class Provider:
    """A provider whose callbacks bear an HMAC of address and body."""

    name = "twilio"

    def verify(self, hook: Hook, now: datetime) -> None:
        signed = hook.url.encode() + hook.body
        if hook.headers.get("x-twilio-signature") != hmac.digest(b"token", signed, "sha256").hex():
            raise Unverified("the signature is not this account's")


@dataclass
class Web:
    public_url: str = "https://sms.example.org"
    trusted_proxies: int = 0
    country_header: str = ""
    cors_origins: tuple[str, ...] = ("*",)


NEWSLETTER = Form(
    name="newsletter",
    source="site_forms",
    origins=("https://shop.example",),
    fields={"phone": "tel", "email": "email", "first_name": "name", "anonymous_id": "aid"},
    required=("phone",),
    trap="website",
    opened="opened",
    min_fill=timedelta(seconds=3),
    consent=Consent("sms_ok", ("marketing",), "Text me offers. Reply STOP to end.", "v3"),
)


@dataclass
class Settings:
    web: Web = field(default_factory=Web)
    traffic: Traffic = field(default_factory=Traffic)
    country: str = "US"
    language: str = "en"
    forms: dict[str, Form] = field(default_factory=lambda: {"newsletter": NEWSLETTER})
    timezone: str = "UTC"


def locate(body: Json, headers: Mapping[str, str]) -> Sequence[Found]:
    return [Found(headers.get("x-shop-event-id", ""), "order", None, body)]


def standard(name: str, verify: Verify, secret: bytes) -> Opened:
    adapter = Standard(
        source=name, trust=Trust.trusted, secrets=[secret], verify=verify, locate=locate
    )
    return Opened(adapter, MappingFile(verify))


@dataclass
class Runtime:
    """What ``create_app`` asks for."""

    inbox: MemoryInbox = field(default_factory=MemoryInbox)
    settings: Settings = field(default_factory=Settings)
    problems: dict[str, str] = field(default_factory=dict)
    write_keys: dict[bytes, str] = field(
        default_factory=lambda: {
            b"site-key": "site",
            b"backend-key": "backend",
            b"project-key": "product",
        }
    )
    sources: Any = field(
        default_factory=lambda: {
            "site": Opened(
                Segment(source="site", trust=Trust.browser, keys=[b"site-key"]), MappingFile(None)
            ),
            "product": Opened(
                PostHog(source="product", trust=Trust.trusted, keys=[b"project-key"]),
                MappingFile(None),
            ),
            "shop": standard("shop", Verify(), b"hush"),
            "crm": standard("crm", Verify("bearer", "Authorization"), b"s3cret"),
        }
    )
    providers: Any = field(default_factory=lambda: {"twilio": Provider()})
    plays: Any = field(default_factory=lambda: {"welcome": object()})
    api_keys: tuple[Key, ...] = (
        Key("crm", b"an-api-key-of-24-letters", frozenset({"send", "operate"})),
        Key("reader", b"another-key-of-24-letters", frozenset({"read"})),
    )
    reloaded: dict[str, str] = field(
        default_factory=lambda: {"result": "reloaded", "version": "v1", "why": ""}
    )

    ledger_folder: Path | None = None
    store: Any = None  #: what writes to the ledger is tried over a real one
    crm: str = "local"
    new_id: Callable[[str], str] = lambda kind: f"{kind}_1"
    wake: Callable[[], None] = lambda: None

    def is_idle(self) -> bool:
        return True

    def asking(self) -> Any:
        raise AssertionError("the rules are asked over a real ledger")

    def reload(self, who: str) -> dict[str, str]:
        return self.reloaded

    clock: Callable[[], datetime] = lambda: NOW

    links: dict[str, str] = field(default_factory=dict)

    def leads_to(self, code: str) -> str:
        return self.links.get(code, "")

    def ready(self) -> dict[str, str]:
        return self.problems

    def metrics(self) -> str:
        return "# TYPE connector_events_total counter\nconnector_events_total 7\n"


@pytest.fixture
def rt() -> Runtime:
    return Runtime()


@pytest.fixture
def client(rt: Runtime) -> FlaskClient:
    return create_app(rt).test_client()
