"""The gate: the only way to a provider. It decides on fresh facts and alone makes tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from connector import clock
from connector.ledger import attempts, consents, crm_facts, decisions, enrolments, sends, sticky
from connector.ledger.store import Row, Tx
from connector.messages import Message
from connector.model import Cause, Contact, Decision, Json, Objection, Purpose, Verdict
from connector.rules import hours, policy
from connector.rules.optin import REQUEST
from connector.rules.plays import Play, Step
from connector.rules.policy import Facts
from connector.rules.routing import NOWHERE, Way
from connector.steps import (
    budget,
    contexts,
    eligible,
    exits,
    gap,
    gather,
    keeping,
    links,
    optin,
    repeats,
    walk,
    writing,
)
from connector.steps.route import Choose, Ways
from connector.steps.setup import Setup
from connector.steps.speak import choose
from connector.steps.versions import is_off, play_of
from connector.text import count

BY_HAND = (Cause.hand, Cause.test)
"""A person's own words: an answer to somebody who just wrote, or a test to a number of theirs."""
LONGEST_VALID = timedelta(hours=4)
SHORTEST_VALID = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to hand one text to the provider, once. Only :func:`pass_gate` makes one."""

    send_id: str
    provider: str
    attempt: int
    message: Message
    play: str = ""
    way: Way = NOWHERE


def pass_gate(
    tx: Tx, rt: Setup, send: Row, now: datetime, choose: Choose | None = None
) -> Ticket | None:
    """Decide about a planned text the instant before it goes.

    ``choose`` tells the way to a number, which decides the sender, and so the carriers' day.

    0. After a restore, what was due in the gap is in doubt and goes no further (``steps/gap``).
       What perhaps went and may be repeated goes as it was, or is in doubt as before
       (``steps/repeats``).
    1. Read the contact, then touch the number's row, so that two workers cannot both pass a cap.
    2. Gather fresh facts and write the text from them.
    3. Decide, and keep the decision.
    4. Send: the row becomes ``sending`` (it counts from here on) and a ticket is made.
       Wait: the row is due again later. Stop: the row ends, and so may its enrolment.
    """
    if gap.holds_back(tx, rt, send):
        return None
    perhaps_went = repeats.begins(tx, send)
    enrolment = enrolments.walking(tx, str(send["enrolment_id"])) if send["enrolment_id"] else None
    choose = choose or partial(Ways(rt).of, tx, send, now=now)
    asked = _decide(tx, rt, send, enrolment, choose, now)
    facts, decision = asked.facts, asked.decision
    _keep(tx, rt, send, asked, now)
    if perhaps_went and (why := repeats.forbidden(tx, send, facts, decision, asked.way, now)):
        repeats.back(tx, rt, send, why, now)
        return None
    if decision.verdict is not Verdict.send:
        _stays(tx, rt, send, enrolment, asked, now)
        return None
    if not rt.may_leave(str(send["mode"])):
        _leave_out(tx, rt, send, enrolment, asked.play, now)
        return None
    if gap.was_said(tx, rt, send, facts.contact.phone, facts.text, now):
        return None
    if asked.play is not None and asked.play.exclusive:
        _outrank(tx, rt, asked.play, send, now)
    return _ticket(tx, rt, send, asked, now)


def _keep(tx: Tx, rt: Setup, send: Row, asked: Asked, now: datetime) -> None:
    """Keep what was decided, and of what facts."""
    about = decisions.About(
        "send",
        str(send["contact_id"]),
        send["play"],
        send["version"],
        send["key"],
        send["step"],
        enrolment_id=send["enrolment_id"] or "",
        send_id=send["id"],
    )
    kept = keeping.kept(asked.facts, rt.book.policy)
    decisions.add(tx, about, asked.decision, kept, now, decision_id=rt.new_id("dec"))


def _stays(
    tx: Tx, rt: Setup, send: Row, enrolment: Row | None, asked: Asked, now: datetime
) -> None:
    """The text may not leave now: it waits, or ends."""
    decision = asked.decision
    if decision.verdict is Verdict.wait and decision.until is not None:
        sends.wait(tx, str(send["id"]), decision.until, decision.reason)
        eligible.ask_for(tx, asked.facts, decision, str(send["id"]), now)
    else:
        _stop(tx, rt, send, enrolment, asked.play, decision.reason, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gate weighed: the facts, the decision, the play as the person walks it."""

    facts: Facts
    decision: Decision
    language: str
    play: Play | None
    way: Way


def _decide(
    tx: Tx, rt: Setup, send: Row, enrolment: Row | None, choose: Choose, now: datetime
) -> Asked:
    play = play_of(tx, rt, enrolment) if enrolment is not None else rt.plays.get(str(send["play"]))
    step = next((step for step in play.steps if step.name == send["step"]), None) if play else None
    contact, is_known = _whom(tx, rt, send, play, now)
    consents.touch(tx, contact.phone or str(send["phone"]))
    way = choose(contact.phone or str(send["phone"]))
    context = _context(tx, rt, play, contact, enrolment, now)
    if send["template"] == REQUEST:
        context |= optin.words(tx, rt, contact)
    text, language, fault, template = _write(tx, rt, send, play, step, contact, enrolment, context)
    wanted = gather.Wanted(
        contact=contact,
        purpose=Purpose(send["purpose"]),
        due_at=clock.instant(send["due_at"]),
        expires_at=clock.instant(send["expires_at"]),
        play=play,
        step=step,
        key=send["key"],
        enrolment_id=send["enrolment_id"] or "",
        started_at=clock.instant(enrolment["triggered_at"]) if enrolment is not None else None,
        send_id=send["id"],
        way=way,
        text=text,
        text_fault=fault,
        template=template,
        is_answer=send["cause"] in BY_HAND and not send["template"],
        at_gate=True,
        leaves=rt.may_leave(str(send["mode"])),
    )
    facts = gather.gather(tx, rt, wanted, context, now)
    decision = policy.decide(facts, rt.book, now)
    gone = play is None or is_off(rt, play.name)
    over = _over(send, enrolment, play_gone=gone, contact_gone=not is_known)
    if over is None and send["cause"] == Cause.play and play is not None and enrolment is not None:
        over = _unwanted(play, step, contact, enrolment, context)
    if over is not None:
        every = (over, *decision.objections)
        decision = Decision(Verdict.stop, every, None, decision.policy_version)
    return Asked(facts, decision, language, play, way)


def _whom(tx: Tx, rt: Setup, send: Row, play: Play | None, now: datetime) -> tuple[Contact, bool]:
    """The contact with the number to use, and whether we still know them."""
    wants = frozenset({str(send["purpose"]), *(play.scopes if play else ())})
    known = gather.person(tx, str(send["contact_id"]), wants, rt.book.policy.expiries, now)
    contact = known or Contact("", str(send["phone"]))
    if send["cause"] != Cause.play:
        contact = gather.with_number(contact, str(send["phone"]))
    return contact, known is not None


def _context(
    tx: Tx, rt: Setup, play: Play | None, contact: Contact, enrolment: Row | None, now: datetime
) -> dict[str, Json]:
    if play is not None and enrolment is not None:
        return walk.context_of(tx, rt, play, contact, enrolment, now)
    crm = crm_facts.of(tx, rt.crm, contact.id)
    return contexts.of(tx, rt, contact, crm, contexts.signal_of(enrolment), now)


def _write(
    tx: Tx,
    rt: Setup,
    send: Row,
    play: Play | None,
    step: Step | None,
    contact: Contact,
    enrolment: Row | None,
    context: dict[str, Json],
) -> tuple[str, str, str, str]:
    """(text, language, fault, template), written afresh; a person's own words stay theirs."""
    if send["cause"] in BY_HAND and not send["template"]:
        return str(send["text"]), str(send["language"]), "", ""
    template = str(send["template"])
    if step is not None and step.choices and enrolment is not None:
        template = choose(step, context, enrolment)
    trusted = send["cause"] != Cause.play or writing.is_trusted(rt, enrolment)
    leaves = rt.may_leave(str(send["mode"]))
    text, language, fault = writing.write_text(
        rt,
        template,
        contact,
        contexts.shown(context, enrolment),
        trusted=trusted,
        short=links.for_send(tx, rt, str(send["id"]), contact.id, leaves, trusted=trusted),
        texts=play.templates if play is not None and play.templates else rt.templates,
    )
    return text, language, fault, template


def _over(
    send: Row, enrolment: Row | None, *, play_gone: bool, contact_gone: bool
) -> Objection | None:
    """Why the play no longer wants the text, where it does not."""
    if send["cause"] != Cause.play:
        return None
    if contact_gone:
        return _gone("the contact is no longer known")
    if play_gone:
        return _gone("the play was removed or is off")
    if enrolment is not None and enrolment["state"] in ("ended", "done"):
        return _gone(f"the enrolment ended ({enrolment['exit_reason'] or 'done'})")
    return None


def _unwanted(
    play: Play, step: Step | None, contact: Contact, row: Row, context: dict[str, Json]
) -> Objection | None:
    """Conditions are asked again at the moment of sending: the play's exits, the step's own."""
    if reason := exits.reason(play, contact, context):
        return Objection(reason, Verdict.stop, "What ends the play has come true.")
    if step is None:
        return _gone("the play has no such step any more")
    if not walk.holds(step, context, row):
        return Objection("condition_false", Verdict.stop, "The step's condition no longer holds.")
    return None


def _gone(why: str) -> Objection:
    return Objection("no_longer_wanted", Verdict.stop, f"The text is no longer wanted: {why}.")


def _stop(
    tx: Tx,
    rt: Setup,
    send: Row,
    enrolment: Row | None,
    play: Play | None,
    reason: str,
    now: datetime,
) -> None:
    """The text will not go: its row ends, and its enrolment ends or goes on to the next step."""
    state = "expired" if reason == "expired" else "cancelled"
    sends.close(tx, str(send["id"]), state, reason, now)
    if enrolment is None or enrolment["state"] != "walking":
        return
    if play is None:
        enrolments.end(tx, str(enrolment["id"]), "play_removed", now)
    else:
        walk.stopped(tx, rt, play, enrolment, reason, now)


def _leave_out(
    tx: Tx, rt: Setup, send: Row, enrolment: Row | None, play: Play | None, now: datetime
) -> None:
    """A dry text (shadow, holdout, opened in the sandbox): walk on as if it had gone."""
    sends.close(tx, str(send["id"]), "cancelled", f"dry:{send['mode']}", now)
    if play is not None and enrolment is not None and enrolment["state"] == "walking":
        walk.next_step(tx, rt, play, enrolment, now)


def _outrank(tx: Tx, rt: Setup, play: Play, send: Row, now: datetime) -> None:
    """A text that may go ends the conversations of plays that come after this one."""
    lesser = {
        other.name
        for other in rt.plays.values()
        if other.exclusive and other.priority < play.priority
    }
    if not lesser:
        return
    for row in enrolments.speaking(tx, str(send["contact_id"])):
        if row["play"] in lesser:
            enrolments.end(tx, str(row["id"]), "outranked", now)
            sends.cancel_planned(tx, str(row["id"]), "outranked", now)


def _ticket(tx: Tx, rt: Setup, send: Row, asked: Asked, now: datetime) -> Ticket | None:
    facts, way = asked.facts, asked.way
    if way.until is not None:  # the number is another than when the text was planned
        sends.wait(tx, str(send["id"]), min(way.until, facts.expires_at), way.why)
        return None
    counted = count(facts.text)
    begun = sends.begin(
        tx,
        str(send["id"]),
        text=facts.text,
        language=asked.language,
        encoding=counted.encoding,
        segments=counted.segments,
        provider=way.provider,
        sender=way.sender,
        channel=way.channel,
        phone=facts.contact.phone,
        at=now,
    )
    if not begun:
        return None
    attempt = int(send["attempt"]) + 1
    attempts.begin(tx, str(send["id"]), attempt, now, provider=way.provider, sender=way.sender)
    if way.is_pooled:
        sticky.keep(tx, facts.contact.phone, way.provider, way.channel, way.sender, now)
    budget.reserve(tx, rt, facts, str(send["id"]), now)
    message = Message(
        send_id=send["id"],
        to=facts.contact.phone,
        text=facts.text,
        sender=way.sender,
        callback_url=rt.callbacks.get(way.provider, ""),
        valid_for=_valid_for(rt, facts, now),
        purpose=facts.purpose.value,
    )
    return Ticket(send["id"], way.provider, attempt, message, str(send["play"]), way)


def _valid_for(rt: Setup, facts: Facts, now: datetime) -> timedelta:
    """How long the provider may try: never into quiet hours, and not past the text's use."""
    where = hours.places(facts.contact, facts.contact.phone, facts.addresses)
    margin = rt.book.policy.window_margin
    purpose = Purpose.service if facts.asks else facts.purpose
    opening = hours.judge(where, rt.book.hours, purpose, now, margin)
    ends = min(facts.expires_at, opening.closes or facts.expires_at)
    return min(max(ends - now, SHORTEST_VALID), LONGEST_VALID)
