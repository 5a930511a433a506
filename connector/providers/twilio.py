"""Twilio Programmable Messaging (API 2010-04-01): send, look up, and read what Twilio tells us.

https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

from connector.errors import SendFailed, Uncertain, Unverified
from connector.messages import (
    CHANNELS,
    Accepted,
    Carried,
    Found,
    LookedUp,
    Message,
    Receipt,
    Reply,
)
from connector.model import Hook, Json, Status
from connector.providers import Ability, twilio_callbacks, twilio_lookup
from connector.providers.reading import http_date, json_object, micros, tagged, whole
from connector.providers.twilio_errors import failure, reason

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

NEAR: Final = timedelta(minutes=5)  #: a doubtful send was created within this of its attempt
SETTLED: Final = timedelta(seconds=60)  #: after this a text that is not listed was not taken
MAX_PAGES: Final = 500  #: of a thousand texts each, when all since an instant are wanted
MAX_VALIDITY: Final = 36_000  #: seconds
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Twilio:
    """Twilio as a provider.

    The first of ``auth_tokens`` sends (unless ``api_key`` and ``api_secret`` do), all of them
    verify callbacks, so that a token can be rotated. ``public_url`` is put before a callback's
    path where Twilio calls another address than the web knows. ``http`` is a
    ``requests.Session`` mounted without retries; without one the adapter makes its own.
    """

    name = twilio_callbacks.PROVIDER
    channels = frozenset(CHANNELS)
    does = frozenset({Ability.finds, Ability.lists_texts, Ability.lists_replies})

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
        public_url: str = "",
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
        self._service = messaging_service_sid
        self._number = from_number
        self._base_url = base_url
        self._lookup_url = lookup_url
        self._public_url = public_url.rstrip("/")
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
        seconds = int(message.valid_for.total_seconds())
        fields = {
            "To": message.to,
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

    def find(self, message: Message, since: datetime) -> Found:
        """Look among the number's newest texts for this body, created near ``since``.

        Twilio keeps no reference of ours: the caller makes sure that the id found is not another
        send's already, and two texts that both fit cannot be told apart.
        """
        try:
            listing = self._list({"To": message.to}, since - NEAR, pages=5, page_size=100)
        except SendFailed:
            return Found(None)
        fits = [
            entry
            for entry in listing.entries
            if not entry.inbound and entry.text == message.text and abs(entry.at - since) <= NEAR
        ]
        if len(fits) == 1:
            return Found(True, fits[0].sid)
        if fits or not listing.complete or listing.answered_at is None:
            return Found(None)
        return Found(False if listing.answered_at - since >= SETTLED else None)

    def lookup(self, e164: str, owner_since: date | None = None) -> LookedUp:
        """What kind of number it is, by Twilio's Lookup; each call is charged."""
        return twilio_lookup.look_up(self._lookups, e164, owner_since)

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Replies that Twilio took since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        query = {"To": self._number} if self._number and not self._service else {}
        for entry in self._since(query, since):
            if entry.inbound:
                yield Reply(self.name, entry.sid, entry.sender, entry.to, entry.text, entry.at)

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Texts that Twilio took from this account's sender since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now. It is asked
        without a date, since a text that has not left yet has no ``DateSent`` to be found by.
        """
        query = {"From": self._number} if self._number and not self._service else {}
        for entry in self._since(query, since):
            if not entry.inbound:
                yield _carried(entry)

    def _since(self, query: Mapping[str, str], since: datetime) -> Iterator[_Entry]:
        """Every message since an instant, oldest first."""
        oldest = since.replace(microsecond=0)  # Twilio's own instants are whole seconds
        listing = self._list(query, oldest, pages=MAX_PAGES, page_size=1000)
        if not listing.complete:
            raise Uncertain(f"Twilio lists over {MAX_PAGES * 1000:,} texts since {oldest}")
        return (entry for entry in reversed(listing.entries) if entry.at >= oldest)

    def _list(
        self, query: Mapping[str, str], oldest: datetime, *, pages: int, page_size: int
    ) -> _Listing:
        """Messages, newest first, until one is older than ``oldest``."""
        listing = _Listing()
        path = f"{self._path}?{urlencode({**query, 'PageSize': str(page_size)})}"
        for _ in range(pages):
            answer = self._wire.get(path)
            if answer.status != 200:
                raise failure(answer)
            entries, path = _page(answer)
            listing.entries += entries
            listing.answered_at = listing.answered_at or http_date(answer.headers.get("Date"))
            if not path or (entries and entries[-1].at < oldest):
                listing.complete = True
                break
        return listing

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check X-Twilio-Signature over the public address and every field."""
        if not twilio_callbacks.proven(hook, self._public(hook.url), self._tokens):
            raise Unverified(
                "X-Twilio-Signature does not fit; check auth_tokens, and that web.public_url is "
                "the address that Twilio calls"
            )

    def _public(self, url: str) -> str:
        if not self._public_url:
            return url
        path = "/" + url.partition("://")[2].partition("/")[2]
        prefix = urlsplit(self._public_url).path
        if path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
        return self._public_url + path

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a status callback or an inbound text."""
        return [twilio_callbacks.read(hook)]


@dataclass(frozen=True, slots=True)
class _Entry:
    sid: str
    sender: str
    to: str
    text: str
    at: datetime
    inbound: bool
    status: str = ""
    error_code: str = ""
    segments: int | None = None
    cost_micros: int | None = None
    currency: str = ""


@dataclass(slots=True)
class _Listing:
    entries: list[_Entry] = field(default_factory=list)
    complete: bool = False  #: nothing that could matter is left out
    answered_at: datetime | None = None  #: by Twilio's clock, which also stamps its messages


def _accepted(answer: Answer) -> Accepted:
    body = json_object(answer.body)
    sid = body.get("sid")
    if not isinstance(sid, str) or not sid:
        raise Uncertain("Twilio took the request but its answer is unreadable")
    currency = str(body.get("price_unit") or "").upper()
    return Accepted(sid, whole(body.get("num_segments")), micros(body.get("price")), currency)


def _page(answer: Answer) -> tuple[list[_Entry], str]:
    """The messages of a list's page and the path of the next page, "" after the last."""
    page = json_object(answer.body)
    listed, onward = page.get("messages"), page.get("next_page_uri")
    if not isinstance(listed, list):
        raise Uncertain("Twilio's list of messages is unreadable")
    entries = [_entry(item) for item in listed if isinstance(item, dict)]
    return entries, onward if isinstance(onward, str) and onward.startswith("/") else ""


def _entry(item: Mapping[str, Json]) -> _Entry:
    at = http_date(item.get("date_created"))
    if at is None or not isinstance(item.get("sid"), str):
        raise Uncertain("Twilio's list of messages is unreadable")
    sender, to, text = (str(item.get(name) or "") for name in ("from", "to", "body"))
    return _Entry(
        item["sid"],
        sender,
        to,
        text,
        at,
        item.get("direction") == "inbound",
        str(item.get("status") or ""),
        str(item.get("error_code") or ""),
        whole(item.get("num_segments")),
        micros(item.get("price")),
        str(item.get("price_unit") or "").upper(),
    )


def _carried(entry: _Entry) -> Carried:
    return Carried(
        provider=twilio_callbacks.PROVIDER,
        provider_id=entry.sid,
        to=entry.to,
        text=entry.text,
        at=entry.at,
        status=twilio_callbacks.STATUSES.get(entry.status, Status.unknown),
        raw_status=entry.status,
        error_code=entry.error_code,
        reason=reason(entry.error_code),
        segments=entry.segments,
        cost_micros=entry.cost_micros,
        currency=entry.currency,
    )
