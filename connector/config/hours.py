"""Reads ``mappings/hours.toml``: when texts are lawful where, and which days are holidays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.config import toml
from connector.config.toml import Table
from connector.errors import Fault
from connector.rules import holidays
from connector.rules.holidays import Holiday
from connector.rules.hours import Hours, HoursRule
from connector.rules.places import UNKNOWN_STATE
from connector.rules.windows import Week, Window

CONFIDENCE: Final = ("primary", "secondary", "doubtful", "choice")
GOOD_FOR: Final = timedelta(days=366)  #: after this the file must be compared with the law again

_PLACE = re.compile(rf"[A-Z]{{2}}(-[A-Z0-9]{{1,3}})?|{UNKNOWN_STATE}")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_NEVER = date(1970, 1, 1)
_MIDNIGHT = 24 * 60

Rows = dict[str, tuple[HoursRule, ...]]


def load(path: Path, faults: list[Fault], today: date | None = None) -> Hours:
    """The hours file as values; every fault of it is added to ``faults``.

    With ``today``, a file that nobody has compared with the law for a year is a fault too.
    """
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return Hours({}, {}, "", _NEVER)
    reviewed, rows = _date(top, "reviewed"), _read_rows(top)
    listed = _read_holidays(top)
    top.done()
    if today is not None and reviewed != _NEVER and today - reviewed > GOOD_FOR:
        remedy = f'compare the rows with the law, then set reviewed = "{today}"'
        top.fault("reviewed", f"is {reviewed}, over a year ago", remedy)
    content = path.read_text(encoding="utf-8", errors="replace")
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Hours(rows, listed, version, reviewed, content)


def _read_rows(top: Table) -> Rows:
    """The ``[[hours]]`` tables by place, the newest first; one may speak for several places."""
    service = (_window(top, "service"),) * 7
    rows: Rows = {}
    spoken: dict[str, Table] = {}
    for table in top.tables("hours"):
        row = _read_row(table)
        for place in _places(table):
            earlier = rows.get(place, ())
            if any(row.valid_from == other.valid_from for other in earlier):
                table.fault("places", f"names {place} again for one day", "keep one of the rows")
            serve = row.service or (None if "-" in place else service)
            found = (*earlier, replace(row, place=place, service=serve))
            rows[place] = tuple(sorted(found, key=lambda each: each.valid_from, reverse=True))
            spoken[place] = table
        table.done()
    _check(rows, spoken)
    return rows


def _check(rows: Rows, spoken: dict[str, Table]) -> None:
    """What only shows when all rows are read; ``spoken`` is each place's last table."""
    for place, table in spoken.items():
        country = place.partition("-")[0]
        if country not in rows:
            table.fault("places", f"holds {place}, but {country} has no row", f"add {country}")
        if place == UNKNOWN_STATE and not rows[place][0].zones:
            table.fault("zones", "is missing", "list the zones in which you serve people")
    if "US" in rows and UNKNOWN_STATE not in rows:
        remedy = f'add places = ["{UNKNOWN_STATE}"] with the narrowest hours you keep'
        spoken["US"].fault("places", f"has no {UNKNOWN_STATE} row beside it", remedy)


def _read_row(table: Table) -> HoursRule:
    return HoursRule(
        place="",
        marketing=_week(table),
        service=(_window(table, "service"),) * 7 if "service" in table else None,
        holidays=table.text("holidays", "open", choices=("open", "none")) == "open",
        max_24h=table.whole("max_24h", low=1, high=1000) if "max_24h" in table else None,
        clock=_clock(table),
        zones=tuple(name for name in table.words("zones", ()) if _known(table, "zones", name)),
        presume_area_code=table.flag("presume_area_code", False),
        source=table.text("source"),
        valid_from=_date(table, "valid_from"),
        confidence=table.text("confidence", choices=CONFIDENCE),
    )


def _week(table: Table) -> Week:
    """Monday to Friday from ``hours``; the weekend from its own keys, else as the week."""
    hours = _window(table, "hours")
    weekend = (_window(table, day) if day in table else hours for day in ("saturday", "sunday"))
    return (hours,) * 5 + tuple(weekend)


def _window(table: Table, key: str) -> Window | None:
    """``"08:00-20:00"``, or ``"none"`` where nothing may go."""
    written = table.text(key)
    if found := _WINDOW.fullmatch(written):
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if start < end <= _MIDNIGHT:
            return start, end
    if written and written != "none":
        table.fault(key, f"is {written!r:.60}", 'write "08:00-20:00", the end last, or "none"')
    return None


def _places(table: Table) -> tuple[str, ...]:
    places = table.words("places")
    for place in places:
        if not _PLACE.fullmatch(place):
            table.fault("places", f"holds {place!r:.60}", 'write "US", "US-FL" or "DE"')
    return places


def _clock(table: Table) -> str:
    name = table.text("clock", "")
    return name if name and _known(table, "clock", name) else ""


def _known(table: Table, key: str, name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.fault(key, f"names the zone {name!r:.60}", 'write one such as "America/Chicago"')
        return False
    return True


def _date(table: Table, key: str) -> date:
    written = table.text(key)
    try:
        return date.fromisoformat(written)
    except ValueError:
        if written:
            table.fault(key, f"is {written!r:.60}", 'write a day such as "2026-10-18"')
        return _NEVER


def _read_holidays(top: Table) -> dict[str, tuple[Holiday, ...]]:
    """The ``[[holidays]]`` tables by place; several for one place add up."""
    listed: dict[str, tuple[Holiday, ...]] = {}
    for table in top.tables("holidays"):
        days = tuple(_days(table))
        table.text("source")
        for place in _places(table):
            listed[place] = (*listed.get(place, ()), *days)
        table.done()
    return listed


def _days(table: Table) -> Iterator[Holiday]:
    for written in table.words("days"):
        try:
            yield holidays.read(written)
        except ValueError:
            message = f"holds {written!r:.60}, which is no holiday"
            table.fault("days", message, f"write {holidays.FORMS}")
