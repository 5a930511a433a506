"""TOML read field by field, so that every fault is found at once and named by file and line."""

from __future__ import annotations

import difflib
import pickle
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connector.errors import Fault

MAX_FILE_BYTES: Final = 1_000_000
REQUIRED: Final[Any] = object()

_SPAN = re.compile(r"^(\d{1,6})\s*(s|m|h|d|w)$")
_LAST = re.compile(r"(\[\d+\]|\.?[^.\[\]]+|.)\Z", re.DOTALL)  # always takes something away
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


class Table:
    """One table of a file the operator wrote.

    Each reader takes a key and a default (``REQUIRED`` makes its absence a fault), checks the
    value, and on a fault records it and returns the default (or a harmless value) so that
    reading goes on. ``done()`` reports the keys nobody asked for.
    """

    def __init__(
        self,
        file: str,
        values: dict[str, Any],
        faults: list[Fault],
        lines: dict[str, int],
        path: str = "",
    ) -> None:
        self.file = file
        self.values = values
        self.faults = faults
        self.path = path
        self.lines = lines
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def where(self, key: str = "") -> str:
        """The dotted path of a key of this table."""
        if not key:
            return self.path
        return f"{self.path}.{key}" if self.path else key

    def line(self, key: str = "") -> int:
        """The line on which the key stands, or its nearest named ancestor's."""
        path = self.where(key)
        while path and path not in self.lines:
            path = _LAST.sub("", path)
        return self.lines.get(path, 1)

    def fault(self, key: str, message: str, remedy: str = "") -> None:
        """Record a fault of this table's ``key`` ("" for the table itself)."""
        self.faults.append(Fault(self.file, self.line(key), self.where(key), message, remedy))

    def raw(self, key: str) -> Any:
        """The value as written, None where absent, unchecked and never shown in a fault."""
        self._asked.add(key)
        return self.values.get(key)

    def _take(self, key: str, default: Any, kind: type | tuple[type, ...], what: str) -> Any:
        self._asked.add(key)
        if key not in self.values:
            if default is REQUIRED:
                self.fault(key, "is missing", f"add {key} = {what}")
            return default
        value = self.values[key]
        wrong_bool = isinstance(value, bool) and kind is not bool
        if not isinstance(value, kind) or wrong_bool:
            self.fault(key, f"is {value!r:.60}, not {what}", f"write {what}")
            return default
        return value

    def text(
        self,
        key: str,
        default: Any = REQUIRED,
        *,
        choices: Iterable[str] = (),
        max_length: int = 4_000,
    ) -> str:
        """A string; with ``choices``, one of them."""
        value = self._take(key, default, str, "a text in quotes")
        allowed = tuple(map(str, choices))
        if value is REQUIRED:
            return allowed[0] if allowed else ""
        if allowed and key in self.values and value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            self.fault(key, f"is {value!r:.60}", f"{hint}one of {', '.join(allowed)}")
            return str(default) if isinstance(default, str) else allowed[0]
        if isinstance(value, str) and len(value) > max_length:
            self.fault(key, f"is {len(value)} characters long", f"at most {max_length}")
            return value[:max_length]
        return str(value) if value is not None else ""

    def flag(self, key: str, default: Any = REQUIRED) -> bool:
        """true or false."""
        value = self._take(key, default, bool, "true or false")
        return value is True

    def number(
        self, key: str, default: Any = REQUIRED, *, low: float = 0, high: float = 1e12
    ) -> float:
        """A number between ``low`` and ``high``, both included."""
        value = self._take(key, default, (int, float), "a number")
        if value is REQUIRED or value is None:
            return low
        if not low <= value <= high:
            self.fault(key, f"is {value}", f"between {low:g} and {high:g}")
            return low
        return float(value)

    def whole(self, key: str, default: Any = REQUIRED, *, low: int = 0, high: int = 10**12) -> int:
        """A whole number between ``low`` and ``high``, both included."""
        value = self._take(key, default, int, "a whole number")
        if value is REQUIRED or value is None:
            return low
        if not low <= value <= high:
            self.fault(key, f"is {value}", f"between {low} and {high}")
            return low
        return int(value)

    def span(self, key: str, default: Any = REQUIRED) -> timedelta:
        """A length of time such as ``30m``, ``24h`` or ``7d``."""
        value = self._take(key, default, str, 'a span such as "30m", "24h" or "7d"')
        if isinstance(value, timedelta):
            return value
        if value is REQUIRED or value is None:
            return timedelta(0)
        found = _SPAN.match(value)
        if not found:
            self.fault(key, f"is {value!r:.60}", 'write a span such as "30m", "24h" or "7d"')
            return timedelta(0)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})

    def words(
        self, key: str, default: Any = REQUIRED, *, choices: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """A list of strings (one string alone is taken as a list of one)."""
        value = self._take(key, default, (list, str), "a list of texts")
        if value is REQUIRED or value is None:
            return ()
        items = (value,) if isinstance(value, str) else tuple(value)
        allowed = tuple(map(str, choices))
        for item in items:
            if not isinstance(item, str):
                self.fault(key, f"holds {item!r:.60}, which is no text", "write texts in quotes")
                return ()
            if allowed and item not in allowed:
                near = difflib.get_close_matches(item, allowed, 1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                self.fault(key, f"holds {item!r:.60}", f"{hint}one of {', '.join(allowed)}")
        return tuple(items)

    def table(self, key: str) -> Table:
        """A table below this one; an empty one where it is absent."""
        value = self._take(key, {}, dict, f"a table [{self.where(key)}]")
        return Table(self.file, value, self.faults, self.lines, self.where(key))

    def tables(self, key: str) -> list[Table]:
        """An array of tables below this one; empty where it is absent."""
        value = self._take(key, [], list, f"tables headed [[{self.where(key)}]]")
        found = []
        for place, item in enumerate(value):
            path = f"{self.where(key)}[{place}]"
            if isinstance(item, dict):
                found.append(Table(self.file, item, self.faults, self.lines, path))
            else:
                self.fault(key, f"holds {item!r:.60}", f"write tables headed [[{self.where(key)}]]")
        return found

    def named(self) -> Iterator[tuple[str, Table]]:
        """Every sub-table of this free-form table by name, such as ``[sources.<name>]``."""
        for key in self.values:
            yield key, self.table(key)

    def free(self) -> dict[str, Any]:
        """All values of a table whose keys are the operator's own; marks them as asked for."""
        self._asked.update(self.values)
        return dict(self.values)

    def done(self) -> None:
        """Report every key that was never asked for, with the nearest one that would be read."""
        for key in self.values:
            if key in self._asked:
                continue
            near = difflib.get_close_matches(key, self._asked, 1)
            known = ", ".join(sorted(self._asked)) or "nothing"
            remedy = f"did you mean {near[0]}?" if near else f"this table takes {known}"
            self.fault(key, "is not known here", remedy)


def read(path: Path, faults: list[Fault], shown_as: str = "") -> Table:
    """The top table of a TOML file.

    An unreadable file is one fault and an empty table, whose own faults would only repeat it
    and go nowhere.
    """
    name = shown_as or str(path)
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            raise ValueError(f"the file has {len(raw)} bytes; at most {MAX_FILE_BYTES} are read")
        source = raw.decode()
        values, lines = _parsed(source)
    except OSError as error:
        reason = error.strerror or str(error)
        faults.append(Fault(name, 0, "", f"cannot be read: {reason}", "create it or fix its mode"))
        return Table(name, {}, [], {})
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else source.count("\n") + 1
        faults.append(Fault(name, line, "", f"is not TOML: {error}", "mend the syntax"))
        return Table(name, {}, [], {})
    except ValueError as error:
        faults.append(Fault(name, 0, "", str(error), "save it as UTF-8 text"))
        return Table(name, {}, [], {})
    except RecursionError:
        faults.append(Fault(name, 0, "", "is nested too deeply", "write fewer lists within lists"))
        return Table(name, {}, [], {})
    return Table(name, pickle.loads(values), faults, lines)  # noqa: S301  what `_parsed` packed


@lru_cache(maxsize=256)
def _parsed(source: str) -> tuple[bytes, dict[str, int]]:
    """What a file says, packed so that each reader has its own, and the lines of its keys.

    A folder is read anew by each reload, comparison and replay, and most of its files are as
    they were.
    """
    return pickle.dumps(tomllib.loads(source)), _find_lines(source)


def _find_lines(source: str) -> dict[str, int]:
    """Dotted path → line, for every header and key that begins a line."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix, quote = "", ""
    for number, line in enumerate(source.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            prefix = _open_header(header[1] == "[[", _plain(header[2]), counts)
            lines.setdefault(prefix, number)
            lines.setdefault(re.sub(r"\[\d+\]$", "", prefix), number)
        elif key := _KEY.match(line):
            path = _plain(key[1])
            lines.setdefault(f"{prefix}.{path}" if prefix else path, number)
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                quote = mark
    return lines


def _open_header(is_array: bool, name: str, counts: dict[str, int]) -> str:
    parts: list[str] = []
    names = name.split(".")
    for place, part in enumerate(names):
        path = ".".join([*parts, part])
        if is_array and place == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        parts.append(f"{part}[{counts[path]}]" if path in counts else part)
    return ".".join(parts)


def _plain(name: str) -> str:
    return re.sub(r"\s*\.\s*", ".", name).replace('"', "").replace("'", "")
