"""Speaking: a step's text is written, decided on, and planned or stopped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import decisions, sends
from connector.ledger.store import Row, Tx
from connector.model import Contact, Decision, Json, Verdict
from connector.rules import policy
from connector.rules.plays import Play, Step
from connector.rules.policy import Facts
from connector.steps import contexts, gap, gather, keeping, links, writing
from connector.steps.setup import Setup

log = logging.getLogger("connector")


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is to be spoken to: an enrolment at a step that texts."""

    play: Play
    step: Step
    contact: Contact
    row: Row  #: of the enrolment, with its signal
    context: dict[str, Json]  #: what conditions and texts may read


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it. Neither stopped nor planned: the step has spoken before."""

    stopped: str = ""  #: why nothing will go
    is_planned: bool = False


@dataclass(frozen=True, slots=True)
class _Written:
    template: str
    text: str
    language: str
    fault: str


def speak(tx: Tx, rt: Setup, turn: Turn, now: datetime) -> Came:
    """Write the text, decide, keep the decision with what it saw, and plan the send."""
    written = _write(tx, rt, turn)
    due_at = clock.instant(turn.row["due_at"])
    facts = gather.gather(tx, rt, _wanted(turn, written, due_at), turn.context, now)
    decision = policy.decide(facts, rt.book, now)
    perhaps = gap.covers(rt, due_at)  # said before the restore, whatever is decided now
    ends = decision.verdict is Verdict.stop and not perhaps
    send_id = "" if ends else rt.new_id("snd")
    kept = keeping.kept(facts, rt.book.policy)
    decisions.add(tx, _about(turn, send_id), decision, kept, now, decision_id=rt.new_id("dec"))
    if ends:
        return Came(stopped=decision.reason)
    planned = _plan(turn, written, facts, send_id, decision, now)
    if perhaps:  # the gate must see that it was due before the restore
        planned = replace(planned, due_at=due_at)
    # It was said before where the adopted file has other places.
    return Came(is_planned=bool(sends.plan(tx, planned, now)))


def choose(step: Step, context: dict[str, Json], row: Row) -> str:
    """The template of a step: that of the first choice that holds, else its own."""
    for choice in step.choices:
        try:
            if choice.when(context):
                return choice.template
        except ExpressionFailed as error:
            log.warning("act=choose enrolment=%s result=%s", row["id"], error.code)
    return step.template


def _write(tx: Tx, rt: Setup, turn: Turn) -> _Written:
    trusted = writing.is_trusted(rt, turn.row)
    template = choose(turn.step, turn.context, turn.row)
    text, language, fault = writing.write_text(
        rt,
        template,
        turn.contact,
        contexts.shown(turn.context, turn.row),
        trusted=trusted,
        short=links.for_send(tx, rt, "", turn.contact.id, False, trusted=trusted),
        texts=turn.play.templates or rt.templates,
    )
    return _Written(template, text, language, fault)


def _wanted(turn: Turn, written: _Written, due_at: datetime) -> gather.Wanted:
    return gather.Wanted(
        contact=turn.contact,
        purpose=turn.play.purpose,
        due_at=due_at,
        expires_at=due_at + turn.step.expires,
        play=turn.play,
        step=turn.step,
        key=turn.row["key"],
        enrolment_id=turn.row["id"],
        started_at=clock.instant(turn.row["triggered_at"]),
        text=written.text,
        text_fault=written.fault,
        template=written.template,
    )


def _about(turn: Turn, send_id: str) -> decisions.About:
    return decisions.About(
        "plan",
        turn.contact.id,
        turn.play.name,
        turn.play.version,
        turn.row["key"],
        turn.step.name,
        enrolment_id=turn.row["id"],
        send_id=send_id,
        event_id=turn.row["event_id"] or "",
    )


def _plan(
    turn: Turn, written: _Written, facts: Facts, send_id: str, decision: Decision, now: datetime
) -> sends.Plan:
    return sends.Plan(
        id=send_id,
        cause="play",
        cause_id=turn.row["id"],
        step=turn.step.name,
        contact_id=facts.contact.id,
        phone=facts.contact.phone,
        purpose=turn.play.purpose.value,
        template=written.template,
        due_at=decision.until or now,
        expires_at=facts.expires_at,
        enrolment_id=turn.row["id"],
        play=turn.play.name,
        version=turn.play.version,
        key=turn.row["key"],
        mode=turn.row["mode"],
        language=written.language,
        text=facts.text,
        priority=turn.play.priority,
    )
