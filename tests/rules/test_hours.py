"""The law as a table, the nights when clocks change, and what must hold whatever the hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.hours import load
from connector.errors import Fault
from connector.model import Contact
from connector.rules.hours import Hours, HoursRule, Where, judge, legal_cap, places

FAULTS: list[Fault] = []
HOURS = load(Path(__file__).parents[2] / "mappings" / "hours.toml", FAULTS)
MARGIN = timedelta(minutes=15)

NEW_YORK, CHICAGO, DENVER = "America/New_York", "America/Chicago", "America/Denver"
PACIFIC, PHOENIX, HONOLULU = "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu"
SECOND = timedelta(seconds=1)
OPEN = ""


def at(local: str, zone: str) -> datetime:
    """An instant from the wall clock of a zone."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def utc(hour: int, minute: int, day: tuple[int, int, int]) -> datetime:
    return datetime(*day, hour, minute, tzinfo=UTC)


# Place, zone, local instant, and OPEN or the local instant at which it opens.
# 2026: 13 Nov Fri, 14 Sat, 15 Sun, 16 Mon, 17 Tue; 26 Nov Thanksgiving; 2027: 4 Jul Sun.
LAW = [
    # federal: 08:00-21:00 every day, holidays too
    ("US-CO", DENVER, "2026-11-17 07:59", "2026-11-17 08:00"),
    ("US-CO", DENVER, "2026-11-17 08:00", OPEN),
    ("US-CO", DENVER, "2026-11-17 20:45", OPEN),
    ("US-CO", DENVER, "2026-11-17 20:46", "2026-11-18 08:00"),
    ("US-CO", DENVER, "2026-11-17 21:00", "2026-11-18 08:00"),
    ("US-CO", DENVER, "2026-11-15 12:00", OPEN),
    ("US-CO", DENVER, "2026-11-26 12:00", OPEN),
    ("US-NY", NEW_YORK, "2026-11-17 08:00", OPEN),
    ("US-CA", PACIFIC, "2026-11-17 20:30", OPEN),
    ("US-HI", HONOLULU, "2026-11-17 20:50", "2026-11-18 08:00"),
    ("US-AZ", PHOENIX, "2026-11-17 08:00", OPEN),
    # Alabama: 08-20, no Sundays, no holidays
    ("US-AL", CHICAGO, "2026-11-14 19:45", OPEN),
    ("US-AL", CHICAGO, "2026-11-14 19:46", "2026-11-16 08:00"),
    ("US-AL", CHICAGO, "2026-11-15 12:00", "2026-11-16 08:00"),
    ("US-AL", CHICAGO, "2026-11-26 12:00", "2026-11-27 08:00"),
    ("US-AL", CHICAGO, "2027-04-26 12:00", "2027-04-27 08:00"),
    # Connecticut: 09-20 every day
    ("US-CT", NEW_YORK, "2026-11-17 08:30", "2026-11-17 09:00"),
    ("US-CT", NEW_YORK, "2026-11-15 19:45", OPEN),
    ("US-CT", NEW_YORK, "2026-11-17 20:30", "2026-11-18 09:00"),
    # Florida, Massachusetts, Maryland, Oklahoma, Oregon, Washington, Wyoming: 08-20 every day
    ("US-FL", NEW_YORK, "2026-11-17 20:00", "2026-11-18 08:00"),
    ("US-FL", NEW_YORK, "2026-11-15 19:00", OPEN),
    ("US-MA", NEW_YORK, "2026-11-17 20:00", "2026-11-18 08:00"),
    ("US-MD", NEW_YORK, "2026-11-17 19:59", "2026-11-18 08:00"),
    ("US-OK", CHICAGO, "2026-11-17 20:10", "2026-11-18 08:00"),
    ("US-OR", PACIFIC, "2026-11-17 20:10", "2026-11-18 08:00"),
    ("US-WA", PACIFIC, "2026-11-17 20:10", "2026-11-18 08:00"),
    ("US-WA", PACIFIC, "2026-11-26 10:00", OPEN),
    ("US-WY", DENVER, "2026-11-17 20:10", "2026-11-18 08:00"),
    # Kentucky: 10-21
    ("US-KY", NEW_YORK, "2026-11-17 09:30", "2026-11-17 10:00"),
    ("US-KY", NEW_YORK, "2026-11-17 20:45", OPEN),
    # Louisiana: 08-20, no Sundays, no holidays, Mardi Gras and All Saints among them
    ("US-LA", CHICAGO, "2026-11-15 10:00", "2026-11-16 08:00"),
    ("US-LA", CHICAGO, "2027-02-09 10:00", "2027-02-10 08:00"),
    ("US-LA", CHICAGO, "2027-03-26 10:00", "2027-03-27 08:00"),
    ("US-LA", CHICAGO, "2027-11-01 10:00", "2027-11-02 08:00"),  # no Election Day in odd years
    ("US-LA", CHICAGO, "2026-11-03 10:00", "2026-11-04 08:00"),
    # Maine: 09-17, Monday to Friday, no holidays
    ("US-ME", NEW_YORK, "2026-11-13 16:45", OPEN),
    ("US-ME", NEW_YORK, "2026-11-13 17:00", "2026-11-16 09:00"),
    ("US-ME", NEW_YORK, "2026-12-24 18:00", "2026-12-28 09:00"),
    # Michigan, Minnesota, New Mexico: 09-21
    ("US-MI", "America/Detroit", "2026-11-17 08:59", "2026-11-17 09:00"),
    ("US-MN", CHICAGO, "2026-11-17 08:30", "2026-11-17 09:00"),
    ("US-NM", DENVER, "2026-11-17 20:45", OPEN),
    # Mississippi: 08-20 Central Standard Time all year, as well as on the recipient's clock
    ("US-MS", CHICAGO, "2027-01-12 08:00", OPEN),
    ("US-MS", CHICAGO, "2027-07-13 08:30", "2027-07-13 09:00"),
    ("US-MS", CHICAGO, "2027-07-13 19:45", OPEN),
    ("US-MS", CHICAGO, "2027-07-13 20:00", "2027-07-14 09:00"),
    ("US-MS", CHICAGO, "2027-07-17 20:00", "2027-07-19 09:00"),
    ("US-MS", CHICAGO, "2026-11-26 12:00", OPEN),
    # Nevada: 09-20
    ("US-NV", PACIFIC, "2026-11-17 20:00", "2026-11-18 09:00"),
    # Pennsylvania: until 17 October 2026 08-21 without holidays; then 09-19, no Sundays either
    ("US-PA", NEW_YORK, "2026-09-07 12:00", "2026-09-08 08:00"),
    ("US-PA", NEW_YORK, "2026-10-11 12:00", OPEN),
    ("US-PA", NEW_YORK, "2026-10-16 20:30", OPEN),
    ("US-PA", NEW_YORK, "2026-10-17 20:30", OPEN),
    ("US-PA", NEW_YORK, "2026-10-17 21:30", "2026-10-19 09:00"),
    ("US-PA", NEW_YORK, "2026-10-18 12:00", "2026-10-19 09:00"),
    ("US-PA", NEW_YORK, "2026-10-19 08:30", "2026-10-19 09:00"),
    ("US-PA", NEW_YORK, "2026-10-19 18:45", OPEN),
    ("US-PA", NEW_YORK, "2026-10-19 19:00", "2026-10-20 09:00"),
    ("US-PA", NEW_YORK, "2026-11-03 12:00", "2026-11-04 09:00"),
    ("US-PA", NEW_YORK, "2027-06-14 12:00", "2027-06-15 09:00"),
    # Rhode Island: 09-18, Saturday 10-17, no Sundays, no holidays
    ("US-RI", NEW_YORK, "2026-11-17 17:45", OPEN),
    ("US-RI", NEW_YORK, "2026-11-13 18:00", "2026-11-14 10:00"),
    ("US-RI", NEW_YORK, "2026-11-14 16:50", "2026-11-16 09:00"),
    ("US-RI", NEW_YORK, "2027-08-09 12:00", "2027-08-10 09:00"),
    # South Dakota: 09-21, no Sundays
    ("US-SD", CHICAGO, "2026-11-15 12:00", "2026-11-16 09:00"),
    ("US-SD", CHICAGO, "2026-11-26 12:00", OPEN),
    # Texas: 09-21, Sundays 12-21
    ("US-TX", CHICAGO, "2026-11-14 08:30", "2026-11-14 09:00"),
    ("US-TX", CHICAGO, "2026-11-15 11:00", "2026-11-15 12:00"),
    ("US-TX", CHICAGO, "2026-11-15 20:45", OPEN),
    ("US-TX", CHICAGO, "2025-08-29 08:30", OPEN),
    # Utah: 08-21, no Sundays, no holidays, Pioneer Day among them
    ("US-UT", DENVER, "2026-11-15 12:00", "2026-11-16 08:00"),
    ("US-UT", DENVER, "2026-07-23 21:00", "2026-07-25 08:00"),
    ("US-UT", DENVER, "2027-07-04 12:00", "2027-07-06 08:00"),
    # Virginia and South Carolina: the federal hours
    ("US-VA", NEW_YORK, "2026-11-15 20:45", OPEN),
    ("US-SC", NEW_YORK, "2026-11-15 20:45", OPEN),
    # an unknown state: 10-18, Saturday 10-17, no Sundays, no holidays
    ("US-unknown", CHICAGO, "2026-11-17 09:59", "2026-11-17 10:00"),
    ("US-unknown", CHICAGO, "2026-11-17 17:45", OPEN),
    ("US-unknown", CHICAGO, "2026-11-14 16:46", "2026-11-16 10:00"),
    ("US-unknown", CHICAGO, "2026-11-25 18:00", "2026-11-28 10:00"),
    ("PR", "America/Puerto_Rico", "2026-11-15 12:00", "2026-11-16 10:00"),
    # elsewhere
    ("CA-ON", "America/Toronto", "2026-11-17 21:15", OPEN),
    ("CA-ON", "America/Toronto", "2026-11-14 09:30", "2026-11-14 10:00"),
    ("CA-ON", "America/Toronto", "2026-11-15 18:00", "2026-11-16 09:00"),
    ("GB", "Europe/London", "2026-11-15 20:30", OPEN),
    ("FR", "Europe/Paris", "2026-11-17 08:15", "2026-11-17 08:30"),
    ("FR", "Europe/Paris", "2026-11-14 20:00", "2026-11-16 08:30"),
    ("FR", "Europe/Paris", "2026-11-11 12:00", "2026-11-12 08:30"),
    ("FR", "Europe/Paris", "2027-05-06 12:00", "2027-05-07 08:30"),
    ("DE", "Europe/Berlin", "2026-11-15 19:45", OPEN),
    ("ES", "Europe/Madrid", "2026-11-17 20:00", "2026-11-18 08:00"),
    ("AU", "Australia/Perth", "2026-11-17 08:30", "2026-11-17 09:00"),
    ("IN", "Asia/Kolkata", "2026-11-17 09:30", "2026-11-17 10:00"),
]


@pytest.mark.parametrize(("place", "zone", "local", "opens"), LAW)
def test_the_law_of_each_place(place: str, zone: str, local: str, opens: str) -> None:
    where = Where((zone,), (place,), ())
    opening = judge(where, HOURS, "marketing", at(local, zone), MARGIN)
    assert opening.open is (opens == OPEN)
    assert opening.until == (at(opens, zone) if opens else None)


def test_the_shipped_hours_have_no_fault() -> None:
    assert FAULTS == []


@pytest.mark.parametrize(
    ("zones", "rules", "now", "opens"),
    [
        # coast to coast: 13:00 to 18:00 in the east
        ((NEW_YORK, PACIFIC), ("US-unknown",), "2026-11-17 12:59", "2026-11-17 13:00"),
        ((NEW_YORK, PACIFIC), ("US-unknown",), "2026-11-17 17:45", OPEN),
        ((NEW_YORK, PACIFIC), ("US-unknown",), "2026-11-17 18:00", "2026-11-18 13:00"),
        # Florida keeps two clocks
        ((NEW_YORK, CHICAGO), ("US-FL",), "2026-11-17 08:30", "2026-11-17 09:00"),
        ((NEW_YORK, CHICAGO), ("US-FL",), "2026-11-17 19:50", "2026-11-18 09:00"),
        # a Texan number in Pennsylvania: both rules on both clocks
        ((NEW_YORK, CHICAGO), ("US-PA", "US-TX"), "2026-11-17 09:30", "2026-11-17 10:00"),
        ((NEW_YORK, CHICAGO), ("US-PA", "US-TX"), "2026-11-14 18:50", "2026-11-16 10:00"),
        # half the world apart a little is left, both sides of the date line as well
        ((NEW_YORK, "Europe/Berlin"), ("DE", "US-NY"), "2026-11-17 07:00", "2026-11-17 08:00"),
        ((NEW_YORK, "Europe/Berlin"), ("DE", "US-NY"), "2026-11-17 13:45", OPEN),
        ((NEW_YORK, "Europe/Berlin"), ("DE", "US-NY"), "2026-11-17 13:46", "2026-11-18 08:00"),
    ],
)
def test_a_text_is_lawful_on_every_clock_by_every_rule(
    zones: tuple[str, ...], rules: tuple[str, ...], now: str, opens: str
) -> None:
    opening = judge(Where(zones, rules, ()), HOURS, "marketing", at(now, NEW_YORK), MARGIN)
    assert opening.until == (at(opens, NEW_YORK) if opens else None)
    assert opening.open is (opens == OPEN)


def test_the_date_line_lies_between_two_signs() -> None:
    """Kiritimati is a day ahead of Honolulu with the same wall clock: a Sunday lasts two days."""
    where = Where(("Pacific/Kiritimati", HONOLULU), ("US-UT",), ())
    friday = at("2026-11-13 22:00", HONOLULU)
    opening = judge(where, HOURS, "marketing", friday, MARGIN)
    assert opening.until == at("2026-11-16 08:00", HONOLULU)
    assert opening.until == at("2026-11-17 08:00", "Pacific/Kiritimati")
    thursday = at("2026-11-12 20:00", HONOLULU)
    assert judge(where, HOURS, "marketing", thursday, MARGIN).open


def test_where_no_hour_suits_everywhere_no_instant_is_named() -> None:
    where = Where(("Pacific/Guam", NEW_YORK), ("US-unknown",), ())
    opening = judge(where, HOURS, "marketing", at("2026-11-17 12:00", NEW_YORK), MARGIN)
    assert (opening.open, opening.until, opening.closed) == (False, None, False)
    assert "suits everywhere" in opening.says


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-17 12:59", "2026-11-17 13:00"),
        ("2026-11-17 13:00", OPEN),
        ("2026-11-17 17:45", OPEN),
        ("2026-11-17 18:00", "2026-11-18 13:00"),
        ("2026-11-14 16:45", OPEN),
        ("2026-11-14 17:00", "2026-11-16 13:00"),
    ],
)
def test_an_american_without_any_sign_may_live_on_either_coast(now: str, opens: str) -> None:
    where = places(Contact("c"), "+18005550199")
    opening = judge(where, HOURS, "marketing", at(now, NEW_YORK), MARGIN)
    assert opening.open is (opens == OPEN)
    assert opening.until == (at(opens, NEW_YORK) if opens else None)


def test_a_household_from_coast_to_coast_is_asked_on_both_clocks() -> None:
    where = places(Contact("c", postal="10001", region="NY"), "+14155550123")
    early = judge(where, HOURS, "marketing", at("2026-11-17 10:59", NEW_YORK), MARGIN)
    assert early.until == at("2026-11-17 08:00", PACIFIC)
    assert "America/Los_Angeles" in early.says
    assert judge(where, HOURS, "marketing", at("2026-11-17 20:45", NEW_YORK), MARGIN).open
    assert not judge(where, HOURS, "marketing", at("2026-11-17 18:00", PACIFIC), MARGIN).open


def test_a_stated_zone_opens_by_its_own_clock_under_the_area_codes_law() -> None:
    where = places(Contact("c", timezone=PACIFIC), "+13055550123")
    assert judge(where, HOURS, "marketing", at("2026-11-17 08:00", PACIFIC), MARGIN).open
    assert judge(where, HOURS, "marketing", at("2026-11-17 19:45", PACIFIC), MARGIN).open
    assert not judge(where, HOURS, "marketing", at("2026-11-17 20:00", PACIFIC), MARGIN).open


@pytest.mark.parametrize("purpose", ["marketing", "service"])
@pytest.mark.parametrize("e164", ["+81312345678", "+12425551234", "not a number"])
def test_a_country_without_a_row_is_closed(purpose: str, e164: str) -> None:
    where = places(Contact("c"), e164)
    opening = judge(where, HOURS, purpose, at("2026-11-17 12:00", NEW_YORK), MARGIN)
    assert (opening.open, opening.closed, opening.until) == (False, True, None)
    assert opening.says


def test_one_closed_country_among_the_signs_closes_all() -> None:
    where = places(Contact("c", country="JP"), "+12125550123")
    opening = judge(where, HOURS, "marketing", at("2026-11-17 12:00", NEW_YORK), MARGIN)
    assert opening.closed
    assert "JP has no row" in opening.says


def test_service_texts_have_looser_hours_and_know_no_sundays() -> None:
    where = Where((NEW_YORK,), ("US-PA",), ())
    sunday = at("2026-11-15 21:30", NEW_YORK)
    assert judge(where, HOURS, "service", sunday, MARGIN).open
    late = judge(where, HOURS, "service", sunday + timedelta(hours=1), MARGIN)
    assert late.until == at("2026-11-16 07:00", NEW_YORK)


def test_our_own_answers_keep_no_hours() -> None:
    where = places(Contact("c"), "+81312345678")
    assert judge(where, HOURS, "system", at("2026-11-17 03:00", NEW_YORK), MARGIN).open


def test_more_holidays_may_be_handed_in() -> None:
    where, noon = Where((NEW_YORK,), ("US-PA",), ()), at("2026-11-17 12:00", NEW_YORK)

    def emergency(place: str, day: date) -> bool:
        return (place, day) == ("US-PA", date(2026, 11, 17))

    assert judge(where, HOURS, "marketing", noon, MARGIN).open
    declared = judge(where, HOURS, "marketing", noon, MARGIN, emergency)
    assert declared.until == at("2026-11-18 09:00", NEW_YORK)


def test_an_open_answer_tells_when_the_window_closes() -> None:
    where = Where((NEW_YORK, CHICAGO), ("US-FL",), ())
    opening = judge(where, HOURS, "marketing", at("2026-11-17 12:00", NEW_YORK), MARGIN)
    assert opening.closes == at("2026-11-17 20:00", NEW_YORK)


def test_a_refusal_says_the_hour_the_rule_and_what_next() -> None:
    where = places(Contact("c", region="PA"), "+12155550123")
    opening = judge(where, HOURS, "marketing", at("2026-11-17 21:10", NEW_YORK), MARGIN)
    assert opening.says == (
        "Outside the hours in America/New_York: Pennsylvania allows 09:00–19:00 on Tue 17 Nov; "
        "next Wed 18 Nov 09:00 there."
    )
    later = judge(where, HOURS, "marketing", at("2026-11-17 21:40", NEW_YORK), MARGIN)
    assert later == opening


@pytest.mark.parametrize(
    ("rules", "cap"),
    [
        (("US-FL",), 3),
        (("US-CO",), None),
        (("US-CO", "US-OK"), 3),
        (("US-ME", "US-FL"), 1),
        (("US-unknown",), 3),
        (("DE",), None),
        (("JP",), None),
    ],
)
def test_the_strictest_legal_cap_counts(rules: tuple[str, ...], cap: int | None) -> None:
    assert legal_cap(Where((), rules, ()), HOURS) == cap


def test_a_legal_cap_counts_from_its_first_day() -> None:
    oregon = Where((), ("US-OR",), ())
    assert legal_cap(oregon, HOURS, date(2025, 12, 31)) is None
    assert legal_cap(oregon, HOURS, date(2026, 1, 1)) == 3


@pytest.mark.parametrize(
    ("zone", "now", "only", "found"),
    [
        ("Pacific/Kiritimati", utc(23, 50, (2026, 12, 1)), date(2026, 12, 10), True),
        ("Pacific/Kiritimati", utc(23, 50, (2026, 12, 1)), date(2026, 12, 11), False),
        ("Pacific/Pago_Pago", utc(0, 10, (2026, 12, 1)), date(2026, 12, 8), True),
        ("Pacific/Pago_Pago", utc(0, 10, (2026, 12, 1)), date(2026, 12, 9), False),
    ],
)
def test_the_search_ends_after_eight_days(
    zone: str, now: datetime, only: date, found: bool
) -> None:
    where = Where((zone,), ("US-UT",), ())
    opening = judge(where, HOURS, "marketing", now, MARGIN, lambda _, day: day != only)
    assert opening.until == (at(f"{only} 08:00", zone) if found else None)


def hours_of(window: tuple[int, int], place: str = "US") -> Hours:
    """Hours of one place with one window, in minutes, for every day and purpose."""
    week = (window,) * 7
    since = date(2000, 1, 1)
    row = HoursRule(place, week, week, True, None, "", (), False, "", since, "choice")
    return Hours({place: (row,)}, {}, "v", since)


@pytest.mark.parametrize("zone", [NEW_YORK, HONOLULU, "Pacific/Kiritimati", "Australia/Lord_Howe"])
def test_a_row_of_the_future_takes_effect_on_its_day_and_the_former_holds_until_then(
    zone: str,
) -> None:
    former = hours_of((480, 1200)).rules["US"][0]
    day = date(2027, 3, 14)  # also a night on which clocks change
    week = ((600, 1080),) * 7
    newer = replace(former, marketing=week, service=week, max_24h=2, valid_from=day)
    hours = Hours({"US": (newer, former)}, {}, "v", day)
    where = Where((zone,), ("US",), ())
    for purpose in ("marketing", "service"):
        for local, opens in (("2027-03-13 08:00", True), ("2027-03-14 08:00", False)):
            assert judge(where, hours, purpose, at(local, zone), MARGIN).open is opens
        late = judge(where, hours, purpose, at("2027-03-13 21:00", zone), MARGIN)
        assert late.until == at("2027-03-14 10:00", zone), "by the row of the next day"
    assert legal_cap(where, hours, date(2027, 3, 13)) is None
    assert legal_cap(where, hours, day) == 2


NIGHT = Where((NEW_YORK,), ("US",), ())


SPRING, AUTUMN = (2027, 3, 14), (2027, 11, 7)  # 07:00 UTC: 02:00 → 03:00; 06:00 UTC: 02:00 → 01:00


def test_the_clocks_change_while_a_window_is_open() -> None:
    """00:00-06:00 has five hours in spring and seven in autumn, all of them open."""
    hours = hours_of((0, 360))
    for day, first, last in ((SPRING, 5, 10), (AUTUMN, 4, 11)):
        assert judge(NIGHT, hours, "marketing", utc(first, 0, day), MARGIN).open
        assert judge(NIGHT, hours, "marketing", utc(last - 1, 45, day), MARGIN).open
        assert not judge(NIGHT, hours, "marketing", utc(last - 1, 46, day), MARGIN).open


def test_the_margin_is_real_time_even_across_the_change() -> None:
    """At 01:50 on the night of the gap 02:00-03:10 is ten minutes long, at 03:00 it begins."""
    hours = hours_of((120, 190))
    before = judge(NIGHT, hours, "marketing", utc(6, 50, SPRING), timedelta(minutes=5))
    assert before.until is not None
    assert ZoneInfo(NEW_YORK).utcoffset(before.until) is not None
    assert before.until.astimezone(ZoneInfo(NEW_YORK)).strftime("%H:%M") == "03:00"
    long = judge(NIGHT, hours, "marketing", utc(6, 50, SPRING), timedelta(minutes=30))
    assert long.until == utc(6, 0, (2027, 3, 15))


def test_a_window_from_an_hour_that_does_not_come_opens_after_the_gap() -> None:
    opening = judge(NIGHT, hours_of((150, 600)), "marketing", utc(6, 59, SPRING), MARGIN)
    assert opening.until == utc(7, 30, SPRING)  # 02:30 does not come; 03:30 is inside for sure


def test_a_window_until_an_hour_that_does_not_come_ends_before_the_gap() -> None:
    hours = hours_of((0, 150))
    assert judge(NIGHT, hours, "marketing", utc(6, 15, SPRING), MARGIN).open
    assert not judge(NIGHT, hours, "marketing", utc(6, 16, SPRING), MARGIN).open


def test_a_window_from_an_hour_that_comes_twice_opens_the_second_time() -> None:
    opening = judge(NIGHT, hours_of((90, 600)), "marketing", utc(5, 30, AUTUMN), MARGIN)
    assert opening.until == utc(6, 30, AUTUMN)


def test_a_window_until_an_hour_that_comes_twice_ends_the_first_time() -> None:
    hours = hours_of((0, 90))
    assert judge(NIGHT, hours, "marketing", utc(5, 15, AUTUMN), MARGIN).open
    assert not judge(NIGHT, hours, "marketing", utc(5, 45, AUTUMN), MARGIN).open
    assert not judge(NIGHT, hours, "marketing", utc(6, 15, AUTUMN), MARGIN).open


@pytest.mark.parametrize("local", ["2027-03-14 02:30", "2027-11-07 01:30"])
def test_on_the_night_of_the_change_the_morning_is_found_by_the_new_clock(local: str) -> None:
    where = Where((NEW_YORK,), ("US-NY",), ())
    for fold in (0, 1):
        night = at(local, NEW_YORK).replace(fold=fold)
        opening = judge(where, HOURS, "marketing", night, MARGIN)
        assert opening.until == at(f"{local[:10]} 08:00", NEW_YORK)


def test_phoenix_keeps_its_clock_when_denver_changes() -> None:
    arizona = Where((PHOENIX,), ("US-AZ",), ())
    both = Where((PHOENIX, DENVER), ("US-AZ",), ())
    winter, summer = at("2027-03-13 08:00", PHOENIX), at("2027-03-15 08:00", PHOENIX)
    assert judge(arizona, HOURS, "marketing", winter, MARGIN).open
    assert judge(arizona, HOURS, "marketing", summer, MARGIN).open
    assert judge(both, HOURS, "marketing", at("2027-03-13 20:30", PHOENIX), MARGIN).open
    assert not judge(both, HOURS, "marketing", at("2027-03-15 20:30", PHOENIX), MARGIN).open


def test_windows_that_touch_at_midnight_are_one() -> None:
    hours = hours_of((0, 24 * 60))
    assert judge(NIGHT, hours, "marketing", at("2026-11-17 23:59", NEW_YORK), MARGIN).open


zones = st.sampled_from(
    [
        *(NEW_YORK, CHICAGO, DENVER, PACIFIC, PHOENIX, HONOLULU, "America/Anchorage"),
        *("America/St_Johns", "Europe/London", "Europe/Paris", "Asia/Kolkata", "Asia/Kathmandu"),
        *("Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Auckland", "Pacific/Kiritimati"),
        *("Pacific/Pago_Pago", "America/Havana", "Africa/Cairo", "Pacific/Chatham"),
        *("Africa/Casablanca", "America/Shiprock", "America/Indiana/Tell_City", "America/Nuuk"),
    ]
)
wheres = st.builds(
    lambda zones, rules: Where(tuple(sorted(zones)), tuple(sorted(rules)), ()),
    st.sets(zones, min_size=1, max_size=3),
    st.sets(st.sampled_from([*HOURS.rules, "US-CO", "US-NY", "CA-QC"]), min_size=1, max_size=3),
)
anytime = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
changes = st.sampled_from(  # of clocks: America, Europe, Lord Howe, Chatham, Havana, Cairo, Morocco
    [
        *((2027, 3, 14, 7), (2027, 11, 7, 6), (2027, 3, 28, 1), (2027, 10, 31, 1)),
        *((2027, 4, 3, 15), (2027, 10, 2, 15), (2027, 9, 25, 14), (2027, 3, 14, 5)),
        *((2027, 4, 29, 22), (2026, 2, 15, 2), (2026, 3, 22, 2)),
    ]
).map(lambda when: datetime(*when, tzinfo=UTC))
instants = anytime | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    changes,
    st.integers(-1500, 1500),
)
margins = st.integers(0, 240).map(lambda minutes: timedelta(minutes=minutes))
purposes = st.sampled_from(["marketing", "service"])


def lawful(where: Where, purpose: str, instant: datetime) -> bool:
    """The rules read afresh off the file, one instant at a time, with nothing kept."""
    for rule in where.rules:
        for place in {rule, rule[:2]}:
            for zone in where.zones:
                if not _allowed(place, zone, purpose, instant, own=True):
                    return False
            for row in HOURS.rules.get(place, ()):
                if row.clock and not _allowed(place, row.clock, purpose, instant, own=False):
                    return False
    return True


def _allowed(place: str, zone: str, purpose: str, instant: datetime, *, own: bool) -> bool:
    local = instant.astimezone(ZoneInfo(zone))
    rows = [row for row in HOURS.rules.get(place, ()) if row.valid_from <= local.date()]
    if not rows:
        return len(place) > 2
    row = max(rows, key=lambda row: row.valid_from)
    if not own and row.clock != zone:
        return True
    week = row.service if purpose == "service" else row.marketing
    if week is None:
        return True
    if purpose == "marketing" and not row.holidays:
        named = {day for name in {place, place[:2]} for day in _days(name, local.year)}
        if local.date() in named:
            return False
    window = week[local.weekday()]
    return window is not None and window[0] <= local.hour * 60 + local.minute < window[1]


def _days(place: str, year: int) -> set[date]:
    listed = HOURS.holidays.get(place, ())
    return {day for each in listed for near in (year, year + 1) for day in each(near)}


@settings(max_examples=200, deadline=None)
@given(wheres, purposes, instants, margins)
def test_open_is_lawful_everywhere_for_as_long_as_the_margin(
    where: Where, purpose: str, now: datetime, margin: timedelta
) -> None:
    opening = judge(where, HOURS, purpose, now, margin)
    if opening.open:
        steps = [now + margin * share / 8 for share in range(8)]
        assert all(lawful(where, purpose, step) for step in steps)
        assert opening.closes is not None
        assert opening.closes - now >= margin
        assert opening.until is None


@settings(max_examples=100, deadline=None)
@given(wheres, purposes, instants, margins)
def test_until_is_later_and_open_and_nothing_before_it_is(
    where: Where, purpose: str, now: datetime, margin: timedelta
) -> None:
    opening = judge(where, HOURS, purpose, now, margin)
    if opening.open:
        return
    margin = max(margin, SECOND)
    last = opening.until or now + timedelta(days=8)
    if opening.until is not None:
        assert now < opening.until <= now + timedelta(days=8)
        assert judge(where, HOURS, purpose, opening.until, margin).open
    step = now
    while step < last:  # every row rests for hours, so five looks find any rest
        looks = [*(step + margin * share / 4 for share in range(4)), step + margin - SECOND]
        assert not all(lawful(where, purpose, look) for look in looks)
        step += timedelta(hours=1, minutes=30)


@settings(max_examples=200, deadline=None)
@given(wheres, purposes, instants)
def test_whatever_is_lawful_is_open(where: Where, purpose: str, now: datetime) -> None:
    opening = judge(where, HOURS, purpose, now, timedelta(0))
    assert opening.open is lawful(where, purpose, now)
