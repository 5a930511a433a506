"""The area code table, compared with the library it was made from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connector.rules import area_codes
from connector.rules.area_codes import AREA_CODES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("202", ("US-DC",)),
        ("305", ("US-FL",)),
        ("850", ("US-FL",)),
        ("423", ("US-TN",)),
        ("907", ("US-AK",)),
        ("808", ("US-HI",)),
        ("801", ("US-UT",)),
        ("416", ("CA-ON",)),
        ("902", ("CA-NS", "CA-PE")),
        ("867", ("CA-NT", "CA-NU", "CA-YT")),
        ("787", ("PR",)),
        ("876", ("JM",)),
    ],
)
def test_an_area_code_tells_where_it_is_issued(code: str, places: tuple[str, ...]) -> None:
    assert AREA_CODES[code] == places


@pytest.mark.parametrize("code", ["800", "888", "500", "900", "600", "211", "999"])
def test_codes_without_a_place_are_not_listed(code: str) -> None:
    assert code not in AREA_CODES


def test_every_state_has_an_area_code() -> None:
    states = {place for places in AREA_CODES.values() for place in places if place[:3] == "US-"}
    assert len(states) == 51


def test_the_table_is_what_the_library_says_today() -> None:
    """In a process of its own, since the geocoder takes 98 MB."""
    maker = ROOT / "tests" / "tools" / "make_area_codes.py"
    made = subprocess.run(
        [sys.executable, str(maker)], check=True, capture_output=True, cwd=ROOT
    ).stdout.decode()
    assert made == Path(area_codes.__file__).read_text(encoding="utf-8")
