"""Clocks of people for the tests of what starts a play, and days on them that are no 24 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
INSTANT: Final = timedelta.resolution

ZONES: Final = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)

A_DAY: Final = (  # zone, an hour on its clock, and what it shows 24 hours later
    ("America/New_York", "2026-03-07 12:00", "2026-03-08 13:00"),
    ("America/New_York", "2026-10-31 12:00", "2026-11-01 11:00"),
    ("Europe/Berlin", "2026-03-28 12:00", "2026-03-29 13:00"),
    ("Europe/Berlin", "2026-10-24 12:00", "2026-10-25 11:00"),
    ("Australia/Lord_Howe", "2026-04-04 12:00", "2026-04-05 11:30"),
    ("Australia/Lord_Howe", "2026-10-03 12:00", "2026-10-04 12:30"),
    ("Asia/Kathmandu", "2026-03-08 12:00", "2026-03-09 12:00"),
    ("Asia/Kathmandu", "2028-02-28 12:00", "2028-02-29 12:00"),
    ("America/New_York", "2028-02-29 12:00", "2028-03-01 12:00"),
    ("America/New_York", "2027-02-28 12:00", "2027-03-01 12:00"),
    ("Pacific/Apia", "2011-12-29 12:00", "2011-12-31 12:00"),  # there was no 30 December
    ("Pacific/Apia", "2026-12-31 12:00", "2027-01-01 12:00"),
    ("Pacific/Kiritimati", "2026-12-31 12:00", "2027-01-01 12:00"),
    ("Pacific/Pago_Pago", "2028-02-28 12:00", "2028-02-29 12:00"),
)

LEAPS: Final = (  # zone, and the instants about which its clock changes, in both directions
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
)

TWICE: Final = (  # zone, and an hour that comes twice on its clock
    ("America/New_York", "2026-11-01 01:30"),
    ("Europe/Berlin", "2026-10-25 02:30"),
    ("Australia/Lord_Howe", "2026-04-05 01:45"),
)


def on(zone: str, shown: str, *, second: bool = False) -> datetime:
    """The instant at which a zone's clock shows something, the second time where it comes twice."""
    wall = datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo(zone), fold=int(second))
    return wall.astimezone(UTC)


def utc(written: str) -> datetime:
    """An instant as written, with its offset from UTC."""
    return datetime.fromisoformat(written).astimezone(UTC)
