"""What expressions and texts are told of a person: history, segments, and the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connector.expressions import compile_expression, compile_template
from connector.steps import contexts, gather, writing
from tests.steps.build import HOUR, Shop, segment

OpenShop = Callable[..., Shop]


def told(shop: Shop, source: str, as_of: datetime | None = None, **more: Any) -> Any:
    """What an expression gives over the context of the first contact."""
    with shop.store.read() as tx:
        contact = gather.person(tx, "con_000001")
        assert contact is not None
        context = contexts.of(tx, shop.rt, contact, {}, {}, shop.clock(), as_of, **more)
        return compile_expression(source, strict=True)(context)


def test_history_and_what_was_seen_are_told_as_of_the_instant_that_is_judged(shop: Shop) -> None:
    shop.tell("cart_updated")
    begun = shop.clock()
    shop.tick(3 * HOUR)
    shop.tell("order_completed")
    asked = "did('cart_updated') and not did('order_completed')"
    assert told(shop, asked, begun) is True
    assert told(shop, asked) is False
    assert told(shop, "days_since(last('cart_updated')) * 24") == 3.0
    assert told(shop, "first_seen < last_seen and last_seen == now") is True


def test_segments_are_those_of_today_unless_a_version_brings_its_own(shop: Shop) -> None:
    shop.rt.segments = {"buyers": segment("buyers", "did('order_completed')")}
    shop.tell("cart_updated")
    older = {"buyers": segment("buyers", "did('cart_updated')")}
    assert told(shop, "in_segment('buyers')") is False
    assert told(shop, "in_segment('buyers')", segments=older) is True


def test_a_segment_reads_the_person_and_never_what_started_the_play(shop: Shop) -> None:
    shop.rt.segments = {"odd": segment("odd", "signal is defined or brand is defined")}
    shop.tell("cart_updated")
    assert told(shop, "in_segment('odd')") is False


@pytest.mark.parametrize(
    ("traits", "country", "price"),
    [
        ({}, "US", "$1,234.50"),
        ({"language": "es"}, "US", "Son $1,234.50"),
        ({"language": "es", "country": "ES"}, "US", "Son 1.234,50 US$"),
        ({"language": "es-MX"}, "US", "Son USD 1,234.50"),
        ({"language": "fr"}, "US", "$1,234.50"),  # an English text has English figures
        ({"language": "fr"}, "GB", "US$1,234.50"),
    ],
)
def test_figures_are_in_the_language_of_the_text_that_was_chosen(
    open_shop: OpenShop, traits: dict[str, str], country: str, price: str
) -> None:
    shop = open_shop()
    shop.rt.says = shop.rt.says.__class__("Corner Shop", country=country)
    shop.rt.templates = {
        ("price", "en"): compile_template("{{ signal.price | money }}"),
        ("price", "es"): compile_template("Son {{ signal.price | money }}"),
    }
    shop.tell("cart_updated", traits=traits)
    with shop.store.read() as tx:
        contact = gather.person(tx, "con_000001")
        assert contact is not None
        facts = contexts.of(tx, shop.rt, contact, {}, {"price": 1234.5}, shop.clock())
        text, _, fault = writing.write_text(shop.rt, "price", contact, facts, trusted=True)
    assert (text, fault) == (price, "")


def test_an_hour_is_told_on_the_persons_clock_or_the_operators(open_shop: OpenShop) -> None:
    shop = open_shop(zone="America/New_York")
    shop.clock.at = datetime.fromisoformat("2026-11-20T15:00:00+00:00")
    shop.tell("cart_updated")
    assert told(shop, "now | time") == "10:00 AM"
    shop.tick(timedelta(minutes=1))
    shop.tell("cart_updated", traits={"timezone": "Asia/Tokyo"})
    assert told(shop, "now | time('HH:mm')") == "00:01"
