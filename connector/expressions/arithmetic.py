"""The signs of the expression language (+ - * / // % ~, comparisons, in), each with a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.expressions.values import (
    MAX_LIST,
    MAX_TEXT,
    Operation,
    Unusable,
    bounded,
    kind,
    printable,
)
from connector.model import Json


def numbers(sign: str, left: Any, right: Any) -> None:
    """Raise unless both are numbers; a truth value is none."""
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unusable(f"{sign} wants two numbers, not {kind(left)} and {kind(right)}")


def add(left: Any, right: Any) -> Json:
    """Two numbers, two texts, or two lists."""
    if isinstance(left, str) and isinstance(right, str):
        return joined([left, right], "")
    if isinstance(left, list) and isinstance(right, list):
        if len(left) + len(right) > MAX_LIST:
            raise Unusable(f"+ makes a list of more than {MAX_LIST} items")
        return left + right
    numbers("+", left, right)
    return bounded(left + right)


def subtract(left: Any, right: Any) -> Json:
    """The difference of two numbers."""
    numbers("-", left, right)
    return bounded(left - right)


def multiply(left: Any, right: Any) -> Json:
    """The product of two numbers; a text or a list is never repeated."""
    numbers("*", left, right)
    return bounded(bounded(left) * bounded(right))


def divide(left: Any, right: Any) -> Json:
    """The quotient of two numbers."""
    numbers("/", left, right)
    return bounded(left / right)


def floor_divide(left: Any, right: Any) -> Json:
    """The whole quotient of two numbers."""
    numbers("//", left, right)
    return bounded(left // right)


def modulo(left: Any, right: Any) -> Json:
    """The remainder of two numbers; never the formatting of a text."""
    numbers("%", left, right)
    return bounded(left % right)


def negative(value: Any) -> Json:
    """The number with its sign turned."""
    return subtract(0, value)


def positive(value: Any) -> Json:
    """The number itself."""
    return add(0, value)


def concat(*parts: Any) -> Json:
    """Texts and numbers written one after the other."""
    return joined([printable(part) for part in parts], "")


def joined(parts: list[str], between: str) -> str:
    """The parts with ``between`` between them, refused before it is made too long."""
    if sum(map(len, parts)) + len(between) * max(0, len(parts) - 1) > MAX_TEXT:
        raise Unusable(f"joining makes a text longer than {MAX_TEXT} characters")
    return between.join(parts)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same."""
    return bool(left == right)


def unequal(left: Any, right: Any) -> bool:
    """Whether two values differ."""
    return bool(left != right)


def less(left: Any, right: Any) -> bool:
    """Two numbers, or two texts letter by letter."""
    _ordered(left, right)
    return bool(left < right)


def at_most(left: Any, right: Any) -> bool:
    """Two numbers, or two texts letter by letter."""
    _ordered(left, right)
    return bool(left <= right)


def more(left: Any, right: Any) -> bool:
    """Two numbers, or two texts letter by letter."""
    _ordered(left, right)
    return bool(left > right)


def at_least(left: Any, right: Any) -> bool:
    """Two numbers, or two texts letter by letter."""
    _ordered(left, right)
    return bool(left >= right)


def within(left: Any, right: Any) -> bool:
    """A text in a text, a value in a list, a key in a table."""
    if isinstance(right, str) and not isinstance(left, str):
        raise Unusable(f"only a text can be in a text, not {kind(left)}")
    if not isinstance(right, str | list | Mapping):
        raise Unusable(f"nothing can be in {kind(right)}")
    return left in right


def outside(left: Any, right: Any) -> bool:
    """The opposite of ``within``."""
    return not within(left, right)


def _ordered(left: Any, right: Any) -> None:
    if not (isinstance(left, str) and isinstance(right, str)):
        numbers("a comparison", left, right)


BINARY: Mapping[str, Operation] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "//": floor_divide,
    "%": modulo,
}
UNARY: Mapping[str, Operation] = {"-": negative, "+": positive}
EQUALITIES: Mapping[str, Operation] = {"eq": equal, "ne": unequal}
ORDERINGS: Mapping[str, Operation] = {
    "gt": more,
    "gteq": at_least,
    "lt": less,
    "lteq": at_most,
    "in": within,
    "notin": outside,
}
