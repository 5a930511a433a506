"""Turns Jinja's syntax tree into one that can only call our own bounded operations.

Whatever is not allowed here by name is refused when the file is read. Attribute access, method
calls, comparisons, joining and output all become calls of operations, so that no attribute of a
Python object can ever be reached; the sandboxed environment behind it is the second wall.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Final, NoReturn

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

from connector.expressions.filters import (
    FILTERS,
    FORGIVING_FILTERS,
    FORGIVING_TESTS,
    LOCAL_DEFAULTS,
    LOCAL_FILTERS,
    METHODS,
    TESTS,
)
from connector.expressions.functions import FUNCTIONS, HISTORY, LINKS, NOW, Function, seconds_of
from connector.expressions.values import Operation

MAX_NODES: Final = 400
MAX_NESTING: Final = 40
LOOP: Final = frozenset({"index", "index0", "first", "last", "length"})
RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs"})
_WORDS: Mapping[type[nodes.Node], str] = {
    nodes.Pow: "** is not offered",
    nodes.Call: "only the functions by name and the methods of a value can be called",
    nodes.Assign: "{% set %} is not offered",
    nodes.AssignBlock: "{% set %} is not offered",
    nodes.Slice: "a cut stands only in brackets, as in postal[:5]",
}
READER: Final = ("language", "zone")
"""The values of the context that ``LOCAL_FILTERS`` are handed."""
OURS: Final = frozenset({"loop", HISTORY, LINKS, NOW, *READER})
"""Names that no loop may take, since functions and filters read what they stand for."""
BUDGET: Final = "_left"  #: the context variable that counts a template's loop rounds


class Fault(Exception):
    """What is wrong and where: Jinja's ``lineno`` (for an expression, its column)."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Shaper(NodeVisitor):
    """Walks one tree, collecting in ``paths`` the dotted paths it reads.

    ``roots`` are values of the context that its functions and filters ask for themselves,
    ``signals`` and ``segments`` the names they ask about. ``is_told``: a mapping, over what a
    sender told; it knows no person, so no functions either.
    """

    is_text = False

    def __init__(self, *, is_told: bool = False) -> None:
        self.paths: set[str] = set()
        self.roots: set[str] = set()
        self.signals: set[str] = set()
        self.segments: set[str] = set()
        self._is_told = is_told
        self.loops: list[str] = []
        self._nodes = 0
        self._nesting = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """The shaped node; raises ``Fault`` where something is not allowed or too much."""
        self._nodes += 1
        self._nesting += 1
        if self._nodes > MAX_NODES or self._nesting > MAX_NESTING:
            raise Fault("is too long or nested too deeply; split it up", node.lineno)
        shaped = super().visit(node, *args, **kwargs)
        self._nesting -= 1
        return shaped

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> NoReturn:
        """Whatever has no method of its own here is not part of the language."""
        name = type(node).__name__.lower()
        raise Fault(_WORDS.get(type(node), f"{name} is not offered"), node.lineno)

    # Expressions

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise Fault("the number is out of range", node.lineno)
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        self._read(node, ())
        return node

    def visit_Getattr(self, node: nodes.Getattr | nodes.Getitem) -> nodes.Node:
        base, steps = self._steps(node)
        if isinstance(base, nodes.Name) and base.name == "loop" and "loop" in self.loops:
            if len(steps) != 1 or steps[0] not in LOOP:
                raise Fault(f"loop has only {', '.join(sorted(LOOP))}", node.lineno)
            return node
        label = self._read(base, steps) if isinstance(base, nodes.Name) else _dotted(steps)
        shaped = base if isinstance(base, nodes.Name) else self.visit(base)
        return call("path", node, shaped, nodes.Const(steps), nodes.Const(label))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        if isinstance(node.arg, nodes.Slice):
            return self._cut(node, node.arg)
        if _step(node) is not None:
            return self.visit_Getattr(node)
        return call("item", node, self.visit(node.node), self.visit(node.arg))

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        target = node.node
        if isinstance(target, nodes.Name):
            node.lineno = target.lineno  # of the name, not of the bracket after it
            return self._function(target.name, node)
        if not isinstance(target, nodes.Getattr):
            return self.generic_visit(node)
        operation = _named("method", target.attr, METHODS, node)
        return self._apply(f".{target.attr}", operation, target.node, node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        if node.node is None:
            return self.generic_visit(node)
        if node.name in LOCAL_DEFAULTS:
            return self._local(node, node.node)
        known = {**FILTERS, **FORGIVING_FILTERS, **LOCAL_FILTERS}
        operation = _named("filter", node.name, known, node)
        return self._apply(node.name, operation, node.node, node)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        operation = _named("test", node.name, {**TESTS, **FORGIVING_TESTS}, node)
        return self._apply(f"is {node.name}", operation, node.node, node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        if len(node.ops) > 1:
            raise Fault("compare two values at a time and join with 'and'", node.lineno)
        right = node.ops[0]
        return call(right.op, node, self.visit(node.expr), self.visit(right.expr))

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        return call("~", node, *(self.visit(part) for part in node.nodes))

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        node.test, node.expr1 = self.visit(node.test), self.visit(node.expr1)
        node.expr2 = self.visit(node.expr2) if node.expr2 else nodes.Const(None)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:
        return call("list", node, nodes.Const(None), *(self.visit(part) for part in node.items))

    visit_Tuple = visit_List

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        parts: list[nodes.Node] = [nodes.Const(None)]
        for pair in node.items:
            if not isinstance(pair.key, nodes.Const) or not isinstance(pair.key.value, str):
                raise Fault("the keys of a table are texts in quotes", pair.lineno)
            parts += [pair.key, self.visit(pair.value)]
        return call("table", node, *parts)

    def _sign(self, node: nodes.BinExpr) -> nodes.Node:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        return node

    visit_Add = visit_Sub = visit_Mul = visit_Div = visit_FloorDiv = visit_Mod = _sign
    visit_And = visit_Or = _sign

    def _one(self, node: nodes.UnaryExpr) -> nodes.Node:
        node.node = self.visit(node.node)
        return node

    visit_Not = visit_Neg = visit_Pos = _one

    # Parts

    def _steps(self, node: nodes.Expr) -> tuple[nodes.Expr, tuple[str | int, ...]]:
        """The base of ``a.b['c'][0]`` and its steps."""
        steps: list[str | int] = []
        while (step := _step(node)) is not None:
            steps.append(step)
            node = node.node  # type: ignore[attr-defined]
        if len(steps) > MAX_NESTING:
            raise Fault("the path is too long", node.lineno)
        return node, tuple(reversed(steps))

    def _read(self, base: nodes.Name, steps: tuple[str | int, ...]) -> str:
        """Note the path and give its name for messages; a loop's own variable is no path."""
        if not allowed(base.name):
            raise Fault(f"no value is called {base.name!r}", base.lineno)
        label = _dotted((base.name, *steps))
        if base.name not in self.loops:
            named = takewhile(lambda step: isinstance(step, str), steps)
            self.paths.add(_dotted((base.name, *named)))
        return label

    def _cut(self, node: nodes.Getitem, slice_: nodes.Slice) -> nodes.Node:
        if slice_.step is not None:
            raise Fault("a cut has a start and an end only", node.lineno)
        ends = (slice_.start, slice_.stop)
        shaped = [self.visit(end) if end else nodes.Const(None) for end in ends]
        return call("cut", node, self.visit(node.node), *shaped)

    def _local(self, node: nodes.Filter, value: nodes.Expr) -> nodes.Node:
        """A filter that writes as the reader's language does, on the reader's clock."""
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > 1:
            raise Fault(f"{node.name} takes one value, without a name", node.lineno)
        [own] = node.args or [nodes.Const(LOCAL_DEFAULTS[node.name])]
        reader = [nodes.Const(None) if self._is_told else self._ask(root) for root in READER]
        return call(node.name, node, self.visit(value), self.visit(own), *reader)

    def _function(self, name: str, node: nodes.Call) -> nodes.Node:
        """``did('order_completed', within='30d')`` and its like, by ``FUNCTIONS``."""
        if self._is_told:
            raise Fault(f"{name}() is for plays, segments, policy and texts", node.lineno)
        if name not in FUNCTIONS:
            known = [each for each in FUNCTIONS if self.is_text or not FUNCTIONS[each].only]
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}()?" if near else f"there are {', '.join(known)}"
            raise Fault(f"there is no function {name}(); {hint}", node.lineno)
        function = FUNCTIONS[name]
        if function.only and not self.is_text:
            raise Fault(f"{name}() is for {function.only} only", node.lineno)
        if node.dyn_args or node.dyn_kwargs or len(node.args) != 1:
            raise Fault(f"{name} takes one value, without stars", node.lineno)
        if function.root == NOW:
            self.paths.add(NOW)
        asked = self._ask(function.root)
        if not function.names:
            if node.kwargs:
                raise Fault(f"{name} takes one value, without names", node.lineno)
            return call(f"{name}()", node, asked, self.visit(node.args[0]))
        named = self._named(name, function, node)
        return call(f"{name}()", node, asked, *named)

    def _named(self, name: str, function: Function, node: nodes.Call) -> list[nodes.Node]:
        """The literal values of a function that asks about a signal or a segment."""
        [what] = node.args
        if not isinstance(what, nodes.Const) or not isinstance(what.value, str):
            raise Fault(f"{name} wants the {function.names}'s name in quotes", node.lineno)
        (self.signals if function.names == "signal" else self.segments).add(what.value)
        values: list[nodes.Node] = [what]
        spans = {pair.key: pair.value for pair in node.kwargs}
        if set(spans) - ({"within"} if function.within else set()):
            takes = f"{name}('…', within='30d')" if function.within else f"{name}('…')"
            raise Fault(f"write {takes}", node.lineno)
        if function.within:
            values.append(nodes.Const(self._seconds(spans.get("within"), node)))
        return values

    def _seconds(self, span: nodes.Expr | None, node: nodes.Call) -> int:
        if span is None:
            return 0
        try:
            return seconds_of(span.value if isinstance(span, nodes.Const) else None)
        except ValueError as error:
            raise Fault(f"within: {error}", node.lineno) from None

    def _ask(self, root: str) -> nodes.Name:
        """A value of the context that is not a path of the file."""
        self.roots.add(root)
        return nodes.Name(root, "load")

    def _apply(self, name: str, operation: Operation, value: nodes.Expr, node: Any) -> nodes.Filter:
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise Fault("write the values in order, without names or stars", node.lineno)
        try:
            inspect.signature(operation).bind(None, *node.args)
        except TypeError:
            shown = name.removeprefix(".").removeprefix("is ")
            raise Fault(f"{shown} takes other values than these", node.lineno) from None
        return call(name, node, self.visit(value), *(self.visit(arg) for arg in node.args))


def call(name: str, at: nodes.Node, *values: Any) -> nodes.Filter:
    """The call of an operation, written as a filter of its first value."""
    first, *rest = values
    return nodes.Filter(first, name, rest, [], None, None, lineno=at.lineno)


def _step(node: nodes.Node) -> str | int | None:
    """The constant step of ``.name``, ``['name']`` or ``[0]``."""
    if isinstance(node, nodes.Getattr):
        if node.attr.startswith("_"):
            raise Fault(f"a name may not begin with _: {node.attr!r}", node.lineno)
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        value = node.arg.value
        return value if isinstance(value, str | int) and not isinstance(value, bool) else None
    return None


def allowed(name: str) -> bool:
    return name.isascii() and not name.startswith("_") and name not in RESERVED


def _dotted(steps: Iterable[str | int]) -> str:
    return ".".join(map(str, steps))


def _named(what: str, name: str, known: Mapping[str, Operation], node: nodes.Node) -> Operation:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
    raise Fault(f"there is no {what} {name!r}; {hint}", node.lineno)
