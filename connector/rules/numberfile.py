"""Files about numbers: carriers' lists of deactivated ones, and answers of the FCC's database of
reassigned ones.

A carrier's list has a number a line, often with a day. The FCC's answer has the number, the day
that was asked about (that of the last consent) and yes, no or no data.
Source: fcc.gov/reassigned-numbers-database; CTIA Messaging Principles 5.1.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Final

from connector import phone

DEACTIVATED: Final = "deactivated"
REASSIGNED: Final = "reassigned"
KINDS: Final = (DEACTIVATED, REASSIGNED)

NAMES: Final[Mapping[str, frozenset[str]]] = {
    "phone": frozenset(
        {"phone", "number", "phone_number", "telephone_number", "tn", "mdn", "msisdn", "ctn"}
        | {"mobile", "mobile_number", "telephone", "to"}
    ),
    "since": frozenset(
        {"since", "date", "deactivated", "deactivated_on", "deactivation_date", "effective_date"}
        | {"disconnected_on", "disconnect_date", "disconnection_date", "event_date"}
    ),
    "asked": frozenset(
        {"asked", "query_date", "date_queried", "queried_date", "consent_date"}
        | {"last_consent_date", "last_contact_date"}
    ),
    "result": frozenset({"result", "response", "status", "answer", "reassigned", "disconnected"}),
}
"""What we call a column, and what files call it."""
YES: Final = frozenset({"yes", "y", "true", "1", "disconnected", "reassigned", "deactivated"})
NO: Final = frozenset({"no", "n", "false", "0"})
NO_DATA: Final = frozenset({"no_data", "nodata", "none", "n/a", "na", "unknown", ""})
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_DAY: Final = timedelta(days=1)
_OLDEST: Final = 2000  #: a year; what says an older one is how some program writes that it has none


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a number, and what it says of it."""

    phone: str
    is_gone: bool = True  #: false where the answer was no, or that nothing is known
    since: datetime | None = None  #: the last instant of the day on which it changed hands
    asked: datetime | None = None  #: the same of the day that was asked about


def columns(header: Sequence[str], named: Mapping[str, str]) -> dict[str, int] | None:
    """Where each of our columns stands; None where the first line is no header but a number.

    ``named`` gives ours → the file's own name. Raises ``ValueError`` for what is not there.
    """
    heads = {_folded(name): place for place, name in enumerate(header)}
    found: dict[str, int] = {}
    for ours, theirs in named.items():
        if ours not in NAMES:
            raise ValueError(f"there is no column {ours!r:.40}; ours are {', '.join(NAMES)}")
        if _folded(theirs) not in heads:
            shown = f"its first line names {', '.join(header):.120}"
            raise ValueError(f"the file has no column {theirs!r:.60}; {shown}")
        found[ours] = heads[_folded(theirs)]
    for ours, theirs_ in NAMES.items():
        places = [heads[name] for name in heads if name in theirs_]
        if places and ours not in found:
            found[ours] = places[0]
    if "result" in found and "since" not in named and found.get("since") == heads.get("date", -1):
        found.setdefault("asked", found["since"])  # of an answer it is the day asked about
        del found["since"]
    if "phone" in found:
        return found
    if any(sum(letter.isdigit() for letter in cell) >= 7 for cell in header):
        return None
    raise ValueError(
        "the file names no column phone; name it with --mapping phone=Mobile, or leave the names "
        f"out; its first line is {', '.join(header):.120}"
    )


def entry(row: Sequence[str], at: Mapping[str, int] | None, country: str, now: datetime) -> Entry:
    """What a line says; ``at`` is None for a file without a header. Raises ``ValueError``."""
    told = _by_shape(row, country) if at is None else _by_name(row, at)
    raw = told.get("phone", "")
    if not raw:
        raise ValueError("holds no number")
    try:
        number = phone.parse(raw, country).e164
    except phone.NotANumber as error:
        raise ValueError(f"the number {error}") from None
    since, asked = (
        _day("the date", told.get("since", "")),
        _day("the day asked about", told.get("asked", "")),
    )
    if since is not None and since > now + _DAY:
        raise ValueError("the date is a day to come")
    return Entry(number, _is_gone(told.get("result")), since, asked)


def _by_name(row: Sequence[str], at: Mapping[str, int]) -> dict[str, str]:
    return {name: row[place].strip() for name, place in at.items() if place < len(row)}


def _by_shape(row: Sequence[str], country: str) -> dict[str, str]:
    """Without names: a cell that is a day, one that is an answer, and the first number."""
    told: dict[str, str] = {}
    for cell in map(str.strip, row):
        word = _folded(cell)
        if _is_day(cell):
            told.setdefault("since", cell)
        elif word in YES - {"1"} or word in NO - {"0"} or (word and word in NO_DATA):
            told.setdefault("result", cell)
        elif sum(letter.isdigit() for letter in cell) >= 7:
            told.setdefault("phone", cell)
    if "result" in told and "since" in told:  # the day that was asked about
        told["asked"] = told.pop("since")
    return told


def _is_gone(raw: str | None) -> bool:
    word = "yes" if raw is None else _folded(raw)
    if word in YES:
        return True
    if word in NO or word in NO_DATA:
        return False
    raise ValueError(f"the answer is {raw!r:.30}; write yes, no or no data")


def _is_day(cell: str) -> bool:
    try:
        return _day("", cell) is not None
    except ValueError:
        return False


def _day(what: str, raw: str) -> datetime | None:
    """The last instant of a day, or an instant that is told whole; None for nothing."""
    if not raw:
        return None
    if american := _AMERICAN.fullmatch(raw):
        month, day, year = american.groups()
        raw = f"{year}-{int(month):02}-{int(day):02}"
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise ValueError(f"{what} is {raw!r:.30}; write 2026-03-01") from None
    if not _OLDEST <= at.year < MAXYEAR:
        raise ValueError(f"{what} is {raw!r:.30}, which nobody can have meant")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    at = at.replace(tzinfo=UTC)
    is_day = len(raw) <= len("2026-03-01")
    return at + _DAY - timedelta(microseconds=1) if is_day else at


def _folded(name: str) -> str:
    return "_".join(name.strip().casefold().replace("-", " ").replace("_", " ").split())
