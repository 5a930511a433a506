"""What plays may read of a CRM's record, and which stage is written into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.expressions import compile_all
from connector.model import Json
from connector.records import Wanted
from connector.rules.crm import CrmMapping, facts_of, stage_change
from connector.rules.writeback import Rule

ORDER = ("visitor", "lead", "qualified", "customer")
STAGES = {
    "subscriber": "visitor",
    "lead": "lead",
    "mql": "lead",
    "sql": "qualified",
    "customer": "customer",
}


def mapping(facts: Mapping[str, str] | None = None, **values: Any) -> CrmMapping:
    bundle = None if facts is None else compile_all(facts, strict=False)
    return CrmMapping("crm", facts=bundle, **values)


STAGED = mapping(
    {},
    wanted=Wanted(stage="lifecyclestage"),
    stages=STAGES,
    stage_objects=("contact",),
    writes_stage=True,
)


# Facts


def test_without_facts_a_record_is_read_as_it_was_fetched() -> None:
    assert facts_of(mapping(), {"id": "7", "plan": "free"}) == ({"id": "7", "plan": "free"}, ())


def test_facts_are_made_of_fields_and_nothing_else_of_a_record_is_kept() -> None:
    found = mapping(
        {"owner": "hubspot_owner_id", "is_big": "deal.amount >= 1000", "cases": "open_cases"},
        plain=frozenset({"city"}),
    )
    record: dict[str, Json] = {
        "id": "7",
        "object": "contact",
        "hubspot_owner_id": "42",
        "phone": "+12025550123",
        "city": "Graz",
        "open_cases": 2,
        "deals": [{"id": "9", "amount": 1000}, {"id": "8", "amount": 1}],
    }
    assert facts_of(found, record) == (
        {
            **{"id": "7", "object": "contact", "city": "Graz"},
            **{"owner": "42", "is_big": True, "cases": 2},
        },
        (),
    )


def test_a_field_of_one_kind_of_person_is_none_for_the_other() -> None:
    found = mapping({"status": "lead.Status", "converted": "object == 'contact'"})
    lead: dict[str, Json] = {"id": "00Q", "object": "lead", "Status": "Open"}
    assert facts_of(found, lead)[0]["status"] == "Open"
    assert facts_of(found, {**lead, "object": "contact"})[0] == {
        **{"id": "00Q", "object": "contact", "converted": True}
    }


def test_what_was_not_asked_for_is_not_told_to_be_none() -> None:
    found = mapping({"has_open_case": "open_cases > 0", "deal_id": "deal.id", "owner": "owner"})
    assert facts_of(found, {"id": "7", "owner": "1"})[0] == {"id": "7", "owner": "1"}
    asked: dict[str, Json] = {"id": "7", "open_cases": 0, "deals": []}
    assert facts_of(found, asked)[0] == {"id": "7", "has_open_case": False}


def test_a_fact_that_fails_is_absent_and_told_and_the_others_stand() -> None:
    found = mapping({"amount": "amount | float", "owner": "owner"})
    told, faults = facts_of(found, {"id": "7", "amount": "a lot", "owner": "1"})
    assert told == {"id": "7", "owner": "1"}
    assert faults == ("amount: the text is not a number",)


ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5_000),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=40,
)
GREEDY = mapping(
    {
        "more": "field * 1000000",
        "long": "field ~ field ~ field ~ field",
        "all": "[field, field, deals, field]",
        "upper": "field | upper",
        "big": "deal.amount * deal.amount * deal.amount",
    }
)


@settings(max_examples=150, deadline=None)
@given(ODD, ODD, st.lists(ODD, max_size=5))
def test_no_value_that_a_crm_holds_makes_a_fact_grow_without_bound(
    field: Json, amount: Json, deals: list[Json]
) -> None:
    record: dict[str, Json] = {
        **{"id": "7", "object": "contact", "field": field},
        "deals": [{"id": "1", "amount": amount}, *deals],
    }
    told, faults = facts_of(GREEDY, record)
    assert len(told) - 2 + len(faults) <= 5
    assert len(repr(told)) < 100_000


# The stage that is written


@pytest.mark.parametrize(
    ("ours", "theirs", "written"),
    [
        ("qualified", "lead", (Rule.always, "sql")),
        ("qualified", "mql", (Rule.always, "sql")),
        ("customer", "subscriber", (Rule.always, "customer")),
        ("lead", "mql", None),
        ("lead", "sql", None),
        ("qualified", "sql", None),
        ("qualified", "evangelist", None),
        ("qualified", "", (Rule.if_empty, "sql")),
        ("qualified", None, (Rule.if_empty, "sql")),
        ("", "lead", None),
        ("gone", "lead", None),
    ],
)
def test_a_stage_is_written_forward_only(
    ours: str, theirs: str | None, written: tuple[Rule, str] | None
) -> None:
    facts: dict[str, Json] = {"id": "7", "object": "contact", "lifecyclestage": theirs}
    assert stage_change(STAGED, ORDER, ours, facts) == written


def test_of_a_record_of_which_nothing_is_known_only_an_empty_stage_is_filled() -> None:
    assert stage_change(STAGED, ORDER, "customer", {}) == (Rule.if_empty, "customer")


def test_a_record_that_has_no_such_field_is_left_alone() -> None:
    both = mapping(
        {},
        wanted=Wanted(stage="Status"),
        stages=STAGES,
        stage_objects=("lead",),
        people=("contact", "lead"),
        writes_stage=True,
    )
    lead: dict[str, Json] = {"object": "lead", "Status": "lead"}
    assert stage_change(both, ORDER, "qualified", lead) == (Rule.always, "sql")
    assert stage_change(both, ORDER, "qualified", {**lead, "object": "contact"}) is None
    assert stage_change(both, ORDER, "qualified", {}) is None


def test_a_file_that_does_not_write_the_stage_never_does() -> None:
    only_read = mapping({}, wanted=Wanted(stage="s"), stages=STAGES, stage_objects=("contact",))
    assert stage_change(only_read, ORDER, "customer", {"object": "contact", "s": "lead"}) is None


@given(st.sampled_from(ORDER), st.sampled_from([*STAGES, "evangelist", "", None]))
def test_whatever_stands_there_the_stage_never_moves_back(ours: str, theirs: str | None) -> None:
    change = stage_change(STAGED, ORDER, ours, {"object": "contact", "lifecyclestage": theirs})
    if change is not None and theirs:
        assert ORDER.index(STAGES[change[1]]) > ORDER.index(STAGES[theirs])
