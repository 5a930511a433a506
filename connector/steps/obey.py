"""Obeying: what a reply asks is done to the consents of its number, and confirmed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from connector.ledger import consents, contacts, listings, sends
from connector.ledger.store import Tx
from connector.messages import Reply
from connector.model import Label
from connector.rules.consent import WRONG_PERSON, standing
from connector.rules.optin import CONFIRMED
from connector.steps import optin, templates
from connector.steps.consent import MOST_BEARERS, record_consent
from connector.steps.setup import Setup

ANSWER_WITHIN: Final = timedelta(minutes=5)
"""An answer leaves within five minutes of the reply's own time, or not at all."""

PENDING: Final = "pending"  #: why a reply opts in: a double opt-in is open, and it says yes
ANSWERS: Final = {
    Label.opt_out: "stop_confirmed",
    Label.opt_in: "start_confirmed",
    Label.help: "help_answer",
}


def obey(
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
    if label in (Label.opt_out, Label.wrong_person):
        optin.close(tx, told.sender, now)
    if label is Label.opt_out:
        scope = rt.book.policy.stop_scope
        words, by = told.text[:160], told.provider
        stop(tx, rt, told.sender, "reply", words, at, now, scope=scope, source=by)
        _stop_other_numbers(tx, rt, contact_id, told, at, now)
    elif label is Label.opt_in and why == PENDING:
        return optin.complete(tx, rt, told, at, now)
    elif label is Label.opt_in:
        return _start(tx, rt, told, at, now)
    elif label is Label.wrong_person:
        _wrong_person(tx, rt, told, contact_id, at, now)
    elif label is Label.hold:
        consents.hold(tx, told.sender, f"An unclear reply waits for a person: {why}", now)
    return True


def answer(
    tx: Tx,
    rt: Setup,
    told: Reply,
    label: Label,
    contact_id: str,
    reply_id: str,
    at: datetime,
    now: datetime,
    why: str = "",
) -> None:
    """Plan our answer: once, to the number that wrote, within five minutes or not at all."""
    if now - at >= ANSWER_WITHIN:
        return
    if label is Label.opt_out and _confirmed_already(tx, told.sender, reply_id):
        return
    template = CONFIRMED if why == PENDING else ANSWERS[label]
    sends.plan(
        tx,
        sends.Plan(
            id=rt.new_id("snd"),
            cause="system",
            cause_id=reply_id,
            step=template,
            contact_id=contact_id,
            phone=told.sender,
            purpose="system",
            template=template,
            due_at=now,
            expires_at=at + ANSWER_WITHIN,
            mode=rt.earnest.value,
            priority=100,
        ),
        now,
    )


def stop(
    tx: Tx,
    rt: Setup,
    phone: str,
    method: str,
    wording: str,
    at: datetime,
    now: datetime,
    *,
    source: str,
    scope: str = "all",
) -> None:
    """End every consent of the number (or marketing, where the operator's law allows).

    ``source`` is the provider that told of it.
    """
    added = record_consent(
        tx,
        rt,
        phone=phone,
        purpose=scope,
        granted=False,
        method=method,
        wording=wording,
        source=source,
        occurred_at=at,
        now=now,
    )
    if added:
        templates.opted_out(tx, rt, phone, at, now)


def _stop_other_numbers(
    tx: Tx, rt: Setup, contact_id: str, told: Reply, at: datetime, now: datetime
) -> None:
    """A STOP also stops marketing to the person's other numbers known at that moment.

    Where several share the number and nobody can tell who of them wrote, to those of each.
    """
    phone = told.sender
    whose = [contact_id] if contact_id else contacts.bearers(tx, "phone", phone)
    others = [contacts.phones(contacts.identities(tx, each)) for each in whose]
    for other in dict.fromkeys(chain.from_iterable(others)):
        if other != phone:
            record_consent(
                tx,
                rt,
                phone=other,
                purpose="marketing",
                granted=False,
                method="reply",
                wording="STOP from another number of the same person",
                source=told.provider,
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
    stop(tx, rt, told.sender, WRONG_PERSON, told.text[:160], at, now, source=told.provider)
    for bearer in listings.bearers(tx, "phone", told.sender, MOST_BEARERS):
        contacts.detach(tx, "phone", told.sender, bearer, "", now, link_id=rt.new_id("lnk"))


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
