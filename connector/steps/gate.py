"""The gate: the only way to a provider. It decides on fresh facts and alone makes tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import clock
from connector.ledger import consents, crm_facts, decisions, enrolments, sends
from connector.ledger.store import Row, Tx
from connector.model import Cause, Contact, Decision, Message, Objection, Purpose, Verdict
from connector.rules import hours, policy
from connector.rules.plays import Mode
from connector.rules.policy import Facts
from connector.steps import gather, walk
from connector.steps.setup import Setup
from connector.text import count

LONGEST_VALID = timedelta(hours=4)
SHORTEST_VALID = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to hand one text to the provider, once. Only :func:`pass_gate` makes one."""

    send_id: str
    provider: str
    attempt: int
    message: Message


def pass_gate(tx: Tx, rt: Setup, send: Row, now: datetime) -> Ticket | None:
    """Decide about a planned text the instant before it goes.

    1. Read the contact, then touch the number's row, so that two workers cannot both pass a cap.
    2. Gather fresh facts and write the text from them.
    3. Decide, and keep the decision.
    4. Send: the row becomes ``sending`` (it counts from here on) and a ticket is made.
       Wait: the row is due again later. Stop: the row ends, and so may its enrolment.
    """
    enrolment = enrolments.walking(tx, str(send["enrolment_id"])) if send["enrolment_id"] else None
    facts, decision, language = _decide(tx, rt, send, enrolment, now)
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
    decisions.add(tx, about, decision, gather.kept(facts), now, decision_id=rt.new_id("dec"))
    if decision.verdict is Verdict.wait and decision.until is not None:
        sends.wait(tx, str(send["id"]), decision.until, decision.reason)
        return None
    if decision.verdict is not Verdict.send:
        _stop(tx, rt, send, enrolment, decision.reason, now)
        return None
    if not rt.may_leave(str(send["mode"])):
        _leave_out(tx, rt, send, enrolment, now)
        return None
    return _begin(tx, rt, send, facts, language, now)


def _decide(
    tx: Tx, rt: Setup, send: Row, enrolment: Row | None, now: datetime
) -> tuple[Facts, Decision, str]:
    play = rt.plays.get(str(send["play"]))
    step = next((step for step in play.steps if step.name == send["step"]), None) if play else None
    purpose = Purpose(send["purpose"])
    wants = frozenset({purpose.value, *(play.scopes if play else ())})
    known = gather.person(tx, str(send["contact_id"]), wants)
    contact = known or Contact("", str(send["phone"]))
    if send["cause"] != Cause.play:
        contact = gather.with_number(contact, str(send["phone"]))
    consents.touch(tx, contact.phone or str(send["phone"]))
    signal = gather.signal_of(enrolment)
    crm = crm_facts.of(tx, rt.crm, contact.id)
    context = gather.context(rt, contact, crm, signal, now)
    text, language, fault = gather.write_text(
        rt,
        str(send["template"]),
        contact,
        gather.shown(context, enrolment),
        trusted=send["cause"] != Cause.play or gather.is_trusted(rt, enrolment),
    )
    facts = gather.gather(
        tx,
        rt,
        contact=contact,
        purpose=purpose,
        due_at=clock.instant(send["due_at"]),
        expires_at=clock.instant(send["expires_at"]),
        facts_context=context,
        now=now,
        play=play,
        step=step,
        key=send["key"],
        enrolment_id=send["enrolment_id"] or "",
        but_send=send["id"],
        text=text,
        text_fault=fault,
    )
    decision = policy.decide(facts, rt.book, now)
    if over := _over(
        send, enrolment, play_gone=play is None or play.mode is Mode.off, contact_gone=known is None
    ):
        decision = Decision(
            Verdict.stop, (_gone(over), *decision.objections), None, decision.policy_version
        )
    return facts, decision, language


def _over(send: Row, enrolment: Row | None, *, play_gone: bool, contact_gone: bool) -> str:
    """Why the play no longer wants the text, where it does not."""
    if send["cause"] != Cause.play:
        return ""
    if contact_gone:
        return "the contact is no longer known"
    if play_gone:
        return "the play was removed or is off"
    if enrolment is not None and enrolment["state"] in ("ended", "done"):
        return f"the enrolment ended ({enrolment['exit_reason'] or 'done'})"
    return ""


def _gone(why: str) -> Objection:
    return Objection("no_longer_wanted", Verdict.stop, f"The text is no longer wanted: {why}.")


def _stop(tx: Tx, rt: Setup, send: Row, enrolment: Row | None, reason: str, now: datetime) -> None:
    """The text will not go: its row ends, and its enrolment ends or goes on to the next step."""
    state = "expired" if reason == "expired" else "cancelled"
    sends.close(tx, str(send["id"]), state, reason, now)
    play = rt.plays.get(str(send["play"]))
    if enrolment is None or enrolment["state"] != "walking":
        return
    if play is None:
        enrolments.end(tx, str(enrolment["id"]), "play_removed", now)
    else:
        walk.stopped(tx, play, enrolment, reason, now)


def _leave_out(tx: Tx, rt: Setup, send: Row, enrolment: Row | None, now: datetime) -> None:
    """A dry text (shadow, holdout, opened in the sandbox): walk on as if it had gone."""
    sends.close(tx, str(send["id"]), "cancelled", f"dry:{send['mode']}", now)
    play = rt.plays.get(str(send["play"]))
    if play is not None and enrolment is not None and enrolment["state"] == "walking":
        walk.next_step(tx, play, enrolment, now)


def _begin(
    tx: Tx, rt: Setup, send: Row, facts: Facts, language: str, now: datetime
) -> Ticket | None:
    counted = count(facts.text)
    begun = sends.begin(
        tx,
        str(send["id"]),
        text=facts.text,
        language=language,
        encoding=counted.encoding,
        segments=counted.segments,
        provider=rt.provider,
        phone=facts.contact.phone,
        at=now,
    )
    if not begun:
        return None
    message = Message(
        send_id=send["id"],
        to=facts.contact.phone,
        text=facts.text,
        sender=send["sender"] or rt.sender,
        callback_url=rt.callback_url,
        valid_for=_valid_for(rt, facts, now),
        purpose=facts.purpose.value,
    )
    return Ticket(send["id"], rt.provider, int(send["attempt"]) + 1, message)


def _valid_for(rt: Setup, facts: Facts, now: datetime) -> timedelta:
    """How long the provider may try: never into quiet hours, and not past the text's use."""
    where = hours.places(facts.contact, facts.contact.phone)
    margin = rt.book.policy.window_margin
    opening = hours.judge(where, rt.book.hours, facts.purpose, now, margin)
    ends = min(facts.expires_at, opening.closes or facts.expires_at)
    return min(max(ends - now, SHORTEST_VALID), LONGEST_VALID)
