"""Time zones come from the tzdata package, whatever zone files the machine has."""

from __future__ import annotations

import os
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import connector  # noqa: F401
from connector.rules.states import PROVINCES, STATES

ROOT = Path(__file__).parents[1]


def poisoned(tmp_path: Path) -> Path:
    """A folder of zone files in which New York keeps the clock of Tokyo."""
    from importlib import resources

    tokyo = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    place = tmp_path / "America" / "New_York"
    place.parent.mkdir(parents=True)
    place.write_bytes(tokyo)
    return tmp_path


def noon_in_new_york(folder: Path, *first: str) -> str:
    """What a fresh process makes of noon UTC in New York while the machine's files are wrong."""
    lines = [
        *first,
        "from datetime import UTC, datetime",
        "from connector.rules.windows import zone",
        "noon = datetime(2027, 1, 15, 12, tzinfo=UTC)",
        "print(noon.astimezone(zone('America/New_York')).strftime('%H:%M'))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        env={**os.environ, "PYTHONTZPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_zone_files_of_the_machine_are_never_read(tmp_path: Path) -> None:
    folder = poisoned(tmp_path)
    assert noon_in_new_york(folder) == "07:00"
    early = "from zoneinfo import ZoneInfo; kept = ZoneInfo('America/New_York')"
    assert noon_in_new_york(folder, early) == "07:00", "also where one was read before"


def test_the_test_would_notice_a_poisoned_machine(tmp_path: Path) -> None:
    folder = poisoned(tmp_path)
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from datetime import *; from zoneinfo import ZoneInfo\n"
            "at = datetime(2027, 1, 15, 12, tzinfo=timezone.utc)\n"
            "print(at.astimezone(ZoneInfo('America/New_York')).strftime('%H:%M'))",
        ],
        env={**os.environ, "PYTHONTZPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "21:00"


def test_no_folder_is_searched() -> None:
    assert zoneinfo.TZPATH == ()


@pytest.mark.parametrize(
    ("zone", "utc", "local"),
    [
        # Lord Howe's clocks go by half an hour
        ("Australia/Lord_Howe", "2027-04-03T14:59", "01:59"),
        ("Australia/Lord_Howe", "2027-04-03T15:00", "01:30"),
        ("Australia/Lord_Howe", "2027-10-02T15:29", "01:59"),
        ("Australia/Lord_Howe", "2027-10-02T15:30", "02:30"),
        # the Chatham Islands are three quarters of an hour apart from New Zealand
        ("Pacific/Chatham", "2027-09-25T13:59", "02:44"),
        ("Pacific/Chatham", "2027-09-25T14:00", "03:45"),
        # Arizona has no summer time, the Navajo Nation has
        ("America/Phoenix", "2027-07-01T15:00", "08:00"),
        ("America/Shiprock", "2027-07-01T15:00", "09:00"),
        # the counties of Indiana are of two minds
        ("America/Indiana/Indianapolis", "2027-07-01T13:00", "09:00"),
        ("America/Indiana/Tell_City", "2027-07-01T13:00", "08:00"),
        ("America/Indiana/Knox", "2027-07-01T13:00", "08:00"),
        # Morocco went back for the month of Ramadan
        ("Africa/Casablanca", "2026-02-25T12:00", "12:00"),
        ("Africa/Casablanca", "2026-05-01T12:00", "13:00"),
        ("Asia/Kathmandu", "2027-07-01T00:00", "05:45"),
    ],
)
def test_odd_clocks_are_known(zone: str, utc: str, local: str) -> None:
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert at.astimezone(ZoneInfo(zone)).strftime("%H:%M") == local


def test_every_zone_of_every_state_is_in_the_package() -> None:
    for table in (STATES, PROVINCES):
        for _, zones in table.values():
            assert all(ZoneInfo(zone).key == zone for zone in zones)
