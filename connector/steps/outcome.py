"""Outcomes: receipts and replies are kept, understood and acted on, each once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from connector import clock
from connector.ledger import consents, contacts, outcomes, sends
from connector.ledger.outcomes import Heard
from connector.ledger.store import Tx
from connector.model import Accepted, Label, Receipt, Reply
from connector.phone import mask
from connector.rules import replies
from connector.rules.consent import standing
from connector.steps import dispatch, owed
from connector.steps.consent import record_consent
from connector.steps.setup import Setup

log = logging.getLogger("connector")

ANSWER_WITHIN = timedelta(minutes=5)
"""An answer leaves within five minutes of the reply's own time, or not at all."""

ANSWERS = {
    Label.opt_out: "stop_confirmed",
    Label.opt_in: "start_confirmed",
    Label.help: "help_answer",
}


def receipt(tx: Tx, rt: Setup, told: Receipt, now: datetime) -> None:
    """Keep a receipt and take its status over; repeated or late ones change nothing."""
    send_id = outcomes.send_of(tx, told)
    if not outcomes.add_receipt(tx, told, send_id, now, receipt_id=rt.new_id("rcp")):
        return
    before = sends.get(tx, send_id) if send_id else None
    if before is None:
        log.warning("act=receipt provider=%s result=unknown_send", told.provider)
        return
    if before["state"] in ("sending", "uncertain") and not before["provider_id"]:
        dispatch.accepted(tx, rt, before, Accepted(told.provider_id), now)
    if not sends.told(tx, send_id, told, now):
        return
    after = sends.get(tx, send_id)
    if after is None:
        return
    if told.reason == "opted_out":
        _stop(
            tx, rt, str(after["phone"]), "provider", f"provider error {told.error_code}", now, now
        )
    if told.reason == "not_mobile":
        consents.touch(tx, str(after["phone"]))
        consents.set_type(tx, str(after["phone"]), "fixed_line")
    owed.send_changed(tx, rt.crm, after, now)
    log.info("act=receipt send=%s status=%s", send_id, told.status.value)


def reply(tx: Tx, rt: Setup, told: Reply, now: datetime) -> None:
    """Keep a reply, understand it, and do what it asks; a repeated one changes nothing."""
    at = min(told.occurred_at or now, now)
    consents.touch(tx, told.sender)
    last = outcomes.last_to(tx, told.sender, at)
    contact_id = _whose(tx, told, str(last["contact_id"]) if last else "")
    understood = replies.classify(told.text, opt_out_type=told.opt_out_type)
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
    )
    if not new:
        return
    acted = _act(tx, rt, told, understood.label, understood.why, contact_id, at, now)
    if contact_id:
        _remember(tx, rt, told, understood.label, contact_id, reply_id, last, at, now)
    if not told.opt_out_type and understood.label in ANSWERS and acted:
        _answer(tx, rt, told, understood.label, contact_id, reply_id, at, now)
    log.info("act=reply from=%s label=%s", mask(told.sender), understood.label.value)


def _whose(tx: Tx, told: Reply, last_contact: str) -> str:
    """The contact that was texted last at the number; else the only one that bears it."""
    bearers = contacts.bearers(tx, "phone", told.sender)
    if last_contact:
        row = contacts.row(tx, last_contact)
        return str(row["id"]) if row else ""
    return bearers[0] if len(bearers) == 1 else ""


def _act(
    tx: Tx,
    rt: Setup,
    told: Reply,
    label: Label,
    why: str,
    contact_id: str,
    at: datetime,
    now: datetime,
) -> bool:
    """Do what the reply asks; False where there was nothing to do, so nothing to confirm."""
    if label is Label.opt_out:
        scope = rt.book.policy.stop_scope
        _stop(tx, rt, told.sender, "reply", told.text[:160], at, now, scope=scope)
        _stop_other_numbers(tx, rt, contact_id, told.sender, at, now)
    elif label is Label.opt_in:
        return _start(tx, rt, told, at, now)
    elif label is Label.wrong_person:
        _wrong_person(tx, rt, told, contact_id, at, now)
    elif label is Label.hold:
        consents.hold(tx, told.sender, f"An unclear reply waits for a person: {why}", now)
    return True


def _stop(
    tx: Tx,
    rt: Setup,
    phone: str,
    method: str,
    wording: str,
    at: datetime,
    now: datetime,
    *,
    scope: str = "all",
) -> None:
    """End every consent of the number (or marketing, where the operator's law allows)."""
    record_consent(
        tx,
        rt,
        phone=phone,
        purpose=scope,
        granted=False,
        method=method,
        wording=wording,
        source=rt.provider,
        occurred_at=at,
        now=now,
    )


def _stop_other_numbers(
    tx: Tx, rt: Setup, contact_id: str, phone: str, at: datetime, now: datetime
) -> None:
    """A STOP also stops marketing to the person's other numbers known at that moment."""
    if not contact_id:
        return
    for other in contacts.phones(contacts.identities(tx, contact_id)):
        if other != phone:
            record_consent(
                tx,
                rt,
                phone=other,
                purpose="marketing",
                granted=False,
                method="reply",
                wording="STOP from another number of the same person",
                source=rt.provider,
                occurred_at=at,
                now=now,
            )


def _start(tx: Tx, rt: Setup, told: Reply, at: datetime, now: datetime) -> bool:
    """Lift a STOP and grant again exactly what was live when it came; False where none stood."""
    if not standing(consents.history(tx, told.sender)).stopped:
        return False
    record_consent(
        tx,
        rt,
        phone=told.sender,
        purpose="all",
        granted=True,
        method="reply",
        wording=told.text[:160],
        source=told.provider,
        occurred_at=at,
        now=now,
    )
    return True


def _wrong_person(
    tx: Tx, rt: Setup, told: Reply, contact_id: str, at: datetime, now: datetime
) -> None:
    """All consent of the number ends, without an answer, and it leaves the contact."""
    _stop(tx, rt, told.sender, "reply", told.text[:160], at, now)
    for bearer in contacts.bearers(tx, "phone", told.sender):
        contacts.detach(tx, "phone", told.sender, bearer, "", now, link_id=rt.new_id("lnk"))


def _remember(
    tx: Tx,
    rt: Setup,
    told: Reply,
    label: Label,
    contact_id: str,
    reply_id: str,
    last: object,
    at: datetime,
    now: datetime,
) -> None:
    """A reply is activity, an outcome, and something the CRM is told."""
    tx.run(
        """UPDATE contacts SET last_activity_at = :at
        WHERE id = :id AND coalesce(last_activity_at, '') < :at""",
        id=contact_id,
        at=clock.text(at),
    )
    kind = "opted_out" if label in (Label.opt_out, Label.wrong_person) else "replied"
    send = sends.get(tx, str(last["id"])) if last else None  # type: ignore[index]
    heard = Heard(
        id=rt.new_id("out"),
        cause=f"reply:{reply_id}",
        contact_id=contact_id,
        kind=kind,
        occurred_at=at,
        enrolment_id=(send["enrolment_id"] or "") if send else "",
        send_id=send["id"] if send else "",
    )
    outcomes.add(tx, heard, now)
    owed.replied(tx, rt.crm, outcomes.get_reply(tx, reply_id), now)
    owed.outcome_heard(tx, rt.crm, outcomes.get(tx, heard.id), now)


def _answer(
    tx: Tx,
    rt: Setup,
    told: Reply,
    label: Label,
    contact_id: str,
    reply_id: str,
    at: datetime,
    now: datetime,
) -> None:
    """Plan our answer: once, to the number that wrote, within five minutes or not at all."""
    if now - at >= ANSWER_WITHIN:
        return
    if label is Label.opt_out and _confirmed_already(tx, told.sender, reply_id):
        return
    sends.plan(
        tx,
        sends.Plan(
            id=rt.new_id("snd"),
            cause="system",
            cause_id=reply_id,
            step=ANSWERS[label],
            contact_id=contact_id,
            phone=told.sender,
            purpose="system",
            template=ANSWERS[label],
            due_at=now,
            expires_at=at + ANSWER_WITHIN,
            mode=rt.earnest.value,
            priority=100,
        ),
        now,
    )


def _confirmed_already(tx: Tx, phone: str, reply_id: str) -> bool:
    """Whether this STOP changed nothing: a STOP is confirmed once, until a START."""
    row = tx.one(
        """SELECT CAST(count(*) AS BIGINT) AS n FROM replies WHERE phone = :phone AND id <> :id
        AND label = 'opt_out' AND occurred_at > coalesce((SELECT max(occurred_at) FROM replies
            WHERE phone = :phone AND label = 'opt_in'), '')""",
        phone=phone,
        id=reply_id,
    )
    return bool(row and row["n"])
