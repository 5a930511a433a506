"""Turns the syntax tree of a template: what stands in it beside expressions, and link(url)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import nodes

from connector.expressions.shape import BUDGET, OURS, Fault, Shaper, allowed, call


class TextShaper(Shaper):
    """Walks the tree of a text: if, for and what is printed."""

    is_text = True

    def visit_Template(self, node: nodes.Template) -> nodes.Node:
        node.body = self._all(node.body)
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        node.nodes = [self._print(part) for part in node.nodes]
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node:
        node.test, node.body = self.visit(node.test), self._all(node.body)
        node.elif_, node.else_ = self._all(node.elif_), self._all(node.else_)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive or node.test or not isinstance(node.target, nodes.Name):
            raise Fault("write {% for item in list %}, and {% if %} within", node.lineno)
        if not allowed(node.target.name) or node.target.name in OURS:
            raise Fault(f"no value may be called {node.target.name!r}", node.lineno)
        node.iter = call("each", node, self.visit(node.iter), nodes.Name(BUDGET, "load"))
        self.loops += ["loop", node.target.name]
        node.body = self._all(node.body)
        del self.loops[-2:]
        node.else_ = self._all(node.else_)
        return node

    def _all(self, body: Iterable[nodes.Node]) -> list[Any]:
        return [self.visit(node) for node in body]

    def _print(self, node: nodes.Expr) -> nodes.Expr:
        if isinstance(node, nodes.TemplateData):
            return node
        outside, self.paths = self.paths, set()
        shaped = self.visit(node)
        label = ", ".join(sorted(self.paths)) or f"the value on line {node.lineno}"
        self.paths |= outside
        return call("print", node, shaped, nodes.Const(label))
