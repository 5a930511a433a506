"""What the law says of single moments, and what the shipped hours make of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from connector.config.hours import load
from connector.model import Contact
from connector.rules.hours import judge, legal_cap
from connector.rules.places import places

HERE = Path(__file__).parent
HOURS = load(HERE.parents[1] / "mappings" / "hours.toml", [])
MARGIN = timedelta(minutes=15)
STRICTER = {
    # A ZIP stands for its state, of which both clocks are kept.
    "Pensacola ZIP, Alabama number, no state given: Wednesday 19:45 is lawful",
}
"""Where we knowingly wait although the law would let a text go."""


def cases() -> Iterator[dict[str, str]]:
    lines = (HERE / "cases.tsv").read_text().splitlines()
    yield from csv.DictReader(
        (line for line in lines if line and not line.startswith("# ")), delimiter="\t"
    )


def number(area_code: str) -> str:
    """A number with an area code of North America, or a mobile of the country with a prefix."""
    if not area_code:
        return ""
    if not area_code.startswith("+"):
        return f"+1{area_code}5550123"
    code = int(area_code[1:])
    for region in phonenumbers.region_codes_for_country_code(code):
        found = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if found is not None:
            return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    return f"{area_code}612345678"


def verdict(case: dict[str, str]) -> tuple[str, str]:
    """What the rules say: the verdict, and which of the law's rules is against it."""
    at = datetime.fromisoformat(case["local_time"]).replace(
        tzinfo=ZoneInfo(case["zone_of_local_time"])
    )
    e164 = number(case["area_code"])
    person = Contact(
        *("con_1", e164),
        timezone=case["stated_zone"],
        country=case["country"],
        region=case["region"],
        postal=case["postal"],
    )
    where = places(person, e164)
    opening = judge(where, HOURS, case["purpose"], at, MARGIN)
    if opening.closed:
        return "stop", "unknown_place" if not where.rules else "country_closed"
    if not opening.open:
        return "wait", "hours"
    cap = legal_cap(where, HOURS, at.date()) if case["purpose"] == "marketing" else None
    if cap is not None and int(case["sent_before"]) >= cap:
        return "wait", "legal_cap"
    return "send", ""


CASES = list(cases())


def test_there_are_cases_of_every_state_and_of_ten_countries() -> None:
    assert len(CASES) >= 120
    assert len({case["region"] for case in CASES if case["country"] == "US"}) >= 50
    assert len({case["country"] for case in CASES}) >= 10
    assert {case["why"] for case in CASES} >= {"hours", "holiday", "legal_cap", "country_closed"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_text_goes_when_the_law_allows_it_and_at_no_other_time(case: dict[str, str]) -> None:
    said, why = verdict(case)
    if case["name"] in STRICTER:
        assert (said, case["verdict"]) == ("wait", "send")
        return
    assert said == case["verdict"], case
    assert why == {"holiday": "hours"}.get(case["why"], case["why"] or "")
