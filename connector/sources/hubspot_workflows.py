"""What HubSpot's workflows ask: "send a webhook", and the custom action "Send SMS".

Documents: knowledge.hubspot.com, how do I use webhooks with HubSpot workflows;
developers.hubspot.com, custom workflow actions. The body of "send a webhook" is what its author
picked, so it is read leniently, and only for which record it is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connector.errors import Unreadable
from connector.model import Errand, Hint, Json, Parsed
from connector.sources.hubspot_events import OBJECTS, TYPE_IDS, Odd, record_id
from connector.sources.reading import event_of, short_text

LONGEST_ID: Final = 300
RECORD: Final = ("vid", "objectId", "hs_object_id", "dealId", "ticketId")
KINDS: Final = {"dealId": "deal", "ticketId": "case"}  #: what only one kind of record is called by
NAMED: Final = ("objectType", "objectTypeId", "object_type")
OWN_ID: Final = ("event_id", "eventId", "callbackId")
BELOW: Final = ("properties", "object", "contact", "record")  #: where more may stand
PURPOSES: Final = ("marketing", "service")


def read_webhook(crm: str, body: Json, url: str, raw: bytes, received_at: datetime) -> Parsed:
    """A hint for the record, and the event that is named beside it; raises ``Unreadable``."""
    if not isinstance(body, dict):
        raise Unreadable("the body is not a JSON object")
    about, record = _record(body)
    event = short_text(body.get("event")) or event_of(url)
    hint = Hint(crm, about, record, received_at)
    if not event:
        return Parsed(hints=(hint,))
    key = f"event:{_own_id(body, raw, received_at)}:{event}:{record}"
    errand = Errand(crm, key, about, record, received_at, event=event)
    return Parsed(hints=(hint,), errands=(errand,))


def read_action(crm: str, body: Json, received_at: datetime) -> Parsed:
    """The errand of one step of a workflow; raises ``Unreadable``, saying what is missing."""
    if not isinstance(body, dict):
        raise Unreadable("the body is not a JSON object")
    key = body.get("callbackId")
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_ID:
        raise Unreadable("callbackId is missing: this address is for the workflow action")
    inner = body.get("object")
    about, record = _record(inner if isinstance(inner, dict) else {})
    errand = Errand(crm, key, about, record, received_at, **_inputs(body))
    return Parsed(hints=(Hint(crm, about, record, received_at),), errands=(errand,))


def portal_of(body: Json) -> str:
    """The account that a workflow action runs in; "" where it does not say."""
    origin = body.get("origin") if isinstance(body, dict) else None
    return str(origin.get("portalId", "")) if isinstance(origin, dict) else ""


def _inputs(body: Mapping[str, Any]) -> dict[str, str]:
    """What the step's author chose; a purpose that is not one of ours is marketing."""
    fields = body.get("inputFields") or body.get("fields")
    found = fields if isinstance(fields, dict) else {}
    chosen = {name: short_text(found.get(name)) for name in ("play", "template", "purpose")}
    if chosen["purpose"] not in PURPOSES:
        chosen["purpose"] = PURPOSES[0]
    return chosen


def _record(body: Mapping[str, Any]) -> tuple[str, str]:
    """(object, id) of the record that a body is about; raises ``Unreadable``."""
    for part in (body, *(body.get(name) for name in BELOW)):
        if not isinstance(part, dict):
            continue
        for name in RECORD:
            if value := _plain(part.get(name)):
                return KINDS.get(name) or _object(body, part), _checked(value)
    raise Unreadable("no record is named: send vid, objectId or hs_object_id")


def _checked(value: Json) -> str:
    try:
        return record_id(value)
    except Odd:
        raise Unreadable("the record's id is not a number") from None


def _object(*parts: Mapping[str, Any]) -> str:
    """Which kind of record; a contact where nothing is said. Raises ``Unreadable``."""
    for said in (part.get(name) for part in parts for name in NAMED):
        if isinstance(said, str) and said:
            about = TYPE_IDS.get(said) or OBJECTS.get(said.lower())
            if about is None:
                raise Unreadable(f"records of the kind {said!r:.40} are not known here")
            return about
    return "contact"


def _plain(value: Json) -> Json:
    """A property's value; in a whole record each stands in an object of its own."""
    return value.get("value") if isinstance(value, dict) else value


def _own_id(body: Mapping[str, Any], raw: bytes, received_at: datetime) -> str:
    """What makes a delivery the same when it comes again: its own id, else its words in a day."""
    for name in OWN_ID:
        if (value := short_text(body.get(name))) or isinstance(body.get(name), int):
            return value or str(body[name])
    return f"{hashlib.sha256(raw).hexdigest()[:32]}:{received_at:%Y-%m-%d}"
