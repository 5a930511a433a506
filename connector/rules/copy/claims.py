"""Rules on what a text claims of the person and of the offer."""

from __future__ import annotations

import re
from typing import Final

from connector.rules.copy.phrases import BLAME, PERSONAL, URGENT, WATCHED
from connector.rules.copy.reading import Copy, phrase

_CLOCK: Final = re.compile(r"\b(?:at|a las|um|à) (?:[01]?\d|2[0-3])[:.h]\d\d\b")
_LOOKING: Final = re.compile(r"\b(?:look|brows|view|visit|click|page|site|search)")


#: Facts that carry such a claim: an end, or a count of what is left.
CARRIED: Final = re.compile(
    r"\b\w*(?:ends?|end_at|ends_at|ends_on|expires?\w*|until|deadline|valid|due|closes?\w*|renew\w*|"
    r"stock|left|remaining|quantity|inventory|seats?|places)\w*\b"
)


def over_watched(copy: Copy) -> str | None:
    """It tells the person that, or when, they were watched."""
    found = phrase(copy.folded, WATCHED)
    if not found and (clock := _CLOCK.search(copy.folded)) and _LOOKING.search(copy.folded):
        found = clock[0]
    return f"“{found}” tells people that they are watched." if found else None


def blaming(copy: Copy) -> str | None:
    """It says what the person failed to do."""
    found = phrase(copy.folded, BLAME)
    return f"“{found}” reproaches the person." if found else None


def unsupported_claim(copy: Copy) -> str | None:
    """Urgency or scarcity without an end date or a count that a fact supplies."""
    found = phrase(copy.folded, URGENT)
    if not found or copy.has_end or any(CARRIED.search(_last(path)) for path in copy.paths):
        return None
    return f"“{found}”, but no fact says until when or how many."


def personal_data(copy: Copy) -> str | None:
    """What does not belong on a screen that others see."""
    found = phrase(copy.folded, PERSONAL)
    return f"“{found}” stands on a screen that others see." if found else None


def _last(path: str) -> str:
    return path.rpartition(".")[2].replace("_", " ")
