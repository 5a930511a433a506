"""What Salesforce sends us: Outbound Messages in SOAP, and a Flow's HTTP callout in JSON.

Document: developer.salesforce.com, SOAP API guide, outbound messaging. Neither is signed, so both
are hints: which record, never what it holds. A message sent again carries the record as it is
then, and a field that is empty is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree

import orjson

from connector.errors import Unreadable
from connector.model import Errand, Hint, Json, Parsed
from connector.sources.reading import EARLIEST, read_instant, short_text
from connector.sources.salesforce_ids import OBJECTS, is_id, long_form

MOST: Final = 1_000  #: notifications in one message; Salesforce says at most 100
MOST_CALLS: Final = 200  #: records in one callout
ENVELOPE: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
OUTBOUND: Final = "{http://soap.sforce.com/2005/09/outbound}"
ACK: Final = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)

_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PLAIN = frozenset({b"", b"utf-8", b"us-ascii", b"ascii"})
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Message:
    """One Outbound Message: whose it is, and (id of the notification, of the record)s."""

    organization: str
    notifications: tuple[tuple[str, str], ...]


def read_message(body: bytes) -> Message:
    """An Outbound Message; raises ``Unreadable``. Nothing in it is expanded or fetched."""
    root = _parsed(body)
    told = root.find(f"{ENVELOPE}Body/{OUTBOUND}notifications")
    if root.tag != f"{ENVELOPE}Envelope" or told is None:
        raise Unreadable("the body is no Outbound Message")
    found = told.findall(f"{OUTBOUND}Notification")
    if len(found) > MOST:
        raise Unreadable(f"the message has {len(found)} notifications; at most {MOST} are taken")
    return Message(
        (told.findtext(f"{OUTBOUND}OrganizationId") or "").strip(),
        tuple((_text(each, "Id"), _record(each)) for each in found),
    )


def of_message(crm: str, message: Message, event: str, received_at: datetime) -> Parsed:
    """Its hints, and the event that the address names for each record."""
    hints: list[Hint] = []
    errands: list[Errand] = []
    rejected: list[tuple[str, bytes]] = []
    ignored: list[str] = []
    for number, record in message.notifications:
        about = OBJECTS.get(record[:3])
        if not is_id(record):
            rejected.append(("no_record_id", orjson.dumps({"notification": number[:20]})))
        elif about is None:
            ignored.append("unknown_type")
        else:
            record = long_form(record)
            hints.append(Hint(crm, about, record, received_at))
            if event:
                key = f"event:{number[:20]}:{event}:{record}"
                errands.append(Errand(crm, key, about, record, received_at, event=event))
    return Parsed((), tuple(rejected), tuple(hints), tuple(errands), tuple(ignored))


def of_callout(crm: str, body: Json, received_at: datetime) -> Parsed:
    """A Flow's callout: ``{"event", "id", "object", "at"}``, or a list of them."""
    items = body if isinstance(body, list) else [body]
    if not 0 < len(items) <= MOST_CALLS:
        raise Unreadable(f"send between one and {MOST_CALLS} records")
    hints: list[Hint] = []
    errands: list[Errand] = []
    rejected: list[tuple[str, bytes]] = []
    ignored: list[str] = []
    for item in items:
        record = item.get("id") if isinstance(item, dict) else None
        if not isinstance(record, str) or not is_id(record):
            rejected.append(("no_record_id", orjson.dumps(item)))
            continue
        about = OBJECTS.get(record[:3])
        if about is None:
            ignored.append("unknown_type")
            continue
        at = _at(item, received_at)
        hints.append(Hint(crm, about, long_form(record), at))
        errands.extend(_called(crm, about, item, at, received_at))
    return Parsed((), tuple(rejected), tuple(hints), tuple(errands), tuple(ignored))


def _called(
    crm: str, about: str, item: Mapping[str, Any], at: datetime, received_at: datetime
) -> Iterator[Errand]:
    if event := short_text(item.get("event")):
        words = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        day = "" if item.get("at") else f":{received_at:%Y-%m-%d}"
        key = f"event:{hashlib.sha256(words).hexdigest()[:32]}{day}"
        record = long_form(str(item["id"]))
        yield Errand(crm, key, about, record, at, event=event)


def _at(item: Mapping[str, Any], received_at: datetime) -> datetime:
    try:
        at = read_instant(item.get("at"))
    except ValueError:
        at = None
    return max(min(at or received_at, received_at), EARLIEST)


def _parsed(body: bytes) -> ElementTree.Element:
    """The XML, once nothing in it can do anything but stand there."""
    if _DECLARES.search(body):
        raise Unreadable("the body declares a document type or an entity")
    encoding = _ENCODING.match(body)
    if b"\0" in body or (encoding and encoding[1].lower() not in _PLAIN):
        raise Unreadable("the body is not UTF-8")  # where a declaration could hide from the look
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - it declares nothing
    except (ElementTree.ParseError, ValueError) as error:
        raise Unreadable(f"the body is not XML: {error}") from None


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(f"{OUTBOUND}{name}") or "").strip()


def _record(notification: ElementTree.Element) -> str:
    """The record's Id, whatever its namespace: it differs between the two kinds of API."""
    about = notification.find(f"{OUTBOUND}sObject")
    for child in about if about is not None else ():
        if child.tag.rpartition("}")[2] == "Id":
            return (child.text or "").strip()
    return ""
