"""What mappings can supply: the signals, facts, traits and scopes that other files may name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connector.config.toml import Table
from connector.expressions import Expression, Template, compile_expression

Roots = Mapping[str, frozenset[str] | None]
"""Names an expression may begin with → what may follow the dot; None where that is not known."""

CONTACT: Final = frozenset(
    {"id", "phone", "email", "stage", "first_name", "last_name", "language"}
    | {"country", "region", "postal", "timezone"}
)
SIGNAL: Final = frozenset({"name", "key"})  #: what every signal has beside its facts
OWN: Final[Mapping[str, frozenset[str]]] = {
    "reply": frozenset({"text", "label", "answer", "play", "step"}),
    "click": frozenset({"url", "play", "step"}),
}
"""Signals of our own making, which no mapping has to supply, and their facts."""
MADE: Final[Mapping[str, frozenset[str]]] = {
    "silence": frozenset({"since", "days"}),
    "change": frozenset({"field", "before", "after"}),
    "date": frozenset({"date", "at"}),
    "segment": frozenset({"segment"}),
    "schedule": frozenset({"at", "segment"}),
}
"""What the start of a play that no signal starts has in its place, by kind, and its facts."""
WALK: Final = frozenset(
    {"replied", "reply", "answer", "label", "clicked", "texts", "delivered", "step"}
)
CHANGE: Final = frozenset({"field", "before", "after"})
PLAY: Final = frozenset({"name", "role", "purpose", "regulated"})  #: what policy reads of a play
UNCLEAR: Final = "cannot be understood"  #: begins what is told of such an expression
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
    segments: frozenset[str] | None = None  #: None where they are not known yet
    things: frozenset[str] = frozenset()  #: facts of things: what may follow ``thing.``
    thing_signals: frozenset[str] = frozenset()  #: signals that speak of a thing, not a person
    only_things: frozenset[str] = frozenset()  #: those of them that never speak of a person too
    webhooks: frozenset[str] = frozenset()  #: names under [webhooks] in config.toml

    @property
    def sensitive_things(self) -> frozenset[str]:
        """Facts of things that are never shown."""
        return frozenset().union(*(self.sensitive.get(name, ()) for name in self.thing_signals))

    def with_segments(self, names: frozenset[str] | None) -> Supply:
        """The same with these segments; None where they cannot be told."""
        return replace(self, segments=names)

    @property
    def heard(self) -> frozenset[str]:
        """Every signal that a person may be heard by: those of the mappings and our own."""
        if not self.complete:
            return frozenset()
        return (frozenset(self.signals) | frozenset(OWN)) - self.only_things

    def roots(self, signal: str = "", **more: frozenset[str] | None) -> Roots:
        """What may be read where ``signal`` started it; "" allows the facts of any signal."""
        return {
            "signal": self.facts(signal),
            **self.person(),
            "brand": frozenset(),
            "help_contact": frozenset(),
            "thing": self.things if self.complete else None,
            **more,
        }

    def person(self) -> Roots:
        """What may be read of a person, whatever started it."""
        return {
            "contact": CONTACT | self.traits if self.complete else None,
            "crm": self.crm,
            "now": frozenset(),
            "first_seen": frozenset(),
            "last_seen": frozenset(),
        }

    def facts(self, signal: str = "") -> frozenset[str] | None:
        """What may follow ``signal.``; None where the signal is not known (told elsewhere)."""
        if not self.complete:
            return None
        if not signal:
            return SIGNAL.union(*self.signals.values(), *OWN.values())
        known = self.signals.get(signal, OWN.get(signal))
        return None if known is None else SIGNAL | known


def condition(
    table: Table, key: str, roots: Roots, supply: Supply | None = None
) -> Expression | None:
    """The expression under ``key``, None where absent or at fault.

    With ``supply``, the signals and segments that it asks about are looked for too.
    """
    source = table.text(key, "")
    if not source:
        return None
    try:
        expression = compile_expression(source, strict=True)
    except ValueError as error:
        table.fault(key, f"{UNCLEAR}: {error}", "mend the expression")
        return None
    check_paths(table, key, expression.paths, roots)
    if supply is not None:
        check_names(table, key, expression, supply)
    return expression


def check_names(table: Table, key: str, expression: Expression | Template, supply: Supply) -> None:
    """Report each signal and segment that an expression asks about and nothing supplies."""
    if supply.complete:
        for name in sorted(expression.signals - supply.heard):
            table.fault(
                key,
                f"asks for the signal {name}, which no mapping gives",
                nearest(name, supply.heard),
            )
    if supply.segments is not None:
        for name in sorted(expression.segments - supply.segments):
            table.fault(
                key,
                f"asks for the segment {name}, which is not there",
                nearest(name, supply.segments),
            )


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
