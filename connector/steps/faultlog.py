"""The log's own faults as alarms: whatever is logged as an error, a person should hear of."""

from __future__ import annotations

import logging
import re
from collections import deque
from dataclasses import dataclass
from typing import Final

KEPT: Final = 200  #: faults that wait to be told; more of them are the same storm
SAYS: Final = 300  #: letters of a line that are kept

_WORD: Final = re.compile(r"(\w+)=(\S+)")
_ABOUT: Final = ("check", "play", "source", "provider", "crm", "child", "job", "what", "result")
_OURS: Final = "alarm"  #: the act of lines that tell of an alarm already


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of the log, as an alarm is raised of it."""

    kind: str
    about: str
    says: str


class FaultLog(logging.Handler):
    """Keeps errors until they are taken; it writes nothing itself, so it never holds up a step.

    Lines of the log name no person and no secret, so what is kept of them may be told. Two are
    the same alarm where the same act failed about the same thing.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._kept: deque[Fault] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error."""
        line = record.getMessage()
        words = dict(_WORD.findall(line))
        act = words.get("act", record.name.partition(".")[0])
        if act == _OURS:
            return
        about = next((f"{name}={words[name]}" for name in _ABOUT if name in words), "")
        self._kept.append(Fault(f"{act}_failed", about, f"{line[:SAYS]}; see the log."))

    def take(self) -> list[Fault]:
        """Every error kept since the last call."""
        return [self._kept.popleft() for _ in range(len(self._kept))]
