"""Progress of one long act, on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from connector.cli import output


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


@contextmanager
def counted(width: int, *, quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """What shows how far a count has come whose end nobody knows; called with (where, how many).

    ``width`` is of the words before the bar. Nothing is shown where nobody looks.
    """
    screen = output.console(stderr=True)
    if quiet or not screen.is_terminal:
        yield lambda where, count: None
        return
    words = TextColumn(f"{{task.description:<{width}}}", markup=False)
    columns = (words, BarColumn(bar_width=30), MofNCompleteColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda where, count: progress.update(task, description=where, completed=count)
