"""Files of rows: read one at a time, however long, and known again by a hash."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Final

from connector.rules.consentfile import delimiter

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


def rows_of(raw: IO[bytes]) -> Iterator[tuple[int, list[str] | str]]:
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
