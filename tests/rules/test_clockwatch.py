"""When the machine's clock counts as wrong, and when it is right again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.clockwatch import (
    BACK,
    FEWEST,
    FRESH,
    GOOD_FOR,
    KEPT,
    OFF,
    Look,
    Watch,
    judge,
    jump,
    off_by,
)

HOST = "https://api.provider.example"


def looks(*ahead: float, at: float = 100.0) -> list[Look]:
    return [Look(at, each) for each in ahead]


@pytest.mark.parametrize(
    ("ahead", "off"),
    [
        ((), 0.0),
        ((90.0,), 0.0),
        ((90.0, 90.0), 0.0),
        ((90.0, 90.0, 90.0), 90.0),
        ((-90.0, -90.0, -90.0), -90.0),
        ((60.0, 60.0, 60.0), 0.0),
        ((61.0, 61.0, 61.0), 61.0),
        ((0.5, 90.0, 0.7), 0.0),  # one outlier says nothing
        ((90.0, 0.5, 90.0), 90.0),  # nor does one that is right
        ((90.0,) * 5 + (0.1,) * 5, 0.0),  # only the newest count
    ],
)
def test_the_middle_of_the_last_few_answers_of_a_host_counts(
    ahead: tuple[float, ...], off: float
) -> None:
    assert off_by({HOST: looks(*ahead)}, 100.0)[0] == off


def test_old_answers_say_nothing() -> None:
    wrong = looks(90.0, 90.0, 90.0)
    assert off_by({HOST: wrong}, 100.0 + FRESH)[0] == 90.0
    assert off_by({HOST: wrong}, 101.0 + FRESH) == (0.0, "")


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ({"a": 90.0, "b": 0.0}, "a"),  # as many say so as do not: what sends less
        ({"a": 90.0, "b": 0.0, "c": 0.0}, ""),
        ({"a": 90.0, "b": 300.0, "c": 0.0}, "b"),
        ({"a": -400.0, "b": 300.0}, "a"),
    ],
)
def test_of_several_hosts_one_that_is_wrong_itself_does_not_decide(
    hosts: dict[str, float], host: str
) -> None:
    told = {name: looks(*[ahead] * FEWEST) for name, ahead in hosts.items()}
    assert off_by(told, 100.0)[1] == host


@pytest.mark.parametrize(
    ("wall", "monotonic", "by"),
    [
        (5.0, 5.0, 0.0),
        (5.5, 5.0, 0.0),
        (-3600.0, 5.0, -3605.0),
        (0.5, 5.0, 0.0),
        (-0.1, 5.0, -5.1),
        (66.0, 5.0, 61.0),
        (65.0, 5.0, 0.0),
    ],
)
def test_the_wall_clock_must_go_on_as_the_monotonic_one_does(
    wall: float, monotonic: float, by: float
) -> None:
    assert jump(wall, monotonic) == pytest.approx(by)


def test_what_was_wrong_is_right_after_five_good_minutes_and_not_before() -> None:
    wrong = judge(Watch(), 0.0, 90.0, HOST, 0.0)
    assert "90 seconds ahead of" in wrong.wrong and HOST in wrong.wrong
    assert judge(wrong, GOOD_FOR - 0.1, 0.0, "", 0.0) == wrong
    again = judge(wrong, 200.0, 70.0, HOST, 0.0)
    assert judge(again, 200.0 + GOOD_FOR - 0.1, 0.0, "", 0.0).wrong
    assert judge(again, 200.0 + GOOD_FOR, 0.0, "", 0.0) == Watch()


def test_a_jump_is_told_with_its_way_and_length() -> None:
    assert "jumped back by 60 minutes" in judge(Watch(), 0.0, 0.0, "", -3605.0).wrong
    assert "jumped forward by 61 seconds" in judge(Watch(), 0.0, 0.0, "", 61.0).wrong


@given(st.lists(st.floats(-OFF, OFF), min_size=1, max_size=KEPT))
def test_a_clock_within_a_minute_of_the_others_is_never_off(ahead: list[float]) -> None:
    assert off_by({HOST: looks(*ahead)}, 100.0) == (0.0, "")


@given(st.floats(-BACK, OFF), st.floats(0, 100))
def test_what_is_slewed_is_no_jump(gained: float, gone: float) -> None:
    assert abs(jump(gone + gained, gone)) <= 1e-6 or abs(gained) > BACK - 1e-6
