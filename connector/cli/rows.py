"""Files of rows: read one at a time, however long, and known again by a hash; what their columns
are called, and which lines were at fault."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Final, TypeVar

import click

from connector.cli import Faulty, output
from connector.rules.consentfile import delimiter

Columns = TypeVar("Columns")
Row = tuple[int, list[str] | str]
"""The line that a row ends on, and its cells or (a string) why it is none."""

BLOCK: Final = 1 << 20
MOST_CELL: Final = 131_072  #: characters of one cell
MOST_LINE: Final = 4 * MOST_CELL  #: bytes of one line; of more the rest is left out


def digest(path: Path) -> str:
    """A hash of a file's content: sha256, hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as raw:
        while block := raw.read(BLOCK):
            found.update(block)
    return found.hexdigest()


mapping_option: Final = click.option(
    "--mapping",
    "named",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Which column of the file is ours, e.g. phone=Mobile; may be repeated.",
)


def pairs(named: Sequence[str]) -> dict[str, str]:
    """Which column of the file is ours; raises ``BadParameter`` where that is not said."""
    for pair in named:
        if not all(pair.partition("=")):
            raise click.BadParameter(f"{pair!r:.60}: write OURS=THEIRS, such as phone=Mobile")
    return dict(pair.partition("=")[::2] for pair in named)


def columns_of(
    rows: Iterator[Row], read: Callable[[list[str]], Columns], remedy: str
) -> tuple[int, list[str], Columns]:
    """The first row, with its line, and what ``read`` finds in it; raises ``Faulty``."""
    number, head = next(rows, (1, "is empty"))
    if isinstance(head, str):
        raise Faulty(f"the file {head}; {remedy}")
    try:
        return number, head, read(head)
    except ValueError as error:
        raise Faulty(str(error)) from error


def counted(faults: int) -> str:
    """How many lines are at fault, in words."""
    return "1 line at fault" if faults == 1 else f"{faults} lines at fault"


def say_faults(faults: int, samples: Sequence[tuple[int, str]]) -> None:
    """Tell the first lines that are at fault, and how many more there are."""
    for line, why in samples:
        output.say(f"  line {line}: {why}")
    if faults > len(samples):
        output.say(f"  … and {faults - len(samples)} more lines")


def rows_of(raw: IO[bytes]) -> Iterator[Row]:
    """The rows of a CSV file with the line each ends on, one at a time; or why one is none."""
    csv.field_size_limit(MOST_CELL)
    lines = _lines(raw)
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=delimiter(first))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "cannot be read; it is too long, or no line of a CSV file"
            continue
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _lines(raw: IO[bytes]) -> Iterator[str]:
    """Its lines as text, without a byte order mark; read on as they are wanted."""
    first = True
    while line := raw.readline(MOST_LINE):
        if len(line) == MOST_LINE and not line.endswith(b"\n"):
            while (rest := raw.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                pass  # what is left of a line that is cut is no line of its own
        text = line.decode("utf-8", "replace")
        yield text.removeprefix("\ufeff") if first else text
        first = False
