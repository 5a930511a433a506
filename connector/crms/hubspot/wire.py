"""Every call to HubSpot: paced, counted, with a time-out, and every failure in our own words."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import orjson
import requests
import urllib3

from connector.clock import Clock
from connector.crms.hubspot.client import AGENT, Client
from connector.crms.hubspot.day import Day
from connector.crms.hubspot.failures import (
    Refusal,
    forbidden,
    is_before,
    refusal,
    unavailable,
)
from connector.crms.hubspot.limits import Pace
from connector.errors import CrmUnavailable
from connector.http import open_session
from connector.model import Json

CONNECT_SECONDS: Final = 3.05
READ_SECONDS: Final = 20.0  #: a batch of a hundred may take HubSpot several
TIMEOUT: Final = (CONNECT_SECONDS, READ_SECONDS)
BATCH: Final = 100  #: inputs in one call
NOBODY: Final[frozenset[str]] = frozenset()
_BEFORE: Final = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)
"""Failures before anything was asked; after any other HubSpot may have done what it was asked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What HubSpot answered: its status, and its body as a mapping."""

    status: int
    body: Mapping[str, Any]

    def items(self, name: str = "results") -> list[dict[str, Any]]:
        """The items of a list in the body; raises ``CrmUnavailable`` where there is none."""
        found = self.body.get(name)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise malformed()
        return found


class Wire:
    """The calls of one adapter, for any number of threads; ``calls`` counts them by kind."""

    def __init__(self, client: Client, *, token: str, host: str, clock: Clock, http: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.pace = Pace()
        self._client, self._token, self._host = client, token, host
        self._http = http
        self._day = Day(lambda at: self.rest("GET", at, kind="account-info")[1], clock)
        self._lock = threading.Lock()

    def ask(
        self,
        kind: str,
        api: str,
        method: str,
        *args: Any,
        makes: frozenset[str] = NOBODY,
        **kwargs: Any,
    ) -> Answer:
        """Call a method of the client and read its answer ourselves.

        ``makes`` are the changes that the call would make anew: where its fate is unknown, they
        are in doubt. Raises ``Refusal``, or ``CrmUnavailable`` where it could not be asked.
        """
        call = getattr(self._client.part(api), method)
        self._begin(kind, is_search=api.endswith("search_api"))
        try:
            raw = call(*args, _preload_content=False, _request_timeout=TIMEOUT, **kwargs)
            status, headers, data = int(raw.status), raw.headers, raw.data
        except Exception as error:  # the client raises its own, urllib3's, and faults of both
            found = _answered(error)
            if found is None:
                raise _failure(error, makes) from None
            status, headers, data = found
        return self._read(status, headers, data, makes)

    def look(self, kind: str, api: str, method: str, *args: Any, **kwargs: Any) -> Answer:
        """As ``ask``, for what is only read: a refusal too is a ``CrmUnavailable``."""
        try:
            return self.ask(kind, api, method, *args, **kwargs)
        except Refusal as error:
            raise forbidden(error) from None

    def rest(self, method: str, at: str, body: Json = None, kind: str = "") -> tuple[int, Json]:
        """A call that the client lacks, by our own session: (status, body as JSON).

        Raises ``CrmUnavailable`` where HubSpot could not be asked, or refused who asks.
        """
        self._begin(kind or at, is_search=False)
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": AGENT}
        sent: dict[str, Any] = {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent["data"] = orjson.dumps(body)
        makes = NOBODY if method == "GET" else frozenset({at})
        try:
            answer = self._session().request(
                method, f"{self._host}{at}", headers=headers, timeout=TIMEOUT, **sent
            )
        except (requests.RequestException, ValueError) as error:
            raise _failure(error, makes) from None
        self.pace.note(answer.headers)
        found = _json(answer.content)
        if answer.status_code == 403:
            raise forbidden(refusal(403, found))
        failed = unavailable(answer.status_code, found, answer.headers, self._day.ends_in)
        if failed is not None:
            failed.in_doubt = NOBODY if is_before(answer.status_code) else makes
            raise failed
        return answer.status_code, found

    def _begin(self, kind: str, *, is_search: bool) -> None:
        self.pace.wait(is_search=is_search)
        with self._lock:
            self.calls[kind] += 1

    def _read(
        self, status: int, headers: Mapping[str, str], data: bytes, makes: frozenset[str]
    ) -> Answer:
        self.pace.note(headers)
        body = _json(data)
        self._day.note(self.pace.left_today)
        if 200 <= status < 300:
            if not isinstance(body, Mapping):
                raise malformed(makes)
            return Answer(status, body)
        failed = unavailable(status, body, headers, self._day.ends_in)
        if failed is None:
            raise refusal(status, body)
        failed.in_doubt = NOBODY if is_before(status) else makes
        raise failed

    def _session(self) -> Any:
        with self._lock:
            self._http = self._http or open_session(read=READ_SECONDS, connections=2)
            return self._http


def parts(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in runs of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def malformed(in_doubt: frozenset[str] = NOBODY) -> CrmUnavailable:
    """HubSpot's answer, or that of something between, is not what its documentation says."""
    return CrmUnavailable(
        "HubSpot's answer cannot be read",
        code="malformed",
        remedy="if it lasts: is base_url HubSpot's, or does a proxy between answer in its place?",
        in_doubt=in_doubt,
    )


def _answered(error: BaseException) -> tuple[int, Mapping[str, str], bytes] | None:
    """What HubSpot answered, from the client's exception; None where nothing came.

    The client fails over some of its own errors: the real one is then what that came of.
    """
    for each in _chain(error):
        status = getattr(each, "status", None)
        if isinstance(status, int) and status and hasattr(each, "body"):
            data = getattr(each, "body", None) or b""
            headers = getattr(each, "headers", None) or {}
            return status, headers, data.encode() if isinstance(data, str) else data
    return None


def _failure(error: BaseException, makes: frozenset[str]) -> CrmUnavailable:
    """A call to which no answer came. Its own words hold addresses, so only its name is kept."""
    chain = list(_chain(error))
    is_asked = not any(isinstance(each, _BEFORE) for each in chain)
    in_doubt = makes if is_asked else NOBODY
    slow = (urllib3.exceptions.TimeoutError, requests.exceptions.Timeout)
    if is_asked and any(isinstance(each, slow) for each in chain):
        says = f"HubSpot did not answer within {READ_SECONDS:.0f} s"
        return CrmUnavailable(says, code="timeout", in_doubt=in_doubt)
    names = (type(each).__name__ for each in chain if not isinstance(each, AttributeError))
    says = f"HubSpot could not be reached: {next(names, type(error).__name__)}"
    remedy = ""
    if any(isinstance(each, urllib3.exceptions.SSLError) for each in chain):
        remedy = "set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to the authorities that are believed"
    return CrmUnavailable(says, code="unreachable", remedy=remedy, in_doubt=in_doubt)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in seen:
        seen.append(each)
        yield each
        each = each.__cause__ or each.__context__


def _json(data: bytes) -> Json:
    try:
        return orjson.loads(data) if data else {}
    except ValueError:
        return None
