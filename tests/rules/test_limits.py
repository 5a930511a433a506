"""How much of a person's patience, of the budget and of a sender's day a text may use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Contact, Decision, Purpose, Said, Verdict
from connector.rules.hours import Hours, HoursRule
from connector.rules.policy import Cap, Facts, Policy, Rulebook, decide, pots
from connector.rules.policy.limits import (
    Budget,
    Fatigue,
    Pot,
    Rival,
    Sender,
    TemplateAlarm,
    sender_of,
)
from connector.rules.templates import judge

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MARKETING, SERVICE = Purpose.marketing, Purpose.service
SEND, WAIT, STOP = Verdict.send, Verdict.wait, Verdict.stop


def hours(max_24h: int | None = None, *places: str) -> Hours:
    """Every place open at every hour; the law counts texts where it is said."""
    week = ((0, 24 * 60),) * 7
    row = HoursRule("", week, week, True, max_24h, "", (), False, "", date(2000, 1, 1), "choice")
    found = {place: (replace(row, place=place),) for place in places}
    return Hours({"US": (replace(row, place="US", max_24h=None),), **found}, {}, "h1", date.max)


def book(**policy: Any) -> Rulebook:
    return Rulebook(Policy("p1", **policy), hours())


def facts(**changes: Any) -> Facts:
    fine = Facts(
        contact=Contact("con_1", phone="+12125550123", region="NY"),
        purpose=MARKETING,
        scopes=(),
        play="cart",
        role="conversion",
        key="cart-7",
        step="reminder",
        due_at=NOW,
        expires_at=NOW + 60 * DAY,
        number_type="mobile",
        blocked="",
        blocked_scope="",
        consents=frozenset({"marketing", "service"}),
        said=(),
        said_to_number=(),
    )
    return replace(fine, **changes)


def said(*ages: timedelta, play: str = "cart", channel: str = "sms") -> tuple[Said, ...]:
    return tuple(Said(NOW - age, MARKETING, play, "", "", channel) for age in ages)


def told(decision: Decision) -> tuple[str, Verdict]:
    return decision.reason, decision.verdict


# -- the law's caps ----------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["said", "said_to_number"])
def test_the_law_of_a_state_counts_texts_to_the_person_and_to_the_number(whose: str) -> None:
    three_a_day = Rulebook(Policy("p1"), hours(3, "US-FL"))
    ann = Contact("con_1", phone="+13055550123")
    full = facts(contact=ann, **{whose: said(23 * HOUR, 2 * HOUR, HOUR, play="any")})
    decision = decide(full, three_a_day, NOW)
    assert (told(decision), decision.until) == (("cap_full", WAIT), NOW + HOUR)
    assert "US-FL" in decision.objections[0].says
    with_room = facts(contact=ann, **{whose: said(24 * HOUR, 2 * HOUR, HOUR)})
    assert decide(with_room, three_a_day, NOW).verdict is SEND


# -- what other tools sent ---------------------------------------------------------------------

REACHED = Cap("texts and mails in a day", MARKETING, 2, DAY, channels=("sms", "email"))


def test_a_mail_of_another_tool_counts_in_the_caps_that_name_its_channel() -> None:
    mailed = facts(said=said(5 * HOUR), touched=said(3 * HOUR, play="", channel="email"))
    decision = decide(mailed, book(caps=(REACHED,)), NOW)
    assert (told(decision), decision.until) == (("cap_full", WAIT), NOW + 19 * HOUR)
    texts_alone = replace(REACHED, channels=("sms",))
    assert decide(mailed, book(caps=(texts_alone,)), NOW).verdict is SEND


def test_a_call_does_not_count_where_only_mail_is_named() -> None:
    called = facts(said=said(5 * HOUR), touched=said(3 * HOUR, play="", channel="call"))
    assert decide(called, book(caps=(REACHED,)), NOW).verdict is SEND


# -- who does not answer -----------------------------------------------------------------------

TIRED = book(fatigue=Fatigue(3, 14 * DAY, 6))


@pytest.mark.parametrize(
    ("unanswered", "age", "expected"),
    [
        (2, HOUR, ("", SEND)),
        (3, HOUR, ("fatigue_slow", WAIT)),
        (3, 14 * DAY, ("", SEND)),
        (5, 13 * DAY, ("fatigue_slow", WAIT)),
        (6, 14 * DAY, ("fatigue_stop", STOP)),
        (40, 300 * DAY, ("fatigue_stop", STOP)),
    ],
)
def test_who_does_not_answer_is_texted_less_and_then_not_at_all(
    unanswered: int, age: timedelta, expected: tuple[str, Verdict]
) -> None:
    decision = decide(facts(unanswered=unanswered, unanswered_at=NOW - age), TIRED, NOW)
    assert told(decision) == expected
    if decision.verdict is WAIT:
        assert decision.until == NOW - age + 14 * DAY
    if decision.verdict is not SEND:
        assert str(unanswered) in decision.objections[0].says


def test_a_service_text_goes_however_little_a_person_answers() -> None:
    silent = facts(purpose=SERVICE, unanswered=99, unanswered_at=NOW, alive_at=NOW - 999 * DAY)
    rules = replace(TIRED, policy=replace(TIRED.policy, inactive_after=30 * DAY))
    assert decide(silent, rules, NOW).verdict is SEND


def test_half_of_the_guard_may_be_left_out() -> None:
    silent = facts(unanswered=50, unanswered_at=NOW)
    assert told(decide(silent, book(fatigue=Fatigue(3, DAY, 0)), NOW)) == ("fatigue_slow", WAIT)
    assert told(decide(silent, book(fatigue=Fatigue(0, DAY, 3)), NOW)) == ("fatigue_stop", STOP)


def test_nobody_gets_marketing_who_was_not_heard_of_for_long() -> None:
    rules = book(inactive_after=90 * DAY)
    assert told(decide(facts(alive_at=NOW - 90 * DAY), rules, NOW)) == ("inactive", STOP)
    assert decide(facts(alive_at=NOW - 90 * DAY + MINUTE), rules, NOW).verdict is SEND
    assert decide(facts(), rules, NOW).verdict is SEND


# -- the last place ----------------------------------------------------------------------------

TWO_A_WEEK = Cap("marketing in a week", MARKETING, 2, 7 * DAY)


def rival(at: timedelta = timedelta(0), play: str = "quote") -> Rival:
    return Rival(NOW + at, play, 80)


@pytest.mark.parametrize(
    ("so_far", "rivals", "expected"),
    [
        ((), (rival(),), SEND),  # a place for each
        ((DAY,), (), SEND),
        ((DAY,), (rival(),), WAIT),
        ((DAY,), (rival(3 * HOUR),), WAIT),
        ((DAY,), (rival(6 * DAY),), SEND),  # by then the older text has left the window
        ((DAY,), (rival(6 * DAY - MINUTE),), WAIT),
        ((), (rival(), rival(HOUR)), WAIT),
        ((), (rival(), rival(8 * DAY)), SEND),
    ],
)
def test_the_last_place_is_left_to_the_text_of_a_higher_priority(
    so_far: tuple[timedelta, ...], rivals: tuple[Rival, ...], expected: Verdict
) -> None:
    decision = decide(facts(said=said(*so_far), rivals=rivals), book(caps=(TWO_A_WEEK,)), NOW)
    assert decision.verdict is expected
    if expected is WAIT:
        assert decision.reason == "cap_full"
        assert "quote" in decision.objections[0].says


def test_a_cap_that_is_full_without_it_is_no_matter_of_priority() -> None:
    full = facts(said=said(DAY, 2 * DAY), rivals=(rival(HOUR),))
    decision = decide(full, book(caps=(TWO_A_WEEK,)), NOW)
    assert [item.says for item in decision.objections] == [
        "marketing in a week: at most 2 in 7 days is reached."
    ]


def test_the_gap_leaves_its_place_to_the_higher_priority_too() -> None:
    waiting = facts(rivals=(rival(2 * HOUR),))
    assert told(decide(waiting, book(gap=4 * HOUR), NOW)) == ("cap_full", WAIT)
    assert decide(waiting, book(gap=HOUR), NOW).verdict is SEND


def test_the_cap_of_a_single_play_leaves_no_place_to_another() -> None:
    own = replace(TWO_A_WEEK, play="*")
    decision = decide(facts(said=said(DAY), rivals=(rival(),)), book(caps=(own,)), NOW)
    assert decision.verdict is SEND


@given(
    st.lists(st.integers(0, 200), max_size=6),
    st.lists(st.integers(0, 200), max_size=3),
    st.integers(1, 4),
    st.integers(1, 168),
)
def test_a_text_that_may_go_leaves_each_rival_the_place_it_would_have_had(
    ages: list[int], waits: list[int], count: int, span: int
) -> None:
    cap = Cap("any", MARKETING, count, span * HOUR)
    rivals = tuple(rival(wait * HOUR) for wait in sorted(waits))
    so_far = said(*(age * HOUR + MINUTE for age in ages))
    if decide(facts(said=so_far, rivals=rivals), book(caps=(cap,)), NOW).verdict is not SEND:
        return
    before = [item.at for item in so_far]
    assert places_of(cap, [*before, NOW], rivals) >= places_of(cap, before, rivals)


def places_of(cap: Cap, times: list[datetime], rivals: tuple[Rival, ...]) -> int:
    """How many of the rivals, in their order, find a place when they are due."""
    gone, found = list(times), 0
    for each in rivals:
        if sum(1 for at in gone if at > each.at - cap.per) < cap.count:
            gone.append(each.at)
            found += 1
    return found


# -- budgets and carriers ----------------------------------------------------------------------


def spent(segments: int = 0, micros: int = 0) -> tuple[Pot, ...]:
    return (Pot("budget:2026-11-17", NOW + 7 * HOUR, segments, micros),)


@pytest.mark.parametrize(
    ("purpose", "used", "expected"),
    [
        (MARKETING, 89, SEND),
        (MARKETING, 90, WAIT),
        (SERVICE, 90, SEND),
        (SERVICE, 99, SEND),
        (SERVICE, 100, WAIT),
    ],
)
def test_the_last_tenth_of_a_budget_is_for_service(
    purpose: Purpose, used: int, expected: Verdict
) -> None:
    asked = facts(purpose=purpose, segments=1, pots=spent(used))
    decision = decide(asked, book(budget=Budget(day_segments=100)), NOW)
    assert decision.verdict is expected
    if expected is WAIT:
        assert (decision.reason, decision.until) == ("budget_spent", NOW + 7 * HOUR)
        assert f"{used} of 100 segments" in decision.objections[0].says


def test_money_is_a_budget_as_segments_are() -> None:
    rules = book(budget=Budget(day_micros=5_000_000, reserve=0, segment_micros=10_000))
    asked = facts(segments=2, cost_micros=20_000)
    assert decide(replace(asked, pots=spent(0, 4_980_000)), rules, NOW).verdict is SEND
    decision = decide(replace(asked, pots=spent(0, 4_980_001)), rules, NOW)
    assert told(decision) == ("budget_spent", WAIT)
    assert "4.98 of 5.00" in decision.objections[0].says


def test_a_month_that_is_spent_waits_for_the_next_month() -> None:
    month = Pot("budget:2026-11", NOW + 13 * DAY, 95)
    rules = book(budget=Budget(day_segments=1, month_segments=100))
    decision = decide(facts(segments=1, pots=(*spent(5), month)), rules, NOW)
    assert (decision.reason, decision.until) == ("budget_spent", NOW + 13 * DAY)


def test_carriers_take_so_much_of_a_sender_in_their_own_day() -> None:
    rules = book(senders=(Sender("*", day_segments=2_000),))
    pot = Pot("carrier:*:2026-11-17", NOW + 15 * HOUR, 1_800)
    decision = decide(facts(segments=1, pots=(pot,)), rules, NOW)
    assert (told(decision), decision.until) == (("carrier_cap", WAIT), NOW + 15 * HOUR)
    assert decide(facts(purpose=SERVICE, segments=1, pots=(pot,)), rules, NOW).verdict is SEND


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-11-17T17:00", "UTC", ["2026-11", "2026-11-17"]),
        ("2026-12-31T23:30", "UTC", ["2026-12", "2026-12-31"]),
        ("2026-12-31T23:30", "Asia/Tokyo", ["2027-01", "2027-01-01"]),
        ("2026-03-08T06:30", "America/New_York", ["2026-03", "2026-03-08"]),
    ],
)
def test_days_and_months_are_those_of_the_operators_zone(
    at: str, zone: str, expected: list[str]
) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = pots.names(Budget(day_segments=1), None, "US", zone, now)
    assert [pot.name.removeprefix("budget:") for pot in found] == expected
    assert all(pot.ends > now for pot in found)


def test_a_day_ends_at_midnight_also_when_the_clock_changes_on_it() -> None:
    now = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)  # the spring change in New York
    found = pots.names(Budget(day_segments=1), None, "US", "America/New_York", now)
    ends = {pot.name: pot.ends.isoformat() for pot in found}
    assert ends == {
        "budget:2026-03": "2026-04-01T04:00:00+00:00",
        "budget:2026-03-08": "2026-03-09T04:00:00+00:00",
    }


def test_the_carriers_day_is_theirs_and_only_of_their_countries() -> None:
    sender = Sender("*", day_segments=10)
    now = datetime(2026, 11, 17, 7, 0, tzinfo=UTC)  # the evening before in Los Angeles
    [pot] = pots.names(None, sender, "US", "UTC", now)
    assert (pot.name, pot.ends.isoformat()) == (
        "carrier:*:2026-11-16",
        "2026-11-17T08:00:00+00:00",
    )
    assert pots.names(None, sender, "GB", "UTC", now) == ()


def test_a_sender_without_limits_of_its_own_has_those_of_all() -> None:
    one, others = Sender("+18005550100", 3), Sender("*", 1)
    assert sender_of((others, one), "+18005550100") is one
    assert sender_of((others, one), "MG1") is others
    assert sender_of((one,), "MG1") is None


def test_what_a_provider_told_of_a_price_stands_where_it_is_in_our_currency() -> None:
    budget = Budget(day_micros=1, segment_micros=10_000, currency="USD")
    assert budget.cost(2, None, "") == 20_000
    assert budget.cost(2, 15_800, "USD") == 15_800
    assert budget.cost(2, 15_800, "EUR") == 20_000


# -- templates that drive people away ----------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "opted_out", "expected"),
    [
        (199, 199, ""),
        (200, 4, ""),
        (200, 5, "alarm"),
        (200, 10, "alarm"),
        (200, 11, "pause"),
        (10_000, 200, ""),
        (10_000, 201, "alarm"),
        (0, 5, ""),
    ],
)
def test_a_text_that_drives_people_away_is_told_of_and_then_paused(
    delivered: int, opted_out: int, expected: str
) -> None:
    assert judge(delivered, opted_out, TemplateAlarm(200, 0.02, 0.05, 30 * DAY)) == expected
