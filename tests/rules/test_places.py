"""Every sign of where a person may be adds its clocks and its rules."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Contact
from connector.rules.places import is_zone, name_of, of_postal, of_region, places, zones_of
from connector.rules.states import PROVINCES, STATES

CHICAGO, DENVER = "America/Chicago", "America/Denver"
NEW_YORK, PACIFIC = "America/New_York", "America/Los_Angeles"

CASES: list[tuple[dict[str, str], str, set[str], set[str]]] = [
    ({}, "+12025550123", {NEW_YORK}, {"US-DC"}),
    ({}, "+13055550123", {NEW_YORK, CHICAGO}, {"US-FL"}),
    ({}, "+14235550123", {NEW_YORK, CHICAGO}, {"US-TN"}),
    ({}, "+19155550123", {CHICAGO, DENVER}, {"US-TX"}),
    ({}, "+16025550123", {"America/Phoenix", DENVER}, {"US-AZ"}),
    ({}, "+18085550123", {"Pacific/Honolulu"}, {"US-HI"}),
    ({}, "+14165550123", {"America/Toronto", "America/Winnipeg"}, {"CA-ON"}),
    ({}, "+19025550123", {"America/Halifax"}, {"CA-NS", "CA-PE"}),
    ({}, "+491711234567", {"Europe/Berlin"}, {"DE"}),
    ({}, "+17875550123", {"America/Puerto_Rico"}, {"PR"}),
    ({"country": "US"}, "+17875550123", {"America/Puerto_Rico"}, {"PR"}),
    # the CRM's state, the ZIP and the area code all count
    ({"region": "CA"}, "+12125550123", {NEW_YORK, PACIFIC}, {"US-NY", "US-CA"}),
    ({"postal": "90001"}, "+12125550123", {NEW_YORK, PACIFIC}, {"US-NY", "US-CA"}),
    (
        {"region": "Texas", "postal": "02139-1234"},
        "+13125550123",
        {CHICAGO, DENVER, NEW_YORK},
        {"US-TX", "US-MA", "US-IL"},
    ),
    ({"country": "US", "region": "US-WA"}, "+12065550123", {PACIFIC}, {"US-WA"}),
    ({"country": "USA", "region": "D.C."}, "+12025550123", {NEW_YORK}, {"US-DC"}),
    ({"region": "Québec", "postal": "H2X 1Y4"}, "+15145550123", {"America/Toronto"}, {"CA-QC"}),
    ({"country": "US", "region": "FL"}, "+17875550123", {NEW_YORK, CHICAGO, "America/Puerto_Rico"},
     {"US-FL", "PR"}),
    # another country's sign beside an American number
    ({"country": "DE"}, "+12125550123", {NEW_YORK, "Europe/Berlin", "Europe/Busingen"},
     {"US-NY", "DE"}),
    ({"country": "DE", "region": "BE", "postal": "10115"}, "+491711234567",
     {"Europe/Berlin", "Europe/Busingen"}, {"DE-BE"}),
    ({"region": "NY"}, "+491711234567", {"Europe/Berlin", "Europe/Busingen"}, {"DE-NY"}),
    ({"country": "Deutschland"}, "+12125550123", {NEW_YORK}, {"US-NY", "DEUTSCHLAND"}),
    # what cannot be read adds nothing
    ({"region": "Bavaria", "postal": "ABC"}, "+12125550123", {NEW_YORK}, {"US-NY"}),
    ({"postal": "09012"}, "+12125550123", {NEW_YORK}, {"US-NY"}),
    ({}, "no number", set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("known", "e164", "zones", "rules"), CASES)
def test_every_sign_adds_its_clocks_and_rules(
    known: dict[str, str], e164: str, zones: set[str], rules: set[str]
) -> None:
    where = places(Contact("c", **known), e164)  # type: ignore[arg-type]
    assert (set(where.zones), set(where.rules)) == (zones, rules)
    assert not where.unplaced


def test_a_stated_zone_decides_the_clock_alone_but_not_the_rules() -> None:
    where = places(Contact("c", timezone=CHICAGO, region="CA"), "+13055550123")
    assert where.zones == (CHICAGO,)
    assert where.rules == ("US-CA", "US-FL")


@pytest.mark.parametrize(
    "stated",
    ["UTC", "Etc/UTC", "Etc/GMT+5", "EST", "Mars/Phobos", "America", "../../etc/passwd", "A" * 999],
)
def test_a_stated_zone_where_nobody_lives_is_no_statement(stated: str) -> None:
    where = places(Contact("c", timezone=stated), "+12025550123")
    assert where.zones == (NEW_YORK,)
    assert any("no place's zone" in sign for sign in where.why)


@pytest.mark.parametrize("known", [{}, {"country": "US"}, {"region": "nowhere"}])
def test_an_american_without_a_state_is_unplaced(known: dict[str, str]) -> None:
    where = places(Contact("c", **known), "+18005550199")  # type: ignore[arg-type]
    assert where.rules == ("US-unknown",)
    assert where.unplaced


def test_a_stated_zone_is_the_clock_even_where_the_state_is_unknown() -> None:
    where = places(Contact("c", timezone=DENVER), "+18005550199")
    assert (where.zones, where.rules, where.unplaced) == ((DENVER,), ("US-unknown",), False)


def test_the_signs_are_told_without_the_number() -> None:
    where = places(Contact("c", region="CA"), "+12125550123")
    assert where.why == ("area code 212: New York", "region: California")


@pytest.mark.parametrize(
    ("postal", "place"),
    [
        ("00501", "US-NY"),
        ("00901", "PR"),
        ("00801", "VI"),
        ("01002", "US-MA"),
        ("02903", "US-RI"),
        ("03101", "US-NH"),
        ("04101", "US-ME"),
        ("05401", "US-VT"),
        ("05501", "US-MA"),
        ("06103", "US-CT"),
        ("06390", "US-NY"),
        ("07102", "US-NJ"),
        ("10001", "US-NY"),
        ("15222", "US-PA"),
        ("19801", "US-DE"),
        ("20001", "US-DC"),
        ("20190", "US-VA"),
        ("20850", "US-MD"),
        ("25301", "US-WV"),
        ("27601", "US-NC"),
        ("29201", "US-SC"),
        ("30303", "US-GA"),
        ("32501", "US-FL"),
        ("35203", "US-AL"),
        ("37201", "US-TN"),
        ("38601", "US-MS"),
        ("39901", "US-GA"),
        ("40202", "US-KY"),
        ("43215", "US-OH"),
        ("46204", "US-IN"),
        ("48226", "US-MI"),
        ("50309", "US-IA"),
        ("53202", "US-WI"),
        ("55401", "US-MN"),
        ("57104", "US-SD"),
        ("58102", "US-ND"),
        ("59101", "US-MT"),
        ("60601", "US-IL"),
        ("63101", "US-MO"),
        ("66101", "US-KS"),
        ("68102", "US-NE"),
        ("70112", "US-LA"),
        ("72201", "US-AR"),
        ("73102", "US-OK"),
        ("73301", "US-TX"),
        ("75201", "US-TX"),
        ("79901", "US-TX"),
        ("80202", "US-CO"),
        ("82001", "US-WY"),
        ("83414", "US-WY"),
        ("83702", "US-ID"),
        ("84101", "US-UT"),
        ("85001", "US-AZ"),
        ("87102", "US-NM"),
        ("88510", "US-TX"),
        ("89101", "US-NV"),
        ("90001", "US-CA"),
        ("96701", "US-HI"),
        ("96799", "AS"),
        ("96910", "GU"),
        ("96950", "MP"),
        ("97201", "US-OR"),
        ("98101", "US-WA"),
        ("99501", "US-AK"),
        ("K1A 0B1", "CA-ON"),
        ("v6b1a1", "CA-BC"),
        ("A1A 1A1", "CA-NL"),
    ],
)
def test_a_postal_code_names_its_state(postal: str, place: str) -> None:
    assert of_postal("US", postal) == (place,)


@pytest.mark.parametrize("postal", ["09012", "34002", "96201", "1234", "D1A 1A1", "W1A 1AA", ""])
def test_postal_codes_without_a_place_name_none(postal: str) -> None:
    assert of_postal("US", postal) == ()


def test_other_countries_postal_codes_are_not_read_as_american() -> None:
    assert of_postal("DE", "90402") == ()


def test_every_state_is_known_by_code_by_name_and_on_the_clock() -> None:
    for country, table in (("US", STATES), ("CA", PROVINCES)):
        for code, (name, zones) in table.items():
            place = f"{country}-{code}"
            assert of_region(country, code.lower()) == of_region("US", name) == (place,)
            assert zones_of(place) == zones
            assert name_of(place) == name
            assert all(ZoneInfo(zone).key == zone and is_zone(zone) for zone in zones)
    assert (len(STATES), len(PROVINCES)) == (51, 13)


def test_a_country_has_the_zones_of_the_zone_table() -> None:
    assert zones_of("ES") == ("Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary")
    assert zones_of("XX") == ()


junk = st.text(max_size=30)


@given(timezone=junk, country=junk, region=junk, postal=junk, e164=junk)
def test_no_junk_in_a_record_breaks_the_question(
    timezone: str, country: str, region: str, postal: str, e164: str
) -> None:
    contact = Contact("c", timezone=timezone, country=country, region=region, postal=postal)
    assert all(is_zone(zone) for zone in places(contact, e164).zones)
