"""Which pages may send events: the answer to a browser that asks first, and on every answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connector.web.answers import Headers

SENT: Final = (
    "authorization, content-type, x-retry-count, anonymousid, rsa-recovered, rsa-retry-attempt, "
    "rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt, sentat, "
    "posthog-sdk-info, posthog-attempt, posthog-request-id, posthog-request-timestamp"
)
"""The headers that Segment's, RudderStack's and PostHog's page libraries send."""

PREFLIGHT: Final[Headers] = (
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", SENT),
    ("Access-Control-Max-Age", "7200"),
)


class Cors:
    """The configured origins, and the headers that a request from one of them is answered with."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._any = "*" in self._origins

    def headers(self, origin: str) -> Headers:
        """The headers for a request whose Origin is ``origin`` ("" where it names none)."""
        if self._any:
            return _allowed("*")
        if origin and origin in self._origins:
            return (*_allowed(origin), ("Vary", "Origin"))
        return (("Vary", "Origin"),)

    def preflight(self, origin: str) -> Headers:
        """The headers for a browser that asks whether it may send."""
        headers = self.headers(origin)
        return (*headers, *PREFLIGHT) if len(headers) > 1 else headers


def _allowed(origin: str) -> Headers:
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Retry-After"),
    )
