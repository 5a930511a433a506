"""Two different people stand behind a version, or it stays a shadow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules.approvals import missing, person


@pytest.mark.parametrize(
    ("proposer", "approvers", "lacking"),
    [
        ("operator:ann", [], 1),
        ("operator:ann", ["operator:ann"], 1),
        ("operator:ann", ["operator:bea"], 0),
        ("operator:ann", ["api:ann"], 1),
        ("api:crm", ["operator:CRM"], 1),
        ("api:crm", ["operator:ann"], 0),
        ("start", [], 2),
        ("start", ["operator:ann"], 1),
        ("start", ["operator:ann", "operator:ann", "api:ann"], 1),
        ("start", ["operator:ann", "operator:bea"], 0),
        ("signal", ["operator:ann"], 1),
        ("", ["operator:ann"], 1),
        ("operator:ann", ["start", "signal", ""], 1),
    ],
)
def test_whoever_put_it_live_does_not_approve_it_by_whatever_door(
    proposer: str, approvers: list[str], lacking: int
) -> None:
    assert missing(proposer, approvers) == lacking


NAMES = st.sampled_from(["ann", "Ann", "bea", "cy"])
WHO = st.one_of(st.builds("{}:{}".format, st.sampled_from(["operator", "api"]), NAMES))
ANYBODY = st.one_of(WHO, st.sampled_from(["start", "signal", ""]))


@given(ANYBODY, st.lists(ANYBODY, max_size=6))
def test_nothing_is_ever_approved_by_fewer_than_two_people(who: str, by: list[str]) -> None:
    if missing(who, by) == 0:
        assert len({person(each) for each in (who, *by)} - {""}) >= 2
        assert {person(each) for each in by} - {person(who), ""}
