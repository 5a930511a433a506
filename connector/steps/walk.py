"""Walking: a due step of an enrolment becomes a text, a task, a call, a wait, or its end."""

from __future__ import annotations

import logging
from datetime import datetime

from connector import clock
from connector.errors import ExpressionFailed
from connector.expressions import compile_template
from connector.ledger import crm_facts, enrolments, events, pauses
from connector.ledger.store import Row, Tx
from connector.model import Contact, Json
from connector.rules import moments, triggers
from connector.rules.plays import OnPause, Play, Step, WaitFor
from connector.rules.policy import CHECK_AGAIN
from connector.steps import contexts, exits, gather, owed, timing
from connector.steps.setup import Setup
from connector.steps.speak import Turn, speak
from connector.steps.versions import is_off, play_of, step_at

log = logging.getLogger("connector")

#: Reasons that no later step of the same play can outlive.
FINAL = frozenset(
    {
        "opted_out",
        "no_consent",
        "reassigned",
        "on_list",
        "suppressed",
        "no_mobile",
        "wrong_stage",
        "country_closed",
        "already_said",
        "no_longer_valid",
    }
)


def walk(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Take the due step of one enrolment: leave it, branch, wait, skip or act."""
    play = play_of(tx, rt, row)
    if play is None or is_off(rt, play.name):
        enrolments.end(tx, str(row["id"]), "play_removed" if play is None else "play_off", now)
        return
    place = step_at(play, row)
    if place >= len(play.steps):
        enrolments.end(tx, str(row["id"]), "no_step", now)
        return
    if _is_dropped(tx, play):
        enrolments.end(tx, str(row["id"]), "paused", now)
        return
    step = play.steps[place]
    wants = frozenset({play.purpose.value, *play.scopes})
    contact = gather.person(tx, str(row["contact_id"]), wants, rt.book.policy.expiries, now)
    if contact is None:
        enrolments.end(tx, str(row["id"]), "contact_erased", now)
        return
    context = context_of(tx, rt, play, contact, row, now)
    if reason := exits.reason(play, contact, context):
        enrolments.end(tx, str(row["id"]), reason, now)
        return
    has_begun = _awaited(play, row) is not None  # so that it was asked already
    target = "" if has_begun else _branch(step, context, row)
    if target:
        go_to(tx, rt, play, row, play.place(target), now, contact)
    elif not has_begun and not holds(step, context, row):
        next_step(tx, rt, play, row, now, contact)
    elif step.wait_for is not None:
        _wait(tx, rt, play, step.wait_for, contact, row, place, now)
    elif step.task or step.webhook:
        _call(tx, rt, play, step, contact, row, context, now)
    else:
        _text(tx, rt, play, step, contact, row, context, now)


def next_step(
    tx: Tx, rt: Setup, play: Play, row: Row, now: datetime, contact: Contact | None = None
) -> None:
    """Stand at the step that follows, due after its wait; or be done."""
    place = step_at(play, row)
    if place < len(play.steps):  # else the adopted file ends before it
        place = play.after(place)
    go_to(tx, rt, play, row, place, now, contact)


def go_to(
    tx: Tx,
    rt: Setup,
    play: Play,
    row: Row,
    place: int,
    now: datetime,
    contact: Contact | None = None,
) -> None:
    """Stand at a step, due after its wait at its moment; past the last, be done."""
    if place >= len(play.steps):
        enrolments.done(tx, str(row["id"]))
        return
    step = play.steps[place]
    due_at = now + step.wait
    if step.moment != moments.PLAIN:
        contact = contact or gather.person(tx, str(row["contact_id"]))
        if contact is not None:
            due_at = timing.on_their_clock(tx, rt, play, step, contact, due_at)
    enrolments.to_step(tx, str(row["id"]), place, due_at, name=step.name)


def heard(tx: Tx, rt: Setup, play: Play, row: Row, name: str, at: datetime, now: datetime) -> bool:
    """A signal came while the enrolment waits for one; whether it was that."""
    place = step_at(play, row)
    form = _awaited(play, row)
    if form is None or name not in form.signals:
        return False
    since = clock.instant(row["awaiting_since"])
    if not since < at <= since + form.timeout:
        return False
    go_to(tx, rt, play, row, _way(play, place, form.heard), now)
    return True


def awaits(play: Play, row: Row, name: str) -> bool:
    """Whether the enrolment stands at a step that waits for such a signal."""
    form = _awaited(play, row)
    return form is not None and name in form.signals


def _awaited(play: Play, row: Row) -> WaitFor | None:
    place = step_at(play, row)
    if row["awaiting_since"] is None or place >= len(play.steps):
        return None
    return play.steps[place].wait_for


def holds(step: Step, context: dict[str, Json], row: Row) -> bool:
    """Whether a step's own condition holds; what cannot be told does not."""
    try:
        return step.where is None or bool(step.where(context))
    except ExpressionFailed as error:
        log.warning("act=walk enrolment=%s result=%s", row["id"], error.code)
        return False


def context_of(
    tx: Tx, rt: Setup, play: Play, contact: Contact, row: Row, now: datetime
) -> dict[str, Json]:
    """What the conditions and texts of an enrolment may read now."""
    crm = crm_facts.of(tx, rt.crm, contact.id)
    segments = {**rt.segments, **play.segments} if play.segments else rt.segments
    place = step_at(play, row)
    name = play.steps[place].name if place < len(play.steps) else ""
    walked = contexts.Walked(tx, str(row["id"]), name)
    return contexts.of(
        tx, rt, contact, crm, contexts.signal_of(row), now, None, segments, walk=walked
    )


def _is_dropped(tx: Tx, play: Play) -> bool:
    """Whether a pause that drops, in which nothing begins, found one on its way all the same."""
    if play.on_pause is not OnPause.drop:
        return False
    row = pauses.of(tx, play.name)
    return row is not None and row["verdict"] == "drop"


def _branch(step: Step, context: dict[str, Json], row: Row) -> str:
    """Where the first branch whose condition holds leads, "" where none does."""
    for branch in step.branches:
        try:
            if branch.when(context):
                return branch.go
        except ExpressionFailed as error:
            log.warning("act=branch enrolment=%s result=%s", row["id"], error.code)
    return ""


def _wait(
    tx: Tx,
    rt: Setup,
    play: Play,
    form: WaitFor,
    contact: Contact,
    row: Row,
    place: int,
    now: datetime,
) -> None:
    """Begin to wait for a signal, or end the waiting: it came, or its time is over."""
    since = clock.instant(row["awaiting_since"] or row["due_at"])
    until = since + form.timeout
    if any(_came(tx, play, row, name, since, until) for name in form.signals):
        go_to(tx, rt, play, row, _way(play, place, form.heard), now, contact)
    elif now < until:
        name = play.steps[place].name
        enrolments.to_step(tx, str(row["id"]), place, until, name=name, awaiting=since)
    else:
        go_to(tx, rt, play, row, _way(play, place, form.missed), now, contact)


def _came(tx: Tx, play: Play, row: Row, name: str, since: datetime, until: datetime) -> bool:
    rows = events.heard(tx, str(row["contact_id"]), name, since, 100)
    return any(
        heard["occurred_at"] <= clock.text(until)
        and triggers.is_about(play, str(heard["key"]), str(row["key"]))
        for heard in rows
    )


def _way(play: Play, place: int, name: str) -> int:
    return play.place(name) if name else play.after(place)


def _call(
    tx: Tx,
    rt: Setup,
    play: Play,
    step: Step,
    contact: Contact,
    row: Row,
    context: dict[str, Json],
    now: datetime,
) -> None:
    """A task in the CRM, or a call to another tool; neither in a dry walk.

    In a pause it waits as a text does, and is passed over where it is no longer of use.
    """
    since = clock.instant(row["awaiting_since"] or row["due_at"])
    is_over = row["awaiting_since"] is not None and now >= since + step.expires
    if not is_over and pauses.of(tx, play.name) is not None:
        place = step_at(play, row)
        later = now + CHECK_AGAIN
        enrolments.to_step(tx, str(row["id"]), place, later, name=step.name, awaiting=since)
        return
    if rt.may_leave(str(row["mode"])) and not is_over:
        key = f"{row['id']}:{step.name}"
        shown = contexts.shown(context, row)
        if step.webhook:
            told = _told(play, step, contact, row, shown, now)
            owed.call_due(tx, step.webhook, contact.id, key, told, now)
        else:
            owed.task_due(tx, rt.crm, contact.id, key, _subject(play, step, row, shown), now)
    next_step(tx, rt, play, row, now, contact)


def _subject(play: Play, step: Step, row: Row, shown: object) -> str:
    try:
        return compile_template(step.task)(shown)  # type: ignore[arg-type]
    except ExpressionFailed as error:
        log.warning("act=task enrolment=%s result=%s", row["id"], error.code)
        return f"{play.name}: {step.name}"


def _told(
    play: Play, step: Step, contact: Contact, row: Row, shown: object, now: datetime
) -> dict[str, Json]:
    """What another tool is told: which step, of whom, and what began it; nothing sensitive."""
    signal = shown["signal"] if isinstance(shown, dict) else {}
    return {
        "type": "play.step",
        "play": play.name,
        "version": play.version,
        "step": step.name,
        "enrolment": row["id"],
        "at": clock.text(now),
        "contact": {
            "id": contact.id,
            "email": contact.email,
            "phone": contact.phone,
            "first_name": contact.traits.get("first_name"),
            "language": contact.language,
        },
        "signal": dict(signal),
    }


def _text(
    tx: Tx,
    rt: Setup,
    play: Play,
    step: Step,
    contact: Contact,
    row: Row,
    context: dict[str, Json],
    now: datetime,
) -> None:
    """A text, and the enrolment stands still until it has gone; or what its ending leaves."""
    came = speak(tx, rt, Turn(play, step, contact, row, context), now)
    if came.stopped:
        stopped(tx, rt, play, row, came.stopped, now)
    elif not came.is_planned:
        next_step(tx, rt, play, row, now, contact)
    else:
        enrolments.to_step(tx, str(row["id"]), step_at(play, row), None, name=step.name)


def stopped(tx: Tx, rt: Setup, play: Play, row: Row, reason: str, now: datetime) -> None:
    """A text of this step will not go: the enrolment ends, or goes on to the next step."""
    if reason in FINAL or reason.startswith(exits.PREFIX):
        enrolments.end(tx, str(row["id"]), reason, now)
    else:
        next_step(tx, rt, play, row, now)
