"""Every reason that a check may give has words, is told with all else, and stands in the docs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.rules import explain, policy
from connector.rules.policy import checks
from tests.rules.test_explain import chain, decision, story, walk

CHECKS = Path(policy.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "governance.md"


def objections() -> Iterator[ast.Call]:
    """Each objection that the policy's modules make."""
    for path in sorted(CHECKS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Objection":
                yield node


def codes() -> list[str]:
    """The reasons that they give, written out."""
    given = (call.args[0] for call in objections())
    return sorted({str(code.value) for code in given if isinstance(code, ast.Constant)})


def modules() -> set[str]:
    """Where the checks that are asked stand."""
    asked = (*checks.CHECKS, *checks.SYSTEM_CHECKS, *checks.REQUEST_CHECKS)
    return {check.__module__ for check in asked}


def test_every_check_that_is_asked_gives_a_reason_of_these() -> None:
    making = {
        f"{policy.__name__}.{path.stem}"
        for path in CHECKS.glob("*.py")
        if "Objection(" in path.read_text()
    }
    assert modules() <= making
    assert len(codes()) >= 25
    assert {"opted_out", "quiet_hours", "cap_full", "fatigue_stop", "on_list"} <= set(codes())


def test_no_objection_is_without_words() -> None:
    for call in objections():
        says = call.args[2]
        assert not (isinstance(says, ast.Constant) and not says.value), ast.unparse(call)


@pytest.mark.parametrize("code", codes())
def test_every_reason_stands_in_the_docs(code: str) -> None:
    assert f"`{code}`" in DOCS.read_text()


def told(*, full: bool) -> str:
    """A decision with every objection there is, told."""
    reasons = [(code, f"words for {code}.") for code in codes()]
    facts = {"blocked": "stop", "caps": {"marketing in a day": 1}, "consents": ["marketing"]}
    made = decision("send", "stop", *reasons, facts=facts)
    shown = explain.shown(chain(story(walks=[walk(decisions=[made])])), full=full)
    return " ".join(" ".join(explain.tell(shown, 10_000, full=full)).split())


@pytest.mark.parametrize("full", [False, True])
def test_every_objection_of_a_decision_is_told_with_its_words(full: bool) -> None:
    text = told(full=full)
    for code in codes():
        assert f"{code}: words for {code}." in text


def test_in_full_the_policy_and_all_that_it_saw_are_told_too() -> None:
    text = told(full=True)
    assert "by policy 9a8b7c6d5e4f+001122334455" in text
    assert "saw blocked=stop, caps=marketing in a day=1, consents=['marketing']" in text
    assert "saw blocked" not in told(full=False)
