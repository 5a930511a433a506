"""How an expression may be broken: its operators, its constants, the names it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

TOKEN: Final = re.compile(
    r"'(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?|[A-Za-z_][\w.]*|[<>=!]=|\s+|.", re.DOTALL
)
SPAN: Final = re.compile(r"(-?)(\d+)([smhdw])")
SMALLER: Final = {"w": (7, "d"), "d": (24, "h"), "h": (60, "m"), "m": (60, "s")}
OTHERS: Final = {
    ">=": (">", "<"),
    ">": (">=", "<="),
    "<=": ("<", ">"),
    "<": ("<=", ">="),
    "==": ("!=",),
    "!=": ("==",),
    "and": ("or",),
    "or": ("and",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "true": ("false",),
    "false": ("true",),
}
OTHER: Final = "another"
FAR: Final = 1000  #: what stands in for an absent value is moved so far


def spans(text: str) -> Iterator[str]:
    """A span twice as long and half as long."""
    found = SPAN.fullmatch(text)
    if not found:
        return
    sign, count, unit = found[1], int(found[2]), found[3]
    yield f"{sign}{2 * count}{unit}"
    if count % 2:
        size, unit = SMALLER.get(unit, (1, unit))
        count *= size
    if count // 2:
        yield f"{sign}{count // 2}{unit}"


def numbers(text: str, by: int = 1) -> Iterator[str]:
    """A number a little higher and a little lower."""
    if "." in text:
        yield f"{float(text) + 0.01:g}"
        yield f"{float(text) - 0.01:g}"
        return
    yield str(int(text) + by)
    yield str(int(text) - by)


def after(name: str, known: Sequence[str]) -> Iterator[str]:
    """Another of some names: the one that stands after it."""
    others = sorted({*known, name})
    if len(others) > 1:
        yield others[(others.index(name) + 1) % len(others)]


class Words:
    """The tokens of an expression, and each way to break one of them."""

    def __init__(self, source: str, names: Sequence[Sequence[str]]) -> None:
        self.tokens = [found[0] for found in TOKEN.finditer(source)]
        self.names = names  #: kinds of names, each with all there are

    def broken(self) -> Iterator[tuple[str, str]]:
        """(what was done, the expression then)."""
        for place, token in enumerate(self.tokens):
            for new in self._others(place, token):
                changed = [*self.tokens[:place], new, *self.tokens[place + 1 :]]
                told = f"{token} becomes {new}" if new else f"without {token}"
                yield told, "".join(changed)

    def _others(self, place: int, token: str) -> Iterator[str]:
        before, next_ = self._word(place, -1), self._word(place, 1)
        if token == "not":
            yield ""
        elif token == "in":
            yield from ("not in",) if before != "not" else ()
        elif token[0] == "'":
            yield from (f"'{new}'" for new in self._texts(token[1:-1]))
        elif token[0].isdigit():
            is_default = before == "(" and self._word(place, -2) == "default"
            yield from numbers(token, FAR if is_default else 1)
        elif before == "|" and next_ != "(" and token != "default":
            yield "string"  # the filter that changes nothing about a text
        elif token not in "+-*/" or before not in ("(", ",", ""):
            yield from OTHERS.get(token, ())

    def _texts(self, text: str) -> Iterator[str]:
        if SPAN.fullmatch(text):
            yield from spans(text)
            return
        for known in self.names:
            if text in known:
                yield from after(text, known)
                return
        yield OTHER

    def _word(self, place: int, steps: int) -> str:
        """The token some words before or after, spaces not counted; "" where there is none."""
        way = 1 if steps > 0 else -1
        while steps and 0 <= (place := place + way) < len(self.tokens):
            steps -= 0 if self.tokens[place].isspace() else way
        return self.tokens[place] if 0 <= place < len(self.tokens) else ""
