"""One HTTP exchange with a provider, at little cost and with its fate known."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from connector.errors import Deferred, Uncertain
from connector.http import CONNECT_SECONDS, READ_SECONDS, open_session

TIMEOUTS: Final = (CONNECT_SECONDS, READ_SECONDS)  #: the second between two pieces of the answer
WHOLE: Final = 3  #: times the latter, all pieces of an answer must have come
POOL: Final = 32  #: connections kept alive, and so threads that may share one wire
MAX_ANSWER_BYTES: Final = 16_000_000
"""A page of a thousand texts has fewer, also where each is of 1,600 letters at six bytes."""
PIECE: Final = 65_536  #: bytes

# Its debug lines hold whole addresses, and so the numbers that are looked up; so does its warning
# of an answer with broken headers.
logging.getLogger("urllib3").setLevel(logging.INFO)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]  #: names in any case
    body: bytes


class Wire:
    """Exchanges with one origin over kept-alive connections, for up to ``POOL`` threads at once.

    A plain ``requests.post`` spends over half its time reading the environment and preparing
    what never changes, so proxies, certificates and headers are settled once and each call goes
    straight to the session's transport adapter. ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` and
    ``SSL_CERT_FILE`` name certificates, in this order; ``direct`` ignores proxies.

    Raises ``Deferred`` when the request certainly never left and ``Uncertain`` when it may have
    arrived but no whole answer came back; neither names the address, the headers or the body.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        http: requests.Session | None = None,
        *,
        direct: bool = False,
        timeouts: tuple[float, float] = TIMEOUTS,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self._http = http or open_session(connections=POOL)
        self._direct = direct
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._transport: requests.adapters.BaseAdapter | None = None
        self._settings: dict[str, Any] = {}

    def get(self, path: str) -> Answer:
        """Ask for a path (and query) of the origin."""
        return self._exchange(self._request("GET", path, {}), None)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body to a path of the origin."""
        return self._hand_over("POST", path, body, headers)

    def get_done(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Have something done by a GET; as with ``post``, it is known whether it ever left."""
        return self._hand_over("GET", path, b"", headers)

    def close(self) -> None:
        """Close the kept-alive connections; a later exchange opens new ones."""
        self._http.close()

    def _hand_over(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        length = {"Content-Length": str(len(body))}
        request = self._request(method, path, {**headers, **length})
        form = _Body(body)
        request.body = form  # type: ignore[assignment]  # requests sends files, undeclared
        return self._exchange(request, form)

    def _request(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method = method
        request.url = self._base_url + path
        request.headers = CaseInsensitiveDict({**self._headers, **headers})
        return request

    def _exchange(self, request: requests.PreparedRequest, form: _Body | None) -> Answer:
        transport = self._transport or self._settle()
        try:
            response = transport.send(request, timeout=self._timeouts, **self._settings)
            content = self._read(response)
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            raise _failure(form, error) from None
        return Answer(response.status_code, response.headers, content)

    def _read(self, response: requests.Response) -> bytes:
        """The whole body; raises ``Uncertain`` where it is too long, or too long in coming."""
        pieces, size = [], 0
        until = time.monotonic() + WHOLE * self._timeouts[1]
        while piece := response.raw.read1(PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size >= MAX_ANSWER_BYTES or time.monotonic() > until:
                response.close()
                raise Uncertain("the provider's answer has no end", reason="unavailable")
        return b"".join(pieces)

    def _settle(self) -> requests.adapters.BaseAdapter:
        """Read the environment and find the transport, once."""
        with self._lock:
            transport = self._http.get_adapter(self._base_url)
            retries = getattr(transport, "max_retries", None)
            if retries is not None and retries.total:
                raise ValueError("http must be mounted without retries: a text would go out twice")
            found = self._http.merge_environment_settings(self._base_url, {}, False, None, None)
            self._settings = {**found, "proxies": {} if self._direct else found["proxies"]}
            self._transport = transport
            return transport


class _Body(io.BytesIO):
    """A body that knows whether any of it was asked for.

    The transport asks only after connecting, the TLS handshake and the headers: a fault before
    that cannot have delivered anything, whatever the exception is called.
    """

    left = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.left = True
        return super().read(size)


def _failure(form: _Body | None, error: Exception) -> Deferred | Uncertain:
    """What a fault means, whose own wording may hold a secret: requests' own are OSErrors."""
    if form is not None and not form.left:
        if isinstance(error, ValueError):
            says = "the request cannot be written: look for odd letters in secrets and addresses"
            return Deferred(says, reason="configuration")
        return Deferred("the provider could not be reached", reason="unavailable")
    if isinstance(error, requests.ConnectTimeout):
        return Deferred("the provider did not accept a connection", reason="timeout")
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return Uncertain("the provider did not answer in time", reason="timeout")
    return Uncertain("the connection broke before the provider answered", reason="unavailable")
