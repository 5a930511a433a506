"""What commands print: tables for people, one JSON object per line for programs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import click
import orjson
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connector import clock

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_TRAILING = re.compile(r" +$", re.MULTILINE)
_UNBOUNDED = 10_000  # columns: piped tables are never folded, so that grep sees whole rows

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Add ``--json`` to a command, which receives it as ``as_json``."""
    text = "Print JSON, one object per line."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


class _Piped:
    """A stream whose lines do not end in blanks, which a table's last column is filled up with."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text that holds whole lines."""
        self._stream.write(_TRAILING.sub("", text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; unbounded in a pipe; without colour for NO_COLOR."""
    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.file = cast(IO[str], _Piped(sys.stderr if stderr else sys.stdout))
        if "COLUMNS" not in os.environ:
            found.width = _UNBOUNDED
    return found


def say(message: str = "", style: str = "") -> None:
    """Print one line (or a few) to stdout, with nothing in it understood as mark-up."""
    console().print(_CONTROLS.sub("", message), style=style or None, soft_wrap=True)


def indented(message: str, style: str = "", by: int = 2) -> None:
    """Print a sentence a few blanks in, in as many lines as the screen needs."""
    out = console()
    text = Text(_CONTROLS.sub("", message), style=style)
    out.print(Padding(text, (0, 0, 0, by), expand=False))


def when(written: object) -> str:
    """An instant of the ledger as a table shows it, to the minute; "" for none."""
    return f"{written[:10]} {written[11:16]}Z" if isinstance(written, str) and written else ""


def rows(
    items: Iterable[Mapping[str, Any]],
    columns: Sequence[str] | Mapping[str, str],
    *,
    as_json: bool = False,
    title: str = "",
) -> int:
    """Print items as a table of ``columns`` (key, or key → heading) or as JSON lines.

    JSON holds every key of each item, also those the table has no column for. Returns how
    many there were.
    """
    found = list(items)
    if as_json:
        for item in found:
            json_line(item)
        return len(found)
    headings = columns if isinstance(columns, Mapping) else {key: key for key in columns}
    out = console()
    table = Table(
        title=title or None,
        title_justify="left",
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        pad_edge=False,
    )
    for key, heading in headings.items():  # an id is for copying, so it is never folded
        table.add_column(heading.replace("_", " "), overflow="fold", no_wrap=key == "id")
    for item in found:
        table.add_row(*(Text(plain(item.get(key))) for key in headings))
    out.print(table)
    return len(found)


def record(item: Mapping[str, Any], *, as_json: bool = False, title: str = "") -> None:
    """Print one thing as lines of ``name  value``, or as one JSON object."""
    if as_json:
        json_line(item)
        return
    out = console()
    if title:
        out.print(Text(plain(title), style="bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in item.items():
        grid.add_row(name.replace("_", " "), Text(plain(value)))
    out.print(grid)


def json_line(item: Any) -> None:
    """Print one JSON object on one line: keys sorted, instants as fixed-width UTC text."""
    click.echo(orjson.dumps(item, default=_known, option=_JSON))


def plain(value: Any) -> str:
    """A value as a person reads it, without anything that could steer a terminal."""
    return _CONTROLS.sub("", " ".join(_words(value).split()))


def _words(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_words(item)}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_words(item) for item in value) or "-"
    return str(value)


def _known(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.text(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    return str(value)  # a secret's text is ***


_JSON = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
