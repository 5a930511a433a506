"""The other side of an adapter that speaks HTTP through ``Wire``: canned answers, calls kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
import responses

from connector.model import Json
from tests.providers.contract import MESSAGE, SECRET, SETTLED, TEXT, Call

DATE = {"Date": format_datetime(SETTLED, usegmt=True)}
WORDING = f"The number {MESSAGE.to} was told {TEXT} with {SECRET}"

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


class HttpKit:
    """What the kits of such vendors share: how a text is answered, and who was called."""

    over_http = True
    create: ClassVar[str]  #: where texts are handed over
    takes_with: ClassVar[int] = 200  #: the status of an acceptance
    fates: ClassVar[Mapping[str, tuple[int, Any]]]  #: fate → HTTP status and the vendor's code
    books: ClassVar[tuple[re.Pattern[str], ...]] = ()  #: where it is asked of texts

    def __init__(self, key_of: KeyOf = lambda request: "") -> None:
        self.side = HttpSide(key_of)

    def close(self) -> None:
        self.side.close()

    def calls(self) -> list[Call]:
        return self.side.calls()

    def arrange(self, fate: str) -> None:
        self.side.answers("POST", self.create, **self._answer(fate))

    def answers(self, status: int, body: bytes) -> None:
        self.side.answers("POST", self.create, status=status, body=body)

    def looks_up(self, status: int, body: bytes) -> None:
        for url in self.books:
            self.side.answers("GET", url, status=status, body=body, headers=DATE)

    def acceptance(self) -> Mapping[str, Json]:
        raise NotImplementedError

    def refusal(self, code: Any, wording: str) -> Mapping[str, Json]:
        """What the vendor writes when it refuses a text, in its own wording."""
        raise NotImplementedError

    def lost(self, *, taken: bool) -> None:
        """Let look-ups tell what became of a text whose answer is lost."""

    def _answer(self, fate: str) -> dict[str, Any]:
        if fate == "accepted":
            return {"status": self.takes_with, "json": self.acceptance()}
        if fate == "malformed":
            return {"status": self.takes_with, "body": b"<html>"}
        if fate in self.fates:
            status, code = self.fates[fate]
            return {"status": status, "json": self.refusal(code, WORDING)}
        if fate == "unreachable":
            return {"body": requests.ConnectTimeout(f"to {MESSAGE.to}")}
        self.lost(taken=fate == "lost_taken")
        return {"body": requests.ReadTimeout(f"to {MESSAGE.to}")}
