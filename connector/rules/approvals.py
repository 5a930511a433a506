"""Approvals: whether enough different people stand behind something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

STARTED: Final = "start"  #: who put a version live where a process was merely started on it
SIGNALLED: Final = "signal"  #: who asked for a reload by a signal, which bears no name
NOBODY: Final = frozenset({STARTED, SIGNALLED, ""})


def missing(proposer: str, approvers: Iterable[str]) -> int:
    """How many more different people must approve what ``proposer`` put live; 0 where none.

    Two people must stand behind it. Whoever put it live with their own name is one of them, and
    their own approval adds nothing; where a start or a signal did, nobody is, and two approve.
    A person is the same by whichever door they come: ``operator:bea`` is ``api:bea``.
    """
    first = person(proposer)
    others = {person(who) for who in approvers} - {first, ""}
    return max(0, (1 if first else 2) - len(others))


def person(who: str) -> str:
    """Who an actor is, whichever door they came by; "" for nobody in particular."""
    return "" if who in NOBODY else who.rpartition(":")[2].strip().casefold()
