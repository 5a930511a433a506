"""HubSpot's three signatures, and which of them counts where.

Document: developers.hubspot.com, build apps, authentication, request validation. A request that
bears anything of v3 is proven by v3 or not at all; v1 and v2 have no time in them, and count only
where HubSpot sends nothing better.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.errors import Unverified
from connector.model import Hook
from connector.sources.signatures import is_any

V1: Final = "v1"  #: over secret and body: what webhook subscriptions bear
V2: Final = "v2"  #: over method and address too: what workflows bear
V3_HEADER: Final = "x-hubspot-signature-v3"
STAMP_HEADER: Final = "x-hubspot-request-timestamp"
HEADER: Final = "x-hubspot-signature"
VERSION_HEADER: Final = "x-hubspot-signature-version"
TOLERANCE: Final = timedelta(minutes=5)

DECODED: Final = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
"""What HubSpot decodes in the address before it signs by v3, and nothing else."""

_CODES = re.compile("|".join(DECODED), re.IGNORECASE)
_COMPARE = (
    "compare client_secrets with the app's client secret, and [web] public_url with the address "
    "that HubSpot calls"
)


def verify(secrets: Sequence[str], hook: Hook, now: datetime, allowed: Sequence[str] = ()) -> None:
    """Return if one of the app's client secrets made the request's signature.

    ``allowed`` are the older versions that count where nothing of v3 was sent. Raises
    ``Unverified`` saying what to compare.
    """
    if not secrets:
        raise Unverified("there are no client_secrets under [crms.hubspot], so nothing is believed")
    if V3_HEADER in hook.headers or STAMP_HEADER in hook.headers:
        _check_v3(secrets, hook, now)
    else:
        _check_older(secrets, hook, allowed)


def v1(secret: str, body: bytes) -> str:
    """SHA-256 over secret and body, in hex."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def v2(secret: str, method: str, url: str, body: bytes) -> str:
    """SHA-256 over secret, method, whole address and body, in hex."""
    return hashlib.sha256(f"{secret}{method}{url}".encode() + body).hexdigest()


def v3(secret: str, method: str, url: str, body: bytes, stamp: str) -> str:
    """HMAC-SHA-256 over method, address (decoded as HubSpot does), body and time, in base64."""
    address = _CODES.sub(lambda found: DECODED[found.group().upper()], url)
    signed = f"{method}{address}".encode() + body + stamp.encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def _check_v3(secrets: Sequence[str], hook: Hook, now: datetime) -> None:
    given, stamp = hook.headers.get(V3_HEADER, ""), hook.headers.get(STAMP_HEADER, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
        raise Unverified("X-HubSpot-Request-Timestamp is not in milliseconds of unix time")
    seconds = abs(now.timestamp() - int(stamp) / 1000)
    if seconds > TOLERANCE.total_seconds():
        raise Unverified(
            f"the timestamp is {seconds:.0f} s from this server's clock: "
            "an old request sent again, or this server's clock is wrong"
        )
    wanted = [v3(secret, hook.method, hook.url, hook.body, stamp).encode() for secret in secrets]
    if not is_any(raw(given), wanted):
        raise Unverified(f"the signature in X-HubSpot-Signature-v3 does not match: {_COMPARE}")


def _check_older(secrets: Sequence[str], hook: Hook, allowed: Sequence[str]) -> None:
    given = hook.headers.get(HEADER, "")
    if not given:
        raise Unverified("the request is not signed: HubSpot signs what an app of yours sends")
    version = hook.headers.get(VERSION_HEADER, V1).strip().lower()
    if version not in allowed:
        raise Unverified(f"a signature of version {version!r:.20} does not count at this address")
    made = [
        v1(secret, hook.body) if version == V1 else v2(secret, hook.method, hook.url, hook.body)
        for secret in secrets
    ]
    if not is_any(raw(given.lower()), [each.encode() for each in made]):
        raise Unverified(f"the signature in X-HubSpot-Signature does not match: {_COMPARE}")


def raw(header: str) -> bytes:
    """A header's own bytes: WSGI hands them over as Latin-1."""
    return header.encode("latin-1", "backslashreplace")
