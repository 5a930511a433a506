"""What mappings can supply: the signals, facts, traits and scopes that other files may name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connector.config.toml import Table
from connector.expressions import Expression, compile_expression

Roots = Mapping[str, frozenset[str] | None]
"""Names an expression may begin with → what may follow the dot; None where that is not known."""

CONTACT: Final = frozenset(
    {"id", "phone", "email", "stage", "first_name", "last_name", "language"}
    | {"country", "region", "postal", "timezone"}
)
SIGNAL: Final = frozenset({"name", "key"})  #: what every signal has beside its facts
SCOPES: Final = frozenset({"cart_reminders"})  #: known even where no mapping grants them


@dataclass(frozen=True, slots=True)
class Supply:
    """All names that the source mappings, the stages and the CRM mapping make known."""

    signals: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: signal → its facts
    sensitive: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: those never shown
    traits: frozenset[str] = frozenset()
    crm: frozenset[str] | None = None  #: the CRM's facts, None where its mapping lists none
    scopes: frozenset[str] = SCOPES
    stages: tuple[str, ...] = ()
    complete: bool = True  #: false where a mapping could not be read: then names are not checked

    def roots(self, signal: str = "", **more: frozenset[str] | None) -> Roots:
        """What may be read where ``signal`` started it; "" allows the facts of any signal."""
        return {
            "signal": self.facts(signal),
            "contact": CONTACT | self.traits if self.complete else None,
            "crm": self.crm,
            "brand": frozenset(),
            "help_contact": frozenset(),
            "now": frozenset(),
            **more,
        }

    def facts(self, signal: str = "") -> frozenset[str] | None:
        """What may follow ``signal.``; None where the signal is not known (told elsewhere)."""
        if not self.complete:
            return None
        if not signal:
            return SIGNAL.union(*self.signals.values())
        known = self.signals.get(signal)
        return None if known is None else SIGNAL | known


def condition(table: Table, key: str, roots: Roots) -> Expression | None:
    """The expression under ``key``, None where absent or at fault."""
    source = table.text(key, "")
    if not source:
        return None
    try:
        expression = compile_expression(source, strict=True)
    except ValueError as error:
        table.fault(key, f"cannot be understood: {error}", "mend the expression")
        return None
    check_paths(table, key, expression.paths, roots)
    return expression


def check_paths(table: Table, key: str, paths: Iterable[str], roots: Roots) -> None:
    """Report each path that nothing supplies, with the nearest one that something does."""
    for path in sorted(paths):
        root, _, rest = path.partition(".")
        if root not in roots:
            table.fault(key, f"reads {path}, which nothing supplies", nearest(root, roots))
            continue
        below, first = roots[root], rest.partition(".")[0]
        if first and below is not None and first not in below:
            names = [f"{root}.{name}" for name in below]
            table.fault(key, f"reads {path}, which nothing supplies", nearest(path, names))


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy: the nearest known name, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is {', '.join(names)}" if names else "there is none yet"
