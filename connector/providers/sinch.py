"""Sinch SMS (REST API, XMS v1): send, look up by our own reference, and read what Sinch tells us.

https://developers.sinch.com/docs/sms/api-reference/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import orjson

from connector.errors import SendFailed, Uncertain, Unreadable, Unverified
from connector.messages import SMS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook, Json
from connector.providers import Ability, refusals, sinch_callbacks
from connector.providers.reading import (
    e164,
    http_date,
    identifier,
    iso_date,
    iso_written,
    json_object,
    tagged,
)
from connector.providers.sinch_errors import failure

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

REGIONS: Final = ("us", "eu", "au", "br", "ca")
NEAR: Final = timedelta(minutes=5)  #: Sinch's clock and ours may differ by this
SETTLED: Final = timedelta(seconds=60)  #: after this a text that is not listed was not taken
VALID: Final = (timedelta(seconds=30), timedelta(days=3))  #: shortest and longest
MAX_PARTS: Final = 30  #: Sinch tells of how many parts a text was only where a most is named
PAGE: Final = 100  #: the most that a page holds
MAX_PAGES: Final = 2_000
JSON: Final = {"Content-Type": "application/json"}


class Sinch:
    """Sinch as a provider.

    ``region`` is where the service plan lives. Callbacks are proven by ``callback_secrets``
    (HMAC) or ``callback_passwords`` (``user:password``, Basic); Sinch's account manager turns
    either on, and several are for rotation. ``http`` is a ``requests.Session`` without retries.
    """

    name = sinch_callbacks.PROVIDER
    channels = frozenset({SMS})
    does = frozenset(
        {
            *(Ability.finds, Ability.finds_by_reference, Ability.tells_status),
            *(Ability.lists_replies, Ability.lists_texts),
        }
    )

    def __init__(
        self,
        *,
        service_plan_id: str,
        api_token: str,
        from_number: str,
        clock: Callable[[], datetime],
        callback_secrets: Sequence[str] = (),
        callback_passwords: Sequence[str] = (),
        region: str = "us",
        base_url: str = "",
        http: Any = None,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", service_plan_id):
            raise ValueError("service_plan_id is the service plan's identifier in the dashboard")
        if region not in REGIONS:
            raise ValueError(f"region is one of {', '.join(REGIONS)}")
        if not (any(callback_secrets) or any(callback_passwords)):
            raise ValueError(
                "give callback_secrets (HMAC) or callback_passwords (Basic), as Sinch's account "
                "manager set your callbacks up: without one anybody could send them"
            )
        if not all(":" in login for login in callback_passwords):
            raise ValueError("each of callback_passwords is written user:password")
        self._proof = sinch_callbacks.Proof(tuple(callback_secrets), tuple(callback_passwords))
        self._number = from_number
        self._clock = clock
        self._base_url = base_url or f"https://{region}.sms.api.sinch.com"
        self._path = f"/xms/v1/{service_plan_id}"
        self._token = api_token
        self._http = http

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {"Authorization": f"Bearer {self._token}"}, self._http)

    def send(self, message: Message) -> Accepted:
        """Create a batch of one; whatever may have created one unseen is ``Uncertain``."""
        answer = self._wire.post(f"{self._path}/batches", self._batch(message), JSON)
        if not 200 <= answer.status < 300:
            raise failure(answer)
        number = identifier(json_object(answer.body).get("id"))
        if not number:
            raise Uncertain("Sinch took the request but its answer is unreadable")
        return Accepted(number)

    def _batch(self, message: Message) -> bytes:
        valid_for = min(max(message.valid_for, VALID[0]), VALID[1])
        fields = {
            "from": message.sender or self._number,
            "to": [message.to],
            "body": message.text.encode(errors="replace").decode(),
            "delivery_report": "per_recipient",
            "client_reference": message.send_id,
            "expire_at": iso_written(self._clock() + valid_for),
            "max_number_of_message_parts": MAX_PARTS,
            "callback_url": tagged(message.callback_url, message.send_id),
        }
        return orjson.dumps({name: value for name, value in fields.items() if value})

    def find(self, message: Message, since: datetime) -> Found:
        """Look for a batch that bears our reference, and for a delivery report that does.

        Every page is read, so that a Sinch that lists more than it was asked for hides nothing.
        """
        query = {"client_reference": message.send_id, "start_date": iso_written(since - NEAR)}
        answered_at: datetime | None = None
        try:
            for listed, name in (("batches", "id"), ("delivery_reports", "batch_id")):
                for answer, entries in self._pages(listed, query):
                    answered_at = answered_at or http_date(answer.headers.get("Date"))
                    if number := _borne(entries, message.send_id, name):
                        return Found(True, number, by_reference=True)
        except SendFailed:
            return Found(None)
        settled = answered_at is not None and answered_at - since >= SETTLED
        return Found(False if settled else None)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands now, by its delivery report."""
        path = f"{self._path}/batches/{quote(provider_id, safe='')}/delivery_report?type=full"
        answer = self._wire.get(path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusals.of_listing(failure(answer))
        try:
            return sinch_callbacks.reported(json_object(answer.body), provider_id, message.send_id)
        except Unreadable:
            raise Uncertain("Sinch's delivery report is unreadable") from None

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Replies that Sinch took since an instant, oldest first; it keeps them for 14 days.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        listed = (sinch_callbacks.reply(entry) for entry in self._since("inbounds", since))
        dated = [(each.occurred_at or since, each) for each in listed]
        dated.sort(key=lambda pair: (pair[0], pair[1].provider_id))
        return (each for at, each in dated if at >= since)

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Texts that Sinch took since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        texts = [_carried(entry) for entry in self._since("batches", since)]
        texts.sort(key=lambda each: (each.at, each.provider_id))
        return (each for each in texts if each.at >= since)

    def _since(self, listed: str, since: datetime) -> Iterator[Mapping[str, Json]]:
        """Every entry of a list since an instant; one that moved on to a later page, once."""
        seen: set[str] = set()
        for _, entries in self._pages(listed, {"start_date": iso_written(since)}):
            for entry in entries:
                if str(entry.get("id")) not in seen:
                    seen.add(str(entry.get("id")))
                    yield entry

    def _pages(
        self, listed: str, query: Mapping[str, str]
    ) -> Iterator[tuple[Answer, list[Mapping[str, Json]]]]:
        """Every page of a list, to its last: a short one may only be shorter than was asked."""
        seen = 0
        for page in range(MAX_PAGES):
            asked = urlencode({**query, "page": str(page), "page_size": str(PAGE)})
            answer = self._wire.get(f"{self._path}/{listed}?{asked}")
            if answer.status != 200:
                raise refusals.of_listing(failure(answer))
            entries, count = _entries(answer, listed)
            yield answer, entries
            seen += len(entries)
            if not entries or (len(entries) < PAGE and seen >= count):
                return
        raise Uncertain(f"Sinch lists over {MAX_PAGES * PAGE:,} of {listed}")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check the HMAC over the body, or the user and password."""
        if not self._proof.holds(hook, now):
            raise Unverified(
                "neither x-sinch-webhook-signature nor Authorization fits; compare "
                "callback_secrets or callback_passwords with what Sinch set up for your callbacks"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a delivery report or an inbound text."""
        return sinch_callbacks.read(hook)


def _entries(answer: Answer, listed: str) -> tuple[list[Mapping[str, Json]], int]:
    """The entries of a page, and how many there are on all; an empty list may be left out."""
    page = json_object(answer.body)
    count = page.get("count")
    found = page.get(listed, [] if count == 0 else None)
    if not isinstance(found, list):
        raise Uncertain(f"Sinch's list of {listed} is unreadable")
    entries: list[Mapping[str, Json]] = [entry for entry in found if isinstance(entry, dict)]
    return entries, count if type(count) is int else 0


def _borne(entries: Sequence[Mapping[str, Json]], send_id: str, name: str) -> str:
    """The batch of the entry that bears our reference; "" where none does."""
    numbers = (
        identifier(entry.get(name)) for entry in entries if entry.get("client_reference") == send_id
    )
    return next((number for number in numbers if number), "")


def _carried(entry: Mapping[str, Json]) -> Carried:
    to, at = entry.get("to"), iso_date(entry.get("created_at"))
    if at is None or not isinstance(entry.get("id"), str):
        raise Uncertain("Sinch's list of batches is unreadable")
    return Carried(
        provider=sinch_callbacks.PROVIDER,
        provider_id=str(entry["id"]),
        to=e164(to[0]) if isinstance(to, list) and to else "",
        text=str(entry.get("body") or ""),
        at=at,
        send_id=str(entry.get("client_reference") or ""),
        status=sinch_callbacks.CANCELED if entry.get("canceled") else sinch_callbacks.TAKEN,
    )
