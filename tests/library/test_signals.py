"""What the library's plays start from: events of Segment, Shopify and a site of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from connector import library
from connector.config.sources import load_source
from connector.errors import Fault
from connector.model import Event, Signal, Trust
from connector.rules.locate import locate
from connector.rules.mapping import Unmapped, apply
from connector.starters import root

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def told(
    source: str, name: str, body: Mapping[str, Any], trust: Trust = Trust.trusted
) -> Signal | Unmapped:
    faults: list[Fault] = []
    mapping = load_source(root() / "mappings" / "sources" / f"{source}.toml", faults)
    assert faults == []
    payload = body
    if mapping.adapter == "standard":
        headers = {"x-shopify-topic": name, "x-shopify-event-id": "e-1", "webhook-id": "e-1"}
        (one,) = locate(mapping, body, headers)
        name, payload = one.name, {"name": one.name, "item": one.item, "headers": headers}
    event = Event("evt_1", source, "1", "track", name, AT, AT, payload)
    return apply(mapping, event, trust, "US")


def heard(source: str, name: str, body: Mapping[str, Any]) -> Signal:
    signal = told(source, name, body)
    assert isinstance(signal, Signal), signal
    return signal


def test_a_step_into_the_checkout_is_no_cart() -> None:
    facts = {"checkout_id": "k1", "value": 80, "checkout_url": "https://corner.example/k1"}
    body = {"userId": "u-1", "event": "Checkout Step Viewed", "properties": facts}
    signal = heard("segment", "Checkout Step Viewed", body)
    assert (signal.name, signal.key) == ("checkout_started", "k1")
    assert signal.facts["checkout_url"] == "https://corner.example/k1"
    cart = heard("segment", "Checkout Started", {**body, "event": "Checkout Started"})
    assert cart.name == "cart_updated"


FACTS: Final = {"product_id": "p1", "name": "Oak stool", "price": 48, "was": 60}
PRICES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "segment": ("Product Price Changed", {"anonymousId": "catalogue", "properties": FACTS}),
    "standard": ("", {"type": "price.changed", "data": FACTS}),
    "shopify": (
        "products/update",
        {"id": "p1", "title": "Oak stool", "variants": [{"price": "48", "compare_at_price": "60"}]},
    ),
}


@pytest.mark.parametrize("source", PRICES)
def test_a_price_is_told_of_a_product_and_of_no_person(source: str) -> None:
    signal = heard(source, *PRICES[source])
    assert (signal.name, signal.thing, signal.key) == ("price_changed", "product", "p1")
    assert {signal.facts[name] for name in ("product", "price", "was")} == {"Oak stool", 48, 60}
    assert not signal.activity


def test_a_parcel_of_shopify_goes_by_the_number_of_its_order() -> None:
    body = {
        "id": 7,
        "name": "#1001.1",
        "email": "ann@home.example",
        "tracking_url": "https://t.example/1",
    }
    signal = heard("shopify", "fulfillments/create", body)
    assert signal.name == "order_shipped"
    assert signal.facts["order_id"] == "#1001"
    assert not signal.activity


def test_a_browser_says_nothing_of_products() -> None:
    body = {"anonymousId": "a-1", "properties": {"product_id": "p1", "price": 1}}
    assert isinstance(told("segment", "Product Price Changed", body, Trust.browser), Unmapped)


def test_what_a_server_does_is_no_activity() -> None:
    for name in ("Order Shipped", "Order Delivered", "Payment Failed", "Usage Reported"):
        assert not heard(
            "segment", name, {"userId": "u-1", "properties": {"order_id": "o1"}}
        ).activity
    assert heard("segment", "Session Started", {"userId": "u-1"}).activity


def test_the_document_names_every_play() -> None:
    page = Path(__file__).parents[2] / "docs" / "library.md"
    text = page.read_text(encoding="utf-8")
    missing = [play.name for play in library.plays() if f"`{play.name}`" not in text]
    assert not missing
