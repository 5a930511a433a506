"""Walking: a due step of an enrolment becomes a planned text, a CRM task, or its end."""

from __future__ import annotations

import logging
from datetime import datetime

from connector import clock
from connector.errors import ExpressionFailed
from connector.expressions import compile_template
from connector.ledger import crm_facts, decisions, enrolments, sends
from connector.ledger.store import Row, Tx
from connector.model import Contact, Decision, Verdict
from connector.rules import policy
from connector.rules.plays import Mode, Play, Step
from connector.rules.policy import Facts
from connector.steps import gather, owed
from connector.steps.setup import Setup

log = logging.getLogger("connector")

#: Reasons that no later step of the same play can outlive.
FINAL = frozenset(
    {
        "opted_out",
        "no_consent",
        "suppressed",
        "no_mobile",
        "wrong_stage",
        "country_closed",
        "already_said",
    }
)


def walk(tx: Tx, rt: Setup, row: Row, now: datetime) -> None:
    """Take the due step of one enrolment."""
    play = rt.plays.get(str(row["play"]))
    if play is None or play.mode is Mode.off or int(row["step"]) >= len(play.steps):
        reason = (
            "play_removed" if play is None else "play_off" if play.mode is Mode.off else "no_step"
        )
        enrolments.end(tx, str(row["id"]), reason, now)
        return
    step = play.steps[int(row["step"])]
    wants = frozenset({play.purpose.value, *play.scopes})
    contact = gather.person(tx, str(row["contact_id"]), wants)
    if contact is None:
        enrolments.end(tx, str(row["id"]), "contact_erased", now)
        return
    try:
        if step.where is not None and not step.where(_context(tx, rt, contact, row, now)):
            next_step(tx, play, row, now)
            return
    except ExpressionFailed as error:
        log.warning("act=walk enrolment=%s result=%s", row["id"], error.code)
        next_step(tx, play, row, now)
        return
    if step.task:
        _task(tx, rt, play, step, contact, row, now)
    else:
        _text(tx, rt, play, step, contact, row, now)


def next_step(tx: Tx, play: Play, row: Row, now: datetime) -> None:
    """Stand at the step after this one, due after its wait; or be done."""
    following = int(row["step"]) + 1
    if following >= len(play.steps):
        enrolments.done(tx, str(row["id"]))
        return
    enrolments.to_step(tx, str(row["id"]), following, now + play.steps[following].wait)


def _context(tx: Tx, rt: Setup, contact: Contact, row: Row, now: datetime) -> dict[str, object]:
    crm = crm_facts.of(tx, rt.crm, contact.id)
    return gather.context(rt, contact, crm, gather.signal_of(row), now)


def _task(
    tx: Tx, rt: Setup, play: Play, step: Step, contact: Contact, row: Row, now: datetime
) -> None:
    if rt.may_leave(str(row["mode"])):
        context = _context(tx, rt, contact, row, now)
        try:
            subject = compile_template(step.task)(gather.shown(context, row))
        except ExpressionFailed as error:
            log.warning("act=task enrolment=%s result=%s", row["id"], error.code)
            subject = f"{play.name}: {step.name}"
        owed.task_due(tx, rt.crm, contact.id, f"{row['id']}:{step.name}", subject, now)
    next_step(tx, play, row, now)


def _text(
    tx: Tx, rt: Setup, play: Play, step: Step, contact: Contact, row: Row, now: datetime
) -> None:
    due_at = clock.instant(row["due_at"])
    context = _context(tx, rt, contact, row, now)
    text, language, fault = gather.write_text(
        rt,
        step.template,
        contact,
        gather.shown(context, row),
        trusted=gather.is_trusted(rt, row),
    )
    facts = gather.gather(
        tx,
        rt,
        contact=contact,
        purpose=play.purpose,
        due_at=due_at,
        expires_at=due_at + step.expires,
        facts_context=context,
        now=now,
        play=play,
        step=step,
        key=row["key"],
        enrolment_id=row["id"],
        text=text,
        text_fault=fault,
    )
    decision = policy.decide(facts, rt.book, now)
    send_id = rt.new_id("snd") if decision.verdict is not Verdict.stop else ""
    about = decisions.About(
        "plan",
        contact.id,
        play.name,
        play.version,
        row["key"],
        step.name,
        enrolment_id=row["id"],
        send_id=send_id,
        event_id=row["event_id"] or "",
    )
    decisions.add(tx, about, decision, gather.kept(facts), now, decision_id=rt.new_id("dec"))
    if decision.verdict is Verdict.stop:
        stopped(tx, play, row, decision.reason, now)
        return
    sends.plan(tx, _plan(play, step, facts, row, send_id, language, decision, now), now)
    enrolments.to_step(tx, str(row["id"]), int(row["step"]), None)


def _plan(
    play: Play,
    step: Step,
    facts: Facts,
    row: Row,
    send_id: str,
    language: str,
    decision: Decision,
    now: datetime,
) -> sends.Plan:
    return sends.Plan(
        id=send_id,
        cause="play",
        cause_id=row["id"],
        step=step.name,
        contact_id=facts.contact.id,
        phone=facts.contact.phone,
        purpose=play.purpose.value,
        template=step.template,
        due_at=decision.until or now,
        expires_at=facts.expires_at,
        enrolment_id=row["id"],
        play=play.name,
        version=play.version,
        key=row["key"],
        mode=row["mode"],
        language=language,
        text=facts.text,
        priority=play.priority,
    )


def stopped(tx: Tx, play: Play, row: Row, reason: str, now: datetime) -> None:
    """A text of this step will not go: the enrolment ends, or goes on to the next step."""
    if reason in FINAL:
        enrolments.end(tx, str(row["id"]), reason, now)
    else:
        next_step(tx, play, row, now)
