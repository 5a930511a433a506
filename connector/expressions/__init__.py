"""The one expression language: Jinja in a sandbox, every operation of it bounded.

``compile_expression`` for one value, ``compile_all`` for many that are asked together (one
function, so that its context is built once), ``compile_template`` for texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.parser import Parser

from connector.errors import ExpressionFailed
from connector.expressions.sandbox import LENIENT, STRICT, Program, Sandbox
from connector.expressions.shape import Fault, Shaper
from connector.expressions.texts import TextShaper
from connector.expressions.values import MAX_SIZE, Unusable, checked
from connector.model import Json

MAX_SOURCE: Final = 2_000  #: characters of one expression
MAX_TEMPLATE: Final = 10_000  #: characters of a template, and of what it makes
KEPT: Final = 4_096  #: compiled ones: files say the same often, and every reload says it again

Context = Mapping[str, Json]
"""What an expression may read, by its first name: contact, signal, properties …"""

_TROUBLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RecursionError,
    TemplateError,
    TypeError,
    Unusable,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled expression; call it with a context to get its value.

    ``paths`` are the dotted paths it reads. Raises ``ExpressionFailed``, coded ``fact_missing``
    where a strict one touches a path without a value, ``expression_failed`` for anything else.
    """

    source: str
    paths: frozenset[str]
    _program: Program = field(repr=False, compare=False)
    _limit: int = MAX_SIZE
    signals: frozenset[str] = frozenset()  #: whose history it asks for
    segments: frozenset[str] = frozenset()

    def __call__(self, context: Context) -> Json:
        """The value of the expression over a context."""
        try:
            return checked(self._program.values(context)[0], self._limit)
        except _TROUBLE as error:
            raise _explained(error) from None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Many named expressions compiled into one function; no more than one context is built."""

    expressions: Mapping[str, Expression]
    paths: frozenset[str]
    _program: Program = field(repr=False, compare=False)
    signals: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    def __call__(self, context: Context) -> dict[str, Json]:
        """All values by name; ``ExpressionFailed`` begins with the name of the one that failed."""
        try:
            values = map(checked, self._program.values(context))
            return dict(zip(self.expressions, values, strict=True))
        except ExpressionFailed:
            self._find_fault(context)
            raise
        except _TROUBLE as error:
            self._find_fault(context)
            raise _explained(error) from None

    def _find_fault(self, context: Context) -> None:
        for name, expression in self.expressions.items():
            try:
                expression(context)
            except ExpressionFailed as error:
                raise ExpressionFailed(f"{name}: {error}", error.code) from None


@dataclass(frozen=True, slots=True)
class Template:
    """One compiled text; call it with a context to get it written out.

    A missing, none or empty value raises ``ExpressionFailed`` coded ``fact_missing``: a text
    with a hole is never made.
    """

    source: str
    paths: frozenset[str]
    _program: Program = field(repr=False, compare=False)
    signals: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    def __call__(self, context: Context) -> str:
        """The text for a context."""
        try:
            return self._program.text(context, MAX_TEMPLATE)
        except _TROUBLE as error:
            raise _explained(error) from None


@lru_cache(maxsize=KEPT)
def compile_expression(source: str, *, strict: bool, limit: int = MAX_SIZE) -> Expression:
    """One expression; ``ValueError`` names the column of a fault.

    ``limit`` bounds the values and characters of a list or table it gives.
    """
    sandbox = STRICT if strict else LENIENT
    node, shaper = _parse(source, sandbox)
    paths = frozenset(shaper.paths)
    program = Program(sandbox, paths | shaper.roots, [node])
    names = frozenset(shaper.signals), frozenset(shaper.segments)
    return Expression(source, paths, program, limit, *names)


def compile_all(sources: Mapping[str, str | Expression], *, strict: bool) -> Bundle:
    """Many expressions as one function; ``ValueError`` begins with the name of a faulty one.

    An ``Expression`` that is compiled already (with the same strictness) is taken as it is.
    """
    sandbox = STRICT if strict else LENIENT
    expressions: dict[str, Expression] = {}
    parts: list[nodes.Expr] = []
    for name, source in sources.items():
        try:
            one = (
                source
                if isinstance(source, Expression)
                else compile_expression(source, strict=strict)
            )
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        parts += one._program.expressions
        expressions[name] = one
    each = expressions.values()
    none: frozenset[str] = frozenset()
    paths = none.union(*(one.paths for one in each))
    roots = none.union(*(one._program.roots for one in each))
    signals = none.union(*(one.signals for one in each))
    segments = none.union(*(one.segments for one in each))
    return Bundle(expressions, paths, Program(sandbox, roots, parts), signals, segments)


@lru_cache(maxsize=KEPT)
def compile_template(source: str) -> Template:
    """One text; ``ValueError`` names the line of a fault."""
    if len(source) > MAX_TEMPLATE:
        raise ValueError(f"has {len(source)} characters; at most {MAX_TEMPLATE} are taken")
    shaper = TextShaper()
    try:
        tree = shaper.visit(STRICT.parse(source))
    except (Fault, TemplateSyntaxError, RecursionError, ValueError) as error:
        raise ValueError(_readable(error, "line")) from None
    paths = frozenset(shaper.paths)
    program = Program(STRICT, paths | shaper.roots, tree)
    program.compile()
    names = frozenset(shaper.signals), frozenset(shaper.segments)
    return Template(source, paths, program, *names)


def _parse(source: str, sandbox: Sandbox) -> tuple[nodes.Expr, Shaper]:
    if len(source) > MAX_SOURCE:
        raise ValueError(f"has {len(source)} characters; at most {MAX_SOURCE} are taken")
    if not source.strip():
        raise ValueError("is empty")
    shaper = Shaper(is_told=not sandbox.is_strict)
    try:
        parser = Parser(sandbox, source, state="variable")
        parser.stream = sandbox.columns(source)
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise Fault("expected the end here", parser.stream.current.lineno)
        node = shaper.visit(tree)
    except (Fault, TemplateSyntaxError, RecursionError, ValueError) as error:
        raise ValueError(_readable(error, "column")) from None
    return node, shaper


def _readable(error: Exception, unit: str) -> str:
    """The fault in words, begun by its line, or by its column within an expression."""
    if isinstance(error, Fault):
        return f"{unit} {error.at}: {error}"
    if not isinstance(error, TemplateSyntaxError):
        return "is too long or nested too deeply; split it up"
    message, at = str(error.message), error.lineno
    before, _, place = message.rpartition(" at ")
    if unit == "column" and place.isdecimal():  # Jinja's lexer counts letters from 0 itself
        message, at = before, int(place) + 1
    return f"{unit} {at}: {message.replace('end of template', 'end').rstrip('.')}"


def _explained(error: Exception) -> ExpressionFailed:
    """Why it failed, in words that hold no value of the context."""
    if isinstance(error, UndefinedError):
        return ExpressionFailed(f"{error.message} has no value", "fact_missing")
    if isinstance(error, Unusable):
        return ExpressionFailed(str(error))
    if isinstance(error, ArithmeticError):
        return ExpressionFailed("a division by zero, or a number out of range")
    return ExpressionFailed("the values do not go together")
