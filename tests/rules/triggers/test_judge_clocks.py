"""What is too late and what is too soon is elapsed time, whatever a clock shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Purpose, Verdict
from connector.rules import triggers
from connector.rules.plays import Once, Play, Restart, Role, Start
from connector.rules.triggers import STALE, Standing
from tests.rules.triggers.clocks import A_DAY, DAY, INSTANT, MINUTE, TWICE, on, utc

NOW = utc("2026-11-17T17:00Z")


def play(**start: object) -> Play:
    return Play(
        name="cart",
        version="v1",
        description="",
        role=Role.conversion,
        purpose=Purpose.marketing,
        scopes=(),
        start=Start("cart_updated", **start),  # type: ignore[arg-type]
        audience=None,
        steps=(),
        goal=None,
        exits=(),
        stages=(),
    )


CALM = play(cooldown=DAY)
CART = play(restart=Restart.rearm)


def reasons(
    wanted: Play, at: datetime, now: datetime, standing: Standing | None = None
) -> list[str]:
    decision = triggers.judge(
        wanted, triggers.Start(at, "", False, {}), standing or Standing(), now
    )
    assert (decision.verdict is Verdict.send) is not bool(decision.objections)
    return [objection.reason for objection in decision.objections]


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_start_is_stale_after_48_elapsed_hours(zone: str, shown: str, later: str) -> None:
    at, last = on(zone, shown), on(zone, later) + DAY
    assert reasons(play(), at, last) == []
    assert reasons(play(), at, last + INSTANT) == ["stale_start"]


@pytest.mark.parametrize(("zone", "shown", "later"), A_DAY)
def test_a_cooldown_is_elapsed_time_in_both_directions(zone: str, shown: str, later: str) -> None:
    begun, end = on(zone, shown), on(zone, later)
    for last, at in ((begun, end), (end, begun)):
        assert reasons(CALM, at, end, Standing(last_start=last)) == []
    assert reasons(CALM, end - INSTANT, end, Standing(last_start=begun)) == ["cooldown"]
    assert reasons(CALM, begun + INSTANT, end, Standing(last_start=end)) == ["cooldown"]


@pytest.mark.parametrize(("zone", "shown"), TWICE)
def test_a_start_in_the_second_of_two_like_hours_rearms_and_one_in_the_first_does_not(
    zone: str, shown: str
) -> None:
    first, second = on(zone, shown), on(zone, shown, second=True)
    waiting = Standing("waiting", first)
    for at, since, rearms in ((second, first, True), (first, second, False)):
        told = triggers.Start(at, "", False, {})
        refused = triggers.judge(CART, told, waiting, second)
        assert triggers.rearms(CART, refused, at, since) is rearms


def test_a_start_from_across_the_date_line_rearms_by_instant() -> None:
    west = on("Pacific/Pago_Pago", "2026-11-17 20:00")
    east = on("Pacific/Kiritimati", "2026-11-18 20:00")
    refused = triggers.judge(CART, triggers.Start(west, "", False, {}), Standing("waiting"), west)
    assert triggers.rearms(CART, refused, west, east)
    assert not triggers.rearms(CART, refused, east, west)


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=8, unique=True), st.randoms())
def test_in_whatever_order_starts_are_heard_the_timer_ends_at_the_last(
    ages: list[int], chance: Random
) -> None:
    heard = [NOW - age * MINUTE for age in ages]
    chance.shuffle(heard)
    waits_since = heard[0]
    for at in heard[1:]:
        told = triggers.Start(at, "", False, {})
        refused = triggers.judge(CART, told, Standing("waiting", waits_since), NOW)
        waits_since = at if triggers.rearms(CART, refused, at, waits_since) else waits_since
    assert waits_since == max(heard)


@given(
    st.timedeltas(timedelta(0), timedelta(days=5)), st.timedeltas(timedelta(0), timedelta(days=5))
)
def test_what_is_stale_stays_stale(age: timedelta, more: timedelta) -> None:
    assert ("stale_start" in reasons(play(), NOW - age, NOW)) == (age > STALE)
    if age > STALE:
        assert reasons(play(once=Once.contact), NOW - age, NOW + more) == ["stale_start"]
