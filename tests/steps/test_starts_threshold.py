"""Plays that wait for a measure to cross a level: once for each crossing, whatever comes late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Subject
from connector.rules.plays import Experiment, Mode, Once, Play, Start, Step, Threshold
from tests.steps.build import ANN, DAY, HOUR, MINUTE, NOW, WELCOME, Shop, when

OpenShop = Callable[..., Shop]
USED = when("signal.used / signal.limit")
NEAR = replace(
    WELCOME,
    name="near",
    start=Start("usage", threshold=Threshold(USED, 0.8, 0.7, 0.8)),
    steps=(Step("warn", template="welcome"),),
)


def near(**start: Any) -> Play:
    return replace(NEAR, start=replace(NEAR.start, **start))


def use(shop: Shop, used: Any, at: datetime | None = None, key: str = "api", **more: Any) -> None:
    facts = {"used": used, "limit": 100, **more.pop("facts", {})}
    shop.tell("usage", more.pop("who", ANN), at=at, key=key, facts=facts, **more)


def crossed(shop: Shop) -> list[str]:
    """When each crossing was."""
    return [began for _, _, began in shop.begun()]


def at(moment: datetime) -> str:
    return moment.isoformat()[:16]


def hours(shop: Shop, *values: int) -> None:
    """One reading an hour."""
    for value in values:
        shop.tick(HOUR)
        use(shop, value)


@pytest.mark.parametrize(
    ("values", "crossings"),
    [
        ([79, 80, 81, 95, 80], [2]),
        ([85, 90], [1]),  # a first reading already above fires once
        ([10, 90, 75, 90], [2]),  # 75 is not below 70
        ([10, 90, 70, 90], [2]),  # nor is 70
        ([10, 90, 69, 80], [2, 4]),
        ([90, 10, 20, 79, 80, 60, 100], [1, 5, 7]),
        ([0, 79, 0, 79], []),
    ],
)
def test_a_play_starts_once_for_each_crossing_and_is_armed_again_below(
    open_shop: OpenShop, values: list[int], crossings: list[int]
) -> None:
    shop = open_shop(NEAR)
    hours(shop, *values)
    assert crossed(shop) == [at(NOW + number * HOUR) for number in crossings]
    assert shop.decisions("trigger") == [("send", "")] * len(crossings)


def test_a_crossing_goes_out_as_a_text_of_its_own(open_shop: OpenShop) -> None:
    shop = open_shop(NEAR)
    shop.consent()
    use(shop, 85)
    assert shop.go() == 1
    shop.tick(DAY)
    use(shop, 10)
    shop.tick(DAY)
    use(shop, 85)
    assert shop.go() == 1
    assert len({key for key, _, _ in shop.begun()}) == 2


def test_an_older_reading_is_ignored_whatever_it_says(open_shop: OpenShop) -> None:
    shop = open_shop(NEAR)
    use(shop, 50)
    use(shop, 90, NOW - HOUR)  # was above, and is known to have come down
    assert crossed(shop) == []
    shop.tick(HOUR)
    use(shop, 85)
    use(shop, 10, NOW + MINUTE)  # does not arm it again
    shop.tick(HOUR)
    use(shop, 90)
    assert crossed(shop) == [at(NOW + HOUR)]


def test_each_key_and_each_person_has_a_measure_of_its_own(open_shop: OpenShop) -> None:
    shop = open_shop(NEAR)
    for who in (ANN, Subject(user_id="bob")):
        for key in ("api", "disk", "disk@2"):
            use(shop, 90, key=key, who=who)
            use(shop, 95, key=key, who=who)
    assert len(crossed(shop)) == 6


@pytest.mark.parametrize("value", [None, "90", True, []])
def test_what_is_no_number_is_no_reading_and_fails_nothing(open_shop: OpenShop, value: Any) -> None:
    play = replace(NEAR, start=Start("usage", threshold=Threshold(when("signal.used"), 1, 1, 1)))
    shop = open_shop(play)
    use(shop, value)
    assert crossed(shop) == []
    assert shop.rows("SELECT * FROM readings") == []


def test_a_measure_that_cannot_be_told_is_no_reading(open_shop: OpenShop) -> None:
    shop = open_shop(NEAR)
    use(shop, 90, facts={"limit": 0})
    shop.tell("usage", ANN, key="api", facts={"used": 90})
    assert crossed(shop) == []
    use(shop, 90)
    assert len(crossed(shop)) == 1


def test_a_signal_that_does_not_meet_the_condition_is_no_reading(open_shop: OpenShop) -> None:
    shop = open_shop(near(where=when("signal.meter == 'api'")))
    for meter, used in (("api", 50), ("disk", 90), ("api", 85), ("disk", 10), ("api", 90)):
        shop.tick(HOUR)
        use(shop, used, facts={"meter": meter})
    assert crossed(shop) == [at(NOW + 3 * HOUR)]


def test_what_was_above_when_it_was_imported_crosses_nothing_until_it_was_below(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(NEAR)
    use(shop, 90, NOW - DAY, back_fill=True)
    hours(shop, 95)
    assert shop.decisions("trigger") == [("stop", "back_fill")]
    hours(shop, 10, 95)
    assert len(crossed(shop)) == 1


def test_a_crossing_heard_over_48_hours_late_is_stale_and_is_not_made_up_for(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(NEAR)
    use(shop, 90, NOW - 49 * HOUR)
    use(shop, 95)
    assert shop.decisions("trigger") == [("stop", "stale_start")]
    assert crossed(shop) == []


def test_a_reading_delivered_twice_is_one_reading(open_shop: OpenShop) -> None:
    play = replace(
        NEAR,
        start=Start("cart_updated", threshold=Threshold(when("signal.value"), 80, 70, 80)),
    )
    shop = open_shop(play)
    body = {"event": "cart_updated", "userId": "ann", "messageId": "m1"}
    for _ in range(2):
        shop.put({**body, "properties": {"key": "api", "value": 90}})
        shop.walk()
    assert shop.decisions("trigger") == [("send", "")]


def test_a_play_that_was_off_does_not_make_up_for_what_was_crossed(open_shop: OpenShop) -> None:
    shop = open_shop(replace(NEAR, mode=Mode.off))
    use(shop, 90)
    shop.rt.plays = {"near": NEAR}
    shop.rt.index()
    hours(shop, 95)
    assert shop.decisions("trigger") == []
    hours(shop, 10, 90)
    assert len(crossed(shop)) == 1


def test_an_audience_a_cooldown_once_and_a_holdout_are_asked(open_shop: OpenShop) -> None:
    plays = (
        replace(NEAR, name="audience", audience=when("contact.plan is defined")),
        replace(near(cooldown=DAY), name="calm"),
        replace(near(once=Once.contact), name="once"),
        replace(NEAR, name="holdout", holdout=1.0),
    )
    shop = open_shop(*plays)
    hours(shop, 90, 10, 90)
    assert shop.begun("audience") == []
    assert len(shop.begun("calm")) == len(shop.begun("once")) == 1
    assert [row["mode"] for row in shop.enrolments()][-1] == "holdout"
    assert len(shop.begun("holdout")) == 2


# -- a test of the level -----------------------------------------------------------------------


def compared(**changes: Any) -> Play:
    """Half warned at 80, half at 90; everybody enrols at 80."""
    late = near(threshold=Threshold(USED, 0.8, 0.7, 0.9), **changes)
    test = Experiment("level", "start.threshold", {"control": 0.5, "late": 0.5}, {"late": late})
    return replace(near(**changes), experiment=test)


def dues(shop: Shop) -> list[str | None]:
    return [row["due_at"] and row["due_at"][:16] for row in shop.enrolments()]


def levels(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.rows("SELECT level, at FROM reached ORDER BY enrolment_id, level")
    return [(row["level"], row["at"][:16]) for row in rows]


def test_each_arm_enrols_at_the_loosest_level_and_speaks_at_its_own(open_shop: OpenShop) -> None:
    for arm, first, second in (("control", NOW, NOW), ("late", None, NOW + HOUR)):
        shop = open_shop(compared(), arm=arm)
        use(shop, 85)
        assert dues(shop) == [at(first) if first else None]
        assert levels(shop) == [("0.8", at(NOW))]
        hours(shop, 92)
        assert dues(shop) == [at(second)]
        assert levels(shop) == [("0.8", at(NOW)), ("0.9", at(NOW + HOUR))]


def test_a_jump_past_both_levels_speaks_at_once_in_each_arm(open_shop: OpenShop) -> None:
    for arm in ("control", "late"):
        shop = open_shop(compared(), arm=arm)
        use(shop, 95)
        assert dues(shop) == [at(NOW)]
        assert [level for level, _ in levels(shop)] == ["0.8", "0.9"]


def test_an_older_reading_reaches_no_level(open_shop: OpenShop) -> None:
    shop = open_shop(compared(), arm="late")
    use(shop, 85)
    use(shop, 95, NOW - HOUR)
    assert dues(shop) == [None]
    assert levels(shop) == [("0.8", at(NOW))]


def test_another_measure_reaches_no_level_of_this_one(open_shop: OpenShop) -> None:
    shop = open_shop(compared(), arm="late")
    use(shop, 85, key="api@2")
    use(shop, 10, key="api")
    hours(shop, 79)
    use(shop, 95, key="disk")
    assert dues(shop)[0] is None


def test_an_arm_that_walks_once_speaks_at_its_own_level_too(open_shop: OpenShop) -> None:
    shop = open_shop(compared(once=Once.contact), arm="late")
    use(shop, 85)
    hours(shop, 92)
    assert dues(shop) == [at(NOW + HOUR)]


def test_a_second_crossing_before_the_arm_has_spoken_gives_one_text(open_shop: OpenShop) -> None:
    shop = open_shop(compared(), arm="late")
    shop.consent()
    hours(shop, 85, 60, 85, 95)
    assert shop.go() == 1
    assert len([due for due in dues(shop) if due is None]) == len(dues(shop))
    assert shop.go(DAY) == 0


# -- whatever comes ----------------------------------------------------------------------------


@given(st.permutations(range(6)), st.lists(st.integers(0, 12), min_size=6, max_size=6))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_whatever_order_readings_are_heard_none_counts_that_is_older_than_the_newest(
    open_shop: OpenShop, order: list[int], tens: list[int]
) -> None:
    shop = open_shop(NEAR)
    newest, is_armed, wanted = -1, True, []
    for place in order:
        use(shop, tens[place] * 10, NOW - HOUR + place * MINUTE)
        if place > newest:
            newest, value = place, tens[place] * 10
            if is_armed and value >= 80:
                wanted.append(at(NOW - HOUR + place * MINUTE))
                is_armed = False
            is_armed = is_armed or value < 70
    assert crossed(shop) == wanted
