"""Outcomes: receipts and replies are kept, understood and acted on, each once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from connector.ledger import consents, contacts, enrolments, outcomes, sends, statuses
from connector.ledger.outcomes import Heard
from connector.ledger.store import Row, Tx
from connector.messages import Accepted, Receipt, Reply
from connector.model import Label, Status
from connector.phone import mask
from connector.rules import activities, replies
from connector.rules.links import cleaned
from connector.rules.replies import Understood
from connector.steps import (
    budget,
    optin,
    owed,
    person,
    route,
    signal,
    templates,
    untaken,
    versions,
)
from connector.steps.answered import OVER, accepted
from connector.steps.obey import ANSWERS, answer, obey, stop
from connector.steps.setup import Setup

log = logging.getLogger("connector")

ANSWERABLE = timedelta(days=7)
"""How long the last text to a number may be answered by a word it asked for."""

OPEN = timedelta(hours=24)
"""How long after its last message a conversation with a person is still open."""

SIGNAL = "reply"
GONE = frozenset({Label.opt_out, Label.wrong_person})


def receipt(tx: Tx, rt: Setup, told: Receipt, now: datetime) -> None:
    """Keep a receipt and take its status over; repeated or late ones change nothing.

    One that was told before anybody knew whose it is counts once that is known.
    """
    send_id = outcomes.send_of(tx, told)
    is_new = outcomes.add_receipt(tx, told, send_id, now, receipt_id=rt.new_id("rcp"))
    if is_new or (send_id and outcomes.claim(tx, told, send_id)):
        heed(tx, rt, send_id, told, now)


def heed(tx: Tx, rt: Setup, send_id: str, told: Receipt, now: datetime) -> None:
    """Act on a receipt that is kept, about a send ("" where it is not known whose it is)."""
    before = sends.get(tx, send_id) if send_id else None
    if before is None:
        log.warning("act=receipt provider=%s result=unknown_send", told.provider)
        return
    _taken(tx, rt, before, told, now)
    _of_number(tx, rt, str(before["phone"]), told, now)
    is_news = statuses.told(tx, send_id, told, now)
    budget.correct(tx, rt, send_id)
    after = sends.get(tx, send_id) if is_news else None
    if after is None:
        return
    if told.status is Status.delivered:
        templates.delivered(tx, rt, after, now)
    owed.send_changed(tx, rt.crm, after, now)
    log.info("act=receipt send=%s status=%s", send_id, told.status.value)


def _taken(tx: Tx, rt: Setup, send: Row, told: Receipt, now: datetime) -> None:
    """A receipt proves that the text went, whatever was thought of it."""
    state = str(send["state"])
    if send["provider_id"] or not int(send["attempt"]):
        return
    if state in ("sending", "uncertain", "planned", *OVER):
        accepted(tx, rt, send, Accepted(told.provider_id), now)
    if state == "uncertain":
        person.all_clear(tx, now)


def _of_number(tx: Tx, rt: Setup, phone: str, told: Receipt, now: datetime) -> None:
    """What a receipt tells of the number itself, whether or not its status is news."""
    if told.reason == "opted_out":
        wording = f"provider error {told.error_code}"
        stop(tx, rt, phone, "provider", wording, now, now, source=told.provider)
    if told.reason in untaken.NUMBER_TYPES:
        consents.touch(tx, phone)
        consents.set_type(tx, phone, untaken.NUMBER_TYPES[told.reason])


def reply(tx: Tx, rt: Setup, told: Reply, now: datetime) -> None:
    """Keep a reply, understand it, and do what it asks; a repeated one changes nothing."""
    at = min(told.occurred_at or now, now)
    consents.touch(tx, told.sender)
    asking = outcomes.last_asked(tx, told.sender, at - ANSWERABLE, at)
    last = asking or outcomes.last_to(tx, told.sender, at)
    contact_id = _whose(tx, told, str(last["contact_id"]) if last else "")
    understood, answered = _understood(tx, rt, told, asking, at)
    reply_id = rt.new_id("rpl")
    new = outcomes.add_reply(
        tx,
        told,
        reply_id=reply_id,
        label=understood.label.value,
        why=understood.why,
        contact_id=contact_id,
        send_id=str(last["id"]) if last else "",
        occurred_at=at,
        now=now,
        answer=answered,
    )
    if not new:
        return
    route.wrote_to(tx, rt, told.sender, told.provider, told.to, at)
    talking = outcomes.talk(tx, told.sender, at - OPEN, at)
    acted = obey(tx, rt, told, understood.label, understood.why, contact_id, at, now)
    if contact_id:
        label = understood.label
        _remember(tx, rt, label, contact_id, reply_id, last, at, now)
        if activities.needs_person(label, talking=talking):
            owed.hot_reply(tx, rt.crm, outcomes.get_reply(tx, reply_id), now)
        _signal(tx, rt, told, label, answered, contact_id, last, at, now)
    if not told.opt_out_type and understood.label in ANSWERS and acted:
        answer(tx, rt, told, understood.label, contact_id, reply_id, at, now, understood.why)
    log.info(
        "act=reply from=%s label=%s why=%s",
        mask(told.sender),
        understood.label.value,
        understood.why,
    )


def _understood(
    tx: Tx, rt: Setup, told: Reply, asking: Row | None, at: datetime
) -> tuple[Understood, str]:
    """What a reply means, and which answer it is to the last text; an answer is never held."""
    pending = optin.is_open(tx, told.sender, at, asking["counts_at"] if asking else None)
    understood = replies.classify(told.text, pending=pending, opt_out_type=told.opt_out_type)
    if asking is None or understood.label not in (Label.none, Label.hold):
        return understood, ""
    answered = replies.answer(told.text, _answers(tx, rt, asking))
    return (Understood(Label.none, "answer", answered) if answered else understood), answered


def _answers(tx: Tx, rt: Setup, send: Row) -> tuple[str, ...]:
    """The words that a text asked for, by the play as it stood for its enrolment."""
    walked = enrolments.get(tx, str(send["enrolment_id"])) if send["enrolment_id"] else None
    play = versions.play_of(tx, rt, walked) if walked else None
    steps = play.steps if play else ()
    return next((step.answers for step in steps if step.name == send["step"]), ())


def _whose(tx: Tx, told: Reply, last_contact: str) -> str:
    """The contact that was texted last at the number; else the only one that bears it."""
    bearers = contacts.bearers(tx, "phone", told.sender)
    if last_contact:
        row = contacts.row(tx, last_contact)
        return str(row["id"]) if row else ""
    return bearers[0] if len(bearers) == 1 else ""


def _remember(
    tx: Tx,
    rt: Setup,
    label: Label,
    contact_id: str,
    reply_id: str,
    last: Row | None,
    at: datetime,
    now: datetime,
) -> None:
    """A reply is an outcome, and something the CRM is told: once, by its own words."""
    kind = "opted_out" if label in GONE else "replied"
    heard = Heard(
        id=rt.new_id("out"),
        cause=f"reply:{reply_id}",
        contact_id=contact_id,
        kind=kind,
        occurred_at=at,
        enrolment_id=(last["enrolment_id"] or "") if last else "",
        send_id=str(last["id"]) if last else "",
    )
    outcomes.add(tx, heard, now)
    owed.replied(tx, rt.crm, outcomes.get_reply(tx, reply_id), now)


def _signal(
    tx: Tx,
    rt: Setup,
    told: Reply,
    label: Label,
    answered: str,
    contact_id: str,
    last: Row | None,
    at: datetime,
    now: datetime,
) -> None:
    """A reply is activity and a signal of our own, by which plays start, branch and end.

    One that wants out, or comes from the wrong person, ends plays and starts none; what the
    wrong person does is no activity of the contact's.
    """
    facts = {
        "text": cleaned(told.text),
        "label": label.value,
        "answer": answered,
        "play": last["play"] if last else "",
        "step": last["step"] if last else "",
    }
    signal.own_signal(
        tx,
        rt,
        contact_id,
        SIGNAL,
        facts,
        at=at,
        now=now,
        key=str(last["key"]) if last else "",
        activity=label is not Label.wrong_person,
        starts=label not in GONE,
    )
