"""A request as plain data: the address its sender used, its headers, and which of them are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from connector.model import Hook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_KEPT_LENGTH: Final = 1_000
SECRET_WORDS: Final = (
    "auth",
    "cookie",
    "signature",
    "hmac",
    "token",
    "secret",
    "password",
    "session",
    "api-key",
    "apikey",
    "proxy",
)
"""A header whose name holds one of these words may let somebody in, so it is never kept."""

TRANSPORT: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "priority",
        "te",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    }
)
"""Headers of the journey, which say nothing of what was sent."""

_SAFE = "/:@!$&'()*+,;=~"


def read_hook(environ: WSGIEnvironment, body: bytes, public_url: str) -> Hook:
    """The request as the sources and providers see it."""
    return Hook(
        method=environ["REQUEST_METHOD"],
        url=sender_url(environ, public_url),
        headers=_headers(environ),
        body=body,
        remote=environ.get("REMOTE_ADDR") or "",
    )


def sender_url(environ: WSGIEnvironment, public_url: str) -> str:
    """The address that the sender used: the configured one, the raw path and the raw query.

    The Host header is believed only where no ``public_url`` is configured.
    """
    base = public_url.rstrip("/")
    if not base:
        base = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    path = raw.partition("?")[0]
    if not path.startswith("/"):
        path = quote(environ["PATH_INFO"].encode("latin-1", "replace"), safe=_SAFE)
    query = environ.get("QUERY_STRING", "")
    return f"{base}{path}?{query}" if query else base + path


def kept(headers: Mapping[str, str], signature_header: str = "") -> dict[str, str]:
    """The headers that reading needs: none that could let somebody in, none of the journey."""
    return {
        name: value
        for name, value in headers.items()
        if name != signature_header.lower()
        and name not in TRANSPORT
        and not name.startswith("x-forwarded-")
        and not any(word in name for word in SECRET_WORDS)
        and len(value) <= MAX_KEPT_LENGTH
    }


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if content_type := environ.get("CONTENT_TYPE"):
        found["content-type"] = content_type
    return found
