"""The session that calls one org and nobody else, and what it means when a call fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from connector.crms.salesforce.errors import refusals, unavailable
from connector.errors import CrmUnavailable
from connector.http import Session
from connector.model import Json

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0


class Strayed(requests.RequestException):
    """A call would have gone to another host than the org's; it did not leave."""


class OrgSession(Session):
    """A session that knows one org, and calls nobody else.

    With ``base_url`` every call goes there instead, in place of Salesforce's own hosts.
    """

    def __init__(self, base_url: str, note: Callable[[requests.Response], None]) -> None:
        super().__init__((CONNECT_SECONDS, READ_SECONDS), connections=2)
        self.homes: set[str] = set()
        self._base_url = base_url
        self.hooks["response"].append(lambda response, **_: note(response))

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As ``requests.Session.request``, for addresses of the org alone."""
        parts = urlsplit(str(url))
        if parts.scheme != "https" or parts.netloc.lower() not in self.homes or "\\" in str(url):
            raise Strayed("the address is none of the org's")
        if self._base_url:
            url = str(url).replace(f"{parts.scheme}://{parts.netloc}", self._base_url, 1)
        return super().request(method, url, *args, **kwargs)


def date(header: str | None) -> datetime | None:
    """The instant of a ``Date`` header; None where it says none."""
    try:
        found = parsedate_to_datetime(header or "")
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def failure(error: Exception) -> CrmUnavailable:
    """What the client's error means; its own words hold addresses and bodies, so none is kept."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return unavailable(status, _content(error))
    if isinstance(error, Strayed):
        return CrmUnavailable(str(error), code="malformed", remedy="check domain or base_url")
    if isinstance(error, ValueError | TypeError | LookupError | AttributeError):
        return CrmUnavailable("Salesforce's answer cannot be read", code="malformed")
    return _untold(error)


def _untold(error: Exception) -> CrmUnavailable:
    """Nobody answered."""
    name = type(error).__name__
    if isinstance(error, requests.ConnectTimeout):
        return CrmUnavailable("Salesforce did not accept a connection", code="unreachable")
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return CrmUnavailable("Salesforce did not answer in time", code="timeout")
    if isinstance(error, requests.exceptions.ProxyError):
        return CrmUnavailable("the proxy does not let us through", code="unreachable")
    if isinstance(error, requests.exceptions.SSLError):
        remedy = "name the certificates of your proxy in SSL_CERT_FILE or REQUESTS_CA_BUNDLE"
        says = "Salesforce's certificate is not trusted"
        return CrmUnavailable(says, code="unreachable", remedy=remedy)
    if isinstance(error, requests.ConnectionError) and "NewConnectionError" in str(error):
        return CrmUnavailable("Salesforce cannot be reached", code="unreachable")
    return CrmUnavailable(f"the call to Salesforce broke off ({name})", code="timeout")


def _content(error: Any) -> Json:
    content = getattr(error, "content", None)
    return content if refusals(content) else None
