"""Twilio Programmable Messaging (API 2010-04-01): send, look up, and read what Twilio tells us.

https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from connector.errors import Deferred, SendFailed, Uncertain, Unverified
from connector.messages import (
    CHANNELS,
    SMS,
    Accepted,
    Carried,
    Found,
    LookedUp,
    Message,
    Receipt,
    Reply,
    channel_of,
)
from connector.model import Hook
from connector.providers import Ability, twilio_callbacks, twilio_listing, twilio_lookup
from connector.providers.reading import (
    identifier,
    json_object,
    letters,
    micros,
    public_address,
    tagged,
    whole,
)
from connector.providers.twilio_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

NEAR: Final = timedelta(minutes=5)  #: a doubtful send was created within this of its attempt
SETTLED: Final = timedelta(seconds=60)  #: after this a text that is not listed was not taken
LOOKED_THROUGH: Final = 5  #: pages of a number's texts
MAX_VALIDITY: Final = 36_000  #: seconds
UNREAD: Final = "receiving"  #: a reply whose words are not all there yet: it is listed again
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Twilio:
    """Twilio as a provider.

    The first of ``auth_tokens`` sends (unless ``api_key`` and ``api_secret`` do), all of them
    verify callbacks, so that a token can be rotated; ``shared_keys`` verify those that Twilio
    signs with webhook shared keys instead. ``public_url`` is put before a callback's
    path where Twilio calls another address than the web knows. ``senders`` are those of routes:
    where no messaging service is among them, replies to others are not ours. ``redacted`` says
    that Twilio hides numbers or words in its records (Message Redaction), so that nothing can be
    looked up or listed by them. ``http`` is a ``requests.Session`` mounted without retries;
    without one the adapter makes its own.
    """

    name = twilio_callbacks.PROVIDER
    channels = frozenset(CHANNELS)
    does = frozenset(
        {Ability.finds, Ability.lists_texts, Ability.lists_replies, Ability.tells_status}
    )

    def __init__(
        self,
        *,
        account_sid: str,
        auth_tokens: Sequence[str],
        messaging_service_sid: str = "",
        from_number: str = "",
        base_url: str = "https://api.twilio.com",
        lookup_url: str = "https://lookups.twilio.com",
        api_key: str = "",
        api_secret: str = "",
        shared_keys: Sequence[str] = (),
        redacted: bool = False,
        public_url: str = "",
        senders: Sequence[str] = (),
        http: Any = None,
    ) -> None:
        tokens = tuple(token for token in auth_tokens if token)
        if not re.fullmatch(r"[A-Za-z0-9]{1,64}", account_sid):
            raise ValueError("account_sid is the account's identifier, AC and 32 hex digits")
        if not tokens:
            raise ValueError("auth_tokens is empty: callbacks could not be verified")
        if not (messaging_service_sid or from_number):
            raise ValueError("give messaging_service_sid or from_number: texts need a sender")
        self._tokens = tokens
        self._shared_keys = tuple(key for key in shared_keys if key)
        self._service = messaging_service_sid
        self._number = from_number
        named = {from_number, *senders} - {""}
        has_service = messaging_service_sid or any(each.startswith("MG") for each in named)
        self._ours = frozenset() if has_service else frozenset(named)
        if redacted:
            self.does = frozenset({Ability.tells_status})
        self._base_url = base_url
        self._lookup_url = lookup_url
        self._public_url = public_url
        self._http = http
        self._path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        login = f"{api_key}:{api_secret}" if api_key else f"{account_sid}:{tokens[0]}"
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}"

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {"Authorization": self._login}, self._http)

    @cached_property
    def _lookups(self) -> Wire:
        from connector.providers.wire import Wire

        return Wire(self._lookup_url, {"Authorization": self._login}, self._http)

    def send(self, message: Message) -> Accepted:
        """Create a Message; whatever may have created one unseen is ``Uncertain``."""
        answer = self._wire.post(self._path, self._form(message), FORM)
        if 200 <= answer.status < 300:
            return _accepted(answer)
        raise failure(answer)

    def _form(self, message: Message) -> bytes:
        service, number = self._service, self._number
        if message.sender.startswith("MG"):
            service, number = message.sender, ""
        elif message.sender:
            number = message.sender
        if channel_of(number) != SMS:
            service = ""  # its senders are numbers
        seconds = int(message.valid_for.total_seconds())
        fields = {
            "To": self._address(message),
            "From": number,
            "MessagingServiceSid": service,
            "Body": message.text,
            "StatusCallback": tagged(message.callback_url, message.send_id),
            "ValidityPeriod": str(min(max(seconds, 1), MAX_VALIDITY)),
        }
        pairs = [
            f"{name}={quote_plus(value, errors='replace')}"
            for name, value in fields.items()
            if value
        ]
        return "&".join(pairs).encode()

    def _address(self, message: Message) -> str:
        """The person's address on the channel that the sender speaks: ``whatsapp:+1202…``."""
        channel = channel_of(message.sender or self._number)
        return message.to if channel == SMS else f"{channel}:{message.to}"

    def find(self, message: Message, since: datetime) -> Found:
        """Look among the number's texts for these words, created near ``since``.

        Twilio keeps no reference of ours: the caller makes sure that the id found is not another
        send's already, and of several that fit none is chosen. The list is read to its end, since
        a text that has not left may stand anywhere in it. Marks may differ, since Twilio's Smart
        Encoding writes some in another way; where the words were taken out, nobody can tell.
        """
        if Ability.finds not in self.does:
            return Found(None)
        try:
            listing = twilio_listing.read(
                self._wire,
                self._path,
                {"To": self._address(message)},
                pages=LOOKED_THROUGH,
                keep=lambda entry: not entry.inbound and abs(entry.at - since) <= NEAR,
            )
        except SendFailed:
            return Found(None)
        words = letters(message.text)
        fits = tuple(each.carried for each in listing.entries if letters(each.text) == words)
        if len(fits) == 1:
            return Found(True, fits[0].provider_id, fits=fits)
        is_blank = any(not each.text for each in listing.entries)
        if fits or is_blank or not listing.complete or listing.answered_at is None:
            return Found(None, fits=fits)
        return Found(False if listing.answered_at - since >= SETTLED else None)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands, with its price; None where Twilio has no such text.

        Raises ``Deferred`` or ``Uncertain`` where it cannot tell now.
        """
        path = self._path.removesuffix(".json")
        answer = self._wire.get(f"{path}/{quote(provider_id, safe='')}.json")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise failure(answer)
        return twilio_listing.entry(json_object(answer.body)).receipt(message.send_id)

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """What kind of number it is, by Twilio's Lookup; each call is charged."""
        return twilio_lookup.look_up(self._lookups, e164, owner_since)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Replies that Twilio took since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        self._must_list()
        query = self._one("To")
        for entry in twilio_listing.since(self._wire, self._path, query, since, inbound=True):
            if self._is_ours(entry.to) and entry.status != UNREAD:
                yield entry.reply

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Texts that Twilio took from this account's sender since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now. It is asked
        without a date, since a text that has not left yet has no ``DateSent`` to be found by.
        """
        self._must_list()
        query = self._one("From")
        for entry in twilio_listing.since(self._wire, self._path, query, since, inbound=False):
            if self._is_ours(entry.sender):
                yield entry.carried

    def _must_list(self) -> None:
        if Ability.lists_texts not in self.does:
            raise Deferred("Twilio hides numbers or words (redacted = true): nothing can be listed")

    def _one(self, field: str) -> dict[str, str]:
        """What a list is asked for where all of ours is one sender's."""
        return {field: next(iter(self._ours))} if len(self._ours) == 1 else {}

    def _is_ours(self, sender: str) -> bool:
        """Whether a listed text is of a sender of ours; a messaging service may have any."""
        return not self._ours or sender in self._ours

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check X-Twilio-Signature over the public address and every field."""
        url = public_address(self._public_url, hook.url)
        if not twilio_callbacks.proven(hook, url, self._tokens, self._shared_keys):
            raise Unverified(
                "X-Twilio-Signature does not fit; check auth_tokens, and that web.public_url is "
                "the address that Twilio calls"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a status callback or an inbound text."""
        return [twilio_callbacks.read(hook)]


def _accepted(answer: Answer) -> Accepted:
    body = json_object(answer.body)
    sid = identifier(body.get("sid"))
    if not sid:
        raise Uncertain("Twilio took the request but its answer is unreadable")
    currency = str(body.get("price_unit") or "").upper()
    return Accepted(sid, whole(body.get("num_segments")), micros(body.get("price")), currency)
