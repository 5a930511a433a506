"""What each shipped source sends: samples of its vendor's shape, how it signs them, and what each
of them comes to mean.

The data is invented. The samples are in the form that ``connector source try --payload`` reads.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "tests" / "samples"
ANN: Final = "+12025550123"

Sign = Callable[[bytes, bytes, datetime], dict[str, str]]
"""(secret, body, when it is sent) → the headers that prove it, computed here from the vendor's
document and not by the code that is tried."""


@dataclass(frozen=True)
class Meaning:
    """What one event of a sample comes to mean; of facts and traits only what is named."""

    signal: str
    key: str = ""
    subject: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    consents: tuple[tuple[str, bool, str], ...] = ()  #: (purpose, granted, number)
    wording: str = ""
    stage: str = ""
    amount: tuple[int, str] | None = None  #: millionths and currency of an outcome
    activity: bool = True


@dataclass(frozen=True)
class Kit:
    """A source as it is shipped: its mapping, its secret, its samples."""

    mapping: str
    secret: bytes
    sign: Sign
    samples: Mapping[str, tuple[Meaning, ...]]
    trust: str = "trusted"
    has_timestamp: bool = False
    others: tuple[bytes, ...] = ()  #: secrets that are not this source's

    def __str__(self) -> str:
        return self.mapping

    @property
    def first(self) -> str:
        """The sample that is forged, repeated and mangled."""
        return next(iter(self.samples))

    def sample(self, name: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of a sample."""
        told = json.loads((SAMPLES / self.mapping / f"{name}.json").read_text("utf-8"))
        return told["headers"], json.dumps(told["body"]).encode()


def hexed(header: str, algorithm: str, prefix: str = "") -> Sign:
    """An HMAC of the body, in hex."""
    return lambda secret, body, at: {header: prefix + hmac.new(secret, body, algorithm).hexdigest()}


def based(header: str, prefix: str = "") -> Sign:
    """An HMAC-SHA256 of the body, in base64."""

    def sign(secret: bytes, body: bytes, at: datetime) -> dict[str, str]:
        digest = hmac.new(secret, body, "sha256").digest()
        return {header: prefix + base64.b64encode(digest).decode()}

    return sign


def stamped(header: str) -> Sign:
    """``t=…,v1=…`` over ``{t}.{body}``, beside a v0 that nobody should believe."""

    def sign(secret: bytes, body: bytes, at: datetime) -> dict[str, str]:
        stamp = str(int(at.timestamp()))
        made = hmac.new(secret, stamp.encode() + b"." + body, "sha256").hexdigest()
        return {header: f"t={stamp},v1={made},v0={'0' * 64}"}

    return sign


def named(header: str) -> Sign:
    """A secret in a header of its own."""
    return lambda secret, body, at: {header: secret.decode()}


def webhooks(secret: bytes, body: bytes, at: datetime) -> dict[str, str]:
    """Standard Webhooks: ``{id}.{timestamp}.{body}`` under a key that is written in base64."""
    key = base64.b64decode(secret.removeprefix(b"whsec_"))
    stamp = str(int(at.timestamp()))
    made = hmac.new(key, b".".join([b"msg_2mK", stamp.encode(), body]), "sha256").digest()
    return {
        "webhook-id": "msg_2mK",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1a,AAAA v1,{base64.b64encode(made).decode()}",
    }


SHOPPER = {"user_id": "shopify:8", "phone": "+33612345678", "email": "ann@example.org"}
ORDER = {"anonymous_id": "shopify-order:5520001"}
BOOKED = "https://api.calendly.com/scheduled_events/EV1/invitees/IN1"
INVITEE = {"anonymous_id": f"calendly:{BOOKED}", "phone": ANN, "email": "ann@corner.example"}
BOOKER = {"anonymous_id": "calcom:bk_abc123", "phone": ANN, "email": "ann@corner.example"}
PAYER = {"anonymous_id": "stripe:cus_Q1", "phone": ANN, "email": "ann@corner.example"}
BUYER = {"user_id": "woocommerce:17", "phone": ANN, "email": "ann@corner.example"}
SERVICE = (("service", True, ANN),)

KITS: Final = (
    Kit(
        "segment_webhook",
        b"hush",
        hexed("X-Signature", "sha1"),
        {
            "checkout_started": (
                Meaning(
                    "cart_updated",
                    "c-830e",
                    {"user_id": "u-7", "anonymous_id": "a-1"},
                    {"value": 42.5, "cart_url": "https://shop.corner.example/cart?id=c-830e"},
                ),
            ),
            "identify": (
                Meaning(
                    "identified",
                    subject={
                        **{"user_id": "u-7", "anonymous_id": "a-1"},
                        **{"phone": ANN, "email": "ann@corner.example"},
                    },
                    traits={"first_name": "Ann"},
                    consents=(("marketing", True, ANN),),
                    wording="Text me offers. Reply STOP to end.",
                ),
            ),
        },
    ),
    Kit(
        "rudderstack_webhook",
        b"a-long-secret-of-the-header",
        named("X-Connector-Key"),
        {
            "order_completed": (
                Meaning(
                    "order_completed",
                    "50315",
                    {
                        **{"user_id": "u-8", "anonymous_id": "a-2"},
                        **{"phone": "+12025550144", "email": "bob@corner.example"},
                    },
                    {"order_id": "50315", "product": "Oak stool"},
                    {"first_name": "Bob"},
                    stage="customer",
                    amount=(60_000_000, "USD"),
                ),
            ),
        },
    ),
    Kit(
        "posthog_webhook",
        b"a-long-secret-of-the-header",
        named("X-Connector-Key"),
        {
            "order_completed": (
                Meaning(
                    "order_completed",
                    "50316",
                    {
                        "user_id": "u-9",
                        **{"phone": "+12025550155", "email": "cat@corner.example"},
                    },
                    {"order_id": "50316", "value": 75},
                    {"first_name": "Cat"},
                    stage="customer",
                    amount=(75_000_000, "USD"),
                ),
            ),
            "pageview": (
                Meaning("pricing_viewed", "", {"anonymous_id": "d-1"}, {"path": "/pricing"}),
            ),
        },
    ),
    Kit(
        "shopify",
        b"hush",
        based("X-Shopify-Hmac-Sha256"),
        {
            "checkouts_update": (
                Meaning(
                    "cart_updated",
                    "c1-830e",
                    SHOPPER,
                    {"value": 42.5, "product": "Mug"},
                    consents=(("marketing", True, "+33612345678"),),
                ),
            ),
            "orders_create": (
                Meaning(
                    "order_completed",
                    "5520001",
                    {**SHOPPER, **ORDER},
                    {"cart_id": "c1-830e"},
                    stage="customer",
                    amount=(42_100_000, "EUR"),
                ),
            ),
            "refunds_create": (Meaning("order_refunded", "5520001", ORDER, activity=False),),
            "fulfillments_create": (
                Meaning(
                    "order_shipped",
                    "255858046",
                    {**ORDER, "email": "ann@example.org"},
                    {"order_id": "#1042", "tracking_url": "https://parcels.example/1Z2345"},
                    activity=False,
                ),
            ),
            "customers_update": (
                Meaning("identified", "", SHOPPER, traits={"country": "FR"}, activity=False),
            ),
            "consent_update": (
                Meaning(
                    "consent_changed",
                    subject={"user_id": "shopify:8", "phone": "+33612345678"},
                    facts={"state": "subscribed"},
                    consents=(("marketing", True, "+33612345678"),),
                    activity=False,
                ),
            ),
        },
    ),
    Kit(
        "woocommerce",
        b"hush",
        based("X-WC-Webhook-Signature"),
        {
            "order_created": (
                Meaning(
                    "order_completed",
                    "727",
                    BUYER,
                    {"order_id": "727", "product": "Oak stool"},
                    {"country": "US", "region": "TX", "postal": "78701"},
                    SERVICE,
                    stage="customer",
                    amount=(42_500_000, "USD"),
                ),
            ),
            "order_pending": (
                Meaning(
                    "checkout_started",
                    "728",
                    # As it was typed in Germany: 0151 …, by a guest, who has no id.
                    {"phone": "+4915123456789", "email": "bob@corner.example"},
                    {
                        "checkout_url": "https://corner.example/checkout/order-pay/728/"
                        "?pay_for_order=true&key=wc_order_Zq2"
                    },
                ),
            ),
            "order_cancelled": (
                Meaning("order_cancelled", "727", BUYER, {"order_id": "727"}, activity=False),
            ),
            "customer_created": (Meaning("signed_up", "", BUYER, stage="lead"),),
            "product_updated": (
                Meaning("price_changed", "93", {}, {"price": 48.0, "was": 60.0}, activity=False),
            ),
        },
    ),
    Kit(
        "calendly",
        b"hush",
        stamped("Calendly-Webhook-Signature"),
        {
            "invitee_created": (
                Meaning(
                    "appointment_booked",
                    BOOKED,
                    INVITEE,
                    {
                        "service": "Eye test",
                        "starts_at": "2026-11-25T15:00:00.000000Z",
                        "place": "12 Mill St",
                    },
                    {"first_name": "Ann", "timezone": "America/New_York"},
                    SERVICE,
                ),
            ),
            "demo_created": (
                Meaning(
                    "meeting_booked",
                    BOOKED.replace("EV1", "EV2").replace("IN1", "IN2"),
                    facts={"host": "Bea Host"},
                    consents=SERVICE,
                    stage="lead",
                ),
            ),
            "invitee_moved": (Meaning("appointment_moved", BOOKED, INVITEE, activity=False),),
            "invitee_canceled": (
                Meaning("appointment_cancelled", BOOKED, INVITEE, activity=False),
            ),
            "no_show": (
                Meaning(
                    "appointment_missed",
                    BOOKED,
                    {"anonymous_id": f"calendly:{BOOKED}"},
                    activity=False,
                ),
            ),
        },
        has_timestamp=True,
    ),
    Kit(
        "calcom",
        b"hush",
        hexed("X-Cal-Signature-256", "sha256"),
        {
            "booking_created": (
                Meaning(
                    "appointment_booked",
                    "bk_abc123",
                    BOOKER,
                    {"service": "Eye test", "starts_at": "2026-11-25T15:00:00Z"},
                    {"first_name": "Ann", "timezone": "America/New_York"},
                    SERVICE,
                ),
            ),
            "booking_rescheduled": (
                Meaning("appointment_moved", "bk_abc123", activity=False),
                Meaning(
                    "appointment_booked",
                    "bk_new456",
                    facts={"starts_at": "2026-11-26T15:00:00Z"},
                    consents=SERVICE,
                ),
            ),
            "booking_cancelled": (
                Meaning("appointment_cancelled", "bk_abc123", BOOKER, activity=False),
            ),
            "no_show": (
                Meaning(
                    "appointment_missed",
                    "bk_abc123",
                    {"anonymous_id": "calcom:bk_abc123", "email": "ann@corner.example"},
                    activity=False,
                ),
            ),
            "meeting_ended": (Meaning("meeting_held", "bk_abc123", BOOKER, activity=False),),
        },
    ),
    Kit(
        "typeform",
        b"hush",
        based("Typeform-Signature", "sha256="),
        {
            # Anybody may type anybody's number: it is only proposed, and the e-mail beside it
            # names nobody either.
            "form_response": (
                Meaning(
                    "form_submitted",
                    "lT4Z3j",
                    {"anonymous_id": "typeform:a3a12ec67a1365927098a606107fac15"},
                    {"form_name": "A quote for your kitchen"},
                    {"first_name": "Ann"},
                    (("marketing", True, ANN),),
                    "May we text you offers, up to 6 a month? Reply STOP to end.",
                    stage="lead",
                ),
            ),
            "terms_only": (Meaning("form_submitted", "lT4Z3j", stage="lead"),),
        },
        trust="form",
    ),
    Kit(
        "stripe",
        b"whsec_hush",
        stamped("Stripe-Signature"),
        {
            "checkout_completed": (
                Meaning(
                    "order_completed",
                    "cs_live_a1B2c3D4e5F6",
                    PAYER,
                    {"order_id": "50314", "value": 42.5},
                    {"country": "US", "region": "TX"},
                    SERVICE,
                    stage="customer",
                    amount=(42_500_000, "USD"),
                ),
            ),
            "checkout_expired": (
                Meaning(
                    "cart_updated",
                    "cs_live_a1B2c3D4e5F6",
                    PAYER,
                    {"cart_url": "https://buy.stripe.com/r/live_x1", "value": 42.5},
                    activity=False,
                ),
            ),
            "payment_failed": (
                Meaning(
                    "payment_failed",
                    "in_1",
                    PAYER,
                    {
                        "attempt": 2,
                        "billing_url": "https://invoice.stripe.com/i/acct_1/live_x2",
                    },
                    activity=False,
                ),
            ),
            "trial_will_end": (
                Meaning(
                    "trial_ending",
                    "sub_1",
                    {"anonymous_id": "stripe:cus_Q1"},
                    {"plan": "Team"},
                    {"trial_ends_at": "2026-11-23"},
                    activity=False,
                ),
            ),
            "subscription_active": (Meaning("subscription_started", "sub_1", stage="customer"),),
            "subscription_deleted": (
                Meaning("subscription_cancelled", "sub_1", stage="former_customer", activity=False),
            ),
            "yen": (
                Meaning(
                    "order_completed",
                    "cs_live_yen00001",
                    facts={"order_id": "yen00001"},
                    stage="customer",
                    amount=(4_250_000_000, "JPY"),  # whole yen, not hundredths
                ),
            ),
        },
        has_timestamp=True,
    ),
    Kit(
        "standard",
        b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        webhooks,
        {
            "order_completed": (
                Meaning(
                    "order_completed",
                    "50314",
                    {"user_id": "u-7", "phone": "+14155550123", "email": "ann@example.org"},
                    {"order_id": 50314},
                    {"postal": "94103"},
                    (("service", True, "+14155550123"),),
                    stage="customer",
                    amount=(42_100_000, "USD"),
                ),
            ),
        },
        has_timestamp=True,
        others=(b"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",),
    ),
)


EACH_SAMPLE: Final = tuple((kit, name) for kit in KITS for name in kit.samples)
"""Every sample of every source."""
