"""Makes connector/rules/area_codes.py: ``python tests/tools/make_area_codes.py > …``.

The geocoder that comes with phonenumbers knows where each code was issued, but needs 98 MB;
the connector only needs this small extract of it.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import phonenumbers
from phonenumbers import geocoder

from connector.rules.states import PROVINCES, STATES

_SPELLED = {
    "Washington D.C.": "DC",
    "Washington State": "WA",
    "British Colombia": "BC",
}
_LINE = 99

_HEAD = '''"""North American area codes, each with the place where its numbers are issued."""

# Made by tests/tools/make_area_codes.py from phonenumbers; do not edit by hand.
# A number may since have moved with its owner, so this is one sign among several.

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TABLE = """
'''
_TAIL = '''"""

AREA_CODES: Final[Mapping[str, tuple[str, ...]]] = {
    code: tuple(line.split()[0].split("/"))
    for line in _TABLE.strip().splitlines()
    for code in line.split()[1:]
}
"""Area code → places such as ``US-FL`` or ``JM``; several where provinces share a code."""
'''


def place_of(area_code: int) -> str:
    """The place of an area code, several joined by "/"; "" where it is tied to none."""
    number = phonenumbers.PhoneNumber(country_code=1, national_number=area_code * 10**7 + 5550123)
    country = phonenumbers.region_code_for_number(number) or ""
    if country not in ("US", "CA"):
        return country
    if not phonenumbers.is_number_geographical(number):
        return ""
    described = geocoder.description_for_valid_number(number, "en")
    return "/".join(sorted(f"{country}-{_code(part)}" for part in described.split("/")))


def _code(described: str) -> str:
    """``Florida`` → FL, ``Palm Beach, FL`` → FL."""
    name = described.rsplit(", ", 1)[-1]
    if name in STATES or name in PROVINCES:
        return name
    if name in _SPELLED:
        return _SPELLED[name]
    known = {**STATES, **PROVINCES}
    return next(code for code, (full, _) in known.items() if full == name)


def module() -> str:
    """The whole text of the generated module."""
    codes: dict[str, list[str]] = defaultdict(list)
    for area_code in range(200, 1000):
        if place := place_of(area_code):
            codes[place].append(str(area_code))
    order = sorted(codes, key=lambda place: (place[:3] != "US-", place))
    return _HEAD + "".join(_lines(place, codes[place]) for place in order) + _TAIL


def _lines(place: str, codes: list[str]) -> str:
    fit = (_LINE - len(place)) // 4
    rows = [codes[start : start + fit] for start in range(0, len(codes), fit)]
    return "".join(f"{place} {' '.join(row)}\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(module())
