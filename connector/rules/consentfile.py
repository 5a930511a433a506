"""Consent files: what one line of a CSV, or of a provider's list of opt-outs, says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from connector import phone
from connector.model import Capture
from connector.rules.consent import EVERYTHING
from connector.rules.told import MAX_CAPTURE, MAX_WORDING

COLUMNS: Final = (
    *("phone", "purpose", "granted", "method", "wording", "wording_version", "source"),
    *("ip", "url", "user_agent", "occurred_at"),
)
OWN: Final = frozenset({"reply", "double_opt_in", "provider"})
"""What only the number itself, or its provider, can say: it lifts or sets a STOP."""

YES: Final = frozenset(
    {"true", "yes", "y", "1", "granted", "grant", "subscribed", "opted_in", "opt_in", "in", "on"}
)
NO: Final = frozenset(
    {"false", "no", "n", "0", "revoked", "revoke", "unsubscribed", "opted_out", "opt_out", "out"}
    | {"off", "stop", "stopped", "not_subscribed"}
)
MAX_PURPOSES: Final = 10
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
_SPLIT: Final = re.compile(r"[;|,\s]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry for the consent ledger, as a file says it."""

    phone: str
    purpose: str
    granted: bool
    method: str
    wording: str = ""
    source: str = ""
    capture: Capture = Capture()  # noqa: RUF009  a frozen value
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a line means where it does not say so itself."""

    country: str = "US"
    purpose: str = ""
    granted: bool | None = None
    method: str = "import"
    source: str = ""
    occurred_at: datetime | None = None


def columns(header: Sequence[str], named: Mapping[str, str]) -> dict[str, int]:
    """Where each of our columns stands; ``named`` gives ours → the file's own name for it.

    Raises ``ValueError`` saying what is missing or unknown.
    """
    heads = {_folded(name): place for place, name in enumerate(header)}
    wanted = {ours: named.get(ours, ours) for ours in COLUMNS}
    if unknown := sorted(set(named) - set(COLUMNS)):
        raise ValueError(f"there is no column {unknown[0]}; ours are {', '.join(COLUMNS)}")
    for ours, theirs in named.items():
        if _folded(theirs) not in heads:
            raise ValueError(
                f"the file has no column {theirs!r:.60} to read {ours} from; {_named(header)}"
            )
    found = {
        ours: heads[_folded(theirs)] for ours, theirs in wanted.items() if _folded(theirs) in heads
    }
    if "purpose" not in found and "scope" in heads:
        found["purpose"] = heads["scope"]
    if "phone" not in found:
        raise ValueError(
            f"the file has no column phone; name it with --mapping phone=Mobile; {_named(header)}"
        )
    return found


def delimiter(header: str) -> str:
    """What parts the columns: of comma, semicolon and tab the one its first line has most of."""
    return max(",;\t", key=header.count)


def _named(header: Sequence[str]) -> str:
    return f"its first line names {', '.join(header):.120}"


def entries(row: Sequence[str], at: Mapping[str, int], defaults: Defaults) -> list[Entry]:
    """The entries of a line, one for each purpose; raises ``ValueError`` saying why not."""
    told = {name: row[place].strip() for name, place in at.items() if place < len(row)}
    number = _number(told.get("phone", ""), defaults.country)
    granted = _granted(told.get("granted", ""), defaults)
    made = Entry(
        phone=number,
        purpose="",
        granted=granted,
        method=_method(told.get("method", ""), defaults),
        wording=told.get("wording", "")[:MAX_WORDING],
        source=(told.get("source", "") or defaults.source)[:200],
        capture=Capture(**{name: told.get(name, "")[:most] for name, most in MAX_CAPTURE.items()}),
        occurred_at=_at(told.get("occurred_at", ""), defaults),
    )
    if granted and made.occurred_at is None:
        raise ValueError("occurred_at is empty; write when it was given, or say --occurred-at")
    return [
        replace(made, purpose=name) for name in _purposes(told.get("purpose", ""), made, defaults)
    ]


def opted_out(row: Sequence[str], country: str, provider: str) -> Entry:
    """One line of a provider's list: the first field that is a number. Raises ``ValueError``."""
    problem = "holds no number"
    for cell in row:
        if not any(letter.isdigit() for letter in cell):
            continue
        try:
            number = phone.parse(cell.strip(), country).e164
        except phone.NotANumber as error:
            problem = f"the number {error}"
            continue
        words = f"on {provider}'s list of opt-outs"
        return Entry(number, EVERYTHING, False, "provider", words, provider)
    raise ValueError(problem)


def _number(raw: str, country: str) -> str:
    if not raw:
        raise ValueError("the phone is empty")
    try:
        return phone.parse(raw, country).e164
    except phone.NotANumber as error:
        raise ValueError(f"the phone {error}") from None


def _granted(raw: str, defaults: Defaults) -> bool:
    word = _folded(raw)
    if word in YES or word in NO:
        return word in YES
    if not word and defaults.granted is not None:
        return defaults.granted
    if not word:
        raise ValueError("granted is empty; write true or false, or say --action granted")
    raise ValueError(f"granted is {raw!r:.30}; write true or false, granted or revoked")


def _method(raw: str, defaults: Defaults) -> str:
    method = _folded(raw) or defaults.method
    if method in OWN:
        raise ValueError(f"the method {method} is kept for what the number itself says by text")
    if not _NAME.fullmatch(method):
        raise ValueError(f"the method is {raw!r:.30}; write web_form, checkout, paper …")
    return method


def _purposes(raw: str, made: Entry, defaults: Defaults) -> list[str]:
    names = [_folded(name) for name in _SPLIT.split(raw or defaults.purpose) if name]
    if not names and not made.granted:
        return [EVERYTHING]
    if not names:
        raise ValueError("the purpose is empty; write it, or say --purpose marketing")
    for name in names[: MAX_PURPOSES + 1]:
        if not _NAME.fullmatch(name) or (name == EVERYTHING and made.granted):
            raise ValueError(f"the purpose is {name!r:.30}; write marketing, service or a scope")
    if len(names) > MAX_PURPOSES:
        raise ValueError(f"names {len(names)} purposes; at most {MAX_PURPOSES}")
    return names


def _at(raw: str, defaults: Defaults) -> datetime | None:
    if not raw:
        return defaults.occurred_at
    try:
        at = datetime.fromisoformat(raw)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"occurred_at is {raw!r:.40}; write 2026-11-20T10:00:00Z") from None


def _folded(name: str) -> str:
    return "_".join(name.strip().casefold().replace("-", " ").replace("_", " ").split())
