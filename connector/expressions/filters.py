"""The filters, methods and tests an expression may name, each with a bound."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connector.expressions import local
from connector.expressions.arithmetic import joined, numbers
from connector.expressions.values import (
    MAX_LIST,
    MAX_TEXT,
    Missing,
    Operation,
    Unusable,
    bounded,
    item,
    kind,
    printable,
)
from connector.model import Json


def default(value: Any, otherwise: Any = "") -> Json:
    """``otherwise`` where the value is missing, none or an empty text."""
    if value is None or isinstance(value, Missing):
        return otherwise
    return otherwise if isinstance(value, str) and not value.strip() else value


def lower(value: Any) -> Json:
    """The text in small letters."""
    return _text("lower", value).lower()


def upper(value: Any) -> Json:
    """The text in capitals."""
    return _text("upper", value).upper()


def title(value: Any) -> Json:
    """Each word with a capital."""
    return _text("title", value).title()


def trim(value: Any) -> Json:
    """The text without blanks at its ends."""
    return _text("trim", value).strip()


def digits(value: Any) -> Json:
    """Only the digits 0 to 9 of a text or number."""
    return "".join(sign for sign in _text("digits", printable(value)) if sign in "0123456789")


def replace(value: Any, old: Any, new: Any) -> Json:
    """The text with each ``old`` exchanged for ``new``."""
    text, before, after = (_text("replace", each) for each in (value, old, new))
    if len(text) + text.count(before) * (len(after) - len(before)) > MAX_TEXT:
        raise Unusable(f"replace makes a text longer than {MAX_TEXT} characters")
    return text.replace(before, after)


def split(value: Any, separator: Any = None) -> Json:
    """The pieces of a text between separators (blanks, if none is named)."""
    text = _text("split", value)
    return text.split(None if separator is None else _text("split", separator), MAX_LIST - 1)


def startswith(value: Any, prefix: Any) -> Json:
    """Whether the text begins so."""
    return _text("startswith", value).startswith(_text("startswith", prefix))


def endswith(value: Any, suffix: Any) -> Json:
    """Whether the text ends so."""
    return _text("endswith", value).endswith(_text("endswith", suffix))


def truncate(value: Any, length: Any = 40, end: Any = "...") -> Json:
    """At most ``length`` characters, ``end`` included where something was cut off."""
    mark = _text("truncate", end)
    if not isinstance(value, str):
        raise Unusable(f"truncate wants a text, not {kind(value)}")
    if not isinstance(length, int) or not len(mark) < length <= MAX_TEXT:
        raise Unusable(f"truncate wants a length above {len(mark)} and at most {MAX_TEXT}")
    return value if len(value) <= length else value[: length - len(mark)].rstrip() + mark


def cut(value: Any, start: Any, stop: Any) -> Json:
    """``value[start:stop]`` of a text or a list."""
    return _sequence("a cut", value)[start:stop]


def number(value: Any) -> float:
    """The number in a text, or the number itself."""
    if not isinstance(value, str):
        numbers("a number", value, 0)
        return bounded(value)
    if len(value) > 40:
        raise Unusable("the text is too long for a number")
    try:
        return bounded(int(value))
    except ValueError:
        pass
    try:
        return bounded(float(value))
    except ValueError:
        raise Unusable("the text is not a number") from None


def whole(value: Any) -> Json:
    """The whole number in a text or number; a fraction is cut off."""
    return int(number(value))


def decimal(value: Any) -> Json:
    """The number in a text or number, as one with a fraction."""
    return float(number(value))


def rounded(value: Any, places: Any = 0) -> Json:
    """The number with so many places after the point, at most 9; a half goes to the even."""
    numbers("round", value, places)
    if not isinstance(places, int) or not 0 <= places <= 9:
        raise Unusable("round wants between 0 and 9 places")
    return round(bounded(value), places or None)


def first(value: Any) -> Json:
    """The first item of a list or letter of a text; none if it is empty."""
    return item(_sequence("first", value), 0, None)


def last(value: Any) -> Json:
    """The last item of a list or letter of a text; none if it is empty."""
    return item(_sequence("last", value), -1, None)


def find(value: Any, field: Any, wanted: Any) -> Json:
    """The first table of a list whose field (``type``, ``field.type``) is so; none if none is."""
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise Unusable(f"find wants a list of at most {MAX_LIST} items")
    steps = _text("find", field).split(".")
    if wanted is None:
        return None
    return next((part for part in value if _below(part, steps) == wanted), None)


def length(value: Any) -> Json:
    """How many letters, items or keys there are."""
    if not isinstance(value, str | list | Mapping):
        raise Unusable(f"length wants a text, a list or a table, not {kind(value)}")
    return len(value)


def join(value: Any, between: Any = ", ") -> Json:
    """The texts and numbers of a list, written one after the other."""
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise Unusable(f"join wants a list of at most {MAX_LIST} items")
    return joined([printable(part) for part in value], _text("join", between))


def money(value: Any, currency: Any, language: Any, zone: Any) -> Json:
    """An amount with its currency, as the language writes it: ``$1,234.50``, ``1.234,50 €``."""
    code = _text("money", currency).upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Unusable("money wants a currency of three letters")
    return local.money(Decimal(str(number(value))), code, language)


def date(value: Any, form: Any, language: Any, zone: Any) -> Json:
    """A day as the language writes it: ``November 21, 2026``, ``21 de noviembre de 2026``."""
    return local.written_date(value, form, language, zone)


def time(value: Any, form: Any, language: Any, zone: Any) -> Json:
    """An hour as the language writes it: ``3:04 PM``, ``15:04``."""
    return local.written_time(value, form, language, zone)


def get(value: Any, key: Any, otherwise: Any = None) -> Json:
    """The table's value for a key that may be absent."""
    return _table("get", value).get(key, otherwise)


def keys(value: Any) -> Json:
    """The keys of a table."""
    table = _table("keys", value)
    if len(table) > MAX_LIST:
        raise Unusable(f"keys wants a table of at most {MAX_LIST} keys")
    return list(table)


def is_defined(value: Any) -> bool:
    """Whether there is a value; none is no value."""
    return _is_there(value)


def is_undefined(value: Any) -> bool:
    """Whether there is no value."""
    return not is_defined(value)


def is_number(value: Any) -> bool:
    """Whether the value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_there(value: Any) -> bool:
    return value is not None and not isinstance(value, Missing)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{name} wants a text, not {kind(value)}")
    if len(value) > MAX_TEXT:
        raise Unusable(f"{name} takes a text of at most {MAX_TEXT} characters")
    return value


def _below(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = item(value, step, None)
    return value


def _sequence(name: str, value: Any) -> Any:
    if not isinstance(value, str | list):
        raise Unusable(f"{name} wants a list or a text, not {kind(value)}")
    return value


def _table(name: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise Unusable(f"{name} wants a table, not {kind(value)}")
    return value


FILTERS: Mapping[str, Operation] = {
    "digits": digits,
    "find": find,
    "first": first,
    "float": decimal,
    "int": whole,
    "join": join,
    "last": last,
    "length": length,
    "lower": lower,
    "replace": replace,
    "round": rounded,
    "title": title,
    "trim": trim,
    "truncate": truncate,
    "upper": upper,
}
#: These take one value of their own and are handed the reader's language and zone after it.
LOCAL_FILTERS: Mapping[str, Operation] = {"date": date, "money": money, "time": time}
#: What their own value is where it is left out.
LOCAL_DEFAULTS: Mapping[str, str] = {"date": "long", "money": "USD", "time": "short"}
METHODS: Mapping[str, Operation] = {
    "endswith": endswith,
    "get": get,
    "keys": keys,
    "lower": lower,
    "replace": replace,
    "split": split,
    "startswith": startswith,
    "strip": trim,
    "title": title,
    "upper": upper,
}
TESTS: Mapping[str, Operation] = {
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "none": lambda value: value is None,
    "number": is_number,
    "string": lambda value: isinstance(value, str),
    "table": lambda value: isinstance(value, Mapping),
}
#: These alone may be asked of a value that is missing.
FORGIVING_FILTERS: Mapping[str, Operation] = {"default": default}
FORGIVING_TESTS: Mapping[str, Operation] = {"defined": is_defined, "undefined": is_undefined}
