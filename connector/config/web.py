"""The ``[web]`` table: where requests are heard, and what the world calls that place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connector.config.toml import Table

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Web:
    """The table as values."""

    host: str
    port: int  #: 0 takes any free one
    public_url: str  #: scheme and host (and path) without a slash at the end; "" if unknown
    trusted_proxies: int  #: how many proxies stand before it and set X-Forwarded-For
    cors_origins: tuple[str, ...]
    threads: int
    backlog: int  #: events waiting before new ones are refused with 429
    inbox_mb: int  #: the largest the inbox may grow on disk
    country_header: str = ""  #: in which a CDN tells the country of who asks; "" for none


def web(table: Table, *, is_live: bool) -> Web:
    """Read the table; a live provider needs to know what the world calls this server."""
    found = Web(
        host=table.text("host", "127.0.0.1"),
        port=table.whole("port", 8080, high=65_535),
        public_url=_public_url(table, is_live),
        trusted_proxies=table.whole("trusted_proxies", 0, high=10),
        cors_origins=table.words("cors_origins", ("*",)),
        threads=table.whole("threads", 8, low=1, high=64),
        backlog=table.whole("backlog", 20_000, low=100, high=10_000_000),
        inbox_mb=table.whole("inbox_mb", 1_024, low=1, high=1_000_000),
        country_header=_header(table, "country_header"),
    )
    table.done()
    return found


def _header(table: Table, key: str) -> str:
    name = table.text(key, "")
    if name and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,99}", name):
        table.fault(key, f"is {name!r:.60}, no header's name", 'write one such as "CF-IPCountry"')
        return ""
    return name


def _public_url(table: Table, is_live: bool) -> str:
    value = table.text("public_url", "")
    if not value:
        if is_live:
            problem = "is empty, so the provider cannot tell of receipts and replies"
            table.fault("public_url", problem, "write the https address it calls")
        return ""
    try:
        parts = urlsplit(value)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        host, scheme = None, ""
    example = "write it like https://sms.example.com"
    if not host or scheme not in ("http", "https") or parts.query or parts.fragment:
        table.fault("public_url", f"is {value!r:.80}, no plain web address", example)
    elif scheme != "https" and host not in LOOPBACK:
        table.fault("public_url", "is not https", example)
    elif value.endswith("/"):
        table.fault("public_url", "ends in a slash", f"write {value.rstrip('/')}")
    return value


def check_address(table: Table, key: str, value: str) -> None:
    """An address that is called must be https, or on this machine."""
    try:
        parts = urlsplit(value)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        host, scheme = None, ""
    if value and (not host or scheme not in ("http", "https") or parts.username or parts.fragment):
        table.fault(key, f"is {value!r:.80}, no plain web address", "write it with https://")
    elif value and scheme != "https" and host not in LOOPBACK:
        table.fault(key, "is not https", "write it with https://")
