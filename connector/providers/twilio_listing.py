"""Twilio's own list of messages: asked page by page, and read.

https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources

It is sorted by ``date_sent``, the newest first: what was made long ago may have left just now.
Where a text stands that has not left yet, and so has no such date, is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

UNREADABLE: Final = "Twilio's list of messages is unreadable"
HIDDEN: Final = "Twilio hides numbers in its list: set redacted = true in [providers.twilio]"
PAGE: Final = 1_000  #: texts, the most that Twilio gives at once
MAX_PAGES: Final = 500  #: when all since an instant are wanted


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as Twilio lists it."""

    sid: str
    sender: str
    to: str
    text: str
    at: datetime
    listed_at: datetime  #: what the list is sorted by
    inbound: bool
    status: str = ""
    error_code: str = ""
    segments: int | None = None
    cost_micros: int | None = None
    currency: str = ""

    @property
    def is_hidden(self) -> bool:
        """Whether the last four digits of its numbers are written as XXXX (Message Redaction)."""
        return any(bare(number).endswith("XXXX") for number in (self.sender, self.to))

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
    """Messages, as Twilio lists them."""

    entries: list[Entry] = field(default_factory=list)
    complete: bool = False  #: nothing that could matter is left out
    answered_at: datetime | None = None  #: by Twilio's clock, which also stamps its messages


def read(
    wire: Wire,
    path: str,
    query: Mapping[str, str],
    *,
    pages: int,
    keep: Callable[[Entry], bool],
    oldest: datetime | None = None,
) -> Listing:
    """The messages of so many pages, to the end or until none can be of ``oldest`` or later.

    Only what is wanted is kept, since others may be very many. Raises ``SendFailed``.
    """
    listing = Listing()
    path = f"{path}?{urlencode({**query, 'PageSize': str(PAGE)})}"
    for _ in range(pages):
        answer = wire.get(path)
        if answer.status != 200:
            raise failure(answer)
        entries, path = _page(answer)
        listing.entries += filter(keep, entries)
        listing.answered_at = listing.answered_at or http_date(answer.headers.get("Date"))
        if not path or (oldest and entries and entries[-1].listed_at < oldest):
            listing.complete = True
            break
    return listing


def since(
    wire: Wire, path: str, query: Mapping[str, str], instant: datetime, *, inbound: bool
) -> list[Entry]:
    """What came in, or went out, since an instant, oldest first.

    Raises ``Uncertain`` where there is more than can be listed.
    """
    oldest = instant.replace(microsecond=0)  # Twilio's own instants are whole seconds
    listing = read(
        wire,
        path,
        query,
        pages=MAX_PAGES,
        oldest=oldest,
        keep=lambda entry: entry.inbound is inbound and entry.at >= oldest,
    )
    if not listing.complete:
        raise Uncertain(f"Twilio lists over {MAX_PAGES * PAGE:,} texts since {oldest}")
    return sorted(reversed(listing.entries), key=lambda entry: entry.at)


def entry(item: Mapping[str, Json]) -> Entry:
    """A message; raises ``Uncertain`` where it is not as Twilio describes one."""
    at = http_date(item.get("date_created"))
    sid = identifier(item.get("sid"))
    if at is None or not sid:
        raise Uncertain(UNREADABLE)
    sender, to, text = (str(item.get(name) or "") for name in ("from", "to", "body"))
    return Entry(
        sid,
        sender,
        to,
        text,
        at,
        http_date(item.get("date_sent")) or at,
        item.get("direction") == "inbound",
        str(item.get("status") or ""),
        str(item.get("error_code") or ""),
        whole(item.get("num_segments")),
        micros(item.get("price")),
        str(item.get("price_unit") or "").upper(),
    )


def _page(answer: Answer) -> tuple[list[Entry], str]:
    """The messages of a list's page and the path of the next page, "" after the last.

    Raises ``Uncertain`` where any of it cannot be read: what is left out would be taken for
    something that never was.
    """
    page = json_object(answer.body)
    listed, onward = page.get("messages"), page.get("next_page_uri") or ""
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Uncertain(UNREADABLE)
    if onward and not (isinstance(onward, str) and onward.startswith("/")):
        raise Uncertain(UNREADABLE)
    entries = [entry(item) for item in listed]
    if any(each.is_hidden for each in entries):
        raise Uncertain(HIDDEN, reason="configuration")
    return entries, onward
