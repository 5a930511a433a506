"""Twilio's own list of messages: asked page by page, and read.

https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from connector.errors import Uncertain
from connector.messages import Carried, Receipt, Reply, bare, channel_of
from connector.model import Json, Status
from connector.providers.reading import http_date, identifier, json_object, micros, whole
from connector.providers.twilio_callbacks import PROVIDER, STATUSES
from connector.providers.twilio_errors import failure, reason

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

MAX_PAGES: Final = 500  #: of a thousand texts each, when all since an instant are wanted


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as Twilio lists it."""

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

    @property
    def reply(self) -> Reply:
        """What a person texted."""
        return Reply(
            PROVIDER,
            self.sid,
            bare(self.sender),
            self.to,
            self.text,
            self.at,
            channel=channel_of(self.sender),
        )

    @property
    def carried(self) -> Carried:
        """A text that Twilio took."""
        return Carried(
            provider=PROVIDER,
            provider_id=self.sid,
            to=bare(self.to),
            text=self.text,
            at=self.at,
            status=STATUSES.get(self.status, Status.unknown),
            raw_status=self.status,
            error_code=self.error_code,
            reason=reason(self.error_code),
            segments=self.segments,
            cost_micros=self.cost_micros,
            currency=self.currency if self.cost_micros is not None else "",
        )

    def receipt(self, send_id: str) -> Receipt:
        """How the text stands."""
        carried = self.carried
        return Receipt(
            provider=PROVIDER,
            provider_id=self.sid,
            status=carried.status,
            raw_status=self.status,
            error_code=self.error_code,
            reason=carried.reason,
            send_id=send_id,
            segments=self.segments,
            cost_micros=self.cost_micros,
            currency=carried.currency,
        )


@dataclass(slots=True)
class Listing:
    """Messages, newest first."""

    entries: list[Entry] = field(default_factory=list)
    complete: bool = False  #: nothing that could matter is left out
    answered_at: datetime | None = None  #: by Twilio's clock, which also stamps its messages


def newest(
    wire: Wire,
    path: str,
    query: Mapping[str, str],
    oldest: datetime,
    *,
    pages: int,
    page_size: int,
) -> Listing:
    """Messages, newest first, until one is older than ``oldest``; raises ``SendFailed``."""
    listing = Listing()
    path = f"{path}?{urlencode({**query, 'PageSize': str(page_size)})}"
    for _ in range(pages):
        answer = wire.get(path)
        if answer.status != 200:
            raise failure(answer)
        entries, path = _page(answer)
        listing.entries += entries
        listing.answered_at = listing.answered_at or http_date(answer.headers.get("Date"))
        if not path or (entries and entries[-1].at < oldest):
            listing.complete = True
            break
    return listing


def since(wire: Wire, path: str, query: Mapping[str, str], instant: datetime) -> list[Entry]:
    """Every message since an instant, oldest first; raises ``Uncertain`` where there are more."""
    oldest = instant.replace(microsecond=0)  # Twilio's own instants are whole seconds
    listing = newest(wire, path, query, oldest, pages=MAX_PAGES, page_size=1000)
    if not listing.complete:
        raise Uncertain(f"Twilio lists over {MAX_PAGES * 1000:,} texts since {oldest}")
    return [entry for entry in reversed(listing.entries) if entry.at >= oldest]


def entry(item: Mapping[str, Json]) -> Entry:
    """A message; raises ``Uncertain`` where it is not as Twilio describes one."""
    at = http_date(item.get("date_created"))
    sid = identifier(item.get("sid"))
    if at is None or not sid:
        raise Uncertain("Twilio's list of messages is unreadable")
    sender, to, text = (str(item.get(name) or "") for name in ("from", "to", "body"))
    return Entry(
        sid,
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


def _page(answer: Answer) -> tuple[list[Entry], str]:
    """The messages of a list's page and the path of the next page, "" after the last."""
    page = json_object(answer.body)
    listed, onward = page.get("messages"), page.get("next_page_uri")
    if not isinstance(listed, list):
        raise Uncertain("Twilio's list of messages is unreadable")
    entries = [entry(item) for item in listed if isinstance(item, dict)]
    return entries, onward if isinstance(onward, str) and onward.startswith("/") else ""
