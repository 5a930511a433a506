"""Fatigue, other tools, the last place, budgets, the pace and templates, on the real ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.clock import instant, text
from connector.errors import Deferred, Refused
from connector.ledger import alarms, sends
from connector.messages import Accepted
from connector.model import Purpose, Status, Subject
from connector.rules.plays import Play, Step
from connector.rules.policy import Cap, Policy
from connector.rules.policy.limits import Budget, Fatigue, Sender, TemplateAlarm
from connector.steps import templates
from connector.steps.gate import pass_gate
from connector.steps.tidy import tidy
from tests.steps.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    ORDER,
    PHONE,
    SECOND,
    WELCOME,
    Shop,
)

MARKETING = Purpose.marketing
Open = Callable[..., Shop]


def person(number: int) -> Subject:
    return Subject(user_id=f"p{number}", phone=f"+121255502{number:02}")


def greet(shop: Shop, *numbers: int, name: str = "signed_up") -> None:
    """People begin a play, each with consent, of their own doing or not."""
    for number in numbers:
        shop.consent(phone=person(number).phone)
        shop.consent("service", phone=person(number).phone)
        key = f"{name}-{number}-{shop.clock()}"
        shop.tell(name, person(number), key=key, activity=False, facts={"order_id": "o"})


def reasons(shop: Shop) -> list[str]:
    return [row["reason"] for row in shop.sends() if row["state"] == "planned"]


def pots(shop: Shop) -> dict[str, tuple[int, int]]:
    rows = shop.rows("SELECT * FROM spending ORDER BY pot")
    return {row["pot"]: (row["segments"], row["micros"]) for row in rows}


def open_alarms(shop: Shop) -> list[tuple[str, str, int]]:
    with shop.store.read() as tx:
        return [(row["kind"], row["about"], row["count"]) for row in alarms.open_(tx)]


# -- who does not answer -----------------------------------------------------------------------

AGAIN = WELCOME


def tired(open_shop: Open) -> Shop:
    """Two texts that led to nothing slow down, four stop."""
    return open_shop(AGAIN, policy=Policy("p1", fatigue=Fatigue(2, 10 * DAY, 4)))


def offer(shop: Shop) -> int:
    """Somebody begins the play with Ann, three days later; how many texts leave."""
    shop.tick(3 * DAY)
    shop.tell("signed_up", key=f"k-{shop.clock()}", activity=False)
    return shop.go()


def test_who_does_not_answer_is_slowed_down_and_then_left_alone(open_shop: Open) -> None:
    shop = tired(open_shop)
    shop.consent()
    assert [offer(shop) for _ in range(3)] == [1, 1, 0]
    assert shop.decisions("plan")[-1] == ("stop", "fatigue_slow")  # it would wait past its end
    assert [offer(shop) for _ in range(5)] == [0, 0, 1, 0, 0]
    assert [offer(shop) for _ in range(4)] == [0, 1, 0, 0]
    assert [offer(shop) for _ in range(4)] == [0, 0, 0, 0]
    assert shop.decisions("plan")[-1] == ("stop", "fatigue_stop")


@pytest.mark.parametrize("days", [2, 200])
def test_texts_to_a_number_that_several_share_count_for_each_of_them(
    open_shop: Open, days: int
) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", fatigue=Fatigue(0, DAY, 3)))
    shop.consent()
    for name in ("ann", "bob", "cid", "dan", "eve"):
        who = Subject(user_id=name, phone=PHONE)
        shop.tell("signed_up", who, key=name, activity=False)
        shop.go()
        shop.tick(days * DAY)
    assert shop.states() == ["accepted"] * 3 + ["cancelled"] * (len(shop.sends()) - 3)
    assert ("stop", "fatigue_stop") in shop.decisions("plan")


@pytest.mark.parametrize("sign", ["reply", "visit", "order"])
def test_any_sign_of_life_begins_the_count_anew(open_shop: Open, sign: str) -> None:
    shop = tired(open_shop)
    shop.consent()
    assert [offer(shop) for _ in range(3)] == [1, 1, 0]
    if sign == "reply":
        shop.reply("thanks")
    else:
        shop.tell("page_viewed" if sign == "visit" else "order_completed")
    assert [offer(shop) for _ in range(2)] == [1, 1]


def test_what_others_did_to_a_person_is_no_sign_of_life(open_shop: Open) -> None:
    shop = tired(open_shop)
    shop.consent()
    assert [offer(shop) for _ in range(2)] == [1, 1]
    shop.tell("shipped", activity=False)
    shop.receipt(Status.delivered)
    assert offer(shop) == 0


def test_texts_older_than_any_cap_still_count_as_unanswered(open_shop: Open) -> None:
    shop = tired(open_shop)
    shop.consent()
    shop.tell("page_viewed")
    shop.tick(60 * DAY)
    for _ in range(4):
        shop.tick(20 * DAY)
        offer(shop)
    shop.tick(40 * DAY)
    assert offer(shop) == 0
    assert shop.decisions("plan")[-1] == ("stop", "fatigue_stop")


def test_who_was_not_heard_of_for_long_gets_marketing_again_on_returning(open_shop: Open) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", inactive_after=90 * DAY))
    shop.consent()
    shop.tell("page_viewed")
    shop.tick(86 * DAY)
    assert offer(shop) == 1
    assert [offer(shop), shop.decisions("plan")[-1]] == [0, ("stop", "inactive")]
    shop.tell("page_viewed")
    assert offer(shop) == 1


def test_a_fresh_consent_is_a_sign_of_life(open_shop: Open) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", inactive_after=90 * DAY))
    shop.tell("page_viewed")
    shop.tick(100 * DAY)
    shop.consent(method="paper")
    assert offer(shop) == 1


# -- what other tools sent ---------------------------------------------------------------------

REACHED = Cap("a day", MARKETING, 2, DAY, channels=("sms", "email"))


def test_a_mail_that_another_tool_sent_takes_a_place_under_the_caps_that_name_mail(
    open_shop: Open,
) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", caps=(REACHED,)))
    shop.consent()
    for hour, channel in ((1, "email"), (2, "call"), (3, "email")):
        shop.tell("sent", at=NOW - hour * HOUR, contact_made=channel, activity=False)
    shop.tell("signed_up", key="k-1")
    assert (shop.go(), reasons(shop)) == (0, [""])
    assert shop.go(22 * HOUR) == 1  # the elder mail has left the window


def test_a_mail_counts_only_from_a_source_that_is_trusted_and_for_marketing(
    open_shop: Open,
) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", caps=(REACHED,)))
    shop.consent()
    made: dict[str, Any] = {"contact_made": "email", "activity": False}
    shop.tell("sent", Subject(user_id="ann"), source="site", **made)
    shop.tell("sent", Subject(user_id="ann"), contact_purpose=Purpose.service, **made)
    shop.tell("sent", Subject(user_id="ann"), **made)
    shop.tell("signed_up", key="k-1")
    assert shop.go() == 1


# -- the last place ----------------------------------------------------------------------------


def play(name: str, priority: int, expires: timedelta = DAY) -> Play:
    step = Step("hello", template="welcome", expires=expires)
    return replace(
        AGAIN, name=name, priority=priority, start=replace(AGAIN.start, signal=name), steps=(step,)
    )


LOW, HIGH = play("low", 10, 5 * DAY), play("high", 80, 5 * DAY)


def test_of_two_texts_that_wait_the_play_of_higher_priority_gets_the_last_place(
    open_shop: Open,
) -> None:
    cap = Cap("a day", MARKETING, 1, DAY)
    shop = open_shop(LOW, HIGH, policy=Policy("p1", caps=(cap,)))
    shop.consent()
    shop.tell("low", key="first")
    assert shop.go() == 1
    shop.tell("low", key="second")
    shop.go(HOUR)
    shop.tell("high", key="third")
    shop.go(HOUR)
    with shop.store.write() as tx:  # the lesser is asked first, and long before
        tx.run("UPDATE sends SET due_at = :at WHERE play = 'low'", at="2026-11-18T16:59:00.000000Z")
    shop.clock.at = NOW + DAY
    with shop.store.write() as tx:
        [low] = [row for row in sends.due(tx, shop.clock(), 9) if row["play"] == "low"]
        assert pass_gate(tx, shop.rt, low, shop.clock()) is None
    assert shop.decisions("send")[-1] == ("wait", "cap_full")
    assert shop.go() == 1
    assert [row["state"] for row in shop.sends()] == ["accepted", "planned", "accepted"]
    assert shop.go(DAY) == 1


def test_a_text_that_waits_for_a_person_keeps_no_place(open_shop: Open) -> None:
    cap = Cap("a day", MARKETING, 1, DAY)
    shop = open_shop(LOW, HIGH, policy=Policy("p1", caps=(cap,)))
    shop.consent()
    with shop.store.write() as tx:
        tx.run("INSERT INTO pauses VALUES ('high', 'hold', '', 'me', '')")
    shop.tell("high", key="1")
    shop.go()
    shop.tell("low", key="2")
    assert shop.go() == 0  # planned just now, so it is asked once more before that is known
    assert shop.go(MINUTE) + shop.go(15 * MINUTE) == 1
    assert [row["play"] for row in shop.sends() if row["state"] == "accepted"] == ["low"]


def test_a_dry_text_takes_nobodys_place(open_shop: Open) -> None:
    cap = Cap("a day", MARKETING, 1, DAY)
    shop = open_shop(LOW, HIGH, policy=Policy("p1", caps=(cap,)))
    shop.consent()
    shop.tell("high", key="1")
    shop.tell("low", key="2")
    shop.walk()
    with shop.store.write() as tx:
        tx.run(
            "UPDATE sends SET mode = 'shadow', due_at = :at WHERE play = 'high'",
            at=text(NOW + HOUR),
        )
    assert shop.go() == 1


MINUTES = st.integers(0, 10 * 60)


@given(
    starts=st.lists(
        st.tuples(MINUTES, st.sampled_from(["low", "mid", "high"])), min_size=2, max_size=7
    ),
    count=st.integers(1, 2),
    span=st.sampled_from([6, 24, 30]),
    gap=st.sampled_from([0, 4]),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_text_takes_a_place_that_a_due_one_of_higher_priority_would_have_had(
    tmp_path_factory: pytest.TempPathFactory,
    starts: list[tuple[int, str]],
    count: int,
    span: int,
    gap: int,
) -> None:
    cap = Cap("any", MARKETING, count, span * HOUR)
    rules = Policy("p1", caps=(cap,), gap=gap * HOUR)
    shop = Shop(tmp_path_factory.mktemp("shop"), LOW, play("mid", 40), HIGH, policy=rules)
    try:
        shop.consent()
        gaps = [Cap("gap", MARKETING, 1, gap * HOUR)] if gap else []
        _act(shop, sorted(starts), [cap, *gaps])
    finally:
        shop.close()


def _act(shop: Shop, starts: list[tuple[int, str]], caps: list[Cap]) -> None:
    """Live through it all, looking at what stands planned each time a text leaves.

    Texts that began at an odd minute wait two hours more, as they do for an hour of the law.
    """
    seen: set[str] = set()
    for moment in sorted({*(at for at, _ in starts), *range(0, 4 * 24 * 60, 97)}):
        shop.clock.at = NOW + moment * MINUTE
        for at, name in starts:
            if at == moment:
                shop.tell(name, key=f"{name}-{at}-{len(shop.enrolments())}", activity=False)
        shop.walk()
        if moment % 2:
            with shop.store.write() as tx:
                tx.run(PUT_OFF, now=text(shop.clock()), until=text(shop.clock() + 2 * HOUR))
        for _ in range(3):
            shop.dispatch()
            rows = shop.sends()
            left = [row for row in rows if row["begun_at"] and row["id"] not in seen]
            for row in sorted(left, key=lambda row: -row["priority"]):
                before = [each for each in rows if each["id"] in seen]
                seen.add(row["id"])
                for cap in caps:
                    _nobody_was_robbed(row, before, rows, cap, shop.clock())
    assert shop.decisions("send") or not shop.sends()


PUT_OFF = """UPDATE sends SET due_at = :until, reason = 'quiet_hours'
    WHERE state = 'planned' AND planned_at = :now AND expires_at > :until"""


def _nobody_was_robbed(
    row: dict[str, Any],
    before: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    cap: Cap,
    now: datetime,
) -> None:
    """A waiting text of a higher priority that would have had a place when due still has it."""
    greater = sorted(
        each["due_at"]
        for each in rows
        if each["state"] == "planned"
        and each["priority"] > row["priority"]
        and each["due_at"] < each["expires_at"]
        and each["expires_at"] > text(now)
    )
    for number, due_at in enumerate(greater):
        since = text(max(instant(due_at), now) - cap.per)
        used = number + sum(1 for each in before if each["counts_at"] > since)
        assert used >= cap.count or used + (row["counts_at"] > since) < cap.count


# -- budgets -----------------------------------------------------------------------------------

CHEAP = Budget(day_segments=10, month_micros=1_000_000, segment_micros=10_000)


def budgeted(open_shop: Open, limits: Budget = CHEAP) -> Shop:
    return open_shop(AGAIN, ORDER, policy=Policy("p1", budget=limits))


def test_what_a_text_costs_is_reserved_as_it_leaves_and_corrected_as_it_is_told(
    open_shop: Open,
) -> None:
    shop = budgeted(open_shop)
    shop.carrier.answers.append(Accepted("SM-1", 2))
    shop.carrier.before = lambda message: seen.append(pots(shop))
    seen: list[dict[str, tuple[int, int]]] = []
    greet(shop, 1)
    assert shop.go() == 1
    assert seen == [{"budget:2026-11": (1, 10_000), "budget:2026-11-17": (1, 10_000)}]
    assert pots(shop) == {"budget:2026-11": (2, 20_000), "budget:2026-11-17": (2, 20_000)}
    shop.tick(DAY)
    shop.receipt(Status.delivered, cost_micros=15_800, currency="USD", segments=2)
    assert pots(shop) == {"budget:2026-11": (2, 15_800), "budget:2026-11-17": (2, 15_800)}


@pytest.mark.parametrize("answer", [Refused("30007", reason="filtered"), Deferred("busy")])
def test_a_text_that_did_not_go_costs_nothing(open_shop: Open, answer: Exception) -> None:
    shop = budgeted(open_shop)
    shop.carrier.answers.append(answer)
    greet(shop, 1)
    shop.walk()
    shop.dispatch()
    assert set(pots(shop).values()) == {(0, 0)}


def test_a_text_of_unknown_fate_stays_in_the_budget(open_shop: Open) -> None:
    shop = budgeted(open_shop)
    shop.carrier.answers.append(ZeroDivisionError())
    greet(shop, 1)
    shop.go()
    assert shop.states() == ["uncertain"]
    assert set(pots(shop).values()) == {(1, 10_000)}


def test_marketing_waits_for_the_next_day_and_service_goes_on(open_shop: Open) -> None:
    shop = budgeted(open_shop)
    greet(shop, *range(12))
    assert (shop.go(), set(reasons(shop))) == (9, {"budget_spent"})
    greet(shop, 12, 13, name="order_completed")
    assert shop.go() == 1
    assert shop.go(6 * HOUR + 59 * MINUTE) == 0
    shop.clock.at = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
    assert shop.go() == 3
    assert pots(shop)["budget:2026-11-18"] == (3, 30_000)


def test_the_operators_zone_says_when_a_day_is_over(open_shop: Open) -> None:
    shop = open_shop(AGAIN, policy=Policy("p1", budget=CHEAP), zone="America/New_York")
    greet(shop, *range(10))
    assert shop.go() == 9
    with shop.store.read() as tx:
        assert sends.next_due(tx) == datetime(2026, 11, 18, 5, 0, tzinfo=UTC)


def test_somebody_is_told_at_four_fifths_and_when_marketing_waits(open_shop: Open) -> None:
    shop = budgeted(open_shop)
    greet(shop, *range(7))
    shop.go()
    assert open_alarms(shop) == []
    greet(shop, 7)
    shop.go()
    assert open_alarms(shop) == [("budget_warning", "day:segments", 1)]
    greet(shop, 8, 9)
    shop.go()
    assert open_alarms(shop)[1:] == [("budget_spent", "day:segments", 1)]
    shop.clock.at = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
    shop.go()
    assert open_alarms(shop) == []


def test_workers_at_once_do_not_pass_the_budget(open_shop: Open) -> None:
    shop = budgeted(open_shop)
    greet(shop, *range(30))
    shop.walk()
    with shop.store.read() as tx:
        due = sends.due(tx, shop.clock(), 30)

    def work(mine: int) -> None:
        for row in due[mine::6]:
            with shop.store.write() as tx:
                pass_gate(tx, shop.rt, row, shop.clock())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.states().count("sending") == 9
    assert pots(shop)["budget:2026-11-17"][0] == 9


def test_without_a_budget_nothing_is_counted(shop: Shop) -> None:
    greet(shop, 1)
    assert (shop.go(), pots(shop)) == (1, {})


# -- carriers and the pace ---------------------------------------------------------------------


def test_a_sender_sends_what_carriers_take_in_a_day_and_the_rest_the_next(
    open_shop: Open,
) -> None:
    sender = Sender("*", day_segments=3, reserve=0)
    shop = open_shop(AGAIN, policy=Policy("p1", senders=(sender,)))
    greet(shop, *range(5))
    assert (shop.go(), reasons(shop)) == (3, ["carrier_cap"] * 2)
    assert open_alarms(shop) == [
        ("budget_warning", "carriers' day:segments", 1),
        ("budget_spent", "carriers' day:segments", 1),
    ]
    shop.clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)  # midnight in Los Angeles
    assert shop.go() == 2


def paced(open_shop: Open, per_second: float = 2) -> Shop:
    policy = Policy("p1", senders=(Sender("*", per_second),))
    return open_shop(AGAIN, ORDER, policy=policy, in_flight=50)


def test_a_sender_sends_no_more_segments_a_second_than_it_may(open_shop: Open) -> None:
    shop = paced(open_shop)
    greet(shop, *range(12))
    left = [shop.go()]
    for _ in range(30):
        left.append(shop.go(SECOND / 4))
    assert sum(left) == 12
    for start in range(len(left)):
        assert sum(left[start : start + 4]) <= 5, left  # a second's worth, and what was saved up
    assert sum(left[:21]) >= 11


def test_a_text_that_waits_for_its_sender_says_so_and_service_goes_before_it(
    open_shop: Open,
) -> None:
    shop = paced(open_shop, 1)
    greet(shop, *range(6))
    assert shop.go() == 1
    assert reasons(shop) == ["pacing"] * 5
    greet(shop, 7, name="order_completed")
    shop.go(SECOND)
    left = [row["purpose"] for row in shop.sends() if row["begun_at"]]
    assert "service" in left


def test_pacing_asks_about_each_text_only_now_and_then(open_shop: Open) -> None:
    shop = paced(open_shop, 1)
    greet(shop, *range(20))
    shop.go()
    asked = 0
    for _ in range(60):
        shop.tick(SECOND / 2)
        asked += shop.dispatcher.round()
        shop._wait()
        asked += shop.dispatcher.round()
    assert shop.states() == ["accepted"] * 20
    assert asked <= 4 * 20


# -- templates that drive people away ----------------------------------------------------------

WATCHED = TemplateAlarm(4, 0.2, 0.5, 30 * DAY)


def watched(open_shop: Open, delivered: int) -> Shop:
    shop = open_shop(AGAIN, ORDER, policy=Policy("p1", template_alarm=WATCHED))
    greet(shop, *range(delivered))
    shop.go()
    for row in shop.sends():
        shop.receipt(Status.delivered, row["id"])
    return shop


def stop(shop: Shop, *numbers: int) -> None:
    for number in numbers:
        shop.reply("STOP", person(number).phone)


def test_a_text_after_which_people_leave_raises_an_alarm(open_shop: Open) -> None:
    shop = watched(open_shop, 8)
    stop(shop, 0)
    assert open_alarms(shop) == []
    stop(shop, 1)
    assert open_alarms(shop) == [("template_opt_outs", "welcome", 1)]
    greet(shop, 20)
    assert shop.go() >= 1


def test_a_text_after_which_too_many_leave_waits_until_a_person_says_so(open_shop: Open) -> None:
    shop = watched(open_shop, 4)
    stop(shop, 0, 1, 2)
    greet(shop, 20)
    greet(shop, 20, name="order_completed")
    shop.go()
    assert [row["play"] for row in shop.sends() if row["state"] == "planned"] == ["welcome"]
    assert shop.decisions("plan")[-2:] == [("wait", "template_paused"), ("send", "")]
    with shop.store.write() as tx:
        assert templates.resume(tx, shop.rt, "welcome", who="me", why="new words", now=shop.clock())
        assert not templates.resume(tx, shop.rt, "welcome", who="me", why="", now=shop.clock())
    assert shop.go(15 * MINUTE) == 1
    assert open_alarms(shop) == []
    stop(shop, 3)
    assert open_alarms(shop) == []  # counted anew


def test_a_second_stop_and_one_that_came_long_after_count_for_nothing(open_shop: Open) -> None:
    shop = watched(open_shop, 4)
    stop(shop, 0, 0, 0, 0)
    shop.tick(31 * DAY)
    stop(shop, 1, 2, 3)
    [row] = shop.rows("SELECT sum(opted_out) AS n FROM template_days")
    assert row["n"] == 1


def test_one_person_who_stops_and_starts_again_and_again_counts_once_for_each_text(
    open_shop: Open,
) -> None:
    shop = watched(open_shop, 4)
    for _ in range(5):
        stop(shop, 0)
        shop.tick(MINUTE)
        shop.reply("START", person(0).phone)
        shop.tick(MINUTE)
    [row] = shop.rows("SELECT sum(opted_out) AS n FROM template_days")
    assert row["n"] == 1
    greet(shop, 0)
    shop.go()
    stop(shop, 0)
    [row] = shop.rows("SELECT sum(opted_out) AS n FROM template_days")
    assert row["n"] == 2


def test_deliveries_that_come_late_are_judged_by_the_tidying(open_shop: Open) -> None:
    shop = watched(open_shop, 3)
    stop(shop, 0, 1)
    assert open_alarms(shop) == []
    greet(shop, 9)
    shop.go()
    shop.receipt(Status.delivered, shop.sends()[-1]["id"])
    tidy(shop.rt)
    assert [kind for kind, _, _ in open_alarms(shop)] == ["template_opt_outs"]


def test_an_opt_out_is_on_account_of_the_last_text_before_it(open_shop: Open) -> None:
    shop = watched(open_shop, 1)
    shop.tick(HOUR)
    greet(shop, 0, name="order_completed")
    shop.go()
    stop(shop, 0)
    rows = shop.rows("SELECT template FROM template_days WHERE opted_out > 0")
    assert [row["template"] for row in rows] == ["order"]


# -- alarms ------------------------------------------------------------------------------------


def test_a_hundred_alarms_of_a_kind_are_one_until_it_is_cleared(shop: Shop) -> None:
    with shop.store.write() as tx:
        made = [
            alarms.add(tx, "disk", "data", f"{number} MB left", NOW, alarm_id=f"alm_{number}")
            for number in range(100)
        ]
        assert made == [True] + [False] * 99
        [row] = alarms.untold(tx)
        assert (row["count"], row["says"]) == (100, "99 MB left")
        alarms.told(tx, row["id"], NOW)
        assert alarms.untold(tx) == []
        assert alarms.clear(tx, "disk", "data", NOW)
        assert not alarms.clear(tx, "disk", "data", NOW)
        assert alarms.add(tx, "disk", "data", "again", NOW, alarm_id="alm_new")
        assert [each["id"] for each in alarms.untold(tx)] == ["alm_new"]
