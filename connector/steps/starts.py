"""Starting: what began a play opens or re-arms an enrolment, or a decision says why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import assignments, decisions, enrolments, events, pauses
from connector.ledger.enrolments import Opening
from connector.ledger.store import Row, Tx
from connector.model import Contact, Decision, Json, Objection, Purpose, Verdict
from connector.rules import triggers
from connector.rules.plays import Condition, Experiment, Kind, Mode, Once, OnPause, Play
from connector.rules.triggers import Standing
from connector.steps import staff, timing
from connector.steps.setup import Setup
from connector.steps.versions import CONTROL, variant

HAND = "hand"  #: the name of a start by hand, which somebody wants whoever it is for


@dataclass(frozen=True, slots=True)
class Began:
    """What may start a play: a signal of the person's, or a row of our own in its place.

    ``occurrence`` is the key under which it is walked once, where the form of the start says so
    itself; ``due_at`` when it speaks, where that is not ``after`` the start.
    """

    signal_id: str
    name: str
    key: str
    at: datetime
    context: Mapping[str, Json]
    event_id: str = ""
    back_fill: bool = False
    occurrence: str = ""
    due_at: datetime | None = None
    against: tuple[Objection, ...] = field(default=())


def heard(
    tx: Tx, rt: Setup, play: Play, contact: Contact, began: Began, now: datetime
) -> Decision | None:
    """A signal that a play names: judged where it meets its condition, count and order."""
    try:
        if not triggers.matches(play, began.context):
            return None
    except ExpressionFailed as error:
        missing = Objection("fact_missing", Verdict.stop, f"The condition failed: {error}")
        return start(tx, rt, play, contact, replace(began, against=(missing,)), now)
    if not _counted(tx, play, contact.id, began) or not _is_first(tx, play, contact.id, began):
        return None
    return start(tx, rt, play, contact, began, now)


def start(tx: Tx, rt: Setup, play: Play, contact: Contact, began: Began, now: datetime) -> Decision:
    """Open, re-arm or refuse an enrolment; a decision is kept for every matched start."""
    key, missing_key = _key(play, began)
    same, standing_ = _standing(tx, play, contact, key, began)
    told = triggers.Start(began.at, contact.stage, began.back_fill, began.context)
    decision = triggers.judge(play, told, standing_, now)
    ours = staff.against(rt, contact) if began.name != HAND else ()
    against = (*began.against, *missing_key, *_paused(tx, play), *ours)
    due_at = began.due_at
    if play.start.date is not None and play.start.kind is Kind.signal:
        due_at, missing = timing.date_of(rt, play, contact, began.context, began.at)
        against = (*against, *missing)
    if against:
        decision = Decision(Verdict.stop, (*against, *decision.objections), None, play.version)
    enrolment_id = ""
    if decision.verdict is Verdict.send:
        enrolment_id = _open(tx, rt, play, contact, began, key, due_at, now)
    elif same is not None and _rearms(play, decision, began, same, due_at):
        arm = variant(play, str(same["arm"]))
        speaks = _speaks(arm, began)
        due = timing.first_due(tx, rt, arm, contact, began.at, due_at) if speaks else None
        enrolments.rearm(tx, str(same["id"]), began.signal_id, due, began.at)
        enrolment_id = str(same["id"])
    about = decisions.About(
        "trigger",
        contact.id,
        play.name,
        play.version,
        key,
        enrolment_id=enrolment_id,
        event_id=began.event_id,
    )
    facts = {
        "contact": contact.id,  # so that facts are one person's alone, and go with that person
        "signal": began.context.get("signal", {}),
        "stage": contact.stage,
        "key": key,
        **_weighed(began, standing_),
    }
    decisions.add(tx, about, decision, facts, now, decision_id=rt.new_id("dec"))
    return decision


def _weighed(began: Began, standing: Standing) -> dict[str, Json]:
    """What was weighed beside, by which a start can be judged again; what is as usual left out."""
    last = standing.last_start
    beside = {
        "back_fill": began.back_fill,
        "same": standing.same_state,
        "last_start": clock.text(last) if last else "",
        "over": standing.over,
    }
    found = {name: value for name, value in beside.items() if value}
    return {"at": clock.text(began.at), **found}


def _key(play: Play, began: Began) -> tuple[str, tuple[Objection, ...]]:
    """Under which key the play is walked once, and the objection where that cannot be told.

    The play's own ``key`` goes before what the form of the start says, save by hand, where
    somebody says it.
    """
    if play.start.first:
        return "first", ()
    own = began.occurrence
    if own and play.start.once is Once.key and (play.start.key is None or began.due_at):
        return own, ()
    itself = own or began.signal_id
    try:
        return triggers.occurrence(play, own or began.key, itself, began.context), ()
    except ExpressionFailed as error:
        says = f"The key could not be told: {error}"
        return itself, (Objection("fact_missing", Verdict.stop, says),)


def _rearms(
    play: Play, decision: Decision, began: Began, same: Row, due_at: datetime | None
) -> bool:
    """Whether the timer of one that waits starts anew; a moved date moves it in any case."""
    waits_since = clock.instant(same["triggered_at"])
    if triggers.rearms(play, decision, began.at, waits_since):
        return True
    reasons = {objection.reason for objection in decision.objections}
    is_same = "already_waiting" in reasons and reasons <= {"already_waiting", "cooldown"}
    return due_at is not None and began.at > waits_since and is_same


def _open(
    tx: Tx,
    rt: Setup,
    play: Play,
    contact: Contact,
    began: Began,
    key: str,
    due_at: datetime | None,
    now: datetime,
) -> str:
    mode = _mode(tx, rt, play, contact.id, now)
    arm = _arm(tx, rt, play, contact.id, now) if play.experiment else ""
    walks = variant(play, arm)
    speaks = _speaks(walks, began)
    enrolment_id = rt.new_id("enr")
    enrolments.open_(
        tx,
        Opening(
            enrolment_id,
            play.name,
            play.version,
            contact.id,
            key,
            began.signal_id,
            mode,
            timing.first_due(tx, rt, walks, contact, began.at, due_at) if speaks else None,
            began.at,
            now,
            arm,
        ),
        now,
    )
    return enrolment_id


def _speaks(play: Play, began: Began) -> bool:
    """Whether this arm speaks at once: in a threshold test it may wait for its own level.

    By hand there is no measure, and nothing to wait for.
    """
    form = play.start.threshold
    if form is None or form.own <= form.level or began.due_at is not None:
        return True
    value = triggers.number(form.measure(began.context))
    return value is not None and value >= form.own


def _paused(tx: Tx, play: Play) -> tuple[Objection, ...]:
    """A pause that drops lets nothing new begin."""
    if play.on_pause is not OnPause.drop:
        return ()
    row = pauses.all_(tx).get(play.name)  # also while the kill switch holds everything
    if row is None or row["verdict"] != "drop":
        return ()
    return (Objection("paused", Verdict.stop, f"The play is paused: {row['why'] or 'no reason'}"),)


def _counted(tx: Tx, play: Play, contact_id: str, began: Began) -> bool:
    if play.start.count <= 1:
        return True
    within, name = play.start.within, play.start.signal
    since = began.at - within if within else clock.instant("1970-01-01T00:00:00Z")
    times = [
        clock.instant(row["occurred_at"])
        for row in events.heard(tx, contact_id, name, since)
        if _meets(play.start.where, row, began.context)
    ]
    return triggers.counted(play, times, began.at)


def _is_first(tx: Tx, play: Play, contact_id: str, began: Began) -> bool:
    """Whether no such signal occurred before; what is heard late counts as if it had been."""
    if not play.start.first:
        return True
    earlier = events.before(tx, contact_id, play.start.signal, began.at)
    return not any(_meets(play.start.where, row, began.context) for row in earlier)


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
    tx: Tx, play: Play, contact: Contact, key: str, began: Began
) -> tuple[Row | None, Standing]:
    same = enrolments.by_key(tx, play.name, contact.id, key)
    latest = None
    if key == began.signal_id or play.start.cooldown is not None:
        latest = enrolments.latest(tx, play.name, contact.id)
    if same is None and key == began.signal_id and latest is not None:
        same = latest if latest["state"] == "waiting" else None
    over = _over(tx, play, contact, key, began)
    last_start = clock.instant(latest["triggered_at"]) if latest else None
    return same, Standing(str(same["state"]) if same else "", last_start, over)


def _over(tx: Tx, play: Play, contact: Contact, key: str, began: Began) -> tuple[str, ...]:
    """Signals that end or fulfil the play, heard already though they occurred after the start.

    A date looks back: what ended it shortly before counts too.
    """
    date = play.start.date
    since = began.at
    if date is not None and play.start.kind is Kind.date:
        since = began.at - date.look_back
    if contact.last_seen_at is not None and contact.last_seen_at <= since:
        return ()  # nothing that occurred later was heard yet
    names = dict.fromkeys((*play.start.unless, *play.exits))
    over = [name for name in names if _heard_since(tx, play, contact, name, key, since)]
    goal = play.goal
    if goal is None or goal.signal in over:
        return tuple(over)
    told = {**began.context, "start": began.context.get("signal", {})}
    for row in events.heard(tx, contact.id, goal.signal, began.at):
        if (not goal.same_key or row["key"] == key) and _meets(goal.where, row, told):
            return (*over, goal.signal)
    return tuple(over)


def _heard_since(
    tx: Tx, play: Play, contact: Contact, name: str, key: str, since: datetime
) -> bool:
    rows = events.heard(tx, contact.id, name, since, 100 if play.same_key else 1)
    return any(triggers.is_about(play, str(row["key"]), key) for row in rows)


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
    shares = {"holdout": share, "treated": 1 - share}
    return _assigned(tx, experiment, contact_id, shares, now) == "holdout"


def _arm(tx: Tx, rt: Setup, play: Play, contact_id: str, now: datetime) -> str:
    """The arm of the play's experiment, by the person's salted hash; kept for good."""
    test: Experiment | None = play.experiment
    if test is None:
        return ""
    if rt.arm is not None:  # examples and previews say themselves
        return rt.arm or CONTROL
    return _assigned(tx, f"test:{play.name}:{test.name}", contact_id, dict(test.shares), now)


def _assigned(
    tx: Tx, experiment: str, contact_id: str, shares: dict[str, float], now: datetime
) -> str:
    arm = assignments.arm(tx, experiment, contact_id)
    if not arm:
        place = triggers.share(assignments.salt(tx), experiment, contact_id)
        arm = _at(place, shares)
        assignments.assign(tx, experiment, contact_id, arm, shares, now)
    return arm


def _at(place: float, shares: Mapping[str, float]) -> str:
    """The arm in whose share of [0, 1) a place lies."""
    names = [name for name, share in shares.items() if share > 0]
    for name in names:
        if place < shares[name]:
            return name
        place -= shares[name]
    return names[-1]
