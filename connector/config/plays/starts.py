"""The ``[start]`` table in each of its forms."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connector.config.plays import fields
from connector.config.supply import CHANGE, MADE, SIGNAL, Roots, Supply, condition, nearest
from connector.config.toml import Table
from connector.rules.plays import (
    Change,
    Date,
    Edge,
    FanOut,
    Kind,
    Once,
    Restart,
    Schedule,
    Silence,
    Start,
    Threshold,
)

FORMS: Final = ("signal", "silence", "changed", "date", "enters", "leaves", "schedule", "hand")
"""A start has exactly one of these, save that ``date`` may stand beside ``signal``."""
MOST_PEOPLE: Final = 1_000_000

NextFire = Callable[[str, str], str]
"""Why a cron line in a zone is no good, "" where it is."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a ``[start]`` table is, before it is read."""

    kind: Kind
    signal: str

    def roots(self, supply: Supply) -> Roots:
        """What expressions may read where this started the play."""
        if self.signal:
            more: dict[str, frozenset[str] | None] = {}
            if self.kind is Kind.thing:
                more["before"] = supply.facts(self.signal)
            return supply.roots(self.signal, **more)
        known = SIGNAL | MADE.get(self.kind.value, frozenset())
        roots = {**supply.roots(), "signal": None if self.kind is Kind.hand else known}
        return {**roots, "change": CHANGE} if self.kind is Kind.change else roots


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


def read_start(table: Table, supply: Supply, cron_fault: NextFire) -> Start:
    """The start of a play; faults go to the table's."""
    form = form_of(table.values)
    _check_form(table)
    roots = form.roots(supply)
    start = Start(
        signal=_signal(table, form, supply),
        where=condition(table, "where", roots, supply),
        after=fields.bounded(table, "after", timedelta(0)),
        unless=table.words("unless", (), choices=sorted(supply.heard)),
        key=condition(table, "key", roots, supply),
        once=Once(table.text("once", "key", choices=list(Once))),
        cooldown=fields.positive(table, "cooldown") if "cooldown" in table else None,
        restart=Restart(table.text("restart", "ignore", choices=list(Restart))),
        **_counted(table, form),
        **_special(table, form, supply, roots, cron_fault),
    )
    _check(table, start)
    table.done()
    return start


def _check_form(table: Table) -> None:
    found = [name for name in FORMS if name in table]
    if not found:
        table.fault("signal", "is missing", f"say what starts it: one of {', '.join(FORMS)}")
    elif len(found) > 1 and found != ["signal", "date"]:
        table.fault(found[1], f"does not go with {found[0]}", "keep one of them")


def _signal(table: Table, form: Form, supply: Supply) -> str:
    if "signal" not in table:
        return ""
    if form.kind is Kind.thing:
        name = table.text("signal", choices=sorted(supply.thing_signals))
        if supply.complete and not supply.thing_signals:
            table.fault("signal", "speaks of no thing", 'a mapping must say thing = "product"')
        return name
    return table.text("signal", choices=sorted(supply.heard))


def _counted(table: Table, form: Form) -> dict[str, Any]:
    if form.kind is not Kind.signal:
        return {}
    found: dict[str, Any] = {
        "count": table.whole("count", 1, low=1, high=1000),
        "within": fields.positive(table, "within") if "within" in table else None,
        "first": table.flag("first", False),
    }
    return found


def _special(
    table: Table, form: Form, supply: Supply, roots: Roots, cron_fault: NextFire
) -> dict[str, Any]:
    """What is particular to the form: one or no value of ``Start``."""
    if form.kind is Kind.silence:
        since = table.text("since", "activity", choices=("activity", "first_seen"))
        return {"silence": Silence(fields.positive(table, "silence"), since)}
    if form.kind is Kind.change:
        return {"change": _change(table, supply)}
    if form.kind is Kind.threshold:
        return {"threshold": _threshold(table, supply, roots)}
    if form.kind is Kind.thing:
        return {"fan_out": _fan_out(table, supply)}
    if form.kind is Kind.segment:
        key = "enters" if "enters" in table else "leaves"
        return {"edge": Edge(_segment(table, key, supply), key == "enters")}
    if form.kind is Kind.schedule:
        return {"schedule": _schedule(table, supply, cron_fault)}
    if form.kind is Kind.hand:
        if not table.flag("hand"):
            table.fault("hand", "is false", "write hand = true, or say what else starts it")
        return {}
    return {"date": _date(table, form, supply)} if "date" in table else {}


def _change(table: Table, supply: Supply) -> Change:
    path = table.text("changed")
    root, _, name = path.partition(".")
    known = {"contact": supply.person()["contact"], "crm": supply.crm}.get(root, frozenset())
    if path != "stage" and (not name or (known is not None and name not in known)):
        names = {"stage", *(f"{root}.{each}" for each in known or ())}
        table.fault("changed", f"is {path!r:.60}, which nothing supplies", nearest(path, names))
    choices = supply.stages if path == "stage" else ()
    return Change(
        path, table.words("from", (), choices=choices), table.words("to", (), choices=choices)
    )


def _threshold(table: Table, supply: Supply, roots: Roots) -> Threshold:
    for key in ("measure", "threshold"):
        if key not in table:
            table.fault(key, "is missing", 'write measure = "signal.used / signal.limit"')
    level = table.number("threshold", 0.0, low=-1e12)
    rearm = table.number("rearm_below", level, low=-1e12)
    if rearm > level:
        table.fault("rearm_below", "is above the threshold", "write the threshold or less")
    measure = condition(table, "measure", roots, supply)
    return Threshold(measure or (lambda _: None), level, rearm, level)


def _fan_out(table: Table, supply: Supply) -> FanOut:
    if ("cares" in table) == ("segment" in table):
        table.fault("cares", "or segment is wanted, and one of them only", "say whom to tell")
    return FanOut(
        table.words("cares", (), choices=sorted(supply.heard)),
        fields.positive(table, "within") if "within" in table else timedelta(days=30),
        _segment(table, "segment", supply) if "segment" in table else "",
        table.whole("limit", 100_000, low=1, high=MOST_PEOPLE),
    )


def _schedule(table: Table, supply: Supply, cron_fault: NextFire) -> Schedule:
    cron, zone = table.text("schedule"), table.text("zone")
    if zone and zone not in zoneinfo.available_timezones():
        table.fault("zone", f"is {zone!r:.60}, no zone", 'write its IANA name: "America/New_York"')
    elif cron and zone and (why := cron_fault(cron, zone)):
        table.fault("schedule", f"is no cron line: {why}", 'as in "0 10 * * MON"')
    segment = _segment(table, "segment", supply)
    return Schedule(cron, zone, segment, table.whole("limit", 100_000, low=1, high=MOST_PEOPLE))


def _segment(table: Table, key: str, supply: Supply) -> str:
    name = table.text(key)
    known = supply.segments
    if name and known is not None and name not in known:
        table.fault(key, f"is {name!r:.60}, no segment of segments.toml", nearest(name, known))
    return name


def _date(table: Table, form: Form, supply: Supply) -> Date:
    path = table.text("date")
    root, _, name = path.partition(".")
    roots: dict[str, frozenset[str] | None] = {
        "contact": supply.person()["contact"],
        "crm": supply.crm,
    }
    if form.signal:
        roots = {"signal": supply.facts(form.signal)}
    known = roots.get(root, frozenset())
    if not name or (known is not None and name not in known):
        names = [f"{base}.{each}" for base, below in roots.items() for each in below or ()]
        table.fault("date", f"is {path!r:.60}, which nothing supplies", nearest(path, names))
    yearly = table.flag("yearly", False) if not form.signal else False
    return Date(
        path=path,
        offset=fields.offset(table, "offset"),
        at=fields.hour(table, "at"),
        yearly=yearly,
        leap_day=table.text("leap_day", "02-28", choices=("02-28", "03-01")),
        look_back=fields.positive(table, "look_back")
        if "look_back" in table
        else timedelta(days=30),
    )


def _check(table: Table, start: Start) -> None:
    if start.once is Once.contact and start.cooldown is not None:
        table.fault("cooldown", 'has no effect beside once = "contact"', "leave one of them out")
    if start.count > 1 and start.within is None:
        table.fault("count", "has no window", 'add within = "24h"')
    if start.within is not None and start.count == 1:
        table.fault("within", "counts nothing", "add count = 2, or leave it out")
    if start.first and start.count > 1:
        table.fault("first", "does not go with count", "keep one of them")
    if start.unless and not start.after and start.date is None:
        remedy = 'add after = "60m", the time it has to come in'
        table.fault("unless", "has no time to happen in", remedy)
