"""The shop of the proofs: people who may be texted, and orders that each lead to one text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.clock import TestClock
from tests.running import folder

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
PEOPLE = 500
PLAY = "order_confirmation"
EVENT = "Order Completed"

CONFIG = {
    "providers__sandbox": 'latency = {latency}\n[[providers.sandbox.script]]\nreceipts = ["sent"]',
    "log": 'level = "warning"',
}


def make(path: Path, port: int, latency: float = 0.02) -> Path:
    """A folder on which it is noon; nobody's texts are capped, and each gets one receipt.

    ``latency``: seconds that the provider takes for a text, so that calls are under way when
    the connector is killed.
    """
    sandbox = CONFIG["providers__sandbox"].format(latency=latency)
    folder(path, port, providers__sandbox=sandbox)
    config = (path / "config.toml").read_text()
    (path / "config.toml").write_text(config.replace('level = "info"', CONFIG["log"]))
    policy = path / "mappings" / "policy.toml"
    text = policy.read_text()
    assert "count = 10\n" in text, "the cap of service texts stands elsewhere now"
    policy.write_text(text.replace("count = 10\n", "count = 1000\n"))
    (path / "data").mkdir(exist_ok=True)
    TestClock(path / "data" / "clock").set(NOON)
    return path


def phone(person: int) -> str:
    """The number of a person."""
    return f"+1212{5_551_000 + person}"


def people() -> Iterator[dict[str, Any]]:
    """An event each that tells who a person is, and that texts about orders are welcome."""
    for person in range(PEOPLE):
        traits = {"phone": phone(person), "order_updates_consent": True, "firstName": "Ann"}
        yield {
            "type": "identify",
            "userId": f"person-{person}",
            "messageId": f"who-{person}",
            "traits": traits,
        }


def order(number: int) -> dict[str, Any]:
    """The event of an order; its text names the order, so that no two texts are alike."""
    return {
        "type": "track",
        "event": EVENT,
        "userId": f"person-{number % PEOPLE}",
        "messageId": f"order-{number}",
        "properties": {"order_id": f"O{number}", "total": 42.5, "currency": "USD"},
    }
