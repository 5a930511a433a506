"""What an expression of ``[fields]`` may give, found out over samples: its type, its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.errors import ExpressionFailed
from connector.model import Json
from connector.rules.activities import STATUS_WORDS
from connector.rules.writeback import Field

AT: Final = "2026-11-20T10:00:00.000000Z"
LONGEST: Final = 1_600  #: characters of a text, or of a reply that came in parts
REFUSED: Final = "Refused: the provider did not answer in time, error 30008"

PERSON: Final[Mapping[str, Json]] = {
    "id": "con_0123456789",
    "phone": "+12025550123",
    "email": "ann@corner.example",
    "stage": "lead",
    "first_name": "Ann",
    "last_name": "Example",
    "language": "en",
    "country": "US",
    "region": "CA",
    "postal": "94107",
    "timezone": "America/Los_Angeles",
}
FULL: Final[Mapping[str, Json]] = {
    "last_text_at": AT,
    "last_text": "x" * LONGEST,
    "last_text_status": REFUSED,
    "last_reply_at": AT,
    "last_reply": "x" * LONGEST,
    "texts_sent": 1_234,
    "opted_out": True,
    "opted_out_at": AT,
    "consent": "granted",
    "consent_at": AT,
    "consent_source": "double_opt_in",
    "stage": "lead",
    "contact": dict(PERSON),
}
"""A contact about whom everything is known, and of whose texts the longest came."""
OPEN: Final = frozenset(
    {"contact", "last_text", "last_reply", "last_text_status", "consent_source", "texts_sent"}
)
"""Facts whose values nobody can list."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Given:
    """What a field's expression gives over the samples; where it is empty nothing is known."""

    kinds: frozenset[str]  #: text, number, flag, instant, date, other
    values: tuple[str, ...]  #: as text, each once
    length: int  #: of the longest text
    is_open: bool  #: it may give other values than these
    fault: str = ""  #: why it failed over one of them


def given(field: Field, stages: Sequence[str]) -> Given:
    """What a field may come to hold."""
    found: dict[str, None] = {}
    kinds, length, fault = set(), 0, ""
    for sample in _samples(stages):
        try:
            value = field.value(sample)
        except ExpressionFailed as error:
            fault = fault or str(error)
            continue
        if value is None or value == "":
            continue
        kinds.add(kind(value))
        if isinstance(value, str):
            length = max(length, len(value))
        found[_written(value)] = None
    return Given(frozenset(kinds), tuple(found), length, bool(field.reads & OPEN), fault)


def kind(value: Json) -> str:
    """A value's type in the words of a CRM's schema."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "other"
    return "instant" if _INSTANT.fullmatch(value) else "date" if _DAY.fullmatch(value) else "text"


def _samples(stages: Iterable[str]) -> Iterator[Mapping[str, Json]]:
    """One after the other, each with one fact at another of the values that it may have."""
    yield FULL
    yield {**dict.fromkeys(FULL), "contact": {}, "opted_out": False, "texts_sent": 0}
    for stage in stages:
        yield {**FULL, "stage": stage, "contact": {**PERSON, "stage": stage}}
    for consent in ("denied", "unknown"):
        yield {**FULL, "consent": consent}
    for status in STATUS_WORDS.values():
        yield {**FULL, "last_text_status": status}
    yield {**FULL, "opted_out": False, "opted_out_at": None}


def _written(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
