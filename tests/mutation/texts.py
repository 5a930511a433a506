"""How a text may be broken: each condition held and not held, each value left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

IF: Final = re.compile(r"\{%-?\s*(?:if|elif)\s(.*?)-?%\}")
PRINT: Final = re.compile(r"\{\{(.*?)\}\}")
BRAND: Final = "brand"


def broken(source: str) -> Iterator[tuple[str, str]]:
    """(what was done, the text then)."""
    for found in IF.finditer(source):
        start, end = found.span(1)
        for way, test in (("always", "1 == 1 "), ("never", "1 == 2 ")):
            yield f"{way} if {found[1].strip()}", source[:start] + test + source[end:]
    for found in PRINT.finditer(source):
        if found[1].strip() != BRAND:  # tests/library holds every text to begin with it
            yield f"without {found[1].strip()}", source[: found.start()] + source[found.end() :]


def printed(source: str) -> Iterator[tuple[int, int, str]]:
    """Each value that a text prints, with where it stands."""
    for found in PRINT.finditer(source):
        yield found.start(1), found.end(1), found[1]
