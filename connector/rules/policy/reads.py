"""Reads: what the rules of a policy read of a person, so that it can be kept with a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.expressions import Expression
from connector.rules.plays import Condition

OWN: Final = frozenset({"signal", "crm", "play", "now", "history"})
"""Roots that are kept by themselves, or told by the decision."""
HIDDEN: Final = ("contact", "phone")  #: never kept, so that a rule that reads it keeps its answer


@dataclass(frozen=True, slots=True)
class Reads:
    """What the rules for one kind of text read beside the signal and the CRM's facts."""

    names: Mapping[str, tuple[str, ...]]  #: root → what is read below it; () for the root itself
    signals: frozenset[str] = frozenset()  #: whose history is asked for
    segments: frozenset[str] = frozenset()
    opaque: tuple[tuple[str, Condition], ...] = ()
    """Rules that read what is never kept, or nobody can tell what: their answers are kept."""
    watched: tuple[tuple[str, Condition, frozenset[tuple[str, str]]], ...] = ()
    """The other rules, with what each reads of the signal and the CRM: a number may stand there."""


def reads(rules: Iterable[tuple[str, Condition]]) -> Reads:
    """What rules read, by name and condition."""
    names: dict[str, set[str]] = {}
    signals: set[str] = set()
    segments: set[str] = set()
    opaque: list[tuple[str, Condition]] = []
    watched: list[tuple[str, Condition, frozenset[tuple[str, str]]]] = []
    for name, when in rules:
        paths = _paths(when)
        if paths is None or HIDDEN in paths or ("contact", "") in paths:
            opaque.append((name, when))
            continue
        for root, below in paths:
            if root not in OWN:
                names.setdefault(root, set()).add(below)
        of_event = frozenset(path for path in paths if path[0] in ("signal", "crm"))
        watched.append((name, when, of_event))
        signals |= when.signals if isinstance(when, Expression) else set()
        segments |= when.segments if isinstance(when, Expression) else set()
    kept = {root: tuple(sorted(each - {""})) for root, each in names.items()}
    return Reads(kept, frozenset(signals), frozenset(segments), tuple(opaque), tuple(watched))


def _paths(when: Condition) -> set[tuple[str, str]] | None:
    """(root, name below it) of all that a condition reads; None where nobody can tell."""
    if not isinstance(when, Expression):
        return None
    found = set()
    for path in when.paths:
        root, _, rest = path.partition(".")
        found.add((root, rest.partition(".")[0]))
    return found
