"""What a value of an expression may be, how it is read out of a context, and its bounds.

Values are what JSON knows. Two readings of an absent value exist: *strict* (policy, plays,
texts), where touching it raises, and *lenient* (mappings), where it is none and none is
catching: an operation on none gives none, and none is neither more nor less than anything.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined

from connector.model import Json

MAX_TEXT: Final = 4_096  #: characters in one text an expression makes or gives
MAX_SIZE: Final = 16_384  #: values and characters in one list or table an expression gives
MAX_DEPTH: Final = 32  #: lists within lists in a result
MAX_NUMBER: Final = 2**63 - 1
MAX_LIST: Final = 1_000  #: items of a list an expression makes

Operation = Callable[..., Json]
Missing = StrictUndefined  #: stands for a path that leads nowhere; its hint is the path

_KINDS = {
    bool: "a truth value",
    dict: "a table",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
    type(None): "none",
}


class Unusable(Exception):
    """An operation was given what it cannot take; the message never holds a value."""


def kind(value: Any) -> str:
    """What a value is, in words: a text, a number, a list …"""
    return _KINDS.get(type(value), "something else")


def checked(value: Any, limit: int = MAX_SIZE) -> Json:
    """The value itself if it is bounded JSON; raises ``Unusable`` (or Jinja's undefined error)."""
    if value is True or value is False:  # of nearly every condition
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise Unusable(f"the result is longer than {MAX_TEXT} characters")
        return value if type(value) is str else str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bounded(value)
    if isinstance(value, list | dict):
        _measure(value, limit)
        return value
    if isinstance(value, Missing):
        fail(value)
    raise Unusable("the result is not a plain value")


def fail(value: Missing) -> NoReturn:
    """Raise Jinja's undefined error, whose message is the path that has no value."""
    value._fail_with_undefined_error()


def bounded(value: float) -> float:
    """The number itself if it is finite and fits 64 bits."""
    if not math.isfinite(value) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise Unusable("the number is out of range")
    return value


def printable(value: Json) -> str:
    """A text or a number as it stands in a text; 42.0 is written 42."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"{kind(value)} cannot stand in a text")
    return f"{value:.15g}" if isinstance(value, float) else str(bounded(value))


def item(value: Any, key: Any, absent: Any) -> Any:
    """One item of a table (by its key), a list or a text (by its place)."""
    if isinstance(value, Mapping):
        return value.get(key, absent)
    whole = isinstance(key, int) and not isinstance(key, bool)
    if whole and isinstance(value, list | str) and -len(value) <= key < len(value):
        return value[key]
    return absent


def strict(operation: Operation) -> Operation:
    """The operation, raising where an operand is missing."""

    @functools.wraps(operation)
    def guarded(*operands: Any) -> Json:
        for operand in operands:
            if type(operand) is Missing:
                fail(operand)
        return operation(*operands)

    return guarded


def lenient(operation: Operation, result: Json = None, operands: int = 1) -> Operation:
    """The operation, giving ``result`` where one of its first ``operands`` is none."""

    @functools.wraps(operation)
    def caught(*values: Any) -> Json:
        return result if None in values[:operands] else operation(*values)

    return caught


def _measure(value: list[Any] | dict[Any, Any], limit: int) -> None:
    """Raise if the value holds more than ``limit`` values and characters, or nests too deeply."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for part in level:
            limit -= len(part) + 1
            if isinstance(part, dict):
                limit -= sum(map(len, part))
                part = list(part.values())
            if limit < 0:
                raise Unusable("the result is too large")
            limit -= sum(_weight(each, below) for each in part)
        if not below:
            break
        level = below
    if limit < 0 or below:
        raise Unusable("the result is too large or nested too deeply")


def _weight(part: Any, below: list[Any]) -> int:
    """Characters of a text; a list or table is put off to the level below."""
    if isinstance(part, str):
        return len(part)
    if isinstance(part, list | dict):
        below.append(part)
    else:
        checked(part)
    return 0
