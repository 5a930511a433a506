"""What the doors answer: bodies, status lines and headers, made once and sent often."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from connector import clock
from connector.errors import (
    ConnectorError,
    LedgerBusy,
    Overloaded,
    StorageRefused,
    Unreadable,
    Unverified,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Headers = tuple[tuple[str, str], ...]

JSON: Final = "application/json"
DISK_RETRY_SECONDS: Final = 30
BUSY_RETRY_SECONDS: Final = 2
SECURITY: Final[Headers] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class TooLarge(ConnectorError):
    """The body is larger than this address takes; send less at once."""


class NotAccepted(ConnectorError):
    """The body is encoded in a way this server does not read; send it plain or as gzip."""


class LackingScope(ConnectorError):
    """The key is known, but not for this; give it the scope in config.toml."""


class TooManyFailures(ConnectorError):
    """Too many requests without a right key came from one address, or from all together."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after  #: seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, which speaks WSGI: a status line, all headers, the body."""

    status: int
    line: str  #: the status line, such as ``200 OK``
    body: bytes
    headers: Headers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Give the answer."""
        start_response(self.line, [*self.headers])
        return [self.body]


def answer(
    status: int, body: bytes, content_type: str = JSON, headers: Iterable[tuple[str, str]] = ()
) -> Answer:
    """An answer with the headers that every answer has."""
    own = (("Content-Type", content_type), ("Content-Length", str(len(body))))
    line = f"{status} {HTTPStatus(status).phrase}"
    return Answer(status, line, body, (*(own if body else ()), *SECURITY, *headers))


def problem(
    status: int, code: str, message: str, headers: Iterable[tuple[str, str]] = ()
) -> Answer:
    """An error as every tracking client reads it: ``{"code", "message"}``."""
    return answer(status, orjson.dumps({"code": code, "message": message}), headers=headers)


def refusal(error: ConnectorError) -> Answer:
    """The answer that an error becomes."""
    message = str(error)
    match error:
        case Unverified():
            return problem(401, "unverified", message)
        case Unreadable():
            return problem(400, "unreadable", message)
        case TooLarge():
            return problem(413, "too_large", message)
        case NotAccepted():
            return problem(415, "encoding_unknown", message)
        case LackingScope():
            return problem(403, "scope_missing", message)
        case TooManyFailures():
            wait = retry_after(error.retry_after)
            return problem(429, "too_many_failures", message, wait)
        case LedgerBusy():
            return problem(503, "ledger_busy", message, retry_after(BUSY_RETRY_SECONDS))
        case Overloaded():
            return problem(429, "overloaded", message, retry_after(error.retry_after))
        case StorageRefused():
            message = "nothing was kept: the disk refuses writes; send it again later"
            return problem(503, "storage_refused", message, retry_after(DISK_RETRY_SECONDS))
    return problem(500, "internal", "something went wrong here; send it again later")


def retry_after(seconds: float) -> Headers:
    """The header that says when to come back, in whole seconds."""
    return (("Retry-After", str(max(1, math.ceil(seconds)))),)


def told(item: Any, status: int = 200) -> Answer:
    """An answer that is plain values: keys sorted, instants as the ledger writes them."""
    option = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    return answer(status, orjson.dumps(item, default=_plain, option=option))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.text(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


SUCCESS: Final = answer(200, b'{"success": true}')
