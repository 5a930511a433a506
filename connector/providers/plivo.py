"""Plivo Messaging (API v1): send, ask how a text stands, and read what Plivo tells us.

https://www.plivo.com/docs/messaging/api/messages/
https://www.plivo.com/docs/messaging/api/message/message-status-callbacks

Unverified with a live account: which signature headers message callbacks bear (see
``signature_v2``), the currency of prices (an account's own), and the wording of errors. Plivo's
list of messages holds neither words nor a reference of ours, so that it settles nothing doubtful.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from connector.errors import Deferred, Uncertain, Unverified
from connector.messages import SMS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook
from connector.providers import Ability, plivo_callbacks
from connector.providers.plivo_errors import failure
from connector.providers.reading import identifier, inside, json_object, tagged

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

JSON: Final = {"Content-Type": "application/json"}
MAX_EXPIRY: Final = 14_400  #: seconds; Plivo keeps no text longer


class Plivo:
    """Plivo as a provider.

    Texts go from ``from_number`` (``src``) or from a number that ``powerpack_uuid`` chooses. The
    first of ``auth_tokens`` sends, all of them verify callbacks. ``signature_v2`` also takes
    callbacks that bear only the older signature, which proves neither the body nor our reference.
    ``public_url`` is the address that Plivo calls, where it is another than the web knows.
    ``http`` is a ``requests.Session`` mounted without retries.

    Plivo tells no repetition of a text from another: what may have been taken is settled by its
    receipt, whose address bears our reference, or by a person.
    """

    name = plivo_callbacks.PROVIDER
    channels = frozenset({SMS})
    does = frozenset({Ability.tells_status})

    def __init__(
        self,
        *,
        auth_id: str,
        auth_tokens: Sequence[str],
        from_number: str = "",
        powerpack_uuid: str = "",
        currency: str = "USD",
        signature_v2: bool = False,
        base_url: str = "https://api.plivo.com",
        public_url: str = "",
        http: Any = None,
    ) -> None:
        tokens = tuple(token for token in auth_tokens if token)
        if not re.fullmatch(r"[A-Za-z0-9]{1,64}", auth_id):
            raise ValueError("auth_id is the account's identifier, MA or SA and 18 more")
        if not tokens:
            raise ValueError("auth_tokens is empty: callbacks could not be verified")
        if bool(from_number) == bool(powerpack_uuid):
            raise ValueError("give from_number or powerpack_uuid, and not both")
        self._proof = plivo_callbacks.Proof(tokens, public_url, signature_v2)
        self._v2 = signature_v2
        self._number = from_number
        self._powerpack = powerpack_uuid
        self._currency = currency.upper()
        self._base_url = base_url
        self._http = http
        self._path = f"/v1/Account/{auth_id}/Message/"
        login = base64.b64encode(f"{auth_id}:{tokens[0]}".encode()).decode()
        self._login = f"Basic {login}"

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {"Authorization": self._login}, self._http)

    def send(self, message: Message) -> Accepted:
        """Queue a message; whatever may have queued one unseen is ``Uncertain``."""
        answer = self._wire.post(self._path, self._body(message), JSON)
        if 200 <= answer.status < 300:
            return _accepted(answer)
        raise failure(answer)

    def _body(self, message: Message) -> bytes:
        sender = message.sender or self._number
        seconds = int(message.valid_for.total_seconds())
        fields = {
            "src": sender.removeprefix("+"),
            "powerpack_uuid": "" if sender else self._powerpack,
            "dst": message.to.removeprefix("+"),
            "text": message.text.encode(errors="replace").decode(),
            "type": "sms",
            "url": tagged(message.callback_url, message.send_id),
            "method": "POST" if message.callback_url else "",
            "message_expiry": min(max(seconds, 1), MAX_EXPIRY),
        }
        return orjson.dumps({name: value for name, value in fields.items() if value})

    def find(self, message: Message, since: datetime) -> Found:
        """Cannot tell: Plivo's records hold neither the words of a text nor our reference."""
        return Found(None)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands, with its price; None where Plivo knows none (any more).

        Raises ``Deferred`` or ``Uncertain`` where it cannot tell now.
        """
        answer = self._wire.get(f"{self._path}{quote(provider_id, safe='')}/")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise failure(answer)
        return plivo_callbacks.standing(
            json_object(answer.body), provider_id, message.send_id, self._currency
        )

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Plivo lists no replies with their words: raises ``Deferred``."""
        raise Deferred("Plivo lists no words of replies; look them up in its console")

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Plivo lists no texts with their words: raises ``Deferred``."""
        raise Deferred("Plivo lists no words of texts; look them up in its console")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check X-Plivo-Signature-V3 (or -MA-V3) over the public address and every field."""
        if not self._proof.holds(hook):
            raise Unverified(
                "X-Plivo-Signature-V3 does not fit; check auth_tokens, and that web.public_url is "
                "the address that Plivo calls (signature_v2 where it signs with V2 alone)"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a status callback or an inbound text."""
        return [plivo_callbacks.read(hook, self._currency, address_is_proven=not self._v2)]


def _accepted(answer: Answer) -> Accepted:
    number = identifier(inside(json_object(answer.body), "message_uuid", 0))
    if not number:
        raise Uncertain("Plivo took the request but its answer is unreadable")
    return Accepted(number)
