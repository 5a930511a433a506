"""The sandbox's script: what becomes of which text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from connector.messages import Message
from connector.model import Status

FAILS: Final = ("", "refused", "deferred", "uncertain")

BAD: Final = (Status.undelivered, Status.failed)  #: receipts that bear an error code

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(ms|s|m)")
_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens to the texts it fits; of several that fit, the first decides.

    It fits by the number (``to``), by a piece of the text (``contains``), by both, or always.
    Each receipt, and after them the reply, follows ``after`` the one before.
    """

    to: str = ""
    contains: str = ""
    receipts: tuple[str, ...] = (Status.sent, Status.delivered)
    error_code: str = ""  #: of an undelivered or failed receipt, or of the failure
    reason: str = ""  #: our stable word for the error code
    reply: str = ""  #: what the person texts back
    after: float = 0.2  #: real seconds, whatever a scaled clock shows
    fails: str = ""  #: refused, deferred or uncertain
    taken: bool = True  #: whether a text whose sending ends ``uncertain`` was taken
    number_type: str = ""  #: what a look-up tells of the number; "" tells a mobile
    reassigned: bool = False  #: whether a look-up tells that the number has a new owner

    def fits(self, message: Message) -> bool:
        """Whether this scene is about the text."""
        return self.to in ("", message.to) and self.contains in message.text

    def standing(self, seconds: float) -> str:
        """The status that a text has so long after it was taken."""
        told = self.receipts[: max(0, int(seconds / self.after))] if self.after else self.receipts
        return str(told[-1]) if told else Status.accepted

    def is_of(self, number: str) -> bool:
        """Whether this scene is about the number, whatever the text."""
        return self.to in ("", number) and not self.contains


def scenes(script: Iterable[Mapping[str, Any]]) -> tuple[Scene, ...]:
    """Read a script; ends with the scene that every other text gets: sent, then delivered.

    Raises ``ValueError`` naming the entry and what would be right.
    """
    return (*(_scene(place, entry) for place, entry in enumerate(script)), Scene())


def _scene(place: int, entry: Mapping[str, Any]) -> Scene:
    known = {field.name for field in fields(Scene)}
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ValueError(f"script[{place}]: {unknown[0]} is not one of {', '.join(sorted(known))}")
    wanted = {**entry}
    if "receipts" in entry:
        wanted["receipts"] = tuple(entry["receipts"])
        wrong = set(wanted["receipts"]) - set(Status)
        if wrong or isinstance(entry["receipts"], str):
            raise ValueError(f"script[{place}]: receipts is a list of {', '.join(Status)}")
    if entry.get("fails", "") not in FAILS:
        raise ValueError(f"script[{place}]: fails is one of {', '.join(FAILS[1:])}")
    if "after" in entry:
        wanted["after"] = _seconds(place, entry["after"])
    return Scene(**wanted)


def _seconds(place: int, written: Any) -> float:
    found = _SPAN.fullmatch(str(written))
    if not found:
        raise ValueError(f'script[{place}]: after is a span such as "2s" or "500ms"')
    return float(found[1]) * _SECONDS[found[2]]
