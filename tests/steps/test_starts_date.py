"""Plays that wait for a date: learned, moved, cleared, every year, on the person's own clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from connector.model import Subject
from connector.rules.plays import Date, Goal, Mode, Once, Play, Restart, Start, Step
from connector.steps import dates
from connector.steps.advance import Advancer
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
NEW_YORK = "America/New_York"
BIRTHDAY = replace(
    WELCOME,
    name="birthday",
    start=Start(date=Date("contact.birthday", at=time(10), yearly=True)),
    steps=(Step("wish", template="welcome"),),
)
RENEWAL = replace(
    BIRTHDAY,
    name="renewal",
    start=Start(date=Date("crm.renewal_date", -30 * DAY, time(10))),
)


def dated(play: Play = BIRTHDAY, **form: Any) -> Play:
    assert play.start.date is not None
    return replace(play, start=replace(play.start, date=replace(play.start.date, **form)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tell(shop: Shop, **traits: Any) -> str:
    return shop.tell("profile", ANN, activity=False, traits=traits)


def timers(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.rows("SELECT key, due_at FROM timers ORDER BY due_at")
    return [(row["key"], row["due_at"][:16]) for row in rows]


def begun(shop: Shop) -> list[tuple[str, str]]:
    return [(key, began) for key, _, began in shop.begun()]


def reasons(shop: Shop) -> list[str]:
    return [row["exit_reason"] for row in shop.enrolments()]


# -- birthdays ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        (NEW_YORK, "2026-11-20T15:00"),
        ("Europe/Berlin", "2026-11-20T09:00"),
        ("Pacific/Kiritimati", "2026-11-19T20:00"),
        ("Pacific/Pago_Pago", "2026-11-20T21:00"),
    ],
)
def test_a_birthday_is_wished_at_ten_on_the_persons_own_clock(
    open_shop: OpenShop, zone: str, instant: str
) -> None:
    shop = open_shop(BIRTHDAY)
    shop.consent()
    tell(shop, birthday="1990-11-20", timezone=zone)
    shop.until(NOW + 10 * DAY)
    assert begun(shop) == [("2026-11-20", instant)]
    [signal] = shop.rows("SELECT * FROM signals WHERE name = 'date'")
    assert '"date":"2026-11-20"' in signal["facts"]
    assert shop.decisions("trigger") == [("send", "")]
    assert timers(shop) == [("2027-11-20", f"2027-11-{instant[8:]}")], "and again next year"


def test_a_birthday_comes_every_year_and_29_february_in_common_years(open_shop: OpenShop) -> None:
    shop = open_shop(dated(leap_day="03-01"))
    tell(shop, birthday="1996-02-29", timezone=NEW_YORK)
    shop.until(NOW + 4 * 366 * DAY)
    assert begun(shop) == [
        ("2027-03-01", "2027-03-01T15:00"),
        ("2028-02-29", "2028-02-29T15:00"),
        ("2029-03-01", "2029-03-01T15:00"),
        ("2030-03-01", "2030-03-01T15:00"),
    ]


@pytest.mark.parametrize(
    ("day", "hour", "instant"),
    [
        ("--03-14", time(2, 30), "2027-03-14T07:00"),  # 02:30 does not exist
        ("--11-07", time(1, 30), "2027-11-07T05:30"),  # 01:30 comes twice
        ("--11-07", time(10), "2027-11-07T15:00"),
        ("--11-06", time(10), "2027-11-06T14:00"),
    ],
)
def test_a_change_of_the_clock_moves_no_hour(
    open_shop: OpenShop, day: str, hour: time, instant: str
) -> None:
    shop = open_shop(dated(at=hour))
    tell(shop, birthday=day, timezone=NEW_YORK)
    [(_, due)] = [timer for timer in timers(shop) if timer[0] > "2027"] or timers(shop)
    shop.until(utc("2027-12-01T00:00"))
    assert due == instant
    assert instant in [at for _, at in begun(shop)]


def test_who_moves_across_the_date_line_has_the_birthday_of_where_they_are(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone="Pacific/Pago_Pago")
    assert timers(shop) == [("2026-11-20", "2026-11-20T21:00")]
    tell(shop, timezone="Pacific/Kiritimati")
    assert timers(shop) == [("2026-11-20", "2026-11-19T20:00")]


def test_who_moves_after_their_birthday_is_not_wished_twice_and_is_next_year(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone="Pacific/Kiritimati")
    shop.until(utc("2026-11-20T01:00"))
    tell(shop, timezone="Pacific/Pago_Pago")
    shop.until(utc("2027-12-01T00:00"))
    assert begun(shop) == [
        ("2026-11-20", "2026-11-19T20:00"),
        ("2027-11-20", "2027-11-20T21:00"),
    ]


def test_a_zone_that_is_none_is_not_believed_and_fails_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone="Mars/Olympus")
    shop.until(NOW + 10 * DAY)
    assert begun(shop) == [("2026-11-20", "2026-11-20T15:00")], "the number is of New York"


def test_a_person_of_whom_no_place_is_known_goes_by_the_operators_clock(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY, zone="Europe/Berlin")
    shop.tell("profile", Subject(user_id="eve"), traits={"birthday": "1990-11-20"})
    assert timers(shop) == [("2026-11-20", "2026-11-20T09:00")]


# -- learned, moved, cleared -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "verdicts"),
    [
        ("2026-11-17", [("send", "")]),  # 15:00 Z, two hours ago
        ("2026-11-16", [("send", "")]),
        ("2026-11-15", []),  # over 48 hours ago
    ],
)
def test_a_date_that_is_just_past_when_it_is_learned_still_counts_for_48_hours(
    open_shop: OpenShop, day: str, verdicts: list[tuple[str, str]]
) -> None:
    shop = open_shop(dated(yearly=False))
    tell(shop, birthday=day, timezone=NEW_YORK)
    shop.walk()
    assert shop.decisions("trigger") == verdicts
    assert timers(shop) == []


def test_a_date_that_moves_moves_its_timer(open_shop: OpenShop) -> None:
    shop = open_shop(RENEWAL)
    who = shop.tell("profile", ANN, traits={"timezone": NEW_YORK})
    shop.learn_crm(who, renewal_date="2027-01-15")
    assert timers(shop) == [("2027-01-15", "2026-12-16T15:00")]
    shop.learn_crm(who, renewal_date="2027-02-15")
    assert timers(shop) == [("2027-02-15", "2027-01-16T15:00")]
    shop.learn_crm(who, plan="pro")
    assert timers(shop) == []
    shop.learn_crm(who, plan="pro", renewal_date="2027-01-20")
    shop.until(utc("2027-03-01T00:00"))
    assert begun(shop) == [("2027-01-20", "2026-12-21T15:00")]


@pytest.mark.parametrize("facts", [{"renewal_date": "2027-02-15"}, {"plan": "pro"}])
def test_a_date_that_moves_or_goes_ends_what_waits_for_the_old_one(
    open_shop: OpenShop, facts: dict[str, Any]
) -> None:
    shop = open_shop(replace(RENEWAL, start=replace(RENEWAL.start, after=2 * HOUR)))
    shop.consent()
    who = shop.tell("profile", ANN, traits={"timezone": NEW_YORK})
    shop.learn_crm(who, renewal_date="2026-12-18")
    shop.walk()
    shop.until(utc("2026-11-18T16:00"))
    assert [state for _, state, _ in shop.begun()] == ["waiting"]
    shop.learn_crm(who, **facts)
    assert reasons(shop) == ["date_changed"]
    assert shop.go(3 * HOUR) == 0


def test_the_same_date_told_again_ends_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(replace(RENEWAL, start=replace(RENEWAL.start, after=2 * HOUR)))
    who = shop.tell("profile", ANN, traits={"timezone": NEW_YORK})
    shop.learn_crm(who, renewal_date="2026-12-18", plan="free")
    shop.walk()
    shop.until(utc("2026-11-18T16:00"))
    shop.learn_crm(who, renewal_date="2026-12-18", plan="pro")
    assert [state for _, state, _ in shop.begun()] == ["waiting"]


def test_an_empty_field_says_nothing_of_a_date_that_is_known(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK)
    tell(shop, birthday="")
    assert timers(shop) == [("2026-11-20", "2026-11-20T15:00")]


@pytest.mark.parametrize("value", ["soon", "0001-01-01", "9999-12-31", 12, True, "2026-02-30"])
def test_what_is_no_date_sets_no_timer_and_fails_no_event(open_shop: OpenShop, value: Any) -> None:
    shop = open_shop(BIRTHDAY, RENEWAL)
    tell(shop, birthday=value, timezone="Pacific/Kiritimati")
    shop.walk()
    assert [key for key, _ in timers(shop) if key < "2026"] == []
    assert shop.begun() == []


def test_an_import_teaches_a_date_that_is_wished_when_it_comes(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY)
    traits = {"birthday": "1990-11-20", "timezone": NEW_YORK}
    shop.tell("profile", ANN, traits=traits, back_fill=True)
    shop.until(NOW + 10 * DAY)
    assert begun(shop) == [("2026-11-20", "2026-11-20T15:00")]


# -- new plays, restarts, long nights ----------------------------------------------------------


def test_a_new_play_is_set_up_for_everybody_a_slice_at_a_time_whatever_dies_in_between(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    for number in range(230):
        traits = {"birthday": f"1990-12-{number % 28 + 1:02}"}
        shop.tell("profile", Subject(user_id=f"u{number}"), traits=traits)
    shop.rt.plays = {"birthday": BIRTHDAY}
    shop.rt.index()
    rounds = 0
    while Advancer(shop.rt).round():
        rounds += 1
    assert rounds == -(-230 // dates.SLICE)
    assert len(timers(shop)) == 230
    assert not Advancer(shop.rt).round(), "once is enough"


def test_a_date_missed_by_more_than_48_hours_is_stale_and_comes_again_next_year(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK)
    shop.walk()
    shop.clock.at = utc("2026-11-22T15:01")
    shop.walk()
    assert shop.decisions("trigger") == [("stop", "stale_start")]
    assert timers(shop) == [("2027-11-20", "2027-11-20T15:00")]


def test_a_date_missed_for_years_is_decided_once_for_each_and_none_is_sent(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(BIRTHDAY)
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK)
    shop.walk()
    shop.clock.at = utc("2029-06-01T00:00")
    shop.walk()
    assert shop.decisions("trigger") == [("stop", "stale_start")] * 3
    assert timers(shop) == [("2029-11-20", "2029-11-20T15:00")]


def test_a_play_that_is_off_lets_dates_pass_and_goes_on_when_it_is_on_again(
    open_shop: OpenShop,
) -> None:
    off = replace(BIRTHDAY, mode=Mode.off)
    shop = open_shop(BIRTHDAY)
    shop.walk()
    shop.rt.plays = {"birthday": off}
    shop.rt.index()
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK)
    shop.until(NOW + 4 * DAY)
    shop.rt.plays = {"birthday": BIRTHDAY}
    shop.rt.index()
    shop.walk()
    assert shop.begun() == []
    assert timers(shop) == [("2027-11-20", "2027-11-20T15:00")], "also of what it then learned"


def test_a_play_that_is_gone_leaves_no_timer_behind(open_shop: OpenShop) -> None:
    shop = open_shop(BIRTHDAY, RENEWAL)
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK)
    shop.rt.plays = {"renewal": RENEWAL}
    shop.rt.index()
    shop.until(NOW + 4 * DAY)
    assert shop.begun() == []
    assert timers(shop) == []


# -- who is started ----------------------------------------------------------------------------


def test_what_ended_it_within_its_look_back_counts(open_shop: OpenShop) -> None:
    play = replace(RENEWAL, exits=("renewed",))
    for days, verdict in ((29, ("stop", "already_over")), (31, ("send", ""))):
        shop = open_shop(play)
        who = shop.tell("renewed", ANN, at=NOW - days * DAY)
        shop.tell("profile", ANN, at=NOW - HOUR, traits={"timezone": NEW_YORK})
        shop.learn_crm(who, renewal_date="2026-12-17")
        shop.walk()
        assert shop.decisions("trigger") == [verdict]


def test_a_condition_an_audience_once_and_a_holdout_are_asked(open_shop: OpenShop) -> None:
    plays = (
        replace(
            BIRTHDAY,
            name="where",
            start=replace(BIRTHDAY.start, where=when("contact.plan == 'pro'")),
        ),
        replace(BIRTHDAY, name="audience", audience=when("contact.plan == 'pro'")),
        replace(BIRTHDAY, name="holdout", holdout=1.0),
        replace(BIRTHDAY, name="once", start=replace(BIRTHDAY.start, once=Once.contact)),
    )
    shop = open_shop(*plays)
    tell(shop, birthday="1990-11-20", timezone=NEW_YORK, plan="free")
    shop.until(NOW + 400 * DAY)
    assert shop.begun("where") == shop.begun("audience") == []
    assert {row["mode"] for row in shop.enrolments() if row["play"] == "holdout"} == {"holdout"}
    assert len(shop.begun("holdout")) == 2
    assert len(shop.begun("once")) == 1


# -- a date in the signal itself ---------------------------------------------------------------

VISIT = replace(
    WELCOME,
    name="visit",
    start=Start("booked", date=Date("signal.starts_at", -24 * HOUR), unless=("cancelled",)),
    steps=(Step("remind", template="welcome"),),
    goal=Goal("confirmed", DAY),
)


def book(shop: Shop, starts_at: Any, at: datetime | None = None, **more: Any) -> None:
    shop.tell("booked", ANN, key="a1", at=at, facts={"starts_at": starts_at}, **more)


def due(shop: Shop) -> str:
    [row] = [row for row in shop.enrolments() if row["state"] == "waiting"]
    return str(row["due_at"])[:16]


@pytest.mark.parametrize(
    ("starts_at", "hour", "instant"),
    [
        ("2026-11-24T10:00:00-05:00", None, "2026-11-23T15:00"),
        ("2026-11-24T10:00:00-05:00", time(18), "2026-11-23T23:00"),
        ("2027-03-14T10:00:00-04:00", None, "2027-03-13T14:00"),  # 24 hours: 09:00 in winter
        ("2027-03-14T10:00:00-04:00", time(10), "2027-03-13T15:00"),
        (1795532400, None, "2026-11-23T15:00"),
    ],
)
def test_an_appointment_is_reminded_of_the_day_before(
    open_shop: OpenShop, starts_at: Any, hour: time | None, instant: str
) -> None:
    shop = open_shop(dated(VISIT, at=hour))
    tell(shop, timezone=NEW_YORK)
    book(shop, starts_at)
    assert due(shop) == instant


@pytest.mark.parametrize("restart", list(Restart))
@pytest.mark.parametrize("cooldown", [None, 7 * DAY])
def test_an_appointment_that_moves_moves_its_reminder_whatever_the_play_says_of_restarts(
    open_shop: OpenShop, restart: Restart, cooldown: timedelta | None
) -> None:
    start = replace(VISIT.start, restart=restart, cooldown=cooldown)
    shop = open_shop(replace(VISIT, start=start))
    book(shop, "2026-11-24T15:00:00Z")
    book(shop, "2026-11-26T15:00:00Z", NOW + MINUTE)
    assert due(shop) == "2026-11-25T15:00"
    book(shop, "2026-11-20T15:00:00Z", NOW - HOUR)
    assert due(shop) == "2026-11-25T15:00", "an earlier word heard later moves nothing"


def test_an_appointment_without_a_date_is_decided_against(open_shop: OpenShop) -> None:
    shop = open_shop(VISIT)
    for value in (None, "soon", "--11-20"):
        book(shop, value)
    assert shop.decisions("trigger") == [("stop", "no_date")] * 3
    assert shop.begun() == []


def test_an_appointment_that_is_called_off_is_not_reminded_of(open_shop: OpenShop) -> None:
    shop = open_shop(VISIT)
    shop.consent()
    book(shop, "2026-11-24T15:00:00Z")
    shop.tell("cancelled", ANN, at=NOW + HOUR)
    assert reasons(shop) == ["unless:cancelled"]
    assert shop.go(8 * DAY) == 0


def test_a_reminder_whose_hour_is_past_when_it_is_booked_goes_at_once_unless_it_expired(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(VISIT)
    shop.consent()
    book(shop, "2026-11-18T12:00:00Z")
    assert shop.go() == 1
    shop = open_shop(VISIT)
    shop.consent()
    book(shop, "2026-11-10T12:00:00Z")
    assert shop.go() == 0
    assert shop.decisions("plan") == [("stop", "expired")]


def test_an_imported_or_stale_booking_is_not_reminded_of(open_shop: OpenShop) -> None:
    shop = open_shop(VISIT)
    book(shop, "2026-11-24T15:00:00Z", back_fill=True)
    book(shop, "2026-11-24T15:00:00Z", NOW - 3 * DAY)
    assert shop.decisions("trigger") == [("stop", "back_fill"), ("stop", "stale_start")]
