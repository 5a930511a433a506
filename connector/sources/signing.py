"""Signing a request as its sender would: for trying a source, never for the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

from connector.sources.signatures import Scheme, read_keys

_DIGESTS: Final = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
MESSAGE_ID: Final = "msg_try"
ANY_SECRET: Final = {"standard_webhooks": b"whsec_dHJ5", "basic": b"try:try"}
"""What stands in for a secret where nothing is to be proven."""


def some_secret(scheme: Scheme) -> bytes:
    """A secret of the form that a scheme wants, known to everybody."""
    return ANY_SECRET.get(scheme.scheme, b"try")


def sign(scheme: Scheme, secret: bytes, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which a request with this body would be proven; names in small letters.

    Raises ``ValueError`` where the secret cannot be one of the scheme, ``KeyError`` for a scheme
    that nobody signs here.
    """
    key, stamp = read_keys(scheme, [secret])[0], str(int(now.timestamp()))
    header = (scheme.header or "Authorization").lower()
    if scheme.scheme == "hmac":
        return {header: scheme.prefix + _written(scheme, key, body)}
    if scheme.scheme == "timestamped":
        signature = _written(scheme, key, f"{stamp}.".encode() + body)
        return {header: f"t={stamp},v1={signature}"}
    if scheme.scheme == "standard_webhooks":
        signed = b".".join([MESSAGE_ID.encode(), stamp.encode(), body])
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        told = {"webhook-id": MESSAGE_ID, "webhook-timestamp": stamp}
        return {**told, "webhook-signature": f"v1,{signature}"}
    plain = {
        "basic": lambda: "Basic " + base64.b64encode(key).decode(),
        "bearer": lambda: "Bearer " + key.decode("latin-1"),
        "header": lambda: scheme.prefix + key.decode("latin-1"),
    }
    return {header: plain[scheme.scheme]()}


def described(scheme: Scheme) -> str:
    """How a source proves its requests, in a few words."""
    header = scheme.header or "Authorization"
    written = f"{scheme.algorithm.upper()} HMAC, in {scheme.encoding}"
    minutes = f"{scheme.tolerance.total_seconds() / 60:g} min"
    return {
        "hmac": f"{header} bears {scheme.prefix}the body's {written}",
        "timestamped": f"{header} bears t=…,v1=…: the {written}, of time and body, at most "
        f"{minutes} old",
        "standard_webhooks": f"webhook-id, webhook-timestamp and webhook-signature, by Standard "
        f"Webhooks, at most {minutes} old",
        "basic": f"{header} bears the secret as user and password",
        "bearer": f"{header} bears the secret as a bearer token",
        "header": f"{header} bears {scheme.prefix}the secret itself",
    }.get(scheme.scheme, f"scheme {scheme.scheme}, {header}")


def signature_header(scheme: Scheme) -> str:
    """The header without which nothing is proven, in small letters."""
    if scheme.scheme == "standard_webhooks":
        return "webhook-signature"
    return (scheme.header or "Authorization").lower()


def _written(scheme: Scheme, key: bytes, signed: bytes) -> str:
    digest = hmac.new(key, signed, _DIGESTS[scheme.algorithm]).digest()
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
