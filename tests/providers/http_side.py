"""The other side of an adapter that speaks HTTP through ``Wire``: canned answers, calls kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
import responses

from tests.providers.contract import Call

KeyOf = Callable[[requests.PreparedRequest], str]


class HttpSide:
    """One vendor; what is not arranged is refused as a connection would be, and so is seen."""

    def __init__(self, key_of: KeyOf = lambda request: "") -> None:
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.key_of = key_of
        self.mock.start()

    def close(self) -> None:
        """Let requests go where they always go; unexpected ones fail the test."""
        self.mock.stop(allow_assert=False)
        self.mock.reset()

    def answers(self, method: str, url: str | re.Pattern[str], **answer: Any) -> None:
        """From now on answer so; what was arranged for the same before no longer counts."""
        self.mock.remove(method, url)
        self.mock.add(method, url, **answer)

    def calls(self) -> list[Call]:
        """What reached it, oldest first."""
        return [self._call(call.request) for call in self.mock.calls]

    def _call(self, request: Any) -> Call:
        body = request.body or b""
        timeouts = request.req_kwargs["timeout"]
        return Call(urlsplit(request.url).path, timeouts, bytes(body), self.key_of(request))
