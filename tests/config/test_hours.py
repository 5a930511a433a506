"""The hours file: what ships, what may be written, and every fault with its line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from connector.config.hours import GOOD_FOR, load
from connector.errors import Fault
from connector.rules.hours import Hours, is_holiday
from connector.rules.states import STATES

SHIPPED = Path(__file__).parents[2] / "mappings" / "hours.toml"

US = """
[[hours]]
places = ["US"]
hours = "08:00-21:00"
source = "47 CFR 64.1200(c)(1)"
valid_from = "2000-01-01"
confidence = "primary"
"""
UNKNOWN = US.replace('["US"]', '["US-unknown"]\nzones = ["America/Chicago"]')
HOLIDAYS = '[[holidays]]\nplaces = ["US"]\ndays = ["xmas"]\nsource = "x"'
TOP = 'reviewed = "2026-11-20"\nservice = "07:00-22:00"\n'


def read(tmp_path: Path, text: str, today: date | None = None) -> tuple[Hours, list[Fault]]:
    path = tmp_path / "hours.toml"
    path.write_text(text)
    faults: list[Fault] = []
    return load(path, faults, today), faults


def test_the_shipped_file_has_no_fault_and_names_its_version() -> None:
    faults: list[Fault] = []
    hours = load(SHIPPED, faults, date(2026, 11, 20))
    assert faults == []
    assert len(hours.version) == 12
    assert hours.reviewed == date(2026, 11, 20)


def test_every_shipped_row_tells_its_source_and_how_sure_we_are() -> None:
    rows = [row for found in load(SHIPPED, []).rules.values() for row in found]
    assert all(row.source and row.confidence for row in rows)
    assert {row.place[3:] for row in rows if row.place[:3] == "US-"} <= {*STATES, "unknown"}


def test_no_shipped_state_is_looser_than_its_country() -> None:
    rules = load(SHIPPED, []).rules
    for place, rows in rules.items():
        country = rules[place[:2]][0].marketing
        for row in rows:
            for own, general in zip(row.marketing, country, strict=True):
                assert own is None or general is not None
                assert own is None or (general and general[0] <= own[0] < own[1] <= general[1])


def test_the_unknown_state_is_the_narrowest_save_maine() -> None:
    rules = load(SHIPPED, []).rules
    narrowest = rules["US-unknown"][0]
    for place, rows in rules.items():
        if place[:2] != "US" or place in ("US-ME", "US-unknown"):
            continue
        row = rows[0]
        assert row.holidays or not narrowest.holidays
        for own, unknown in zip(row.marketing, narrowest.marketing, strict=True):
            assert unknown is None or (own and own[0] <= unknown[0] and unknown[1] <= own[1])


def test_a_row_may_speak_for_several_places_and_days(tmp_path: Path) -> None:
    text = TOP + US + UNKNOWN + US.replace('["US"]', '["DE", "AT"]\nsunday = "none"')
    hours, faults = read(tmp_path, text)
    assert faults == []
    assert hours.rules["DE"][0].marketing == (((480, 1260),) * 6 + (None,))
    assert hours.rules["AT"][0].place == "AT"
    assert hours.rules["AT"][0].service == ((420, 1320),) * 7


def test_a_state_has_service_hours_only_where_it_says_so(tmp_path: Path) -> None:
    state = US.replace('["US"]', '["US-FL"]')
    own = US.replace('["US"]', '["US-GA"]\nservice = "none"')
    hours, faults = read(tmp_path, TOP + US + UNKNOWN + state + own)
    assert faults == []
    assert hours.rules["US-FL"][0].service is None
    assert hours.rules["US-GA"][0].service == (None,) * 7


def test_service_hours_may_differ_at_the_weekend(tmp_path: Path) -> None:
    own = US.replace('["US"]', '["US-GA"]\nservice = "08:00-21:00"\nservice_sunday = "none"')
    hours, faults = read(tmp_path, TOP + US + UNKNOWN + own)
    assert faults == []
    assert hours.rules["US-GA"][0].service == (*((480, 1260),) * 6, None)
    assert hours.rules["US-GA"][0].marketing == ((480, 1260),) * 7


def test_a_row_may_close_a_country_on_its_legal_holidays_without_listing_them(
    tmp_path: Path,
) -> None:
    closed = US.replace('["US"]', '["JP", "GB"]\nholidays = "none"')
    english = '[[holidays]]\nplaces = ["GB"]\ncalendars = ["GB-ENG"]\nsource = "gov.uk"\n'
    hours, faults = read(tmp_path, TOP + closed + english, date(2026, 11, 21))
    assert faults == []
    assert is_holiday("JP", date(2026, 11, 23), hours), "Labour Thanksgiving Day"
    assert is_holiday("GB", date(2026, 12, 25), hours)
    assert is_holiday("GB", date(2026, 8, 31), hours), "kept in England, not in Scotland"


def test_a_day_added_for_one_state_counts_where_the_state_is_unknown_too(tmp_path: Path) -> None:
    state = US.replace('["US"]', '["US-LA"]\nholidays = "none"')
    unknown = UNKNOWN.replace("hours =", 'holidays = "none"\nhours =')
    storm = '[[holidays]]\nplaces = ["US-LA"]\ndays = ["2026-08-29"]\nsource = "the governor"\n'
    hours, faults = read(tmp_path, TOP + US + unknown + state + storm)
    assert faults == []
    day = date(2026, 8, 29)
    assert [is_holiday(place, day, hours) for place in ("US-LA", "US-unknown", "US")] == [
        *(True, True, False)
    ]


def test_further_signs_say_where_they_are_read(tmp_path: Path) -> None:
    sign = '[[signs]]\nname = "CRM"\ncountry = "crm.country"\npostal = "contact.zip"\n'
    hours, faults = read(tmp_path, TOP + US + UNKNOWN + sign)
    assert faults == []
    (rule,) = hours.signs
    assert (rule.name, rule.country, rule.region, rule.postal) == (
        *("CRM", ("crm", "country"), ("", ""), ("contact", "zip")),
    )


def test_a_holiday_that_no_calendar_tells_is_a_fault_of_the_check(tmp_path: Path) -> None:
    islands = US.replace('["US"]', '["XX"]\nholidays = "none"')
    asked = date(2026, 11, 21)
    (fault,) = read(tmp_path, TOP + islands, asked)[1]
    assert (fault.field, fault.line) == ("hours[0].holidays", 6)
    assert "no calendar of XX" in fault.message
    assert "[[holidays]]" in fault.remedy
    days = '[[holidays]]\nplaces = ["XX"]\ndays = ["12-25"]\nsource = "x"\n'
    hours, faults = read(tmp_path, TOP + islands + days, asked)
    assert faults == []
    assert is_holiday("XX", date(2026, 12, 25), hours)
    unknown = days.replace('days = ["12-25"]', 'calendars = ["XX"]')
    assert "calendars" in read(tmp_path, TOP + islands + unknown, asked)[1][0].field


def test_of_two_rows_for_a_place_the_newer_stands_first(tmp_path: Path) -> None:
    newer = US.replace("2000-01-01", "2027-01-01").replace("08:00", "09:00")
    hours, faults = read(tmp_path, TOP + US + newer + UNKNOWN)
    assert faults == []
    assert [row.valid_from.year for row in hours.rules["US"]] == [2027, 2000]


@pytest.mark.parametrize(
    ("text", "field", "line", "message"),
    [
        (TOP + US.replace("21:00", "25:00"), "hours[0].hours", 6, "is '08:00-25:00'"),
        (TOP + US.replace("08:00-21:00", "21:00-08:00"), "hours[0].hours", 6, "is '21:00-08:00'"),
        (TOP + US.replace("21:00", "24:30"), "hours[0].hours", 6, "is '08:00-24:30'"),
        (TOP + US.replace('"08:00-21:00"', "8"), "hours[0].hours", 6, "is 8, not"),
        (TOP + US.replace('"US"', '"USA"'), "hours[0].places", 5, "holds 'USA'"),
        (TOP + US.replace("2000-01-01", "May"), "hours[0].valid_from", 8, "is 'May'"),
        (TOP + US.replace("2000-01-01", ""), "hours[0].valid_from", 8, "is ''"),
        (TOP + US.replace("primary", "sure"), "hours[0].confidence", 9, "is 'sure'"),
        (TOP + US.replace("source", "sauce"), "hours[0].source", 4, "is missing"),
        (TOP + US.replace("source", "sauce"), "hours[0].sauce", 7, "is not known here"),
        (TOP + US.replace("valid_from", "since"), "hours[0].valid_from", 4, "is missing"),
        (TOP + US.replace('"47 CFR 64.1200(c)(1)"', '""'), "hours[0].source", 7, "is empty"),
        (TOP + US + 'service = "7-22"', "hours[0].service", 10, "is '7-22'"),
        (TOP + US + "[[signs]]\nname = 'a'", "signs[0]", 10, "reads nothing"),
        (TOP + US + "[[signs]]\nname = 'a'\nregion = 'x.y'", "signs[0].region", 12, "is 'x.y'"),
        (TOP + US + 'clock = "Mars"', "hours[0].clock", 10, "names the zone 'Mars'"),
        (TOP + US + "max_24h = 0", "hours[0].max_24h", 10, "is 0"),
        (TOP + US + 'holidays = "closed"', "hours[0].holidays", 10, "is 'closed'"),
        (TOP + UNKNOWN.replace("Chicago", "Chikago"), "hours[0].zones", 6, "names the zone"),
        (TOP + US + UNKNOWN + US, "hours[2].places", 20, "names US again"),
        (TOP + US, "hours[0].places", 5, "has no US-unknown row"),
        (TOP + UNKNOWN, "hours[0].places", 5, "holds US-unknown, but US has no row"),
        (TOP + US.replace('"US"', '"US-unknown"'), "hours[0].zones", 4, "is missing"),
        (US + UNKNOWN, "reviewed", 1, "is missing"),
        (TOP.replace("22", "7") + US, "service", 2, "is '07:00-7:00'"),
        (TOP + US + HOLIDAYS, "holidays[0].days", 12, "holds 'xmas'"),
    ],
)
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, text: str, field: str, line: int, message: str
) -> None:
    _, faults = read(tmp_path, text)
    told = [(fault.field, fault.line) for fault in faults if message in fault.message]
    assert (field, line) in told
    assert all(fault.remedy for fault in faults)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    _, faults = read(tmp_path, TOP + US.replace("08", "8").replace("primary", "sure"))
    assert [fault.field[9:] for fault in faults] == ["hours", "confidence", "places"]


def test_a_missing_file_is_one_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    hours = load(tmp_path / "hours.toml", faults)
    assert [fault.line for fault in faults] == [0]
    assert hours.rules == {}


def test_a_file_not_compared_with_the_law_for_a_year_is_a_fault(tmp_path: Path) -> None:
    fresh = date(2026, 11, 20) + GOOD_FOR
    assert read(tmp_path, TOP + US + UNKNOWN, fresh)[1] == []
    stale = read(tmp_path, TOP + US + UNKNOWN, fresh + timedelta(days=1))[1]
    assert [fault.field for fault in stale] == ["reviewed"]
    assert "compare the rows with the law" in stale[0].remedy
