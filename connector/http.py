"""Sessions for calls to other hosts: always with a timeout, never carried off to another host."""

from __future__ import annotations

import os
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from connector import dates

CONNECT_SECONDS: Final = 3.05
READ_SECONDS: Final = 10.0


class Adapter(HTTPAdapter):
    """As requests' own, without what it finds out anew at every call.

    The pool of a host is looked for once (the key that requests makes for that costs a sixth of
    a call), an address is taken apart only for a proxy, and cookies, which no session here
    keeps, are not read: together a third of what a call costs.
    """

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections)
        self._pools: dict[object, Any] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool of the host that a request goes to."""
        scheme, _, rest = str(request.url).partition("://")
        key = (scheme, rest.partition("/")[0], verify, cert, tuple((proxies or {}).items()))
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:  # the latter was closed in the meantime
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pools[key] = pool
        return pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """The path, or the whole address where a proxy has to know it."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """The response as requests makes it, but for its cookies."""
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw, response.url = resp, str(req.url)
        dates.note(response.url, response.headers)
        response.request, response.connection = req, self
        return response


class Session(requests.Session):
    """A kept-alive session that threads may share.

    ``timeout`` is (connect, read) in seconds and holds for each call that names none. Redirects
    are followed only to the same scheme, host and port; any other comes back as the 3xx it is,
    so that no credential travels. Nothing is retried here: whether a call may be repeated only
    the caller knows. Cookies are not kept. Certificates are those of REQUESTS_CA_BUNDLE or
    SSL_CERT_FILE where set; proxies those of the environment.
    """

    def __init__(self, timeout: tuple[float, float], connections: int) -> None:
        super().__init__()
        self._timeout = timeout
        self.verify = os.environ.get("SSL_CERT_FILE") or True
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self.mount(scheme, Adapter(connections))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As ``requests.Session.send``, with a timeout whatever the caller forgets."""
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        return super().send(request, **kwargs)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where to go on to; None, so that the redirect itself is returned, for another host."""
        target = super().get_redirect_target(resp)
        if target is None or _origin(urljoin(resp.url, target)) != _origin(resp.url):
            return None
        return target


def open_session(
    *, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS, connections: int = 10
) -> Session:
    """A session for one other party; ``connections`` is how many calls are made at one time."""
    return Session((connect, read), connections)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port
