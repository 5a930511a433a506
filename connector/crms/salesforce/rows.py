"""Our changes as rows of Salesforce's objects: a Task, an SMS message, a person's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.crms.salesforce.ids import (
    OBJECTS,
    Unfit,
    external_id,
    field_name,
    known_id,
    object_of,
    person_id,
)
from connector.model import Json
from connector.records import Writeback

Row = dict[str, Any]

SMS_ID: Final = "SMS_Id__c"
CALL_OBJECT: Final = "CallObject"
MESSAGE: Final = "SMS_Message__c"

SUBJECT_LENGTH: Final = 255
BODY_LENGTH: Final = 32_000
MESSAGE_BODY_LENGTH: Final = 10_000
PLAY_LENGTH: Final = 100

WORDS: Final = ("kind", "subject", "body", "status", "occurred_at")
"""What every activity says."""
ABOUT: Final = ("deal", "case", "company")
"""What else than a person an activity may be about, the nearest first."""
LOOKUPS: Final = {"deal": "Opportunity__c", "case": "Case__c"}
RESERVED: Final = frozenset({"id", "attributes"})

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d{3}Z")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


class Unwritable(ValueError):
    """A change that cannot be put in Salesforce's terms; the message says why."""

    code = ""


class NoRecord(Unwritable):
    """A change of a person who has no lead and no contact."""

    code = "no_record"


@dataclass(frozen=True, slots=True)
class Shape:
    """How activities are written here: what the operator chose."""

    task_field: str = SMS_ID
    done: str = "Completed"
    open: str = "Not Started"
    message_object: bool = False


def task(change: Writeback, shape: Shape) -> Row:
    """The Task of an activity (done) or of a task (open, for the owner, with a reminder).

    Raises ``Unwritable``.
    """
    told, who = _told(change), person(change)
    at = str(told["occurred_at"])
    row: Row = {
        "attributes": {"type": "Task"},
        shape.task_field: external_id(change.key),
        "Subject": _line(told["subject"])[:SUBJECT_LENGTH],
        "Description": description(told),
        "WhoId": who,
        "ActivityDate": at[:10],
    }
    if change.kind == "activity":
        row["Status"] = shape.done
    elif not change.made:  # what its owner has done with it since is the owner's
        row |= {"Status": shape.open, "IsReminderSet": True, "ReminderDateTime": value(at)}
        if owner := _owner(change.owner):
            row["OwnerId"] = owner
    if object_of(who) != "lead" and (what := _what(change.related)):
        row["WhatId"] = what
    return row


def message(change: Writeback) -> Row:
    """The same as an SMS message, the object that comes with our metadata."""
    told, who = _told(change), person(change)
    row: Row = {
        "attributes": {"type": MESSAGE},
        SMS_ID: external_id(change.key),
        "Subject__c": _line(told["subject"])[:SUBJECT_LENGTH],
        "Body__c": str(told["body"])[:MESSAGE_BODY_LENGTH],
        "Status__c": _line(told["status"])[:SUBJECT_LENGTH],
        "Kind__c": told["kind"],
        "Direction__c": told.get("direction") or None,
        "Occurred_At__c": value(told["occurred_at"]),
        "Play__c": str(told.get("play") or "")[:PLAY_LENGTH] or None,
        "Contact__c" if object_of(who) == "contact" else "Lead__c": who,
    }
    for name, lookup in LOOKUPS.items():
        if found := known_id(change.related.get(name)):
            row[lookup] = found
    return row


def fields(change: Writeback, values: Mapping[str, Json]) -> Row:
    """An update of a person's fields. Raises ``Unwritable``."""
    who = person(change)
    row: Row = {"attributes": {"type": OBJECTS[object_of(who)]}, "id": who}
    for name, given in values.items():
        row[written(name)] = value(given)
    return row


def written(name: str) -> str:
    """A field that may be written. Raises ``Unwritable``."""
    try:
        if field_name(name).lower() not in RESERVED:
            return name
    except Unfit as error:
        raise Unwritable(str(error)) from None
    raise Unwritable(f"{name} is no field that can be written")


def value(given: Json) -> Json:
    """A value as Salesforce takes it: instants in milliseconds, several choices with ``;``."""
    if isinstance(given, str):
        instant = _INSTANT.fullmatch(given)
        return f"{instant[1]}Z" if instant else given
    if isinstance(given, list | tuple) and all(isinstance(item, str) for item in given):
        return ";".join(given)
    if given is None or isinstance(given, bool | int | float):
        return given
    raise Unwritable("a field takes a text, a number, a flag, or a list of choices")


def description(told: Mapping[str, Json]) -> str:
    """What was said, and below it how it stands, which way it went and when."""
    at = str(told["occurred_at"])
    when = f"{at[:10]} {at[11:16]} UTC" if _DAY.match(at) else ""
    way = {"outgoing": "to the person", "incoming": "from the person"}
    parts = [str(told["status"]), way.get(str(told.get("direction")), ""), when]
    stands = " · ".join(part for part in parts if part)
    play = f"Play: {told['play']}" if told.get("play") else ""
    below = "\n".join(part for part in (stands, play) if part)
    body = str(told["body"])[: BODY_LENGTH - len(below) - 2]
    return f"{body}\n\n{below}" if body else below


def _told(change: Writeback) -> Mapping[str, Json]:
    missing = [name for name in WORDS if not isinstance(change.change.get(name), str)]
    if missing:
        raise Unwritable(f"the {change.kind} lacks {', '.join(missing)}")
    return change.change


def person(change: Writeback) -> str:
    """The id of the lead or contact that a change is about. Raises ``Unwritable``."""
    if not change.record:
        raise NoRecord("the person has no lead and no contact in Salesforce")
    try:
        return person_id(change.record)
    except Unfit as error:
        raise Unwritable(f"the record {error}") from None


def _what(related: Mapping[str, str]) -> str:
    """The id of the nearest thing it is about, or ""."""
    for name in ABOUT:
        found = known_id(related.get(name))
        if found and object_of(found) == name:
            return found
    return ""


def _owner(given: str) -> str:
    found = known_id(given)
    return found if object_of(found) in ("user", "queue") else ""


def _line(text: Json) -> str:
    return " ".join(str(text).split())
