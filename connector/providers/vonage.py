"""Vonage Messages API v1, text by SMS: send, and read what Vonage tells us.

https://developer.vonage.com/en/api/messages
https://developer.vonage.com/en/getting-started/concepts/authentication

Unverified with a live account: the range of ``ttl`` that carriers honour, and whether a repeated
callback is signed anew. Vonage's Reports API, which could list texts, is not used: it is charged,
lags behind, and what it returns of the Messages API is not well documented.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson

from connector.errors import Deferred, Uncertain, Unverified
from connector.messages import SMS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook
from connector.providers import Ability, vonage_callbacks
from connector.providers.reading import identifier, json_object, tagged
from connector.providers.vonage_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

PATH: Final = "/v1/messages"
JSON: Final = {"Content-Type": "application/json"}
TTL: Final = (20, 604_800)  #: seconds, the least and the most that Vonage takes
PASS_LASTS: Final = timedelta(minutes=15)
PASS_USED: Final = timedelta(minutes=10)  #: then a new one is made


class Vonage:
    """Vonage as a provider.

    It is called as the application ``application_id`` with its ``private_key`` (the PEM file), or
    as the account with ``api_key`` and ``api_secret``. ``signature_secrets`` are what callbacks
    are signed with; several for rotation. ``http`` is a ``requests.Session`` without retries.

    Vonage tells no repetition of a text from another and lets none be looked up: what may have
    been taken is settled by its receipt, which bears our reference, or by a person.
    """

    name = vonage_callbacks.PROVIDER
    channels = frozenset({SMS})
    does: frozenset[Ability] = frozenset()

    def __init__(
        self,
        *,
        from_number: str,
        signature_secrets: Sequence[str],
        clock: Callable[[], datetime],
        application_id: str = "",
        private_key: str = "",
        api_key: str = "",
        api_secret: str = "",
        base_url: str = "https://api.nexmo.com",
        http: Any = None,
    ) -> None:
        if bool(application_id) != bool(private_key) or bool(api_key) != bool(api_secret):
            raise ValueError("application_id goes with private_key, and api_key with api_secret")
        if not (application_id or api_key):
            raise ValueError("give application_id and private_key, or api_key and api_secret")
        if private_key and "PRIVATE KEY-----" not in private_key:
            raise ValueError('private_key is the whole PEM file: "file:secrets/vonage.key"')
        if not from_number:
            raise ValueError("from_number is empty: texts need a sender")
        self._proof = vonage_callbacks.Proof(signature_secrets)
        self._number = from_number
        self._application = application_id
        self._private_key = private_key
        self._basic = base64.b64encode(f"{api_key}:{api_secret}".encode()).decode()
        self._clock = clock
        self._base_url = base_url
        self._http = http
        self._lock = threading.Lock()
        self._pass: tuple[datetime, str] | None = None

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {}, self._http)

    def _login(self) -> str:
        """The Authorization header; an application's pass is signed anew every ten minutes."""
        if not self._application:
            return f"Basic {self._basic}"
        now = self._clock()
        with self._lock:
            if self._pass is None or not timedelta() <= now - self._pass[0] < PASS_USED:
                self._pass = (now, self._signed(now))
            return f"Bearer {self._pass[1]}"

    def _signed(self, now: datetime) -> str:
        import jwt

        claims = {
            "application_id": self._application,
            "iat": int(now.timestamp()),
            "exp": int((now + PASS_LASTS).timestamp()),
            "jti": secrets.token_hex(16),
        }
        try:
            return jwt.encode(claims, self._private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Deferred(
                "private_key of Vonage is no RSA key; generate one for the application",
                reason="configuration",
            ) from None

    def send(self, message: Message) -> Accepted:
        """Create a message; whatever may have created one unseen is ``Uncertain``."""
        headers = {**JSON, "Authorization": self._login()}
        answer = self._wire.post(PATH, self._body(message), headers)
        if 200 <= answer.status < 300:
            return _accepted(answer)
        raise failure(answer)

    def _body(self, message: Message) -> bytes:
        seconds = int(message.valid_for.total_seconds())
        fields = {
            "channel": "sms",
            "message_type": "text",
            "from": (message.sender or self._number).removeprefix("+"),
            "to": message.to.removeprefix("+"),
            "text": message.text.encode(errors="replace").decode(),
            "ttl": min(max(seconds, TTL[0]), TTL[1]),
            "client_ref": message.send_id,
        }
        if message.callback_url:
            fields["webhook_url"] = tagged(message.callback_url, message.send_id)
            fields["webhook_version"] = "v1"
        return orjson.dumps(fields)

    def find(self, message: Message, since: datetime) -> Found:
        """Cannot tell: Vonage lets nobody look a message up."""
        return Found(None)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Vonage lists no replies: raises ``Deferred``."""
        raise Deferred("Vonage lists no replies; it repeats those that were not taken for 24 h")

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Vonage lists no texts: raises ``Deferred``."""
        raise Deferred("Vonage lists no texts; look them up in its dashboard")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check the signed pass in Authorization, and that it is of this very body."""
        if not self._proof.holds(hook, now):
            raise Unverified(
                "the signed token in Authorization does not fit the body; compare "
                "signature_secrets with the dashboard's settings"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a status callback or an inbound text."""
        return [vonage_callbacks.read(hook)]


def _accepted(answer: Answer) -> Accepted:
    number = identifier(json_object(answer.body).get("message_uuid"))
    if not number:
        raise Uncertain("Vonage took the request but its answer is unreadable")
    return Accepted(number)
