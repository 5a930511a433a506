"""The two environments expressions run in, strict and lenient, and a compiled piece of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.lexer import TokenStream
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connector.expressions import arithmetic, filters
from connector.expressions.functions import FUNCTIONS
from connector.expressions.shape import BUDGET, LOOP
from connector.expressions.values import (
    MAX_TEXT,
    Missing,
    Operation,
    Unusable,
    fail,
    item,
    kind,
    lenient,
    printable,
    strict,
)
from connector.model import Json

MAX_ROUNDS: Final = 300  #: loop rounds of one text, all its loops together
MAX_EACH: Final = 100  #: items of a list a text may go through

_RESULT: Final = "_result"
_ABSENT: Final = object()


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with our operations only; the shaped tree names nothing else."""

    intercepted_binops = frozenset(arithmetic.BINARY)
    intercepted_unops = frozenset(arithmetic.UNARY)

    def __init__(self, *, is_strict: bool) -> None:
        super().__init__(autoescape=False, optimized=False, undefined=Missing, cache_size=0)
        self.is_strict = is_strict
        self.globals.clear()
        self.tests.clear()
        self.filters = _strict_operations() if is_strict else _lenient_operations()
        self.binop_table = {sign: self.filters[sign] for sign in arithmetic.BINARY}
        self.unop_table = {sign: self.filters[f"{sign}1"] for sign in arithmetic.UNARY}
        self.eval_ctx = EvalContext(self)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Only ``loop.index`` and its like; all else was shaped into an operation."""
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        raise SecurityError("no attribute of an object can be read")

    def getitem(self, obj: Any, argument: Any) -> NoReturn:
        """Never reached by a shaped tree."""
        raise SecurityError("no item of an object can be read")

    def call(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never reached by a shaped tree."""
        raise SecurityError("nothing can be called")

    def columns(self, source: str) -> TokenStream:
        """The tokens of an expression, each bearing its column where Jinja keeps a line."""
        return TokenStream(self.lexer.wrap(self._pieces(source)), None, None)

    def _pieces(self, source: str) -> Iterator[tuple[int, str, str]]:
        column = 1
        for _, token, value in self.lexer.tokeniter(source, None, None, "variable"):
            yield column, token, value
            column += len(value)


class Scope(Context):
    """Jinja's context without what a shaped tree cannot ask for; many are made for each text."""

    def __init__(self, sandbox: Sandbox, values: dict[str, Any]) -> None:
        self.environment = sandbox
        self.eval_ctx = sandbox.eval_ctx
        self.parent = values
        self.vars = {}


class Program:
    """A shaped tree (a template, or expressions) compiled when first used."""

    __slots__ = ("_blanks", "_render", "_sandbox", "_tree", "roots")

    def __init__(
        self, sandbox: Sandbox, paths: Iterable[str], tree: nodes.Template | list[nodes.Expr]
    ) -> None:
        roots = sorted({each.partition(".")[0] for each in paths})
        self.roots = frozenset(roots)
        self._sandbox = sandbox
        self._tree = tree
        self._blanks = {root: Missing(root) if sandbox.is_strict else None for root in roots}
        self._render: Any = None

    @property
    def expressions(self) -> list[nodes.Expr]:
        """The shaped expressions, for use in another program."""
        return self._tree if isinstance(self._tree, list) else []

    def values(self, context: Mapping[str, Json]) -> list[Any]:
        """The unchecked values of the expressions, in their order."""
        scope = self._scope(context)
        for _ in self._render(scope):
            pass
        found: list[Any] = scope.vars[_RESULT]
        return found

    def text(self, context: Mapping[str, Json], limit: int) -> str:
        """The template written out; ``Unusable`` as soon as it passes ``limit`` characters."""
        scope = self._scope(context)
        pieces: list[str] = []
        for piece in self._render(scope):
            limit -= len(piece)
            if limit < 0:
                raise Unusable("the text is too long")
            pieces.append(piece)
        return "".join(pieces)

    def compile(self) -> None:
        """Make the function; done when first used, since most rules of a file rarely are."""
        tree = self._tree
        if isinstance(tree, list):
            target = nodes.Name(_RESULT, "store")
            tree = nodes.Template([nodes.Assign(target, nodes.List(tree))], lineno=1)
        tree.set_environment(self._sandbox)
        self._render = self._sandbox.from_string(tree).root_render_func

    def _scope(self, context: Mapping[str, Json]) -> Scope:
        if self._render is None:
            self.compile()
        values: dict[str, Any] = {
            root: context.get(root, blank) for root, blank in self._blanks.items()
        }
        if not isinstance(self._tree, list):
            values[BUDGET] = [MAX_ROUNDS]
        return Scope(self._sandbox, values)


def _strict_path(value: Any, steps: tuple[str | int, ...], label: str) -> Any:
    for step in steps:
        value = value.get(step, _ABSENT) if type(value) is dict else item(value, step, _ABSENT)
        if value is _ABSENT:
            return _missing(label)
    return value


@lru_cache(maxsize=1024)
def _missing(label: str) -> Missing:
    """What stands for a path that leads nowhere, made once."""
    return Missing(label)


def _strict_item(value: Any, key: Any) -> Any:
    if isinstance(key, Missing):
        fail(key)
    found = item(value, key, _ABSENT)
    return Missing("an item in brackets") if found is _ABSENT else found


def _lenient_path(value: Any, steps: tuple[str | int, ...], label: str) -> Any:
    for step in steps:
        if value is None:
            return None
        value = value.get(step) if type(value) is dict else item(value, step, None)
    return value


def _lenient_item(value: Any, key: Any) -> Any:
    return item(value, key, None)


def _list(_: None, *values: Any) -> Any:
    return list(values)


def _table(_: None, *values: Any) -> Any:
    return dict(zip(values[::2], values[1::2], strict=True))


def _each(value: Any, budget: list[int]) -> Any:
    """The list a loop goes through, taken off the text's budget of rounds."""
    if isinstance(value, Missing):
        fail(value)
    if not isinstance(value, list) or len(value) > MAX_EACH:
        raise Unusable(f"a loop goes through a list of at most {MAX_EACH}, not {kind(value)}")
    budget[0] -= len(value)
    if budget[0] < 0:
        raise Unusable(f"the loops make more than {MAX_ROUNDS} rounds")
    return value


def _print(value: Any, label: str) -> str:
    """A value as it stands in the text; an empty one is as good as missing."""
    if isinstance(value, Missing):
        fail(value)
    text = "" if value is None else printable(value)
    if not text.strip():
        fail(Missing(label))
    if len(text) > MAX_TEXT:
        raise Unusable(f"a value in the text is longer than {MAX_TEXT} characters")
    return text


def _strict_operations() -> dict[str, Operation]:
    found = {name: strict(operation) for name, operation in _operations().items()}
    found |= {"path": _strict_path, "item": _strict_item, "each": _each, "print": _print}
    for name, operation in filters.LOCAL_FILTERS.items():
        found[name] = _strict_but_for_reader(operation)
    return found | _forgiving()


def _lenient_operations() -> dict[str, Operation]:
    found = {name: lenient(operation) for name, operation in _operations().items()}
    for name, operation in {**arithmetic.BINARY, **arithmetic.ORDERINGS}.items():
        result = None if name in arithmetic.BINARY else name == "notin"
        found[name] = lenient(operation, result, 2)
    found |= {f"is {name}": operation for name, operation in filters.TESTS.items()}
    found |= arithmetic.EQUALITIES
    found["~"] = lenient(arithmetic.concat, None, MAX_TEXT)
    found |= {"path": _lenient_path, "item": _lenient_item, "list": _list, "table": _table}
    for name, operation in filters.LOCAL_FILTERS.items():
        found[name] = lenient(operation, None, 2)
    return found | _forgiving()


def _operations() -> dict[str, Operation]:
    found: dict[str, Operation] = {"~": arithmetic.concat, "cut": filters.cut}
    found |= {"list": _list, "table": _table}
    found |= {**filters.FILTERS, **arithmetic.BINARY}
    found |= {**arithmetic.EQUALITIES, **arithmetic.ORDERINGS}
    found |= {f"{sign}1": operation for sign, operation in arithmetic.UNARY.items()}
    found |= {f".{name}": operation for name, operation in filters.METHODS.items()}
    found |= {f"is {name}": operation for name, operation in filters.TESTS.items()}
    return found


def _strict_but_for_reader(operation: Operation) -> Operation:
    """The operation, raising where a value of its own is missing; language and zone may be."""

    def guarded(value: Any, own: Any, language: Any, zone: Any) -> Json:
        for operand in (value, own):
            if isinstance(operand, Missing):
                fail(operand)
        return operation(value, own, language, zone)

    return guarded


def _forgiving() -> dict[str, Operation]:
    functions = {f"{name}()": found.operation for name, found in FUNCTIONS.items()}
    tests = {f"is {name}": operation for name, operation in filters.FORGIVING_TESTS.items()}
    return {**filters.FORGIVING_FILTERS, **tests, **functions}


STRICT: Final = Sandbox(is_strict=True)
LENIENT: Final = Sandbox(is_strict=False)
