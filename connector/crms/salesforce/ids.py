"""Names that may stand in a call to Salesforce: ids, external ids, objects and fields.

The client joins an id to the address as a URL, so that one which is not checked could carry the
token to another host. Nothing here is corrected: what does not fit is refused.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from connector.model import Json

_ID: Final = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_PATH: Final = re.compile(rf"{_NAME.pattern}(\.{_NAME.pattern}){{0,5}}", re.ASCII)
_EXTERNAL: Final = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_PLAIN_KEY: Final = re.compile(r"([a-z]{1,12}):([a-z0-9_]{1,48})", re.ASCII)
_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

OBJECTS: Final = {
    "contact": "Contact",
    "lead": "Lead",
    "deal": "Opportunity",
    "meeting": "Event",
    "case": "Case",
    "task": "Task",
}
"""Our words for objects, and Salesforce's names."""

PREFIXES: Final = {
    "003": "contact",
    "00Q": "lead",
    "006": "deal",
    "00U": "meeting",
    "500": "case",
    "00T": "task",
    "001": "company",
    "005": "user",
    "00G": "queue",
}
"""The first three characters of an id tell what it is the id of."""

PEOPLE: Final = ("contact", "lead")


class Unfit(ValueError):
    """What was given can be no name in Salesforce; the message says of what, never the value."""


def record_id(value: Json) -> str:
    """An id in its form of 18 characters. Raises ``Unfit`` for anything that is none."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Unfit("is no Salesforce record id, which has 15 or 18 letters and digits")
    return value if len(value) == 18 else value + _checksum(value)


def known_id(value: Json) -> str:
    """An id in its form of 18 characters, or "" for anything that is none."""
    return record_id(value) if isinstance(value, str) and _ID.fullmatch(value) else ""


def object_of(record: str) -> str:
    """Which object, in our words, an id belongs to; "" for one that is not among ours."""
    return PREFIXES.get(record[:3], "")


def person_id(value: Json) -> str:
    """The id of a contact or a lead, in 18 characters. Raises ``Unfit`` for any other."""
    found = record_id(value)
    if object_of(found) not in PEOPLE:
        raise Unfit("is the id of neither a contact (003…) nor a lead (00Q…)")
    return found


def field_name(name: str) -> str:
    """A field's or an object's name as it is. Raises ``Unfit`` for what can be none."""
    if not _NAME.fullmatch(name):
        raise Unfit(f"{name[:80]!r} can be no field's name in Salesforce")
    return name


def field_path(path: str) -> str:
    """A field to read, also of a parent (``Account.Name``). Raises ``Unfit`` for what is none."""
    if not _PATH.fullmatch(path):
        raise Unfit(f"{path[:80]!r} can be no field's name in Salesforce")
    return path


def external_id(key: str) -> str:
    """What a change is called in Salesforce: the same for the same key, of our own alphabet.

    A short key can be read in it (``send-019e…``); of any other it is a digest of 192 bits.
    Lower case only, since external ids are compared without case unless their field says so.
    """
    plain = _PLAIN_KEY.fullmatch(key)
    if plain:
        return f"{plain[1]}-{plain[2]}"
    return f"key--{hashlib.sha256(key.encode()).hexdigest()[:48]}"


def is_external(value: Json) -> bool:
    """Whether this is one of our own external ids."""
    return isinstance(value, str) and _EXTERNAL.fullmatch(value) is not None


def _checksum(short: str) -> str:
    """The three characters by which the id can be told without regard to case."""
    suffix = ""
    for begin in (0, 5, 10):
        part = short[begin : begin + 5]
        suffix += _SUFFIX[sum(1 << place for place, letter in enumerate(part) if letter.isupper())]
    return suffix
