"""Who asks something of ``/api``: the bearer's key, its scopes, and what wrong ones come to."""

from __future__ import annotations

import hmac
import logging
import time
from hashlib import sha256
from typing import Final

from flask import request

from connector.errors import Unverified
from connector.web.answers import LackingScope, TooManyFailures
from connector.web.attempts import WINDOW, Attempts
from connector.web.wiring import WebRuntime

log = logging.getLogger("connector")

_WANTED: Final = "send a key of [[api.keys]] in config.toml: Authorization: Bearer KEY"
_TOO_MANY: Final = (
    "too many requests with a wrong key came from here; compare the key with [[api.keys]] in "
    "config.toml, and come again after Retry-After"
)


class Keys:
    """The keys in use, asked at every request, so that a reload changes them."""

    def __init__(self, rt: WebRuntime) -> None:
        self._rt = rt
        self._attempts = Attempts()
        self._told_at = -WINDOW

    def bearer(self, scope: str) -> str:
        """Who asks: ``api:NAME``, kept as the actor of what they do.

        Raises ``Unverified`` for no known key, ``TooManyFailures`` where that happens too often,
        ``LackingScope`` for a key that is not for this.
        """
        scheme, _, written = request.headers.get("Authorization", "").partition(" ")
        told = written.strip() if scheme.lower() == "bearer" else ""
        name, scopes = self._find(told)
        if not name:
            self._refuse(told)
        if scope not in scopes:
            raise LackingScope(f'the key {name} lacks the scope "{scope}"; add it in config.toml')
        return f"api:{name}"

    def _find(self, told: str) -> tuple[str, frozenset[str]]:
        """The key's name and scopes; every key is compared, in the same time wherever it stands."""
        digest = sha256(told.encode(errors="replace")).digest()
        name, scopes = "", frozenset[str]()
        for key in self._rt.api_keys:
            if hmac.compare_digest(digest, sha256(key.secret).digest()) and key.secret:
                name, scopes = key.name, key.scopes
        return name, scopes

    def _refuse(self, told: str) -> None:
        """Refuse; a request that bears no key guesses none, so it is not counted."""
        wait = self._attempts.failed(request.remote_addr or "") if told else 0
        if wait:
            self._tell()
            raise TooManyFailures(_TOO_MANY, wait)
        raise Unverified(_WANTED)

    def _tell(self) -> None:
        """An error of the log is an alarm; one in each window is enough."""
        now = time.monotonic()
        if now - self._told_at >= WINDOW:
            self._told_at = now
            log.error("act=api result=too_many_failures somebody asks without a right key")
