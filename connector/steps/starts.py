"""Starting: a signal opens or re-arms a play, or a decision says why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import assignments, decisions, enrolments, events
from connector.ledger.enrolments import Opening
from connector.ledger.store import Row, Tx
from connector.model import Contact, Decision, Event, Json, Objection, Purpose, Signal, Verdict
from connector.rules import triggers
from connector.rules.plays import Condition, Mode, Play
from connector.rules.triggers import Standing
from connector.steps.setup import Setup


def start(
    tx: Tx,
    rt: Setup,
    play: Play,
    contact: Contact,
    signal: Signal,
    signal_id: str,
    event: Event,
    context: dict[str, Json],
    now: datetime,
) -> None:
    """Open, re-arm or refuse an enrolment; a decision is kept for every matched start."""
    fault = ""
    try:
        if not triggers.matches(play, context):
            return
    except ExpressionFailed as error:
        fault = str(error)
    if not fault and not _counted(tx, play, contact.id, signal.name, event.occurred_at, context):
        return
    key = triggers.occurrence(play, signal.key, signal_id, context)
    same, standing_ = _standing(tx, play, contact, key, signal_id, event, context)
    start = triggers.Start(event.occurred_at, contact.stage, event.back_fill, context)
    decision = triggers.judge(play, start, standing_, now)
    if fault:
        missing = Objection("fact_missing", Verdict.stop, f"The condition failed: {fault}")
        decision = Decision(Verdict.stop, (missing, *decision.objections), None, play.version)
    due_at = event.occurred_at + play.start.after + play.steps[0].wait
    enrolment_id = ""
    if decision.verdict is Verdict.send:
        mode = _mode(tx, rt, play, contact.id, now)
        enrolment_id = rt.new_id("enr")
        enrolments.open_(
            tx,
            Opening(
                enrolment_id,
                play.name,
                play.version,
                contact.id,
                key,
                signal_id,
                mode,
                due_at,
                event.occurred_at,
                now,
            ),
            now,
        )
    elif same is not None and triggers.rearms(
        play, decision, event.occurred_at, clock.instant(same["triggered_at"])
    ):
        enrolments.rearm(tx, str(same["id"]), signal_id, due_at, event.occurred_at)
        enrolment_id = str(same["id"])
    about = decisions.About(
        "trigger",
        contact.id,
        play.name,
        play.version,
        key,
        enrolment_id=enrolment_id,
        event_id=event.id,
    )
    facts = {"signal": context["signal"], "stage": contact.stage, "key": key}
    decisions.add(tx, about, decision, facts, now, decision_id=rt.new_id("dec"))


def _counted(
    tx: Tx, play: Play, contact_id: str, name: str, at: datetime, context: Mapping[str, Json]
) -> bool:
    if play.start.count <= 1:
        return True
    since = at - play.start.within if play.start.within else clock.instant("1970-01-01T00:00:00Z")
    times = [
        clock.instant(row["occurred_at"])
        for row in events.heard(tx, contact_id, name, since)
        if _meets(play.start.where, row, context)
    ]
    return triggers.counted(play, times, at)


def _meets(condition: Condition | None, heard: Row, context: Mapping[str, Json]) -> bool:
    """Whether a signal heard before meets a condition; what cannot be told does not."""
    if condition is None:
        return True
    facts = {**orjson.loads(heard["facts"]), "name": heard["name"], "key": heard["key"]}
    try:
        return bool(condition({**context, "signal": facts}))
    except ExpressionFailed:
        return False


def _standing(
    tx: Tx,
    play: Play,
    contact: Contact,
    key: str,
    signal_id: str,
    event: Event,
    context: Mapping[str, Json],
) -> tuple[Row | None, Standing]:
    same = enrolments.by_key(tx, play.name, contact.id, key)
    latest = None
    if key == signal_id or play.start.cooldown is not None:
        latest = enrolments.latest(tx, play.name, contact.id)
    if same is None and key == signal_id and latest is not None and latest["state"] == "waiting":
        same = latest
    over = _over(tx, play, contact, key, event, context)
    last_start = clock.instant(latest["triggered_at"]) if latest else None
    return same, Standing(str(same["state"]) if same else "", last_start, over)


def _over(
    tx: Tx, play: Play, contact: Contact, key: str, event: Event, context: Mapping[str, Json]
) -> tuple[str, ...]:
    """Signals that end or fulfil the play, heard already though they occurred after the start."""
    if contact.last_seen_at is not None and contact.last_seen_at <= event.occurred_at:
        return ()  # nothing that occurred later was heard yet
    names = dict.fromkeys((*play.start.unless, *play.exits))
    over = [name for name in names if events.heard(tx, contact.id, name, event.occurred_at, 1)]
    goal = play.goal
    if goal is None or goal.signal in over:
        return tuple(over)
    told = {**context, "start": context["signal"]}
    for heard in events.heard(tx, contact.id, goal.signal, event.occurred_at):
        if (not goal.same_key or heard["key"] == key) and _meets(goal.where, heard, told):
            return (*over, goal.signal)
    return tuple(over)


def _mode(tx: Tx, rt: Setup, play: Play, contact_id: str, now: datetime) -> str:
    """The mode; a holdout is told by the person's salted hash, before every gate, and kept."""
    held_out = False
    if rt.holdouts:
        overall = rt.global_holdout if play.purpose is Purpose.marketing else 0.0
        for experiment, share in (("global", overall), (f"play:{play.name}", play.holdout)):
            held_out |= _held_out(tx, experiment, share, contact_id, now)
    if held_out:
        return "holdout"
    return "shadow" if play.mode is Mode.shadow else rt.earnest.value


def _held_out(tx: Tx, experiment: str, share: float, contact_id: str, now: datetime) -> bool:
    if share <= 0:
        return False
    arm = assignments.arm(tx, experiment, contact_id)
    if not arm:
        place = triggers.share(assignments.salt(tx), experiment, contact_id)
        arm = "holdout" if place < share else "treated"
        shares = {"holdout": share, "treated": 1 - share}
        assignments.assign(tx, experiment, contact_id, arm, shares, now)
    return arm == "holdout"
