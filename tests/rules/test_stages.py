"""Stages: forwards always, backwards only where the file says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rules.stages import Stages, next_stage

STAGES = Stages(
    order=("lead", "opportunity", "customer", "former"),
    fall_back=frozenset({"customer"}),
)


@pytest.mark.parametrize(
    ("current", "proposed", "after"),
    [
        ("", "lead", "lead"),
        ("lead", "customer", "customer"),
        ("customer", "lead", "customer"),
        ("former", "opportunity", "former"),
        ("former", "customer", "customer"),
        ("lead", "", "lead"),
        ("lead", "lead", "lead"),
        ("a stage taken out of the file", "lead", "lead"),
    ],
)
def test_a_stage_moves_forwards_or_back_to_where_the_file_allows(
    current: str, proposed: str, after: str
) -> None:
    assert next_stage(STAGES, current, proposed) == after


def test_an_unknown_stage_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match=r"no stage 'custmer'; did you mean 'customer'\?"):
        next_stage(STAGES, "lead", "custmer")
    with pytest.raises(ValueError, match=r"stages.toml"):
        next_stage(STAGES, "lead", "zzz")


@settings(deadline=None)
@given(st.lists(st.sampled_from(STAGES.order), max_size=6))
def test_a_file_without_fall_back_never_goes_back(proposals: list[str]) -> None:
    stages = Stages(STAGES.order)
    current = ""
    for proposed in proposals:
        after = next_stage(stages, current, proposed)
        assert not current or stages.order.index(after) >= stages.order.index(current)
        current = after
