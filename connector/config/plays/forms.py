"""Which form a ``[start]`` table has, which keys go with it, and what may be read by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.config.supply import CHANGE, MADE, SIGNAL, Roots, Supply
from connector.config.toml import Table
from connector.rules.plays import Kind

FORMS: Final = ("signal", "silence", "changed", "date", "enters", "leaves", "schedule", "hand")
"""A start has exactly one of these, save that ``date`` may stand beside ``signal``."""
SAID_BY: Final = {
    Kind.signal: "signal",
    Kind.silence: "silence",
    Kind.change: "changed",
    Kind.threshold: "threshold",
    Kind.date: "date",
    Kind.thing: "cares",
    Kind.segment: "enters",
    Kind.schedule: "schedule",
    Kind.hand: "hand",
}
"""The key that tells a form from the others, for people."""
ONLY: Final[Mapping[str, tuple[Kind, ...]]] = {
    "count": (Kind.signal,),
    "first": (Kind.signal,),
    "key": (Kind.signal,),
    "within": (Kind.signal, Kind.thing),
    "since": (Kind.silence,),
    "from": (Kind.change,),
    "to": (Kind.change,),
    "measure": (Kind.threshold,),
    "rearm_below": (Kind.threshold,),
    "date": (Kind.date,),
    "offset": (Kind.date,),
    "at": (Kind.date,),
    "yearly": (Kind.date,),
    "leap_day": (Kind.date,),
    "look_back": (Kind.date,),
    "cares": (Kind.thing,),
    "segment": (Kind.thing, Kind.schedule),
    "limit": (Kind.thing, Kind.schedule),
    "zone": (Kind.schedule,),
}
"""Keys that mean something in some forms only."""
BESIDE_SIGNAL: Final = ("date", "offset", "at")
"""Keys of a date that also go with a signal which bears it."""
NOT_IN: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.schedule: {"where": "write it as the play's audience"},
    Kind.hand: {
        "where": "write it as the play's audience",
        "after": "let the first step wait",
    },
}
"""Keys that mean nothing in a form though they do in most, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a ``[start]`` table is, before it is read."""

    kind: Kind
    signal: str

    def roots(self, supply: Supply) -> Roots:
        """What ``where`` and the like may read; of a thing also what was known ``before``."""
        roots = self.of_person(supply)
        if self.kind is Kind.thing:
            return {**roots, "before": supply.things if supply.complete else None}
        return roots

    def of_person(self, supply: Supply) -> Roots:
        """What the audience may read: all that is known as the play starts for a person."""
        roots = self.later(supply)
        return {**roots, "change": CHANGE} if self.kind is Kind.change else roots

    def later(self, supply: Supply) -> Roots:
        """What steps, texts and ends may read, which come after the start."""
        if self.signal:
            return supply.roots(self.signal)
        known = SIGNAL | MADE.get(self.kind.value, frozenset())
        return {**supply.roots(), "signal": None if self.kind is Kind.hand else known}


def form_of(table: Mapping[str, Any]) -> Form:
    """Which form a ``[start]`` table has, by its keys; a signal where nothing tells."""
    signal = table.get("signal")
    name = signal if isinstance(signal, str) else ""
    if name and ("measure" in table or "threshold" in table):
        return Form(Kind.threshold, name)
    if name and ("cares" in table or "segment" in table):
        return Form(Kind.thing, name)
    if "signal" in table:
        return Form(Kind.signal, name)
    kinds = {
        "silence": Kind.silence,
        "changed": Kind.change,
        "date": Kind.date,
        "enters": Kind.segment,
        "leaves": Kind.segment,
        "schedule": Kind.schedule,
        "hand": Kind.hand,
    }
    return Form(next((kind for key, kind in kinds.items() if key in table), Kind.signal), "")


def check_form(table: Table, form: Form) -> None:
    """A start has one form, and only keys that mean something in it."""
    found = [name for name in FORMS if name in table]
    if not found:
        table.fault("signal", "is missing", f"say what starts it: one of {', '.join(FORMS)}")
        return
    if len(found) > 1 and (form.kind is not Kind.signal or found != ["signal", "date"]):
        table.fault(found[1], f"does not go with {SAID_BY[form.kind]}", "keep one of them")
    for key in table.values:
        if remedy := _why_not(key, form, found):
            table.raw(key)
            if key not in found[1:]:
                table.fault(key, f"does not go with {SAID_BY[form.kind]}", remedy)


def _why_not(key: str, form: Form, found: list[str]) -> str:
    """What to do about a key that means nothing in a form, "" where it does."""
    if key in NOT_IN.get(form.kind, {}):
        return NOT_IN[form.kind][key]
    if key not in ONLY or form.kind in ONLY[key]:
        return ""
    if form.kind is Kind.signal and key in BESIDE_SIGNAL and "date" in found:
        return ""
    beside = " or ".join(SAID_BY[kind] for kind in ONLY[key])
    return f"leave it out; it goes with {beside}"
