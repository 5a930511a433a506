"""Reading a request's body with a bound, however it is packed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from connector.errors import Unreadable
from connector.web.answers import NotAccepted, TooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

MAX_MEMBERS: Final = 8
_GZIP = b"\x1f\x8b"
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})


def read_body(environ: WSGIEnvironment, limit: int) -> bytes:
    """The whole body, inflated; at most ``limit`` bytes, packed and unpacked.

    Gzip is known by its first bytes, since clients label it in every way. Raises ``TooLarge``,
    ``NotAccepted`` for another encoding, ``Unreadable`` when the body is cut short or broken.
    """
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in _ENCODINGS:
        raise NotAccepted
    stream = environ["wsgi.input"]
    declared = _declared(environ)
    if declared is not None and declared > limit:
        raise TooLarge(f"the body has {declared} bytes; at most {limit} are taken")
    body = _read(stream, limit + 1 if declared is None else declared)
    if declared is None and len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes, which is all that is taken")
    if declared is not None and len(body) < declared:
        raise Unreadable(f"the body ends after {len(body)} of {declared} bytes")
    return inflate(body, limit) if body[:2] == _GZIP else body


def inflate(body: bytes, limit: int) -> bytes:
    """Gzip unpacked to at most ``limit`` bytes; raises ``TooLarge`` or ``Unreadable``."""
    inflated = b""
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        try:
            inflated += member.decompress(body, limit + 1 - len(inflated))
        except zlib.error as error:
            raise Unreadable(f"the body is not whole gzip: {error}") from None
        if len(inflated) > limit:
            raise TooLarge(f"unpacked, the body has more than {limit} bytes")
        if not member.eof:
            raise Unreadable("the gzip body is cut short")
        body = member.unused_data
        if not body:
            return inflated
    raise Unreadable(f"the gzip body has more than {MAX_MEMBERS} members")


def _declared(environ: WSGIEnvironment) -> int | None:
    """Content-Length; 0 where the server says nothing of where the body ends."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length:
        return None if environ.get("wsgi.input_terminated") else 0
    if not (length.isascii() and length.isdigit() and len(length) < 16):
        raise Unreadable("Content-Length is not a number")
    return int(length)


def _read(stream: InputStream, size: int) -> bytes:
    body = stream.read(size)
    while body and len(body) < size:
        more = stream.read(size - len(body))
        if not more:
            break
        body += more
    return body
