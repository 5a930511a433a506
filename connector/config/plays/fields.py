"""Values that only play files have: hours of the day, weekdays, spans before something, days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Final

from connector.config import toml
from connector.config.toml import Table
from connector.rules.reviews import KIND

LONGEST_WAIT: Final = timedelta(days=365)
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def optional(table: Table, key: str) -> int | None:
    """A whole number from 1, None where absent."""
    return table.whole(key, low=1, high=1000) if key in table else None


def positive(table: Table, key: str, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """A span that must be there and be longer than nothing."""
    span = bounded(table, key, toml.REQUIRED, longest)
    if key in table and not span:
        table.fault(key, "is no time at all", 'write a span such as "24h" or "7d"')
    return span


def bounded(
    table: Table, key: str, default: timedelta, longest: timedelta = LONGEST_WAIT
) -> timedelta:
    """A span up to a longest."""
    span = table.span(key, default)
    if span > longest:
        table.fault(key, f"is over {longest.days} days", f"write {longest.days}d or less")
        return longest
    return span


def offset(table: Table, key: str) -> timedelta:
    """A span that may be before something: ``-30d``, ``2h``; nothing where absent."""
    text = table.values.get(key)
    if not isinstance(text, str) or not text.startswith("-"):
        return bounded(table, key, timedelta(0), 2 * LONGEST_WAIT)
    below = Table(table.file, {key: text[1:]}, table.faults, table.lines, table.path)
    table.raw(key)
    return -bounded(below, key, timedelta(0), 2 * LONGEST_WAIT)


def hour(table: Table, key: str) -> time | None:
    """An hour of the day, ``09:30``; None where absent."""
    return _time(table, key, table.text(key)) if key in table else None


def window(table: Table, key: str) -> tuple[time, time] | None:
    """From an hour until another of the same day; None where absent."""
    if key not in table:
        return None
    words = table.words(key)
    if len(words) != 2:
        table.fault(key, "is no window", 'write two hours: ["09:00", "17:00"]')
        return None
    start, end = (_time(table, key, word) for word in words)
    if start is None or end is None:
        return None
    if start >= end:
        table.fault(key, "ends before it begins", "write the earlier hour first")
        return None
    return start, end


def weekdays(table: Table, key: str) -> frozenset[int]:
    """Weekdays as numbers, Monday is 0; none where absent."""
    return frozenset(DAYS.index(day) for day in table.words(key, (), choices=DAYS) if day in DAYS)


def day(table: Table, key: str) -> date | None:
    """A TOML date, None where absent."""
    value = table.raw(key)
    if value is None:
        return None
    if type(value) is not date:
        table.fault(key, "is no date", f"write it without quotes: {key} = 2027-01-31")
        return None
    return value


def kind(table: Table, key: str) -> str:
    """One word in small letters, "" where absent."""
    word = table.text(key, "")
    if word and not KIND.fullmatch(word):
        table.fault(key, f"is {word!r:.40}", 'write one word in small letters: "alcohol"')
        return ""
    return word


def reasons(table: Table, key: str) -> Mapping[str, str]:
    """Finding code → why it is silenced."""
    found = table.table(key).free()
    for code, why in found.items():
        if not isinstance(why, str) or len(why.strip()) < 4:
            table.fault(f"{key}.{code}", "has no reason", 'write why: allow = { code = "why" }')
    return {code: str(why) for code, why in found.items()}


def _time(table: Table, key: str, text: str) -> time | None:
    found = _HOUR.fullmatch(text)
    if not found:
        table.fault(key, f"is {text!r:.20}, no hour of the day", 'write it as "09:30"')
        return None
    return time(int(found[1]), int(found[2]))
