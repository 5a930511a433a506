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
from connector.rules.signs import ROOTS, SignRule
from connector.rules.windows import Week, Window

FILE: Final = "hours.toml"
CONFIDENCE: Final = ("primary", "secondary", "doubtful", "choice")
GOOD_FOR: Final = timedelta(days=366)  #: after this the file must be compared with the law again

_PLACE = re.compile(rf"[A-Z]{{2}}(-[A-Z0-9]{{1,3}})?|{UNKNOWN_STATE}")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_NEVER = date(1970, 1, 1)
_MIDNIGHT = 24 * 60

Rows = dict[str, tuple[HoursRule, ...]]
Listed = dict[str, tuple[Holiday, ...]]


def load(path: Path, faults: list[Fault], today: date | None = None) -> Hours:
    """The hours file as values; every fault of it is added to ``faults``.

    With ``today``, a file that nobody has compared with the law for a year is a fault too.
    """
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return Hours({}, {}, "", _NEVER)
    reviewed, spoken = _date(top, "reviewed"), dict[str, Table]()
    rows = _read_rows(top, spoken)
    listed = _read_holidays(top, is_checked=today is not None)
    if today is not None:
        _check_calendars(rows, listed, spoken)
    signs = tuple(_read_sign(table) for table in top.tables("signs"))
    top.done()
    if today is not None and reviewed != _NEVER and today - reviewed > GOOD_FOR:
        remedy = f'compare the rows with the law, then set reviewed = "{today}"'
        top.fault("reviewed", f"is {reviewed}, over a year ago", remedy)
    content = path.read_text(encoding="utf-8", errors="replace")
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Hours(rows, _holidays(rows, listed), version, reviewed, content, signs)


def _read_rows(top: Table, spoken: dict[str, Table]) -> Rows:
    """The ``[[hours]]`` tables by place, the newest first; one may speak for several places.

    Each place's last table is put into ``spoken``.
    """
    service = (_window(top, "service"),) * 7
    rows: Rows = {}
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
        marketing=_week(table, "hours"),
        service=_week(table, "service", "service_") if "service" in table else None,
        holidays=table.text("holidays", "open", choices=("open", "none")) == "open",
        max_24h=table.whole("max_24h", low=1, high=1000) if "max_24h" in table else None,
        clock=_clock(table),
        zones=tuple(name for name in table.words("zones", ()) if _known(table, "zones", name)),
        presume_area_code=table.flag("presume_area_code", False),
        source=_source(table),
        valid_from=_date(table, "valid_from"),
        confidence=table.text("confidence", choices=CONFIDENCE),
    )


def _week(table: Table, key: str, prefix: str = "") -> Week:
    """Monday to Friday by ``key``; the weekend from its own keys, else as the week."""
    hours = _window(table, key)
    days = (f"{prefix}saturday", f"{prefix}sunday")
    weekend = (_window(table, day) if day in table else hours for day in days)
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


def _source(table: Table) -> str:
    """Where the rule stands, which every row has to say."""
    source = table.text("source").strip()
    if "source" in table and not source:
        table.fault("source", "is empty", "say where the rule stands, or whose choice it is")
    return source


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
        if key in table:
            table.fault(key, f"is {written!r:.60}", 'write a day such as "2026-10-18"')
        return _NEVER


def _read_sign(table: Table) -> SignRule:
    """A ``[[signs]]`` table, which must say where at least one part is read."""
    name = table.text("name")
    country, region, postal = (_path(table, key) for key in ("country", "region", "postal"))
    if not any(key in table for key in ("country", "region", "postal")):
        table.fault("", "reads nothing", 'say where, such as country = "contact.ip_country"')
    table.done()
    return SignRule(name, country, region, postal)


def _path(table: Table, key: str) -> tuple[str, str]:
    written = table.text(key, "")
    root, _, name = written.partition(".")
    if not written or (root in ROOTS and name.isidentifier()):
        return root, name
    table.fault(key, f"is {written!r:.60}", 'write "contact.…", "crm.…" or "signal.…"')
    return "", ""


def _read_holidays(top: Table, *, is_checked: bool) -> Listed:
    """The ``[[holidays]]`` tables by place; several for one place add up."""
    listed: Listed = {}
    for table in top.tables("holidays"):
        days = (*_days(table), *_calendars(table, is_checked=is_checked))
        if not days:
            table.fault("days", "is missing", "list days, or calendars of the holidays library")
        _source(table)
        for place in _places(table):
            listed[place] = (*listed.get(place, ()), *days)
        table.done()
    return listed


def _days(table: Table) -> Iterator[Holiday]:
    for written in table.words("days", ()):
        try:
            yield holidays.read(written)
        except ValueError:
            message = f"holds {written!r:.60}, which is no holiday"
            table.fault("days", message, f"write {holidays.FORMS}")


def _calendars(table: Table, *, is_checked: bool) -> Iterator[Holiday]:
    """The library's calendars that a table names beside the place's own."""
    for name in table.words("calendars", ()):
        if not is_checked or holidays.is_known(name):
            yield holidays.calendar(name)
        else:
            message = f"holds {name!r:.60}, which the holidays library does not know"
            table.fault("calendars", message, 'write "US", "US-LA" or "GB-ENG"')


def _holidays(rows: Rows, listed: Listed) -> Listed:
    """The holidays of each place that keeps any: the library's, and those that the file lists.

    Of an unknown state those of every state that forbids texts on them.
    """
    closed = sorted(place for place in rows if _closed(rows, place))
    found = dict(listed)
    for place in {*closed, *(place[:2] for place in closed)} - {UNKNOWN_STATE}:
        own = listed.get(place, ())
        found[place] = (holidays.calendar(place, not own), *own)
    states = [place for place in closed if place.startswith("US-")]
    if UNKNOWN_STATE in states:
        every = (holiday for place in states for holiday in found.get(place, ()))
        found[UNKNOWN_STATE] = tuple(dict.fromkeys(every))
    return found


def _check_calendars(rows: Rows, listed: Listed, spoken: dict[str, Table]) -> None:
    """A country whose holidays nobody tells cannot be closed on them."""
    for place, table in spoken.items():
        country = place[:2]
        told = listed.get(place) or listed.get(country)
        if _closed(rows, place) and not told and not holidays.is_known(country):
            message = f"is none, but the holidays library has no calendar of {country}"
            table.fault("holidays", message, "list its days in a [[holidays]] table")


def _closed(rows: Rows, place: str) -> bool:
    """Whether any row of the place, of today or another day, forbids texts on holidays."""
    return any(not row.holidays for row in rows[place])
