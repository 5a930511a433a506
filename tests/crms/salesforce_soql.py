"""As much of Salesforce's query language as the adapter speaks, read and applied to rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Value = Callable[[Row, str], Any]  # (row, path) → what stands there
Test = Callable[[Row], bool]

QUERY = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<source>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: GROUP BY (?P<group>[\w.]+))?(?: ORDER BY (?P<order>.+?))?(?: LIMIT (?P<limit>\d+))?",
    re.DOTALL,
)
TOKEN = re.compile(
    r"\s*(?:(?P<stamp>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<number>\d+)|(?P<text>'(?:\\.|[^'\\])*')"
    r"|(?P<sign>>=|<=|=|>|<|\(|\)|,)|(?P<word>[A-Za-z][\w.]*))"
)
ESCAPED = re.compile(r"\\(.)")


class Malformed(Exception):
    """Salesforce would answer 400 MALFORMED_QUERY."""


class Query:
    """One query, taken apart."""

    def __init__(self, soql: str) -> None:
        found = QUERY.fullmatch(soql)
        if found is None:
            raise Malformed(soql)
        self.source = found["source"]
        self.fields = [field.strip() for field in found["fields"].split(",")]
        self.group = found["group"] or ""
        self.order = [part.split() for part in (found["order"] or "").split(",") if part]
        self.limit = int(found["limit"] or 50_000)
        self.where = found["where"] or ""
        self.names: list[str] = []  # of fields that the condition names

    def rows(self, rows: list[Row], value: Value) -> list[Row]:
        """The rows that it selects, in its order."""
        test = _Condition(self.where, value, self.names).read() if self.where else None
        kept = [row for row in rows if test is None or test(row)]
        for name, *way in reversed(self.order):
            kept = _sorted(kept, value, name, way == ["DESC"])
        return kept[: self.limit]


def _sorted(rows: list[Row], value: Value, name: str, downwards: bool) -> list[Row]:
    return sorted(rows, key=lambda row: _key(value(row, name)), reverse=downwards)


def _key(value: Any) -> tuple[int, Any]:
    return (0, "") if value is None else (1, value)


class _Condition:
    """A condition as a test of rows, by recursive descent; AND and OR mixed need brackets."""

    def __init__(self, text: str, value: Value, names: list[str]) -> None:
        self._tokens = list(_tokens(text))
        self._value, self._names = value, names

    def read(self) -> Test:
        test = self._several()
        if self._tokens:
            raise Malformed(str(self._tokens))
        return test

    def _several(self) -> Test:
        tests = [self._one()]
        joint = ""
        while self._tokens and self._tokens[0][1] in ("AND", "OR"):
            word = self._next()[1]
            if joint not in ("", word):
                raise Malformed("unexpected token: AND and OR are mixed without brackets")
            joint = word
            tests.append(self._one())
        every = all if joint == "AND" else any
        return lambda row: every(test(row) for test in tests)

    def _one(self) -> Test:
        if self._tokens[0] == ("sign", "("):
            self._next()
            test = self._several()
            self._wants(")")
            return test
        name = self._next()[1]
        self._names.append(name)
        sign = self._next()[1]
        if sign == "IN":
            return self._within(name)
        given = self._literal()
        return lambda row: _compare(self._value(row, name), sign, given)

    def _within(self, name: str) -> Test:
        self._wants("(")
        given = {_folded(self._literal())}
        while self._tokens[0][1] == ",":
            self._next()
            given.add(_folded(self._literal()))
        self._wants(")")
        return lambda row: _folded(self._value(row, name)) in given

    def _literal(self) -> Any:
        kind, text = self._next()
        if kind == "text":
            return ESCAPED.sub(r"\1", text[1:-1]) if "%" not in text else text[1:-1]
        if kind == "stamp":
            return text.replace("Z", "+0000")
        if text in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text]
        if kind == "number":
            return int(text)
        raise Malformed(text)

    def _wants(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise Malformed(f"{sign} is missing")

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise Malformed("unexpected end")
        return self._tokens.pop(0)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        token = TOKEN.match(text, at)
        if token is None:
            raise Malformed(text[at:])
        found.append((str(token.lastgroup), token[str(token.lastgroup)]))
        at = token.end()
    return found


def _compare(held: Any, sign: str, given: Any) -> bool:
    if sign == "LIKE":
        pattern = "".join(".*" if one == "%" else re.escape(one) for one in str(given))
        return re.fullmatch(pattern, str(held or ""), re.IGNORECASE | re.DOTALL) is not None
    if sign == "=":
        return bool(_folded(held) == _folded(given))
    if held is None:
        return False
    found = {">": held > given, ">=": held >= given, "<": held < given, "<=": held <= given}
    return bool(found[sign])


def _folded(value: Any) -> Any:
    """Text is compared without case."""
    return value.lower() if isinstance(value, str) else value
