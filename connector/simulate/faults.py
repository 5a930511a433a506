"""Faults: what the steps log as failed while a world runs, which is nobody's plan."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ALARM: Final = "act=alarm "  #: how ``steps/alarm`` begins


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was said, and the error itself; an alarm tells somebody, and nothing failed."""
        if record.getMessage().startswith(ALARM):
            return
        error = record.exc_info[1] if record.exc_info else None
        says = f": {type(error).__name__}: {error}" if error else ""
        self._heard.append(f"{record.getMessage()}{says}")


@contextmanager
def listening() -> Iterator[list[str]]:
    """What the steps log as failed inside the block; the rest of their log goes nowhere."""
    log, heard = logging.getLogger("connector"), list[str]()
    before, handlers = log.propagate, log.handlers[:]
    log.handlers, log.propagate = [_Listener(heard)], False
    try:
        yield heard
    finally:
        log.handlers, log.propagate = handlers, before
