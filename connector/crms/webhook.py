"""Calls to other tools: a play's step as signed JSON (Standard Webhooks, v1).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from connector.model import Json, Subject
from connector.records import Page, Record, Schema, Writeback, Written

TIMEOUT: Final = (5.0, 15.0)  #: seconds to connect, and to answer
MOST: Final = 64 * 1024  #: bytes of an answer that are taken, of which none is looked at
AGAIN: Final = frozenset({408, 425, 429})
UNREACHED: Final = "could not be called"
_SECRET: Final = re.compile(r"whsec_([A-Za-z0-9+/=]+)")


class Webhook:
    """One tool. What it is told bears the id of its step, so that telling twice is harmless."""

    batch = 100
    objects: tuple[str, ...] = ()
    echoes = False

    def __init__(
        self,
        *,
        name: str,
        url: str,
        secrets: Sequence[str],
        http: Any,
        clock: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._url, self._http, self._clock = url, http, clock
        self._keys = [_key(secret) for secret in secrets]

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        """A tool is told and not asked."""
        return [None for _ in subjects]

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        """Call the tool once for each change; a verdict on each.

        Where it cannot be reached the rest is left for later, so that a dead tool holds up the
        CRM for one time-out and not for a hundred.
        """
        answers: list[Written] = []
        for place, change in enumerate(changes, 1):
            answer = self._call(change)
            answers.append(answer)
            if answer.error.startswith(UNREACHED):
                rest = (Written(each.id, False, error=answer.error) for each in changes[place:])
                return [*answers, *rest]
        return answers

    def route(self, kind: str, made: bool) -> str:
        """Every change travels alike."""
        return "change"

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        """Nothing: nobody but the connector writes here."""
        return []

    def changes(self, object: str, cursor: str | None) -> Page:
        """Nothing: nobody but the connector writes here, and it knows what it wrote."""
        return Page((), cursor or "")

    def history(self, object: str, cursor: str | None) -> Page:
        """Nothing: there was nobody before the connector."""
        return Page((), cursor or "")

    def schema(self) -> Schema:
        """Any field is taken."""
        return Schema()

    def _call(self, change: Writeback) -> Written:
        body = orjson.dumps(dict(change.change))
        stamp = str(int(self._clock().timestamp()))
        signed = f"{change.key}.{stamp}.".encode() + body
        headers = {
            "content-type": "application/json",
            "webhook-id": change.key,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(_signatures(self._keys, signed)),
        }
        try:
            answer = self._http.post(
                self._url,
                data=body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
            with answer:
                answer.raw.read(MOST, decode_content=False)  # so that the connection is kept
        except Exception as error:  # a door: whatever went wrong, it is called again later
            return Written(change.id, False, error=f"{UNREACHED}: {type(error).__name__}")
        return _verdict(change, int(answer.status_code))


def _verdict(change: Writeback, status: int) -> Written:
    if 200 <= status < 300:
        return Written(change.id, True, record=change.key)
    is_final = 400 <= status < 500 and status not in AGAIN
    return Written(change.id, False, permanent=is_final, error=f"it answered {status}")


def _key(secret: str) -> bytes:
    found = _SECRET.fullmatch(secret)
    return base64.b64decode(found[1]) if found else secret.encode()


def _signatures(keys: Iterable[bytes], signed: bytes) -> Iterable[str]:
    for key in keys:
        digest = hmac.digest(key, signed, hashlib.sha256)
        yield f"v1,{base64.b64encode(digest).decode()}"
