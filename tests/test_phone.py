"""Numbers as people write them, by the telephone library's own data.

Fictional numbers that the library takes for real, and so serve in tests and demos:
+1 <area> 555 xxxx for every area code in use (the reserved ones are 555-0100 to 555-0199).
The British drama numbers (+44 7700 900xxx) and Twilio's +1 500 555 0006 do not serve: the first
are in no range in use, the second is a personal number that no text reaches.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.phone import MAX_LENGTH, NotANumber, Number, mask, parse, reachable, zones


@pytest.mark.parametrize(
    ("raw", "region", "e164", "country", "type"),
    [
        ("+12025550123", "", "+12025550123", "US", "fixed_line_or_mobile"),
        ("(202) 555-0123", "US", "+12025550123", "US", "fixed_line_or_mobile"),
        ("1 202 555 0123", "US", "+12025550123", "US", "fixed_line_or_mobile"),
        ("tel:+1-202-555-0123", "DE", "+12025550123", "US", "fixed_line_or_mobile"),
        ("＋１２０２５５５０１２３", "", "+12025550123", "US", "fixed_line_or_mobile"),
        ("416 555 0123", "US", "+14165550123", "CA", "fixed_line_or_mobile"),
        ("0171 1234567", "DE", "+491711234567", "DE", "mobile"),
        ("06 12 34 56 78", "FR", "+33612345678", "FR", "mobile"),
        ("020 7946 0018", "GB", "+442079460018", "GB", "fixed_line"),
        ("+18005550199", "", "+18005550199", "US", "toll_free"),
        ("+19005550123", "", "+19005550123", "US", "premium"),
        ("+15005550006", "", "+15005550006", "US", "personal"),
        ("+80012345678", "", "+80012345678", "", "toll_free"),
    ],
)
def test_a_number_is_read_as_people_write_it(
    raw: str, region: str, e164: str, country: str, type: str
) -> None:
    assert parse(raw, region) == Number(e164, country, type)


@pytest.mark.parametrize(
    ("raw", "region", "why"),
    [
        ("", "US", "is no telephone number"),
        ("call me", "US", "is no telephone number"),
        ("+", "US", "is no telephone number"),
        ("123", "US", "is too short for US"),
        ("12", "US", "is too short for US"),
        ("20255501234567", "US", "is too long for US"),
        ("555-0123", "US", "lacks its area code for US"),
        ("2025550123", "", "has no country code"),
        ("+9991234567", "US", "no country code that is in use"),
        ("+447700900123", "US", "has a shape that is not in use in GB"),
        ("+12001234567", "US", "has a shape that is not in use in US"),
        ("202 555 0123 ext. 5", "US", "has an extension"),
        ("5" * (MAX_LENGTH + 1), "US", "at most 64"),
        ("202555012.0", "US", "as spreadsheets write amounts"),
        ("2.025550123E+09", "US", "as spreadsheets write amounts"),
        ("2,025550123e9", "DE", "as spreadsheets write amounts"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(raw: str, region: str, why: str) -> None:
    with pytest.raises(NotANumber, match=why):
        parse(raw, region)


@given(st.text(max_size=80))
def test_any_text_is_either_a_number_or_refused_without_being_repeated(raw: str) -> None:
    try:
        number = parse(raw, "US")
    except NotANumber as refusal:
        assert len(raw) < 8 or raw not in str(refusal)
    else:
        assert parse(number.e164, "") == number


@pytest.mark.parametrize("area_code", ["202", "305", "212", "415", "907", "808", "416", "514"])
def test_fictional_numbers_serve_for_tests(area_code: str) -> None:
    number = parse(f"+1{area_code}5550123", "")
    assert reachable(number.type)


@pytest.mark.parametrize(
    ("type", "answer"),
    [
        ("mobile", True),
        ("fixed_line_or_mobile", True),
        ("fixed_line", False),
        ("voip", False),
        ("toll_free", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_only_numbers_that_may_be_mobiles_are_reachable(type: str, answer: bool) -> None:
    assert reachable(type) is answer


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+12025550123", ("America/New_York",)),
        ("+18502345678", ("America/Chicago",)),
        ("+14165550123", ("America/Toronto",)),
        ("+491711234567", ("Europe/Berlin",)),
        ("+18005550199", ()),
        ("+15005550006", ()),
        ("+447700900123", ()),
        ("+80012345678", ()),
        ("no number", ()),
    ],
)
def test_a_numbers_zones_come_from_its_prefix(e164: str, expected: tuple[str, ...]) -> None:
    assert zones(e164) == expected


def test_a_mobile_of_a_wide_country_has_all_its_zones() -> None:
    assert {"Australia/Perth", "Australia/Sydney"} < set(zones("+61412345678"))
    assert len(zones("+79161234567")) == 16


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+12025550123", "+1202***0123"),
        ("+491711234567", "+4917***4567"),
        ("+4512345678", "+45***78"),
        ("12345", "***"),
        ("", "***"),
        ("+1202555\n0123", "+1202***0123"),
    ],
)
def test_a_masked_number_hides_its_middle(phone: str, masked: str) -> None:
    assert mask(phone) == masked


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_mask_always_hides_three_digits(phone: str) -> None:
    assert len(mask(phone).replace("*", "")) <= len(phone) - 3


def test_the_heavy_data_is_never_loaded() -> None:
    """In a fresh interpreter: nothing before the first number, and never the geocoder."""
    script = (
        "import sys, connector.phone as p\n"
        "assert 'phonenumbers' not in sys.modules\n"
        "p.zones(p.parse('+12025550123', '').e164)\n"
        "assert not {'phonenumbers.geocoder', 'phonenumbers.carrier'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
