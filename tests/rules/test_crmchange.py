"""What changed of a CRM's record is told by what its fields mean, not by how they are spelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.model import Json
from connector.records import Record, Wanted
from connector.rules.crmchange import Change, differing, last_step, mapped, same, since, steps

NINE = datetime(2026, 11, 17, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLANS = ((NINE, "free"), (NINE + HOUR, "pro"), (NINE + 2 * HOUR, "max"))


def record(history: tuple[tuple[datetime, Json], ...] = (), **values: Json) -> Record:
    told = {"plan": history} if history else {}
    return Record("contact", "1", NINE + 3 * HOUR, values, told)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, "true"),
        (None, ""),
        (3, "3"),
        (3.0, "3"),
        ("2026-11-17T09:00:00Z", "2026-11-17T10:00:00.000000+01:00"),
        (["a"], ["a"]),
    ],
)
def test_values_that_mean_the_same_are_the_same(one: Json, other: Json) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [(False, None), (0, None), ("free", "Free"), ("2026-11-17", "2026-11-18")]
)
def test_values_that_mean_another_thing_differ(one: Json, other: Json) -> None:
    assert not same(one, other)


def test_a_field_that_was_not_read_before_did_not_change() -> None:
    assert differing({"plan": "free"}, {"plan": "pro", "stage": "Lead"}) == {"plan": "free"}
    assert differing({"plan": "free", "gone": 1}, {"plan": "free"}) == {}


def test_only_what_the_mapping_reads_is_looked_at_and_what_is_not_told_is_none() -> None:
    told = record(plan="free", secret="x")
    wanted = Wanted(fields={"contact": ("plan", "stage")})
    assert mapped(told, wanted) == {"plan": "free", "stage": None}
    assert mapped(told, Wanted()) == {"plan": "free", "secret": "x"}


def test_a_history_is_told_change_by_change_and_saying_the_same_again_is_none() -> None:
    again = (*PLANS, (NINE + 3 * HOUR, "max"))
    found = [(each.before, each.after, each.at) for each in steps(record(again), ["plan"])]
    assert found == [
        (None, "free", NINE),
        ("free", "pro", NINE + HOUR),
        ("pro", "max", NINE + 2 * HOUR),
    ]


def test_of_an_old_record_only_what_changed_since_then_is_news() -> None:
    told = record(PLANS, plan="max")
    assert since(told, {"plan": "max"}, NINE + HOUR) == {"plan": "free"}
    assert since(told, {"plan": "max"}, NINE + 3 * HOUR) == {}
    assert since(told, {"plan": "free"}, NINE + HOUR) == {}, "it is as it was"


def test_a_change_happened_when_the_crm_says_else_when_the_record_was_changed() -> None:
    assert last_step(record(PLANS), ["plan"], NINE) == NINE + 2 * HOUR
    assert last_step(record(PLANS), ["stage"], NINE) == NINE + 3 * HOUR
    assert last_step(record(PLANS), ["plan"], NINE + 3 * HOUR) == NINE + 3 * HOUR


def test_of_a_new_record_all_that_it_holds_has_changed() -> None:
    now: dict[str, Json] = {"plan": "pro", "stage": None}
    assert Change(NINE, now).changed == ("plan",)
    assert Change(NINE, now, {"stage": "Lead"}).changed == ("stage",)
