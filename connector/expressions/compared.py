"""Which written-out values an expression compares a path with: what a CRM's choices must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import Environment, TemplateError, nodes


@lru_cache(maxsize=1)
def _plain() -> Environment:
    return Environment(autoescape=False)  # noqa: S701 - it only parses; nothing is ever rendered


def compared(source: str) -> Mapping[str, tuple[str, ...]]:
    """Path → the texts in quotes it is compared with by ``==``, ``!=``, ``in`` and ``not in``.

    Nothing for an expression that cannot be parsed: that is told where it is compiled.
    """
    try:
        tree = _plain().parse("{{ " + source + " }}")
    except (TemplateError, RecursionError):
        return {}
    found: dict[str, dict[str, None]] = {}
    for node in tree.find_all(nodes.Compare):
        for path, value in _pairs(node):
            found.setdefault(path, {})[value] = None
    return {path: tuple(values) for path, values in found.items()}


def _pairs(node: nodes.Compare) -> Iterator[tuple[str, str]]:
    if len(node.ops) != 1 or node.ops[0].op not in ("eq", "ne", "in", "notin"):
        return
    sides = node.expr, node.ops[0].expr
    for one, other in (sides, sides[::-1]):
        if path := _path(one):
            yield from ((path, value) for value in _texts(other))


def _texts(node: nodes.Expr) -> Iterator[str]:
    """The texts written out in a value or a list."""
    parts = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    for part in parts:
        if isinstance(part, nodes.Const) and isinstance(part.value, str):
            yield part.value


def _path(node: nodes.Expr) -> str:
    """``item.now.name`` for a plain path; "" for anything else."""
    steps: list[str] = []
    while isinstance(node, nodes.Getattr):
        steps.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(steps)]) if isinstance(node, nodes.Name) else ""
