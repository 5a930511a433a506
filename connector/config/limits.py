"""Limits: what ``policy.toml`` says of fatigue, of templates that drive people away, of budgets."""

from __future__ import annotations

import re
import zoneinfo
from datetime import timedelta
from typing import Final

from connector.config.toml import Table
from connector.rules.policy.limits import ANY, Budget, Fatigue, Sender, TemplateAlarm

LONGEST: Final = timedelta(days=3650)
LONGEST_GAP: Final = timedelta(days=365)
SHORTEST_SILENCE: Final = timedelta(days=30)
MOST_MONEY: Final = 1_000_000_000
MICROS: Final = 1_000_000
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def fatigue(top: Table) -> Fatigue | None:
    """The ``[fatigue]`` table; None where there is none."""
    if "fatigue" not in top:
        return None
    table = top.table("fatigue")
    found = Fatigue(
        slow_after=table.whole("slow_after", 0, high=1_000),
        gap=_span(table, "gap", timedelta(days=14), timedelta(hours=1), LONGEST_GAP),
        stop_after=table.whole("stop_after", 0, high=1_000),
    )
    if not (found.slow_after or found.stop_after):
        table.fault("", "says after how many texts nowhere", "add slow_after = 6, stop_after = 12")
    if 0 < found.stop_after <= found.slow_after:
        problem = f"is {found.stop_after}, and slow_after {found.slow_after}"
        table.fault("stop_after", problem, "stop later than you slow down")
    if "gap" in table and not found.slow_after:
        table.fault("gap", "says nothing alone", "add slow_after = 6")
    table.done()
    return found


def inactive_after(top: Table) -> timedelta | None:
    """``after`` of the ``[inactive]`` table; None where there is none."""
    if "inactive" not in top:
        return None
    table = top.table("inactive")
    after = _span(table, "after", None, SHORTEST_SILENCE, LONGEST)
    table.done()
    return after


def template_alarm(top: Table) -> TemplateAlarm | None:
    """The ``[template_alarm]`` table; None where there is none."""
    if "template_alarm" not in top:
        return None
    table = top.table("template_alarm")
    found = TemplateAlarm(
        deliveries=table.whole("deliveries", 200, low=1, high=1_000_000),
        alarm=table.number("alarm", 0.02, low=0.0001, high=1),
        pause=table.number("pause", 0.05, low=0.0001, high=1),
        within=_span(table, "within", timedelta(days=30), timedelta(days=1), timedelta(days=365)),
    )
    if found.pause < found.alarm:
        table.fault("pause", f"is {found.pause:g}, below alarm", "pause at a higher share")
    table.done()
    return found


def budget(top: Table) -> Budget | None:
    """The ``[budget]`` table; None where there is none."""
    if "budget" not in top:
        return None
    table = top.table("budget")
    found = Budget(
        day_micros=_money(table, "money_a_day"),
        month_micros=_money(table, "money_a_month"),
        day_segments=_most(table, "segments_a_day"),
        month_segments=_most(table, "segments_a_month"),
        segment_micros=_money(table, "segment_price") or 0,
        currency=_currency(table),
        warn=table.number("warn_at", 0.8, low=0.01, high=1),
        reserve=table.number("for_service", 0.1, high=0.9),
    )
    money = found.day_micros, found.month_micros
    if money == (None, None) and (found.day_segments, found.month_segments) == (None, None):
        table.fault("", "has no limit", "add money_a_day, money_a_month or segments_a_day")
    if money != (None, None) and not found.segment_micros:
        problem = "is missing, so a text costs nothing until the provider tells its price"
        table.fault("segment_price", problem, "add segment_price = 0.01")
    table.done()
    return found


def sender(name: str, table: Table) -> Sender:
    """One ``[[senders]]`` table; the name is a number, a messaging service, or ``*``."""
    zone = table.text("day_in", "America/Los_Angeles")
    if zone not in zoneinfo.available_timezones():
        table.fault("day_in", f"is {zone!r:.60}, no zone", 'write it: "America/Los_Angeles"')
        zone = "America/Los_Angeles"
    countries = table.words("countries", ("US",))
    for country in countries:
        if not _COUNTRY.fullmatch(country):
            table.fault("countries", f"holds {country!r:.20}", 'two capitals each: ["US"]')
    found = Sender(
        name=name or ANY,
        per_second=table.number("segments_a_second", 0.0, high=10_000),
        day_segments=table.whole("segments_a_day", 0, high=100_000_000),
        zone=zone,
        countries=countries,
        warn=table.number("warn_at", 0.8, low=0.01, high=1),
        reserve=table.number("for_service", 0.1, high=0.9),
    )
    if not (found.per_second or found.day_segments):
        table.fault("", "has no limit", "add segments_a_second = 1 or segments_a_day = 2000")
    return found


def _span(
    table: Table, key: str, default: timedelta | None, shortest: timedelta, longest: timedelta
) -> timedelta:
    found = table.span(key) if default is None else table.span(key, default)
    if key in table and not shortest <= found <= longest:
        table.fault(key, "is out of reach", f"between {_days(shortest)} and {_days(longest)}")
        return default or shortest
    return found


def _days(span: timedelta) -> str:
    return f"{span.days}d" if span.days else f"{span // timedelta(hours=1)}h"


def _money(table: Table, key: str) -> int | None:
    if key not in table:
        return None
    return round(table.number(key, low=0.000001, high=MOST_MONEY) * MICROS)


def _most(table: Table, key: str) -> int | None:
    return table.whole(key, low=1, high=10**12) if key in table else None


def _currency(table: Table) -> str:
    value = table.text("currency", "USD")
    if not _CURRENCY.fullmatch(value):
        table.fault("currency", f"is {value!r:.20}", 'three capitals such as "USD"')
        return "USD"
    return value
