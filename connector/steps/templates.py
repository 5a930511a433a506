"""Templates watched: deliveries and opt-outs are counted, and a template that drives people
away is told of, then paused until a person has looked at it."""

from __future__ import annotations

from datetime import datetime

from connector import clock
from connector.ledger import acts, alarms, pauses, template_days
from connector.ledger.store import Row, Tx
from connector.model import Cause
from connector.rules.policy.limits import TemplateAlarm
from connector.rules.templates import FINE, PAUSE, judge
from connector.steps.alarm import Names, alarm
from connector.steps.setup import Setup

KIND = "template_opt_outs"
WHO = "connector"


def delivered(tx: Tx, rt: Setup, send: Row, now: datetime) -> None:
    """A text of a play reached its telephone."""
    watched = rt.book.policy.template_alarm is not None and send["cause"] == Cause.play
    if watched and send["template"]:
        template_days.add(tx, str(send["template"]), now, delivered=1)


def opted_out(tx: Tx, rt: Setup, phone: str, at: datetime, now: datetime) -> None:
    """A number opted out: that is on account of the last text to it, where it is not too old."""
    limits = rt.book.policy.template_alarm
    if limits is None:
        return
    last = template_days.last_to(tx, phone, clock.text(at))
    if last is None or not last["template"]:
        return
    if clock.instant(last["counts_at"]) <= at - limits.within:
        return
    if template_days.is_counted(tx, phone, str(last["counts_at"])):
        return  # of one text one opt-out counts, however often its reader stops and starts
    template_days.add(tx, str(last["template"]), now, opted_out=1)
    watch(tx, rt, now, str(last["template"]))


def watch(tx: Tx, rt: Setup, now: datetime, template: str | None = None) -> int:
    """Judge one template, or each; how many were paused."""
    limits = rt.book.policy.template_alarm
    if limits is None:
        return 0
    rows = template_days.since(tx, now - limits.within, template)
    return sum(_judge(tx, rt, row, limits, now) for row in rows)


def watch_all(rt: Setup) -> int:
    """Judge the templates of which enough came late that nobody was told yet; how many paused."""
    limits = rt.book.policy.template_alarm
    if limits is None:
        return 0
    now = rt.clock()
    with rt.store.read() as tx:
        rows = template_days.since(tx, now - limits.within)
        found = [row for row in rows if judge(row["delivered"], row["opted_out"], limits) != FINE]
        told = {row["about"] for row in alarms.open_(tx) if row["kind"] == KIND} if found else set()
        known = pauses.all_(tx) if found else {}
    late = [
        row
        for row in found
        if row["template"] not in told
        or (_must_pause(row, limits) and pauses.template(str(row["template"])) not in known)
    ]
    if not late:
        return 0
    with rt.store.write() as tx:
        return sum(_judge(tx, rt, row, limits, now) for row in late)


def _must_pause(row: Row, limits: TemplateAlarm) -> bool:
    return judge(int(row["delivered"]), int(row["opted_out"]), limits) == PAUSE


def _judge(tx: Tx, rt: Setup, row: Row, limits: TemplateAlarm, now: datetime) -> bool:
    """Whether the template was paused just now."""
    name, sent, left = str(row["template"]), int(row["delivered"]), int(row["opted_out"])
    found = judge(sent, left, limits)
    if found == FINE:
        alarms.clear(tx, KIND, name, now)
        return False
    says = f"{left} of {sent} who got the text {name} opted out ({left / sent:.1%})"
    was_paused = pauses.template(name) in pauses.all_(tx)
    now_paused = found == PAUSE and not was_paused
    if now_paused:
        why = f"{says}; the limit is {limits.pause:.1%}"
        pause(tx, rt, name, who=WHO, why=why, now=now)
    if was_paused or now_paused:
        says += f"; it is paused. Mend it, then: connector template resume {name}"
    alarm(tx, rt, KIND, f"{says}.", now, about=name)
    return now_paused


def pause(tx: Tx, rt: Names, name: str, *, who: str, why: str, now: datetime) -> None:
    """A person pauses a template: its texts wait."""
    pauses.set_(tx, pauses.template(name), "hold", who=who, why=why, at=now)
    acts.add(tx, rt.new_id("act"), "pause", f"template:{name}", who=who, why=why, at=now)


def resume(tx: Tx, rt: Names, name: str, *, who: str, why: str, now: datetime) -> bool:
    """A person lets a template go on; it is counted anew. False where it was not paused."""
    if not pauses.lift(tx, pauses.template(name)):
        return False
    template_days.forget(tx, name)
    alarms.clear(tx, KIND, name, now)
    acts.add(tx, rt.new_id("act"), "resume", f"template:{name}", who=who, why=why, at=now)
    return True
