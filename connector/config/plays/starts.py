"""The ``[start]`` table in each of its forms."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connector import cron
from connector.config.plays import fields
from connector.config.plays.forms import Form, check_form, form_of
from connector.config.supply import Roots, Supply, condition, nearest
from connector.config.toml import Table
from connector.expressions import compile_expression
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

MOST_PEOPLE: Final = 1_000_000
ANY_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)  #: a line that is not due after it never is
_NUMBERED: Final = re.compile(r"(?<![/\d])\d")


def read_start(table: Table, supply: Supply) -> Start:
    """The start of a play; faults go to the table's."""
    form = form_of(table.values)
    check_form(table, form)
    roots = form.roots(supply)
    _check_thing(table, form, supply)
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
        **_special(table, form, supply, roots),
    )
    _check(table, start)
    table.done()
    return start


def _signal(table: Table, form: Form, supply: Supply) -> str:
    if "signal" not in table:
        return ""
    if form.kind is Kind.thing:
        name = table.text("signal", choices=sorted(supply.thing_signals))
        if supply.complete and not supply.thing_signals:
            table.fault("signal", "speaks of no thing", 'a mapping must say thing = "product"')
        return name
    if table.values["signal"] in supply.only_things:
        remedy = 'say whom to tell: cares = ["product_viewed"], or segment = "…"'
        table.fault("signal", "speaks of a thing and of no person", remedy)
        return table.text("signal")
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


def _special(table: Table, form: Form, supply: Supply, roots: Roots) -> dict[str, Any]:
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
        return {"schedule": _schedule(table, supply)}
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


def _schedule(table: Table, supply: Supply) -> Schedule:
    line, zone = table.text("schedule"), table.text("zone")
    if zone and zone not in zoneinfo.available_timezones():
        table.fault("zone", f"is {zone!r:.60}, no zone", 'write its IANA name: "America/New_York"')
        zone = ""
    if line and (why := _line_fault(line)):
        table.fault("schedule", *why)
    segment = _segment(table, "segment", supply)
    return Schedule(line, zone, segment, table.whole("limit", 100_000, low=1, high=MOST_PEOPLE))


def _line_fault(line: str) -> tuple[str, str] | None:
    """What is amiss with a cron line, and what to do; None where nothing is."""
    if why := cron.fault(line, "UTC"):
        return f"is no cron line: {why}", 'write five fields, as in "0 10 * * MON"'
    if _NUMBERED.search(line.split()[4]):
        return "counts weekdays, which not all do from the same day", "name them: MON, or MON-FRI"
    if cron.next_fire(line, "UTC", ANY_DAY) is None:
        return "is never due", "name a day that the month has"
    return None


def _segment(table: Table, key: str, supply: Supply) -> str:
    name = table.text(key)
    known_segment(table, key, name, supply)
    return name


def known_segment(table: Table, key: str, name: str, supply: Supply) -> None:
    """Report a segment that is not there."""
    known = supply.segments
    if name and known is not None and name not in known:
        table.fault(key, f"names {name!r:.60}, no segment of segments.toml", nearest(name, known))


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
    return Date(
        path=path,
        offset=fields.offset(table, "offset"),
        at=fields.hour(table, "at"),
        yearly=table.flag("yearly", False),
        leap_day=table.text("leap_day", "02-28", choices=("02-28", "03-01")),
        look_back=fields.positive(table, "look_back")
        if "look_back" in table
        else timedelta(days=30),
    )


def _check_thing(table: Table, form: Form, supply: Supply) -> None:
    """A condition on a thing is asked once for all: it cannot ask about a person."""
    source = table.values.get("where")
    if form.kind is not Kind.thing or not isinstance(source, str):
        return
    try:
        where = compile_expression(source, strict=True)
    except ValueError:
        return  # told as the condition is read
    known = {"signal", "thing", "before", "now"}
    asked = sorted({path.partition(".")[0] for path in where.paths} - known)
    if where.signals or where.segments or any(root in supply.roots() for root in asked):
        what = f"reads {asked[0]}" if asked else "asks what a person did"
        message = f"{what}, and is asked of the thing, once for all people"
        table.fault("where", message, "write it as the play's audience")


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
