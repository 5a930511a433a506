"""There is one road to a provider, and the gate stands on it: read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "connector"
DISPATCH = "steps/dispatch.py"
GATE = "steps/gate.py"

Place = tuple[str, str]
"""A file of the package, and the dotted name of the function or class that the node is in."""

#: ``requests`` has a method of the same name, which carries HTTP requests and no texts.
CARRIES_HTTP = {
    ("http.py", "Session.send"),
    ("providers/wire.py", "Wire._exchange"),
}

#: The provider of a simulation asks its own base, which keeps the text and sends nothing.
VIRTUAL = ("simulate/answers.py", "FaithfulCarrier.send")


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


@cache
def nodes(tree: ast.Module) -> tuple[tuple[str, ast.AST], ...]:
    """Every node of a tree with the name of what it stands in."""
    return tuple(_below(tree, ""))


def _below(tree: ast.AST, inside: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(tree):
        name = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}.{child.name}" if inside else child.name
        yield inside, child
        yield from _below(child, name)


def mentions(name: str) -> list[Place]:
    """Where a name is read, as ``name`` or as ``something.name``; imports are told apart."""
    found = []
    for file, tree in trees():
        for inside, node in nodes(tree):
            is_name = isinstance(node, ast.Name) and node.id == name
            is_attribute = isinstance(node, ast.Attribute) and node.attr == name
            if is_name or is_attribute:
                found.append((file, inside))
    return found


def calls(name: str) -> list[Place]:
    """Where ``name(…)`` or ``something.name(…)`` is called."""
    found = []
    for file, tree in trees():
        for inside, node in nodes(tree):
            if isinstance(node, ast.Call):
                called = node.func
                spoken = getattr(called, "attr", "") or getattr(called, "id", "")
                if spoken == name:
                    found.append((file, inside))
    return found


def function(file: str, name: str) -> ast.FunctionDef:
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    return next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name
    )


def test_a_provider_is_asked_to_send_in_one_place_only() -> None:
    senders = [
        (file, inside)
        for file, tree in trees()
        for inside, node in nodes(tree)
        if isinstance(node, ast.Attribute) and node.attr == "send"
        if ast.unparse(node) != "Verdict.send"
    ]
    known = {*CARRIES_HTTP, VIRTUAL}
    assert [place for place in senders if place not in known] == [(DISPATCH, "hand_over")]


def test_nobody_reaches_for_send_by_its_name_as_text() -> None:
    for file, tree in trees():
        for inside, node in nodes(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "getattr",
                "attrgetter",
                "methodcaller",
            ):
                words = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                assert "send" not in words, f"{file} in {inside}"


def test_handing_over_takes_a_ticket() -> None:
    hand_over = function(DISPATCH, "hand_over")
    assert [argument.arg for argument in hand_over.args.args] == ["provider", "ticket"]
    annotation = hand_over.args.args[1].annotation
    assert isinstance(annotation, ast.Name)
    assert annotation.id == "Ticket"


def test_only_the_dispatcher_hands_over() -> None:
    assert mentions("hand_over") == [(DISPATCH, "Dispatcher._fly")]


def test_only_the_gate_makes_tickets() -> None:
    assert calls("Ticket") == [(GATE, "_ticket")]
    assert calls("_ticket") == [(GATE, "pass_gate")]
    assert [place for place in mentions("replace") if place[0] in (GATE, DISPATCH)] == []


def test_the_gate_makes_a_ticket_only_after_a_decision_to_send() -> None:
    body = function(GATE, "pass_gate").body
    texts = [ast.unparse(statement) for statement in body]
    decided = next(n for n, text in enumerate(texts) if "_decide(" in text)
    refused = next(n for n, text in enumerate(texts) if "is not Verdict.send" in text)
    dry = next(n for n, text in enumerate(texts) if "rt.may_leave(" in text)
    begun = next(n for n, text in enumerate(texts) if "_ticket(" in text)
    assert decided < refused < dry < begun
    for check in (refused, dry):
        statement = body[check]
        assert isinstance(statement, ast.If)
        assert isinstance(statement.body[-1], ast.Return)


def test_only_the_dispatcher_asks_the_gate() -> None:
    assert set(mentions("pass_gate")) == {(DISPATCH, "Dispatcher._pass")}


def test_no_row_becomes_sending_but_at_the_gate() -> None:
    begins = [
        (file, inside)
        for file, tree in trees()
        for inside, node in nodes(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "begin"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sends"
    ]
    assert begins == [(GATE, "_ticket")]


@pytest.mark.parametrize("file", ["providers/twilio.py", "providers/sandbox.py"])
def test_an_adapter_does_not_call_its_own_send(file: str) -> None:
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    attributes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "send"
    ]
    assert attributes == []
