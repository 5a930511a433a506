"""Salesforce's record ids: their form, which object one is of, and their 18-character spelling.

Document: developer.salesforce.com, SOAP API guide, ID field type. The last three characters tell
which of the first fifteen are capitals, for who cannot tell case apart.
"""

from __future__ import annotations

import re
from typing import Final

OBJECTS: Final = {
    "003": "contact",
    "00Q": "lead",
    "006": "deal",
    "00U": "meeting",
    "500": "case",
}
"""What a record is, in our words, by the first three characters of its id."""

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def is_id(text: str) -> bool:
    """Whether a text is written as a record's id."""
    return _ID.fullmatch(text) is not None


def long_form(text: str) -> str:
    """An id in its 18 characters; raises ``ValueError`` for what is none."""
    if not is_id(text):
        raise ValueError("this is no id of Salesforce")
    return text if len(text) == 18 else text + "".join(_letter(text[n : n + 5]) for n in (0, 5, 10))


def _letter(five: str) -> str:
    bits = sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")
    return _LETTERS[bits]
