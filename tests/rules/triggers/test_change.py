"""A field or the stage that became another value: from what, to what, and what is no change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Json
from connector.rules.plays import Change
from connector.rules.triggers import change

PLAN = "contact.plan"
ANY = Change(PLAN)
UPGRADE = Change(PLAN, before=("trial", "free"), after=("pro",))
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=5),
)


@pytest.mark.parametrize(
    ("form", "path", "before", "after", "starts"),
    [
        (ANY, PLAN, "trial", "pro", True),
        (ANY, PLAN, "pro", "pro", False),
        (ANY, "contact.plan_name", "trial", "pro", False),
        (ANY, "crm.plan", "trial", "pro", False),
        (UPGRADE, PLAN, "trial", "pro", True),
        (UPGRADE, PLAN, "free", "pro", True),
        (UPGRADE, PLAN, "basic", "pro", False),
        (UPGRADE, PLAN, "trial", "basic", False),
        (UPGRADE, PLAN, "pro", "trial", False),
        (UPGRADE, PLAN, None, "pro", False),
        (Change(PLAN, before=("",)), PLAN, None, "pro", True),  # a first value, asked for
        (Change(PLAN, before=("",)), PLAN, "", "pro", True),
        (Change(PLAN, before=("",)), PLAN, "trial", "pro", False),
        (Change(PLAN, after=("",)), PLAN, "pro", None, True),  # the value is gone
        (Change(PLAN, after=("pro",)), PLAN, None, "pro", True),
        (ANY, PLAN, None, "pro", True),
        (ANY, PLAN, None, "", False),
        (ANY, PLAN, None, None, False),
        (Change("stage", after=("customer",)), "stage", "lead", "customer", True),
        (Change("stage", after=("customer",)), "stage", "", "customer", True),
        (Change("crm.seats", before=("10",), after=("20",)), "crm.seats", 10, 20, True),
        (Change("crm.seats", before=("10",)), "crm.seats", 10.0, 20, True),
        (ANY, PLAN, 10, 10.0, False),
        (ANY, PLAN, "10", 10, False),
        (ANY, PLAN, 0.3, 0.1 + 0.2, False),  # no price drop is so small
        (ANY, PLAN, 0.0, -0.0, False),
        (ANY, PLAN, True, "true", False),
        (ANY, PLAN, True, False, True),
        (ANY, PLAN, False, None, True),
        (ANY, PLAN, 0, None, True),
        (Change(PLAN, after=("true",)), PLAN, False, True, True),
        (ANY, PLAN, "Pro", "pro", True),
        (ANY, PLAN, ["a"], ["a"], False),
        (ANY, PLAN, ["a"], ["a", "b"], True),
    ],
)
def test_a_change_starts_a_play_by_what_it_was_and_became(
    form: Change, path: str, before: Json, after: Json, starts: bool
) -> None:
    assert change.matches(form, path, before, after) is starts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (float("inf"), "inf"),
        ("a b", "a b"),
    ],
)
def test_a_value_is_said_as_a_play_file_writes_it(value: Json, text: str) -> None:
    assert change.said(value) == text


def test_every_value_that_differs_is_told_once_and_by_its_path() -> None:
    before = {"plan": "trial", "seats": 3, "city": "Bern", "vip": None}
    after = {"plan": "pro", "seats": 3.0, "vip": "", "born": "--02-29"}
    assert list(change.differences("contact", before, after)) == [
        ("contact.born", None, "--02-29"),
        ("contact.city", "Bern", None),
        ("contact.plan", "trial", "pro"),
    ]


@given(values)
def test_the_same_value_again_is_never_a_change(value: Json) -> None:
    assert not change.matches(ANY, PLAN, value, value)
    assert list(change.differences("crm", {"x": value}, {"x": value})) == []


@given(values, values)
def test_there_is_a_change_one_way_exactly_where_there_is_one_back(one: Json, other: Json) -> None:
    assert change.matches(ANY, PLAN, one, other) == change.matches(ANY, PLAN, other, one)


@given(values, values)
def test_naming_both_values_finds_the_change_that_naming_neither_finds(
    before: Json, after: Json
) -> None:
    named = Change(PLAN, (change.said(before),), (change.said(after),))
    assert change.matches(named, PLAN, before, after) == change.matches(ANY, PLAN, before, after)


@given(
    st.dictionaries(st.sampled_from("abc"), values), st.dictionaries(st.sampled_from("abc"), values)
)
def test_the_differences_are_just_what_turns_the_one_into_the_other(
    before: dict[str, Json], after: dict[str, Json]
) -> None:
    became = dict(before)
    for path, was, now in change.differences("crm", before, after):
        name = path.removeprefix("crm.")
        assert change.said(was) == change.said(before.get(name))
        became[name] = now
    assert {n: change.said(v) for n, v in became.items() if change.said(v)} == {
        n: change.said(v) for n, v in after.items() if change.said(v)
    }
