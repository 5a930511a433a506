"""Bird (Channels API): send, look up, and read what Bird tells us.

https://docs.bird.com/api/channels-api/api-reference/messaging
Nothing here was tried against a live account; docs/providers.md says what rests on what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode

import orjson

from connector.errors import SendFailed, Uncertain, Unreadable, Unverified
from connector.messages import SMS, Accepted, Carried, Found, Message, Receipt, Reply
from connector.model import Hook, Json
from connector.providers import Ability, bird_callbacks, refusals
from connector.providers.reading import http_date, identifier, iso_written, json_object, letters

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

NEAR: Final = timedelta(minutes=5)  #: a doubtful send was created within this of its attempt
SETTLED: Final = timedelta(seconds=60)  #: after this a text that is not listed was not taken
PAGE: Final = 100
MAX_PAGES: Final = 2_000
JSON: Final = {"Content-Type": "application/json"}

T = TypeVar("T")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


class Bird:
    """Bird as a provider.

    ``channel_id`` is the SMS channel that texts leave by; a text's own sender may name another
    one of the same workspace, and ``senders`` are those of routes, which are listed too.
    ``signing_keys`` are those of the webhook subscriptions; several are for rotation. ``http`` is
    a ``requests.Session`` without retries.
    """

    name = bird_callbacks.PROVIDER
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
        workspace_id: str,
        channel_id: str,
        access_key: str,
        signing_keys: Sequence[str],
        base_url: str = "https://api.bird.com",
        senders: Sequence[str] = (),
        http: Any = None,
    ) -> None:
        for name, value in (("workspace_id", workspace_id), ("channel_id", channel_id)):
            if not _UUID.fullmatch(value):
                raise ValueError(f"{name} is a UUID, as Bird shows it")
        keys = tuple(key for key in signing_keys if key)
        if not keys:
            raise ValueError("signing_keys is empty: callbacks could not be verified")
        self._keys = keys
        self._channel = channel_id
        self._channels = {channel_id, *(each for each in senders if _UUID.fullmatch(each))}
        self._workspace = f"/workspaces/{workspace_id}"
        self._base_url = base_url
        self._login = f"AccessKey {access_key}"
        self._http = http

    @cached_property
    def _wire(self) -> Wire:
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        return Wire(self._base_url, {"Authorization": self._login}, self._http)

    def send(self, message: Message) -> Accepted:
        """Create a message; whatever may have created one unseen is ``Uncertain``."""
        fields = {
            "receiver": {
                "contacts": [{"identifierKey": "phonenumber", "identifierValue": message.to}]
            },
            "body": {
                "type": "text",
                "text": {"text": message.text.encode(errors="replace").decode()},
            },
            "reference": message.send_id,
        }
        answer = self._wire.post(self._path(message.sender), orjson.dumps(fields), JSON)
        if not 200 <= answer.status < 300:
            raise _failure(answer)
        number = identifier(json_object(answer.body).get("id"))
        if not number:
            raise Uncertain("Bird took the request but its answer is unreadable")
        return Accepted(number)

    def _path(self, sender: str = "") -> str:
        """Where messages of a channel are; a sender that is no channel's id leaves the own one."""
        channel = sender if _UUID.fullmatch(sender) else self._channel
        return f"{self._workspace}/channels/{channel}/messages"

    def find(self, message: Message, since: datetime) -> Found:
        """Look for our reference; where no text bears it, for number, words and time."""
        window = {"startAt": iso_written(since - NEAR), "endAt": iso_written(since + NEAR)}
        try:
            entries, answered_at = self._list(self._path(message.sender), "outgoing", window)
            texts = [bird_callbacks.carried(entry) for entry in entries]
        except (SendFailed, Unreadable):
            return Found(None)
        for text in texts:
            if text.send_id == message.send_id:
                return Found(True, text.provider_id, by_reference=True, fits=(text,))
        near = [text for text in texts if not text.send_id and _may_be(text, message, since)]
        fits = tuple(text for text in near if text.to and letters(text.text))
        if len(fits) == 1 == len(near):
            return Found(True, fits[0].provider_id, fits=fits)
        settled = answered_at is not None and answered_at - since >= SETTLED
        return Found(False if settled and not near else None, fits=fits)

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands now; None where Bird knows no such message."""
        answer = self._wire.get(f"{self._path(message.sender)}/{quote(provider_id, safe='')}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusals.of_listing(_failure(answer))
        try:
            return bird_callbacks.receipt(json_object(answer.body))
        except Unreadable as error:
            raise Uncertain(str(error)) from None

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """Replies that Bird took on our channels since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        listed = self._read(bird_callbacks.reply, "incoming", since)
        dated = [(each.occurred_at or since, each) for each in listed]
        dated.sort(key=lambda pair: (pair[0], pair[1].provider_id))
        return (each for at, each in dated if at >= since)

    def carried(self, since: datetime) -> Iterator[Carried]:
        """Texts that Bird took on our channels since an instant, oldest first.

        Raises ``Deferred`` or ``Uncertain`` when they cannot all be listed now.
        """
        texts = self._read(bird_callbacks.carried, "outgoing", since)
        texts.sort(key=lambda each: (each.at, each.provider_id))
        return (each for each in texts if each.at >= since)

    def _read(
        self, read: Callable[[Mapping[str, Json]], T], direction: str, since: datetime
    ) -> list[T]:
        window, found = {"startAt": iso_written(since)}, list[T]()
        try:
            for channel in sorted(self._channels):
                listed, _ = self._list(self._path(channel), direction, window)
                found += (read(entry) for entry in listed)
        except Unreadable as error:
            raise Uncertain(str(error)) from None
        return found

    def _list(
        self, path: str, direction: str, window: Mapping[str, str]
    ) -> tuple[list[Mapping[str, Json]], datetime | None]:
        """Every message of a window, once, and when Bird answered first."""
        query = {"direction": direction, "limit": str(PAGE), **window}
        found: dict[str, Mapping[str, Json]] = {}
        answered_at: datetime | None = None
        for _ in range(MAX_PAGES):
            answer = self._wire.get(f"{path}?{urlencode(query)}")
            if answer.status != 200:
                raise refusals.of_listing(_failure(answer))
            answered_at = answered_at or http_date(answer.headers.get("Date"))
            page = json_object(answer.body)
            for entry in _entries(page):
                found.setdefault(str(entry.get("id")), entry)
            onward = page.get("nextPageToken")
            if not isinstance(onward, str) or not onward:
                return list(found.values()), answered_at
            query["pageToken"] = onward
        raise Uncertain(f"Bird lists over {MAX_PAGES * PAGE:,} messages")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check messagebird-signature over time, public address and body."""
        if not bird_callbacks.proven(hook, self._keys, now):
            raise Unverified(
                "messagebird-signature does not fit; check signing_keys, and that web.public_url "
                "is the address in the webhook subscription"
            )

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a message's status or an inbound text."""
        return [bird_callbacks.read(hook)]


def _may_be(text: Carried, message: Message, since: datetime) -> bool:
    """Whether a listed text may be this one; where the list leaves number or words out, it may."""
    return (
        text.to in ("", message.to)
        and letters(text.text) in ("", letters(message.text))
        and abs(text.at - since) <= NEAR
    )


def _entries(page: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    listed = page.get("results")
    if not isinstance(listed, list):
        raise Uncertain("Bird's list of messages is unreadable")
    return [entry for entry in listed if isinstance(entry, dict)]


def _failure(answer: Answer) -> SendFailed:
    """The error that an answer other than 2xx comes to, by its status; its words are not read."""
    code = json_object(answer.body).get("code")
    told = code if isinstance(code, str) and _WORD.fullmatch(code) else ""
    return refusals.failure("Bird", answer, told, {})
