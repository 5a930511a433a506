"""Policy: ``mappings/policy.toml`` as values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from connector.config import toml
from connector.config.supply import Supply, condition
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Expression, compile_all
from connector.model import Purpose, Verdict
from connector.rules.plays import Role
from connector.rules.policy import Cap, Policy, Suppression, Together
from connector.rules.render import version

T = TypeVar("T")

FILE: Final = "policy.toml"
PURPOSES: Final = ("marketing", "service")
LONGEST_WINDOW: Final = timedelta(days=90)  #: what is said is read back this far at most


def load(path: Path, supply: Supply, plays: tuple[str, ...], faults: list[Fault]) -> Policy:
    """Read the policy; ``plays`` are the names that a cap may be of. Faults go to ``faults``."""
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return Policy(version="")
    content = path.read_text(encoding="utf-8")
    suppressions = _each(top, "suppress", lambda name, table: _rule(name, table, supply))
    policy = Policy(
        version=version(content),
        caps=_each(top, "caps", lambda name, table: _cap(name, table, plays)),
        gap=_span(top, "gap", timedelta(0), timedelta(days=7)),
        suppressions=suppressions,
        together=_together(suppressions),
        window_margin=_span(top, "window_margin", timedelta(minutes=15), timedelta(hours=4)),
        stop_scope=top.text("stop_scope", "all", choices=("all", "marketing")),
        content=content,
    )
    top.done()
    return policy


def _together(rules: tuple[Suppression, ...]) -> Together | None:
    """All conditions as one function: a text passes them twice, and nearly none is ever true."""
    conditions = {rule.name: rule.when for rule in rules if isinstance(rule.when, Expression)}
    if not rules or len(conditions) < len(rules):
        return None
    return compile_all(conditions, strict=True)


def _span(top: Table, key: str, default: timedelta, longest: timedelta) -> timedelta:
    span = top.span(key, default)
    if span > longest:
        hours = longest // timedelta(hours=1)
        top.fault(key, "would hold nearly every text", f"at most {hours}h")
        return default
    return span


def _each(top: Table, key: str, read: Callable[[str, Table], T | None]) -> tuple[T, ...]:
    found = []
    names: set[str] = set()
    for table in top.tables(key):
        name = table.text("name", max_length=60)
        if name in names:
            table.fault("name", f"is {name!r} again", "give each its own name")
        names.add(name)
        item = read(name, table)
        table.done()
        if item is not None:
            found.append(item)
    return tuple(found)


def _cap(name: str, table: Table, plays: tuple[str, ...]) -> Cap:
    cap = Cap(
        name=name,
        purpose=Purpose(table.text("purpose", choices=PURPOSES)),
        count=table.whole("count", low=1, high=1000),
        per=table.span("per"),
        play=table.text("play", "", choices=("", "*", *plays)),
    )
    if "per" in table and not timedelta(0) < cap.per <= LONGEST_WINDOW:
        table.fault("per", "is no window", f"write a span up to {LONGEST_WINDOW.days}d")
    return cap


def _rule(name: str, table: Table, supply: Supply) -> Suppression | None:
    if "when" not in table:
        table.fault("when", "is missing", 'add when = "contact.… == …"')
    roots = {**supply.roots(), "play": None}
    when = condition(table, "when", roots, supply)
    says = table.text("says", f"suppressed by the rule {name!r}")
    verdict = Verdict(table.text("verdict", "stop", choices=("stop", "wait")))
    purposes = table.words("purposes", ("marketing",), choices=PURPOSES)
    roles = table.words("roles", (), choices=list(Role))
    return Suppression(name, when, says, verdict, purposes, roles) if when else None
