"""What things are called in HubSpot: its objects, their properties, and how they are associated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

NAME: Final = "hubspot"
HOST: Final = "https://api.hubapi.com"

VERSION: Final = "2026-03"
"""The dated version of every path that we build ourselves; HubSpot keeps one for 18 months."""

OBJECTS: Final[Mapping[str, str]] = {
    "contact": "contacts",
    "deal": "deals",
    "meeting": "meetings",
    "case": "tickets",
}
"""Our word for an object → HubSpot's."""

COMMUNICATIONS: Final = "communications"
NOTES: Final = "notes"
TASKS: Final = "tasks"
CONTACTS: Final = "contacts"

BODY: Final[Mapping[str, str]] = {
    COMMUNICATIONS: "hs_communication_body",
    NOTES: "hs_note_body",
    TASKS: "hs_task_body",
}
"""The property that holds an activity's words, and our reference in them."""

ENGAGEMENTS: Final[Mapping[str, str]] = {
    "text": COMMUNICATIONS,
    "reply": COMMUNICATIONS,
    "outcome": NOTES,
    "note": NOTES,
    "task": TASKS,
}
"""A change's kind of activity → the object that it becomes."""

ASSOCIATIONS: Final[Mapping[tuple[str, str], int]] = {
    (COMMUNICATIONS, "contact"): 81,
    (COMMUNICATIONS, "company"): 87,
    (NOTES, "contact"): 202,
    (NOTES, "company"): 190,
    (NOTES, "deal"): 214,
    (NOTES, "case"): 228,
    (TASKS, "contact"): 204,
    (TASKS, "company"): 192,
    (TASKS, "deal"): 216,
    (TASKS, "case"): 230,
}
"""Documented association types; any other is asked for once, by its default label."""

PLURALS: Final[Mapping[str, str]] = {**OBJECTS, "company": "companies"}

STAGE: Final = "lifecyclestage"  #: moves forward only, and is never cleared
TOTALS: Final = "sms_totals"
"""Our own property: how much of our running totals a contact's growing properties hold."""

MERGED: Final = "hs_merged_object_ids"  #: the ids that went into a record, joined by ";"
COMPANY: Final = "associatedcompanyid"

LONGEST: Final = 65_000  #: characters of a property's text; HubSpot takes 65,536

_ID = re.compile(r"[1-9][0-9]{0,18}")


def path(area: str, rest: str) -> str:
    """A path of HubSpot's API, such as ``/account-info/2026-03/details``."""
    return f"/{area}/{VERSION}/{rest}"


def modified(object: str) -> str:
    """The property that holds when a record changed last."""
    return "lastmodifieddate" if object == "contact" else "hs_lastmodifieddate"


def is_id(value: str) -> bool:
    """Whether this can be a record's id: one that cannot makes a whole batch fail."""
    return _ID.fullmatch(value) is not None
