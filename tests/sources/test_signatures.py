"""Every way of signing, by vectors that others published and by requests that must not pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import Unverified
from connector.model import Hook
from connector.sources.signatures import basic_credentials, is_any, read_keys, verify

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Scheme:
    scheme: str
    header: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    tolerance: timedelta = timedelta(minutes=5)


def hook(headers: dict[str, str], body: bytes = b"{}") -> Hook:
    return Hook("POST", "https://sms.example.org/in/shop", headers, body)


def passes(
    scheme: Scheme,
    secret: bytes | list[bytes],
    headers: dict[str, str],
    body: bytes = b"{}",
    now: datetime = NOW,
) -> bool:
    keys = read_keys(scheme, secret if isinstance(secret, list) else [secret])
    try:
        verify(scheme, keys, hook(headers, body), now)
    except Unverified:
        return False
    return True


HEX = Scheme("hmac", "X-Signature")
BASE64 = Scheme("hmac", "X-Signature", encoding="base64")
ORDER = b'{"id":820982911946154508,"email":"jon@example.com"}'
HUBSPOT = b"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
TWILIO = (
    b"https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309"
    b"Digits1234From+14158675309To+18005551212"
)

PUBLISHED = {
    # Shopify's documentation, quoted by Shopify/shopify_python_api test/session_test.py (MIT).
    "Shopify's OAuth query": (
        HEX,
        b"hush",
        b"code=a94a110d86d2452eb3e2af4cfb8a3828&shop=some-shop.myshopify.com&timestamp=1337178173",
        "2cb1a277650a659f1b11e92a4a64275b128e037f2c3390e3c8fd2d8721dac9e2",
    ),
    # An SQL test of a public hmac function, not Shopify's own.
    "a Shopify webhook": (
        BASE64,
        b"test-webhook-secret",
        b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}',
        "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=",
    ),
    # HubSpot/hubspot-api-python tests/spec/utils/test_signature.py (Apache-2.0): v3, whose signed
    # string is method, address, body and timestamp.
    "HubSpot v3's string": (
        BASE64,
        HUBSPOT,
        b"POSThttps://www.example.com/webhook_uri{'example_field':'example_value'}1693657560000",
        "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    ),
    # twilio/twilio-python tests/unit/test_request_validator.py (MIT): address and sorted form.
    "Twilio's string, SHA-1": (
        Scheme("hmac", "X-Signature", "sha1", "base64"),
        b"12345",
        TWILIO,
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
}
COMPUTED = {
    # One body and one secret, in the spelling each sender documents.
    "Shopify, WooCommerce": (BASE64, "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="),
    "Typeform": (
        Scheme("hmac", "X-Signature", encoding="base64", prefix="sha256="),
        "sha256=D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8=",
    ),
    "Segment's webhooks": (
        Scheme("hmac", "X-Signature", "sha1"),
        "a14b110eb3eb15d651646878b8dee97eb197df36",
    ),
    "Cal.com": (HEX, "0f450c5e6863c01462e32eba4e6849ac3961400043ef32367e6de9ebf40b328f"),
    "Cal.com in capitals": (
        HEX,
        "0F450C5E6863C01462E32EBA4E6849AC3961400043EF32367E6DE9EBF40B328F",
    ),
    "GitHub style": (
        Scheme("hmac", "X-Signature", prefix="sha256="),
        "sha256=0f450c5e6863c01462e32eba4e6849ac3961400043ef32367e6de9ebf40b328f",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_signature_passes_and_a_changed_body_does_not(name: str) -> None:
    scheme, secret, body, signature = PUBLISHED[name]
    assert passes(scheme, secret, {"x-signature": signature}, body)
    assert not passes(scheme, secret, {"x-signature": signature}, body + b" ")
    assert not passes(scheme, secret + b"x", {"x-signature": signature}, body)


@pytest.mark.parametrize("name", COMPUTED)
def test_each_sender_s_spelling_passes_and_a_changed_one_does_not(name: str) -> None:
    scheme, signature = COMPUTED[name]
    assert passes(scheme, b"hush", {"x-signature": signature}, ORDER)
    for place in range(len(signature)):
        other = "0" if signature[place] != "0" else "1"
        changed = signature[:place] + other + signature[place + 1 :]
        assert not passes(scheme, b"hush", {"x-signature": changed}, ORDER)


STRIPE = Scheme("timestamped", "Stripe-Signature")
SIGNED_AT = datetime.fromtimestamp(1790000000, UTC)
V1 = "985e215560d7cc3622fafc8c0664ba150f24c4da9b3bba084419a84d6a922c3a"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"t=1790000000,v1={V1}", True),
        (f"t=1790000000, v1={V1}", True),
        (f"t=1790000000,v1={'0' * 64},v1={V1}", True),  # Stripe while a secret is rotated
        (f"t=1790000000,v1={V1},v0={'0' * 64}", True),
        (f"t=1790000000,v0={V1}", False),  # v0 is for tests and never trusted
        (f"t=1790000001,v1={V1}", False),
        (f"t=1790000000,t=1790000001,v1={V1}", False),
        (f"t=1790000000,v1={V1[:-1]}b", False),
        (f"t=,v1={V1}", False),
        (f"t=-1790000000,v1={V1}", False),
        (f"t=1790000000.5,v1={V1}", False),
        (f"t=１790000000,v1={V1}", False),
        (f"v1={V1}", False),
        ("t=1790000000", False),
        ("", False),
        (",,,===", False),
    ],
)
def test_a_timestamped_signature(header: str, expected: bool) -> None:
    found = passes(STRIPE, b"hush", {"stripe-signature": header}, ORDER, SIGNED_AT)
    assert found is expected


@pytest.mark.parametrize("seconds", [-301, -300, 0, 300, 301])
def test_a_timestamp_may_be_five_minutes_off_either_way(seconds: int) -> None:
    now = SIGNED_AT + timedelta(seconds=seconds)
    headers = {"stripe-signature": f"t=1790000000,v1={V1}"}
    assert passes(STRIPE, b"hush", headers, ORDER, now) is (abs(seconds) <= 300)


# standard-webhooks/standard-webhooks libraries/javascript/src/webhook.test.ts (MIT).
WEBHOOK = Scheme("standard_webhooks")
WEBHOOK_SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WEBHOOK_BODY = b'{"test": 2432232314}'
WEBHOOK_AT = datetime.fromtimestamp(1614265330, UTC)
WEBHOOK_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, True),
        ({"webhook-signature": "v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, True),
        ({"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="}, False),
        ({"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, False),
        ({"webhook-signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, False),
        ({"webhook-signature": "v1,"}, False),
        ({"webhook-id": "msg_other"}, False),
        ({"webhook-id": ""}, False),
        ({"webhook-timestamp": "1614265331"}, False),
        ({"webhook-timestamp": "hello"}, False),
        ({"webhook-timestamp": "9" * 400}, False),
    ],
)
def test_a_standard_webhook(changes: dict[str, str], expected: bool) -> None:
    headers = WEBHOOK_HEADERS | changes
    found = passes(WEBHOOK, WEBHOOK_SECRET, headers, WEBHOOK_BODY, WEBHOOK_AT)
    assert found is expected


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_standard_webhook_from_another_time_is_refused(minutes: int) -> None:
    now = WEBHOOK_AT + timedelta(minutes=minutes)
    assert not passes(WEBHOOK, WEBHOOK_SECRET, WEBHOOK_HEADERS, WEBHOOK_BODY, now)


@pytest.mark.parametrize(
    ("scheme", "secret", "value", "expected"),
    [
        ("basic", b"ann:pass:word", b"ann:pass:word", True),
        ("basic", b"ann:password", b"ann:other", False),
        ("basic", b"ann:password", b"ann", False),
    ],
)
def test_basic_credentials_are_compared_whole(
    scheme: str, secret: bytes, value: bytes, expected: bool
) -> None:
    header = "Basic " + base64.b64encode(value).decode()
    assert passes(Scheme(scheme), secret, {"authorization": header}) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer s3cret", True),
        ("bearer  s3cret ", True),
        ("Basic s3cret", False),
        ("s3cret", False),
        ("Bearer s3cre", False),
        ("Bearer", False),
    ],
)
def test_a_bearer_token(header: str, expected: bool) -> None:
    assert passes(Scheme("bearer"), b"s3cret", {"authorization": header}) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("Key s3cret", True), ("s3cret", False), ("Key S3cret", False), ("Key s3cret2", False)],
)
def test_a_secret_in_a_header_of_its_own(header: str, expected: bool) -> None:
    scheme = Scheme("header", "X-Shop-Key", prefix="Key ")
    assert passes(scheme, b"s3cret", {"x-shop-key": header}) is expected


SCHEMES = [
    HEX,
    BASE64,
    Scheme("hmac", "X-Signature", "sha1", prefix="sha1="),
    Scheme("timestamped", "X-Signature"),
    WEBHOOK,
    Scheme("basic"),
    Scheme("bearer"),
    Scheme("header", "X-Signature"),
]


def a_secret(scheme: Scheme) -> bytes:
    return {"standard_webhooks": WEBHOOK_SECRET, "basic": b"u:p"}.get(scheme.scheme, b"hush")


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.scheme)
@settings(deadline=None, max_examples=50)
@given(value=st.text(max_size=60))
def test_no_header_passes_by_chance_or_breaks_the_check(scheme: Scheme, value: str) -> None:
    headers = {
        name: value for name in ("x-signature", "authorization", "webhook-id", "webhook-signature")
    }
    stamp = {"webhook-timestamp": str(int(NOW.timestamp()))}
    assert not passes(scheme, a_secret(scheme), headers | stamp)
    assert not passes(scheme, a_secret(scheme), headers | {"x-signature": f"t=1,v1={value}"})


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.scheme)
def test_a_missing_header_says_which_and_reveals_nothing(scheme: Scheme) -> None:
    secret = a_secret(scheme)
    with pytest.raises(Unverified) as caught:
        verify(scheme, read_keys(scheme, [secret]), hook({}), NOW)
    assert "is missing" in str(caught.value)
    assert secret.decode() not in str(caught.value)


def test_the_refusal_does_not_tell_what_would_have_been_right() -> None:
    right = hmac.new(b"hush", b"{}", hashlib.sha256).hexdigest()
    with pytest.raises(Unverified) as caught:
        verify(HEX, read_keys(HEX, [b"hush"]), hook({"x-signature": "0" * 64}), NOW)
    assert right not in str(caught.value) and "hush" not in str(caught.value)
    assert "compare this source's secret" in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(body=st.binary(max_size=200), place=st.integers(0, 2))
def test_any_of_several_secrets_passes_while_they_are_rotated(body: bytes, place: int) -> None:
    secrets = [b"old", b"new", b"newest"]
    signature = hmac.new(secrets[place], body, hashlib.sha256).hexdigest()
    assert passes(HEX, secrets, {"x-signature": signature}, body)
    assert not passes(HEX, [b"other", b"third"], {"x-signature": signature}, body)


def test_a_secret_with_letters_beyond_ascii_is_compared_as_bytes() -> None:
    scheme = Scheme("header", "X-Shop-Key")
    as_wsgi_hands_it_over = "schlüssel".encode().decode("latin-1")
    assert passes(scheme, "schlüssel".encode(), {"x-shop-key": as_wsgi_hands_it_over})


@pytest.mark.parametrize(
    ("scheme", "secrets", "says"),
    [
        (HEX, [], "at least one"),
        (HEX, [b""], "at least one"),
        (WEBHOOK, [b"whsec_!!"], "whsec_"),
        (WEBHOOK, [b"whsec_"], "whsec_"),
        (Scheme("basic"), [b"password"], "user:password"),
    ],
)
def test_a_secret_that_cannot_be_one_is_a_fault(
    scheme: Scheme, secrets: list[bytes], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        read_keys(scheme, secrets)


@pytest.mark.parametrize("value", ["", "Basic", "Basic !!", "Basic YQ", "Bearer YQ==", "Basic é"])
def test_what_is_no_basic_header_holds_no_credentials(value: str) -> None:
    assert basic_credentials(value) == b""


def test_nothing_is_among_no_keys() -> None:
    assert not is_any(b"", [])
    assert is_any(b"a", [b"b", b"a"])
