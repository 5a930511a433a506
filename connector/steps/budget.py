"""The budget: what a text will cost is reserved as it is begun, and corrected as it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.ledger import alarms, spending
from connector.ledger.store import Tx
from connector.rules.policy import Facts, pots
from connector.rules.policy.limits import Measure, Pot, sender_of
from connector.steps.alarm import alarm
from connector.steps.setup import Setup

WARNED, SPENT = "budget_warning", "budget_spent"


def reserve(tx: Tx, rt: Setup, facts: Facts, send_id: str, now: datetime) -> None:
    """Put a text that is begun into its pots; tell somebody where one is nearly full."""
    if not facts.pots:
        return
    names = [pot.name for pot in facts.pots]
    spending.add(tx, names, facts.segments, facts.cost_micros)
    spending.note(tx, send_id, names, facts.segments, facts.cost_micros)
    filled = tuple(
        replace(pot, segments=pot.segments + facts.segments, micros=pot.micros + facts.cost_micros)
        for pot in facts.pots
    )
    before = {(each.pot.name, each.unit): each for each in _measures(rt, facts, facts.pots)}
    for after in _measures(rt, facts, filled):
        _tell(tx, rt, before[after.pot.name, after.unit], after, now)


def correct(tx: Tx, rt: Setup, send_id: str) -> None:
    """Bring the pots in line with what became of a text: its price and segments as they were
    told, or nothing where it did not go."""
    policy = rt.book.policy
    if policy.budget is None and not policy.senders:
        return
    row = spending.of(tx, send_id)
    if row is None:
        return
    names = str(row["pots"]).split(",")
    segments = int(row["segments"] or 0) if row["counts_at"] else 0
    micros = int(row["spent_micros"]) if row["counts_at"] else 0
    if policy.budget is not None and row["counts_at"]:
        micros = policy.budget.cost(segments, row["cost_micros"], row["currency"])
    more = (segments - int(row["spent_segments"]), micros - int(row["spent_micros"]))
    if more == (0, 0):
        return
    spending.add(tx, names, *more)
    spending.note(tx, send_id, names if row["counts_at"] else (), segments, micros)


def _measures(rt: Setup, facts: Facts, found: tuple[Pot, ...]) -> list[Measure]:
    policy = rt.book.policy
    return list(pots.measures(policy.budget, sender_of(policy.senders, facts.sender), found))


def _tell(tx: Tx, rt: Setup, before: Measure, after: Measure, now: datetime) -> None:
    """An alarm as a pot passes the share that warns, and as it is full for marketing.

    The first text of a new day or month clears those of the last.
    """
    about = f"{after.span}:{after.unit}"
    if not before.full:
        alarms.clear(tx, WARNED, about, now)
        alarms.clear(tx, SPENT, about, now)
    warn = after.limit * after.warn
    what = f"The {after.unit} of the {after.span}"
    if before.full < warn <= after.full:
        says = f"{what}: {after.shown} are used, over {after.warn:.0%}; see mappings/policy.toml."
        alarm(tx, rt, WARNED, says, now, about=about)
    if before.full < after.for_marketing <= after.full:
        until = f"{after.pot.ends:%Y-%m-%d %H:%M} UTC"
        says = f"{what}: {after.shown} are used, so marketing waits until {until}."
        alarm(tx, rt, SPENT, says, now, about=about)
