"""Proving that a request comes from who holds the secret, in every way senders sign.

A scheme is configuration, not code: what is signed, how it is written and how old it may be
stand in the source's mapping file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from connector.errors import Unverified
from connector.model import Hook


class Scheme(Protocol):
    """How a source signs: the ``[verify]`` table of its mapping file."""

    @property
    def scheme(self) -> str:
        """hmac, timestamped, standard_webhooks, basic, bearer or header."""

    @property
    def header(self) -> str:
        """The header that carries the signature or the secret; "" takes the scheme's own."""

    @property
    def algorithm(self) -> str:
        """sha256 or sha1."""

    @property
    def encoding(self) -> str:
        """hex or base64."""

    @property
    def prefix(self) -> str:
        """What stands before the signature or the secret, such as ``sha256=``."""

    @property
    def tolerance(self) -> timedelta:
        """How far the sender's timestamp may be from our clock, either way."""


MAX_SIGNATURES: Final = 16
_DIGESTS = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
_COMPARE = "compare this source's secret with the one set at the sender"
_BATCH = (
    "the body is a list, of which some senders (Segment) sign the first event only, so that nobody "
    "vouches for the rest: have the sender make a request for each event (turn batching off)"
)

_Check = Callable[[Scheme, Sequence[bytes], Hook, datetime], None]


def verify(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    """Return if one of ``keys`` (see :func:`read_keys`) made the request's signature.

    Every key is tried, each in constant time over raw bytes. Raises ``Unverified`` saying what to
    check, without saying what would have been right.
    """
    _CHECKS[scheme.scheme](scheme, keys, hook, now)


def read_keys(scheme: Scheme, secrets: Sequence[bytes]) -> tuple[bytes, ...]:
    """The keys behind the configured secrets; several are for rotation.

    Raises ``ValueError`` saying what a secret of this scheme looks like.
    """
    if not secrets or not all(secrets):
        raise ValueError("at least one secret is needed, and none may be empty")
    if scheme.scheme == "standard_webhooks":
        return tuple(_webhook_key(secret) for secret in secrets)
    if scheme.scheme == "basic" and not all(b":" in secret for secret in secrets):
        raise ValueError("a secret for basic is written user:password")
    return tuple(secrets)


def basic_credentials(value: str) -> bytes:
    """``user:password`` out of an Authorization header; b"" when it holds none."""
    kind, _, encoded = value.strip().partition(" ")
    if kind.lower() != "basic":
        return b""
    try:
        return base64.b64decode(_raw(encoded.strip()), validate=True)
    except binascii.Error:
        return b""


def is_any(given: bytes, wanted: Sequence[bytes]) -> bool:
    """Whether ``given`` is one of ``wanted``, taking as long whichever it is."""
    return any([hmac.compare_digest(given, one) for one in wanted])


def _check_hmac(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    given = _after_prefix(scheme, _header(hook.headers, scheme.header))
    if not is_any(_spelled(scheme, given), _signatures(scheme, keys, hook.body)):
        why = _BATCH if hook.body.lstrip()[:1] == b"[" else _COMPARE
        raise Unverified(f"the signature in {scheme.header} does not match: {why}")


def _check_timestamped(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    value = _header(hook.headers, scheme.header)
    pairs = [part.strip().partition("=") for part in value.split(",")]
    stamps = {text for name, _, text in pairs if name == "t"}
    given = [text for name, _, text in pairs if name == "v1"][:MAX_SIGNATURES]
    if len(stamps) != 1 or not given:
        raise Unverified(f"{scheme.header} is not written t=…,v1=…: check the sender's scheme")
    stamp = stamps.pop()
    _check_age(stamp, scheme.tolerance, now)
    wanted = _signatures(scheme, keys, _raw(stamp) + b"." + hook.body)
    if not any([is_any(_spelled(scheme, text), wanted) for text in given]):
        raise Unverified(f"no v1 signature in {scheme.header} matches: {_COMPARE}")


def _check_webhooks(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    number, stamp, value = (
        _header(hook.headers, f"webhook-{part}") for part in ("id", "timestamp", "signature")
    )
    _check_age(stamp, scheme.tolerance, now)
    signed = b".".join([_raw(number), _raw(stamp), hook.body])
    wanted = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = [text[3:] for text in value.split() if text.startswith("v1,")][:MAX_SIGNATURES]
    if not any([is_any(_raw(text), wanted) for text in given]):
        raise Unverified(f"no v1 signature in webhook-signature matches: {_COMPARE}")


def _check_basic(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    header = scheme.header or "Authorization"
    if not is_any(basic_credentials(_header(hook.headers, header)), keys):
        raise Unverified(f"the user and password in {header} are not this source's")


def _check_bearer(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    header = scheme.header or "Authorization"
    kind, _, token = _header(hook.headers, header).strip().partition(" ")
    if kind.lower() != "bearer" or not is_any(_raw(token.strip()), keys):
        raise Unverified(f"the bearer token in {header} is not this source's")


def _check_header(scheme: Scheme, keys: Sequence[bytes], hook: Hook, now: datetime) -> None:
    given = _after_prefix(scheme, _header(hook.headers, scheme.header))
    if not is_any(_raw(given), keys):
        raise Unverified(f"the secret in {scheme.header} is not this source's")


_CHECKS: Mapping[str, _Check] = {
    "hmac": _check_hmac,
    "timestamped": _check_timestamped,
    "standard_webhooks": _check_webhooks,
    "basic": _check_basic,
    "bearer": _check_bearer,
    "header": _check_header,
}


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "")
    if not value:
        raise Unverified(f"the header {name} is missing: have the sender sign its requests")
    return value


def _after_prefix(scheme: Scheme, value: str) -> str:
    value = value.strip()
    if not value.startswith(scheme.prefix):
        raise Unverified(f"{scheme.header} does not begin with {scheme.prefix}")
    return value[len(scheme.prefix) :]


def _check_age(stamp: str, tolerance: timedelta, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Unverified("the timestamp is not in unix seconds: check the sender's scheme")
    seconds = abs(now.timestamp() - int(stamp))
    if seconds > tolerance.total_seconds():
        raise Unverified(
            f"the timestamp is {seconds:.0f} s from this server's clock: "
            "an old request sent again, or one of the clocks is wrong"
        )


def _signatures(scheme: Scheme, keys: Sequence[bytes], signed: bytes) -> list[bytes]:
    digests = [hmac.new(key, signed, _DIGESTS[scheme.algorithm]).digest() for key in keys]
    if scheme.encoding == "hex":
        return [digest.hex().encode() for digest in digests]
    return [base64.b64encode(digest) for digest in digests]


def _spelled(scheme: Scheme, given: str) -> bytes:
    return _raw(given.lower() if scheme.encoding == "hex" else given)


def _raw(text: str) -> bytes:
    """A header's own bytes: WSGI hands them over as Latin-1."""
    return text.encode("latin-1", "backslashreplace")


def _webhook_key(secret: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("a Standard Webhooks secret is whsec_ and then base64")
    return key
