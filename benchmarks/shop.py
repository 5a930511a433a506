"""The shop that is measured: a folder made from the starters, and the people it may text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from connector import starters

KEY = "backend-key"
HERE = Path(__file__).parent
THREADS = 8  #: of the web, as config.example.toml has it
AREA_CODES = ("212", "303", "312", "404", "415", "512", "602", "617", "702", "713")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
EVENT_BYTES = 600

CONFIG = """
brand = "Corner Shop"
help_contact = "help@corner.example"
country = "US"
language = "en"
link_hosts = ["corner.example"]

[web]
host = "127.0.0.1"
port = {port}
public_url = "http://127.0.0.1:{port}"
threads = {threads}
backlog = 10000000
inbox_mb = 8192

[ledger]
folder = "{ledger}"

[log]
level = "info"

[sources.backend]
mapping = "segment"
trust = "trusted"
keys = ["file:key"]

[provider]
use = "twilio"
in_flight = {in_flight}

[providers.twilio]
account_sid = "AC00000000000000000000000000000000"
auth_tokens = ["file:key"]
from_number = "+15005550006"
base_url = "http://127.0.0.1:{provider}"

[crm]
use = "local"

[holdout]
enabled = false
"""


def folder(
    path: Path, *, port: int, provider: int = 9, in_flight: int = 64, ledger: str = "data"
) -> Path:
    """Write a working folder: the starters, hours open all day, nobody held out.

    ``provider`` is the port of the fake provider. The caps and the gap are the starters' own;
    nobody is texted twice, so that they never hold a text.
    """
    root = starters.root()
    path.mkdir(parents=True, exist_ok=True)
    for name in ("mappings", "templates"):
        shutil.copytree(root / name, path / name, dirs_exist_ok=True)
    shutil.copyfile(HERE / "hours.toml", path / "mappings" / "hours.toml")
    (path / "key").write_text(KEY)
    (path / "config.toml").write_text(
        CONFIG.format(
            port=port, provider=provider, in_flight=in_flight, ledger=ledger, threads=THREADS
        )
    )
    return path


def phone(number: int) -> str:
    """A mobile number for a person; up to 75 million are told apart."""
    area, line = divmod(number, 7_500_000)
    return f"+1{AREA_CODES[area]}{2_010_000 + line:07d}"


def identify(number: int) -> dict[str, object]:
    """The event by which a person becomes known, with consent to be texted."""
    return {
        "type": "identify",
        "userId": f"user-{number}",
        "messageId": f"known-{number}",
        "traits": {
            "phone": phone(number),
            "firstName": "Ann",
            "email": f"user-{number}@shopper.example",
            "timezone": ZONES[number % len(ZONES)],
            "sms_consent": True,
            "sms_consent_wording": "Yes, text me offers. Up to 6 a month. Reply STOP to end.",
        },
    }


def batches(first: int, count: int, size: int = 500) -> Iterator[bytes]:
    """Bodies for /v1/batch that make ``count`` people known."""
    for start in range(first, first + count, size):
        people = range(start, min(start + size, first + count))
        yield json.dumps({"batch": [identify(number) for number in people]}).encode()


def event(name: str, user: int | str, message_id: str) -> bytes:
    """A track event of ``EVENT_BYTES`` bytes, as a shop's server would send it."""
    known = {
        "type": "track",
        "event": name,
        "userId": f"user-{user}",
        "messageId": message_id,
        "properties": {
            "product_id": "622c6f5d5cf86a4c77358033",
            "sku": "8472-998-0112",
            "name": "Coffee mug, glazed, 350 ml",
            "price": 18.99,
            "currency": "USD",
            "category": "kitchen",
            "url": "https://corner.example/mugs/8472-998-0112",
        },
        "context": {
            "library": {"name": "analytics-python", "version": "2.3.4"},
            "page": {"url": "https://corner.example/mugs", "referrer": "https://search.example/"},
        },
    }
    short = len(json.dumps({**known, "note": ""}))
    return json.dumps({**known, "note": "x" * (EVENT_BYTES - short)}).encode()
