"""What is signed for a trial is what the source believes, by every scheme there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.sources import SCHEMES
from connector.errors import Unverified
from connector.model import Hook
from connector.sources import signatures, signing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Verify:
    scheme: str
    header: str = "X-Shop-Signature"
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    tolerance: timedelta = timedelta(minutes=5)


def proven(scheme: Verify, secret: bytes, body: bytes, signed: bytes) -> None:
    headers = signing.sign(scheme, secret, signed, NOW)
    keys = signatures.read_keys(scheme, [secret])
    signatures.verify(scheme, keys, Hook("POST", "https://x.example/in/s", headers, body), NOW)


@settings(deadline=None)
@given(
    st.sampled_from(SCHEMES),
    st.binary(max_size=50),
    st.sampled_from(["sha256", "sha1"]),
    st.sampled_from(["hex", "base64"]),
    st.sampled_from(["", "sha256="]),
)
def test_what_is_signed_here_is_believed(
    scheme: str, body: bytes, algorithm: str, encoding: str, prefix: str
) -> None:
    verify = Verify(scheme, algorithm=algorithm, encoding=encoding, prefix=prefix)
    proven(verify, signing.some_secret(verify), body, body)


@pytest.mark.parametrize("scheme", ["hmac", "timestamped", "standard_webhooks"])
def test_but_not_for_another_body(scheme: str) -> None:
    verify = Verify(scheme)
    with pytest.raises(Unverified):
        proven(verify, signing.some_secret(verify), b"{}", b"[]")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_how_a_source_proves_itself_is_told_with_its_header(scheme: str) -> None:
    verify = Verify(scheme)
    told = signing.described(verify)
    assert "secret" in told or "HMAC" in told or "Standard Webhooks" in told
    assert signing.signature_header(verify) in told.lower()
    assert signing.signature_header(verify) in signing.sign(
        verify, signing.some_secret(verify), b"", NOW
    )
