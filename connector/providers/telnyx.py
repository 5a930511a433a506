"""Telnyx Messaging (API v2): send, ask how a text stands, and read what Telnyx tells us.

https://developers.telnyx.com/api-reference/messages/send-a-message
https://developers.telnyx.com/docs/development/api-fundamentals/idempotency

Unverified with a live account: that a repeated key is replayed for Messages as the general page
says, and that receipts always repeat ``webhook_url``, by which our reference comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from connector.errors import Deferred, Uncertain, Unverified
from connector.messages import SMS, Accepted, Carried, Found, LookedUp, Message, Receipt, Reply
from connector.model import Hook
from connector.providers import Ability, telnyx_callbacks, telnyx_lookup
from connector.providers.reading import identifier, inside, json_object, tagged
from connector.providers.telnyx_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

PATH: Final = "/v2/messages"
JSON: Final = {"Content-Type": "application/json"}


class Telnyx:
    """Telnyx as a provider.

    Texts go from ``from_number`` (a number, short code or name) or from a number that
    ``messaging_profile_id`` chooses; a name needs both. ``public_keys`` are those that Telnyx
    signs with, in base64 as Mission Control shows them. ``http`` is a ``requests.Session``
    mounted without retries.

    The same text handed over again within 24 hours goes out once, since its ``Idempotency-Key``
    is our own reference. Telnyx takes no time limit for a text, and lists none.
    """

    name = telnyx_callbacks.PROVIDER
    channels = frozenset({SMS})
    does = frozenset({Ability.repeats_safely, Ability.tells_status})

    def __init__(
        self,
        *,
        api_key: str,
        public_keys: Sequence[str],
        messaging_profile_id: str = "",
        from_number: str = "",
        base_url: str = "https://api.telnyx.com",
        http: Any = None,
    ) -> None:
        if not api_key:
            raise ValueError("api_key is empty: make one in Mission Control, under API Keys")
        if not (messaging_profile_id or from_number):
            raise ValueError("give from_number or messaging_profile_id: texts need a sender")
        self._proof = telnyx_callbacks.Proof(public_keys)
        self._profile = messaging_profile_id
        self._number = from_number
        self._base_url = base_url
        self._login = f"Bearer {api_key}"
        self._http = http

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {"Authorization": self._login}, self._http)

    def send(self, message: Message) -> Accepted:
        """Create a message; whatever may have created one unseen is ``Uncertain``."""
        headers = {**JSON, "Idempotency-Key": message.send_id}
        answer = self._wire.post(PATH, self._body(message), headers)
        if 200 <= answer.status < 300:
            return _accepted(answer)
        raise failure(answer)

    def _body(self, message: Message) -> bytes:
        """The request, byte for byte the same each time: that is what a repetition is told by."""
        fields = {
            "from": message.sender or self._number,
            "messaging_profile_id": self._profile,
            "to": message.to,
            "text": message.text.encode(errors="replace").decode(),
            "type": "SMS",
            "webhook_url": tagged(message.callback_url, message.send_id),
        }
        return orjson.dumps({name: value for name, value in fields.items() if value})

    def find(self, message: Message, since: datetime) -> Found:
        """Cannot tell: Telnyx lists no messages. Hand the very same text over again instead."""
        return Found(None)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands; None where Telnyx knows none, as it does after ten days.

        Raises ``Deferred`` or ``Uncertain`` where it cannot tell now.
        """
        answer = self._wire.get(f"{PATH}/{quote(provider_id, safe='')}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise failure(answer)
        receipt = telnyx_callbacks.receipt(json_object(answer.body).get("data"))
        if receipt is None:
            raise Uncertain("Telnyx's answer about a text is unreadable")
        return receipt

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """What kind of number it is; Telnyx does not tell of a new owner. Each call is charged."""
        return telnyx_lookup.look_up(self._wire, e164)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Telnyx lists no replies: raises ``Deferred``."""
        raise Deferred("Telnyx lists no replies; those it could not deliver are in its portal")

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Telnyx lists no texts with their words: raises ``Deferred``."""
        raise Deferred("Telnyx lists no texts; look them up in its portal")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check Telnyx-Signature-Ed25519 over the time it names and the body."""
        if not self._proof.holds(hook, now):
            raise Unverified(
                "Telnyx-Signature-Ed25519 does not fit or is over five minutes old; compare "
                "public_keys with Mission Control, and this machine's clock with the time"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a message event: a receipt or an inbound text."""
        return [telnyx_callbacks.read(hook)]


def _accepted(answer: Answer) -> Accepted:
    data = json_object(answer.body).get("data")
    number = identifier(inside(data, "id"))
    if not number:
        raise Uncertain("Telnyx took the request but its answer is unreadable")
    segments, cost, currency = telnyx_callbacks.amounts(data)
    return Accepted(number, segments, cost, currency)
