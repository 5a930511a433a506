"""The bundled day: a Wednesday of Harbor Home, a shop with a fitting service, as plain data.

Everybody in it is invented, and no number in it can be anybody's (555-01xx).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

BRAND: Final = "Harbor Home"
HOST: Final = "harborhome.example"
ZONE: Final = ZoneInfo("America/New_York")
WORDING: Final = "Text me offers and reminders, up to 6 a month. Reply STOP to end it."
REPLY_AFTER: Final = timedelta(minutes=3)  #: how long a person takes to text back

PHONES: Final[Mapping[str, str]] = {
    "ann": "+12125550101",
    "ben": "+12125550102",
    "cleo": "+12125550103",
    "dan": "+12125550104",
    "eve": "+12125550105",
    "finn": "+12125550106",
    "gus": "+12125550107",
}


def at(clock: str, *, day: int = 18) -> datetime:
    """An instant of the story, by New York's clock; the 18th is the Wednesday."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


BEGINS: Final = at("08:30")
ENDS: Final = at("10:45", day=19)  #: after the last follow-up would have gone


@dataclass(frozen=True, slots=True)
class Scene:
    """What a person texts back when a text arrives that holds these words."""

    to: str
    contains: str
    reply: str


SCENES: Final = (
    Scene(PHONES["cleo"], "rather talk", "Today after 3 pm, please"),
    Scene(PHONES["gus"], "in your cart", "STOP"),
    Scene(PHONES["gus"], "unsubscribed", "Stop"),  # asked twice, answered once
)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens, and the request that tells the connector of it."""

    at: datetime
    says: str  #: in plain words
    source: str  #: which table of [sources] it speaks as
    path: str
    body: Mapping[str, Any]
    topic: str = ""  #: of a Shopify webhook
    times: int = 1  #: how often its sender delivers it


def moments() -> Iterator[Moment]:
    """The day's moments, in their order."""
    agreed = {"sms_consent": True, "cart_reminders_consent": True}
    yield _identify("08:30", "ann", {**agreed, "order_updates_consent": True})
    yield _identify("08:30", "finn", agreed)
    yield _identify("08:30", "gus", agreed)
    yield _cart("09:05", "ann", "c-101", "a desk lamp", 42.5)
    yield _checkout("09:10", "ben", "c-102", "a standing desk", "128.00")
    yield _agrees("09:20", "cleo")
    yield _form("09:20", "cleo", "form.started", "q-201", "your quote for a new bathroom")
    yield _cart("09:30", "gus", "c-103", "a coat rack", 35.0)
    yield _agrees("09:40", "dan")
    yield _form("09:40", "dan", "form.started", "q-202", "your request for a window repair")
    yield _identify("10:00", "eve", {"sms_consent": True})
    yield _signs_up("10:00", "eve")
    yield _orders("10:50", "ann", "1001", "c-101", 42.5)
    yield _form("11:30", "dan", "form.submitted", "q-202", "your request for a window repair")
    yield _looks_at_prices("12:00", "eve")
    yield _looks_at_prices("12:20", "eve")
    yield _cart("15:00", "gus", "c-104", "a shoe bench", 64.0)
    yield _cart("20:20", "finn", "c-105", "a bookcase", 89.0)


def _identify(clock: str, who: str, consents: Mapping[str, bool]) -> Moment:
    traits = {
        "firstName": who.title(),
        "phone": PHONES[who],
        "email": f"{who}@mail.example",
        "sms_consent_wording": WORDING,
        "cart_reminders_consent_wording": WORDING,
        **consents,
    }
    says = f"the shop's server tells who {who.title()} is, and what they agreed to"
    return _segment(clock, who, says, "identify", "backend", traits=traits)


def _signs_up(clock: str, who: str) -> Moment:
    says = f"{who.title()} signs up"
    return _segment(clock, who, says, "track", "backend", event="Signed Up", properties={})


def _cart(clock: str, who: str, cart: str, product: str, value: float) -> Moment:
    properties = {
        "cart_id": cart,
        "name": product,
        "value": value,
        "currency": "USD",
        "cart_url": f"https://{HOST}/cart/{cart}",
    }
    says = f"{who.title()} puts {product} into the cart, and leaves"
    event = "Product Added"
    return _segment(clock, who, says, "track", "site", event=event, properties=properties)


def _orders(clock: str, who: str, order: str, cart: str, total: float) -> Moment:
    properties = {"order_id": order, "cart_id": cart, "total": total, "currency": "USD"}
    says = f"{who.title()} orders after all"
    event = "Order Completed"
    return _segment(clock, who, says, "track", "backend", event=event, properties=properties)


def _looks_at_prices(clock: str, who: str) -> Moment:
    says = f"{who.title()} looks at the prices"
    return _segment(clock, who, says, "page", "site", properties={"path": "/pricing"})


def _segment(clock: str, who: str, says: str, kind: str, source: str, **told: Any) -> Moment:
    """A call as a Segment library makes it: in the page, or on the shop's server."""
    when = at(clock)
    body = {
        "type": kind,
        "userId": who,
        "messageId": f"{who}-{told.get('event', kind)}-{when:%d-%H%M}".lower().replace(" ", "-"),
        "timestamp": when.isoformat(),
        **told,
    }
    return Moment(when, says, source, f"/v1/{kind}", body)


def _checkout(clock: str, who: str, cart: str, product: str, total: str) -> Moment:
    """A webhook as Shopify sends it; the box for texts is not ticked."""
    when = at(clock)
    body = {
        "id": 35481578373102,
        "token": f"t-{cart}",
        "cart_token": cart,
        "email": f"{who}@mail.example",
        "phone": PHONES[who],
        "customer": {"id": 8102, "first_name": who.title(), "phone": None},
        "shipping_address": {"country_code": "US", "province_code": "NY", "zip": "10001"},
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "created_at": when.isoformat(),
        "updated_at": when.isoformat(),
        "completed_at": None,
        "abandoned_checkout_url": f"https://{HOST}/checkouts/{cart}/recover",
        "total_price": total,
        "currency": "USD",
        "customer_locale": "en",
        "line_items": [{"title": product, "quantity": 1, "price": total}],
    }
    says = f"{who.title()} leaves the checkout with {product}, and never agreed to texts"
    return Moment(when, says, "shop", "/in/shop", body, topic="checkouts/create", times=2)


def _agrees(clock: str, who: str) -> Moment:
    told = {"phone": PHONES[who], "first_name": who.title(), "wording": WORDING}
    says = f"{who.title()} agrees to texts from the fitting service"
    return _webhook(clock, who, says, "consent.given", told)


def _form(clock: str, who: str, name: str, form: str, about: str) -> Moment:
    words = "begins" if name.endswith("started") else "sends"
    says = f"{who.title()} {words} {about.replace('your', 'a', 1)}"
    return _webhook(clock, who, says, name, {"form_id": form, "form_name": about})


def _webhook(clock: str, who: str, says: str, name: str, told: Mapping[str, Any]) -> Moment:
    """A call by Standard Webhooks, as the service firm's own site makes it."""
    when = at(clock)
    body = {"type": name, "timestamp": when.isoformat(), "data": {"user_id": who, **told}}
    return Moment(when, says, "firm", "/in/firm", body)
