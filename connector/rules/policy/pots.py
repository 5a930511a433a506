"""Pots: the days and months in which texts are counted, and what is held against which limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from connector.rules.policy.limits import Budget, Measure, Pot, Sender

BUDGET = "budget"


def names(
    budget: Budget | None, sender: Sender | None, country: str, zone: str, now: datetime
) -> tuple[Pot, ...]:
    """The pots that a text of now to a number of a country counts in, still empty, by name.

    ``zone`` is the operator's, whose days and months the budget goes by; the carriers' day goes
    by the sender's own.
    """
    found = []
    if budget is not None:
        day, month = now.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).replace(day=1)
        found.append(Pot(f"{BUDGET}:{day:%Y-%m-%d}", _midnight(day + timedelta(days=1))))
        later = (month + timedelta(days=32)).replace(day=1)
        found.append(Pot(f"{BUDGET}:{month:%Y-%m}", _midnight(later)))
    if sender is not None and sender.day_segments and country in sender.countries:
        day = now.astimezone(ZoneInfo(sender.zone))
        found.append(Pot(f"{sender.pot}:{day:%Y-%m-%d}", _midnight(day + timedelta(days=1))))
    return tuple(sorted(found, key=lambda pot: pot.name))


def measures(
    budget: Budget | None, sender: Sender | None, pots: tuple[Pot, ...]
) -> Iterator[Measure]:
    """Each pot against each limit that it has."""
    for pot in pots:
        if sender is not None and pot.name.startswith(f"{sender.pot}:"):
            yield _of_sender(sender, pot)
        elif budget is not None and pot.name.startswith(f"{BUDGET}:"):
            yield from _of_budget(budget, pot)


def _of_sender(sender: Sender, pot: Pot) -> Measure:
    limit, reason = sender.day_segments, "carrier_cap"
    return Measure("carriers' day", "segments", pot, limit, sender.warn, sender.reserve, reason)


def _of_budget(budget: Budget, pot: Pot) -> Iterator[Measure]:
    is_day = pot.name.count("-") == 2
    limits = {
        "money": budget.day_micros if is_day else budget.month_micros,
        "segments": budget.day_segments if is_day else budget.month_segments,
    }
    span, shares = "day" if is_day else "month", (budget.warn, budget.reserve)
    for unit, limit in limits.items():
        if limit is not None:
            yield Measure(span, unit, pot, limit, *shares, reason="budget_spent")


def _midnight(local: datetime) -> datetime:
    """The first instant of a local day, in UTC."""
    start = datetime.combine(local.date(), time.min, local.tzinfo)
    return start.astimezone(ZoneInfo("UTC"))
