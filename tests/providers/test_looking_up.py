"""Who looks numbers up, where not every provider does."""

from __future__ import annotations

from connector.providers import who_looks_up
from tests.steps.build import Carrier
from tests.steps.test_eligible import Looking


def asked(use: str, *known: Carrier) -> str:
    found = who_looks_up(use, {each.name: each for each in known})
    return found[0] if found is not None else ""


def test_the_provider_in_use_is_asked_where_it_can() -> None:
    assert asked("b", Looking("a"), Looking("b")) == "b"


def test_else_the_first_other_that_is_here() -> None:
    assert asked("a", Carrier("a"), Looking("b"), Looking("c")) == "b"


def test_the_sandbox_invents_what_it_tells_so_it_is_asked_only_where_all_is_in_it() -> None:
    assert asked("a", Carrier("a"), Looking("sandbox")) == ""
    assert asked("sandbox", Carrier("a"), Looking("sandbox")) == "sandbox"


def test_where_nobody_does_nobody_is_asked() -> None:
    assert asked("a", Carrier("a")) == ""
