"""Policy: ``mappings/policy.toml`` as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from connector.config import limits, toml
from connector.config.eligibility import AROUND, Around, ages, number_checks
from connector.config.expiry import expiry
from connector.config.lists import FOLDER, load_lists
from connector.config.segments import read_of_crm
from connector.config.supply import PLAY, Supply, condition
from connector.config.toml import Table
from connector.errors import Fault
from connector.expressions import Expression, compile_all
from connector.model import Purpose, Verdict
from connector.rules.plays import Role, Segment
from connector.rules.policy import Cap, Policy, Suppression, Together
from connector.rules.policy.limits import CHANNELS, SMS
from connector.rules.render import version

T = TypeVar("T")

FILE: Final = "policy.toml"
PURPOSES: Final = ("marketing", "service")
LONGEST_WINDOW: Final = timedelta(days=90)  #: what is said is read back this far at most


def load(
    path: Path,
    supply: Supply,
    plays: tuple[str, ...],
    faults: list[Fault],
    segments: Mapping[str, Segment] | None = None,
    around: Around = AROUND,
) -> Policy:
    """Read the policy; ``plays`` are the names that a cap may be of. Faults go to ``faults``."""
    known = len(faults)
    top = toml.read(path, faults)
    if len(faults) > known:
        return Policy(version="")
    content = path.read_text(encoding="utf-8")
    suppressions = _each(
        top, "suppress", lambda name, table: _rule(name, table, supply, segments or {})
    )
    folder = around.lists or path.parent / FOLDER
    lists = load_lists(top.table("suppression"), folder, around.country)
    content = "\n".join(filter(None, (content, lists.content)))
    policy = Policy(
        version=version(content),
        caps=_each(top, "caps", lambda name, table: _cap(name, table, plays)),
        gap=_span(top, "gap", timedelta(0), timedelta(days=7)),
        suppressions=suppressions,
        together=_together(suppressions),
        window_margin=_span(top, "window_margin", timedelta(minutes=15), timedelta(hours=4)),
        stop_scope=top.text("stop_scope", "all", choices=("all", "marketing")),
        fatigue=limits.fatigue(top),
        inactive_after=limits.inactive_after(top),
        template_alarm=limits.template_alarm(top),
        budget=limits.budget(top),
        senders=_each(top, "senders", limits.sender),
        expiries=_each(top, "consent_expiry", expiry),
        content=content,
        numbers=number_checks(top.table("numbers"), around),
        ages=ages(top.table("facts"), supply, around.crm),
        lists=lists,
    )
    top.done()
    return policy


def _together(rules: tuple[Suppression, ...]) -> dict[tuple[str, str], Together]:
    """For each kind of text, all its conditions as one function.

    A text passes them twice, and nearly none is ever true. Those of other purposes and roles are
    not among them, so that what they read, a person's history too, is not read in vain.
    """
    found: dict[tuple[str, str], Together] = {}
    for purpose in PURPOSES:
        for role in ("", *Role):
            mine = [rule for rule in rules if rule.concerns(purpose, str(role))]
            whens = {rule.name: rule.when for rule in mine if isinstance(rule.when, Expression)}
            if whens and len(whens) == len(mine):
                found[purpose, str(role)] = compile_all(whens, strict=True)
    return found


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
        channels=table.words("channels", (SMS,), choices=(SMS, *CHANNELS)),
    )
    if cap.play and cap.channels != (SMS,):
        table.fault("channels", "are not of one play", "leave out play, or channels")
    if "per" in table and not timedelta(0) < cap.per <= LONGEST_WINDOW:
        table.fault("per", "is no window", f"write a span up to {LONGEST_WINDOW.days}d")
    return cap


def _rule(
    name: str, table: Table, supply: Supply, segments: Mapping[str, Segment]
) -> Suppression | None:
    if "when" not in table:
        table.fault("when", "is missing", 'add when = "contact.… == …"')
    roots = {**supply.roots(), "play": PLAY}
    when = condition(table, "when", roots, supply)
    says = table.text("says", f"suppressed by the rule {name!r}")
    verdict = Verdict(table.text("verdict", "stop", choices=("stop", "wait")))
    purposes = table.words("purposes", ("marketing",), choices=PURPOSES)
    roles = table.words("roles", (), choices=list(Role))
    if when is None:
        return None
    return Suppression(name, when, says, verdict, purposes, roles, read_of_crm([when], segments))
