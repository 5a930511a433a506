"""Progress of one long act, on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
from types import TracebackType


class Bar:
    """Called with (what, done, all) as often as there is news; shows whole percents."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._shows = sys.stderr.isatty() and not quiet
        self._told = ""

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._told:
            sys.stderr.write("\r\x1b[K")

    def __call__(self, what: str, done: int, total: int) -> None:
        """There is news."""
        line = f"{what}: {100 * done // max(total, 1)} %"
        if self._shows and line != self._told:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
            self._told = line
