"""No check can be lost unnoticed (``python -m tests.governance`` takes out every one)."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter

import pytest

from tests.governance.guarding import GUARDS
from tests.governance.guards import names
from tests.governance.guards import take_out as take
from tests.governance.removal import fails_without


@pytest.mark.parametrize("name", ["opted_out", "quiet_hours"])
def test_a_test_fails_once_a_check_is_taken_out(name: str) -> None:
    assert fails_without(name, ["tests/rules/test_policy.py"])


def test_the_rules_pass_with_every_check_in_place() -> None:
    assert not fails_without("", ["tests/rules/test_policy.py"])


def test_every_check_of_the_policy_is_on_the_list_of_those_to_take_out() -> None:
    assert {"no_consent", "cap_full", "paused", *GUARDS} <= set(names())


@pytest.mark.parametrize("name", GUARDS)
def test_every_guard_stands_where_it_is_said_to(name: str) -> None:
    module, _, path = GUARDS[name][0].partition(":")
    assert attrgetter(path)(import_module(module)) is not None


def test_a_check_that_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(LookupError, match="no check of_no_name"):
        take("of_no_name")
