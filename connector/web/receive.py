"""Segment's tracking API: a request is proven, on disk, and then answered.

The busiest door of the house, so it speaks WSGI itself: Flask's routing and request objects
would cost eight times what the rest of a request costs.
"""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from connector.errors import ConnectorError, Overloaded, StorageRefused, Unreadable, Unverified
from connector.ledger.inbox import Delivery
from connector.model import Json
from connector.rules.traffic import STAFF
from connector.sources.reading import read_json
from connector.sources.segment import (
    BATCHES,
    IP_COUNTRY,
    IP_NETWORK,
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    TYPES,
    read_items,
    written_key,
)
from connector.sources.signatures import basic_credentials
from connector.web.answers import SUCCESS, Answer, TooLarge, answer, problem, refusal
from connector.web.bodies import read_body
from connector.web.cors import Cors
from connector.web.posthog import speaks
from connector.web.wiring import WebRuntime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATHS: Final = tuple(f"/v1/{door}" for door in (*TYPES, *sorted(BATCHES)))
MAX_BATCH_BYTES: Final = 500 * 1024
MAX_RUDDER_BATCH_BYTES: Final = 4 * 1024 * 1024
_UNKNOWN_KEY = "the write key is not known here: compare it with the keys of [sources]"

log = logging.getLogger(__name__)


class Tracking:
    """The WSGI application behind the paths of ``PATHS``."""

    def __init__(self, rt: WebRuntime, cors: Cors, refused: Counter[int]) -> None:
        self._rt = rt
        self._inbox = rt.inbox
        self._clock = rt.clock
        header = rt.settings.web.country_header.upper().replace("-", "_")
        self._country = f"HTTP_{header}" if header else ""
        self._cors = cors
        self._refused = refused
        self._heard = _Heard(rt)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        origin = environ.get("HTTP_ORIGIN", "")
        reply, cors = self._answer(environ), self._cors.headers(origin)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            cors = self._cors.preflight(origin)
        elif reply is not SUCCESS:
            self._refused[reply.status] += 1
        start_response(reply.line, [*reply.headers, *cors])
        if log.isEnabledFor(logging.DEBUG):
            log.debug("act=receive path=%s result=%d", environ["PATH_INFO"], reply.status)
        return [reply.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return ALLOWED
        if method != "POST":
            return NOT_ALLOWED
        try:
            self._take(environ)
        except ConnectorError as error:
            return refusal(error)
        except Exception as error:
            log.exception("act=receive path=%s result=500", environ["PATH_INFO"])
            return refusal(ConnectorError(str(error)))
        return SUCCESS

    def _take(self, environ: WSGIEnvironment) -> None:
        path: str = environ["PATH_INFO"]
        door = path[4:]
        heard = self._heard_now()
        source = heard.by_header(environ.get("HTTP_AUTHORIZATION", ""))
        limit = MAX_RUDDER_BATCH_BYTES if door in BATCHES else MAX_EVENT_BYTES
        body = b""
        try:
            body = read_body(environ, limit)
            read = read_json(body)
            items = read_items(read, door)
        except Unreadable as error:
            self._keep(source, path, body, error)
            raise
        source = source or heard.keys.get(written_key(read), "")
        if not source:
            raise Unverified(_UNKNOWN_KEY)
        if len(body) > MAX_BATCH_BYTES or len(items) > MAX_EVENTS:
            _check_size(body, items, environ.get("HTTP_USER_AGENT", ""))
        told = environ.get(self._country, "") if self._country else ""
        headers = {IP_COUNTRY: told[:2]} if told else {}
        if heard.traffic.staff_networks and heard.traffic.inside(environ.get("REMOTE_ADDR", "")):
            headers[IP_NETWORK] = STAFF
        self._inbox.append(Delivery("events", source, self._clock(), body, path, headers))

    def _heard_now(self) -> _Heard:
        """Whom the files of now name; a reload makes the table of keys anew."""
        if self._heard.table is not self._rt.write_keys:
            self._heard = _Heard(self._rt)
        return self._heard

    def _keep(self, source: str, path: str, body: bytes, error: Unreadable) -> None:
        """Keep what a known sender sent and we could not read, so that it can be replayed."""
        if source and body:
            with suppress(Overloaded, StorageRefused):
                self._inbox.append(
                    Delivery("unreadable", source, self._clock(), body, path, {}, str(error))
                )


class _Heard:
    """Who is heard here, by the keys of the files in use: laid out once, for it is asked of each
    request."""

    def __init__(self, rt: WebRuntime) -> None:
        self.table = rt.write_keys  #: from which it was made
        self.keys = {key: name for key, name in self.table.items() if not speaks(rt, name)}
        self.traffic = rt.settings.traffic
        self._headers = {_basic(key): source for key, source in self.keys.items()}

    def by_header(self, value: str) -> str:
        """The source whose key a Basic header bears; "" for none, since the body may bear one."""
        if not value:
            return ""
        source = self._headers.get(value)
        if source is None:
            key = basic_credentials(value).partition(b":")[0]
            source = self.keys.get(key, "")
        return source


ALLOWED: Final = answer(204, b"", headers=(("Allow", "OPTIONS, POST"),))
NOT_ALLOWED: Final = problem(
    405, "method_not_allowed", "events are sent by POST", (("Allow", "OPTIONS, POST"),)
)


def _check_size(body: bytes, items: list[Json], user_agent: str) -> None:
    """Refuse a batch that its sender's own library would not have made so large."""
    if len(items) > MAX_EVENTS:
        raise TooLarge(f"the batch has {len(items)} events; at most {MAX_EVENTS} are taken")
    if len(body) > MAX_BATCH_BYTES and not _is_rudder(items, user_agent):
        raise TooLarge(f"the batch has {len(body)} bytes; at most {MAX_BATCH_BYTES} are taken")


def _is_rudder(items: list[Any], user_agent: str) -> bool:
    """Whether RudderStack made the batch: its name stands in the agent or the first event."""
    first: Any = items[0] if items else None
    for name in ("context", "library", "name"):
        first = first.get(name) if isinstance(first, dict) else None
    return "rudder" in user_agent.lower() or "rudder" in str(first or "").lower()


def _basic(key: bytes) -> str:
    return "Basic " + base64.b64encode(key + b":").decode()
