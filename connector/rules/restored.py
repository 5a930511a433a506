"""Whether a text whose time lay between a backup and its restoring went already.

Pure. What a provider lists as taken and the restored ledger does not know was lost with it: a
text of the same words went; where other words went after it was due, only a person can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

EARLY: Final = timedelta(minutes=10)
"""How much sooner than due a text may have been taken, by a provider's clock beside ours."""
AFTERWARDS: Final = timedelta(hours=24)
"""How long after a restoring the very words that were lost are not said again."""

_LINK: Final = re.compile(r"https?://\S+|\S+\.\S+/l/\S+")
_BLANK: Final = re.compile(r"\s+")


class Fate(StrEnum):
    """What is known of a text that was due in the gap."""

    said = "said"  #: the provider took a text of these words
    doubtful = "doubtful"  #: other words went to this number after it was due
    clear = "clear"  #: nothing went: it may still go


@dataclass(frozen=True, slots=True)
class Lost:
    """A text found at the provider that nobody remembers."""

    send_id: str  #: of the row that stands for it; "" where it was one of ours for certain
    provider_id: str
    words: str  #: by :func:`wording`
    at: datetime
    provider: str = ""  #: by which it went


def wording(text: str) -> str:
    """A text without its links, which differ each time it is written, and without case."""
    return _BLANK.sub(" ", _LINK.sub("", text)).strip().casefold()


def fate(words: str, due_at: datetime, lost: Iterable[Lost]) -> tuple[Fate, Lost | None]:
    """What became of a text of these words to a number, given what was lost there."""
    near = False
    for item in lost:
        if words and item.words == words:
            return Fate.said, item
        near = near or (bool(item.send_id) and item.at >= due_at - EARLY)
    return (Fate.doubtful if near else Fate.clear), None
