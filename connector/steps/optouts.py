"""Opt-outs and a CRM's field for them: what it says is heard, what it forgot is told again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import consents, contacts, writebacks
from connector.ledger.store import Tx
from connector.model import Json
from connector.phone import mask
from connector.rules import activities
from connector.rules.consent import CRM_FIELD, EVERYTHING, standing
from connector.rules.expiry import NEVER
from connector.steps import owed
from connector.steps.consent import opt_out, record_consent
from connector.steps.setup import Setup

TICKED: Final = frozenset({"true", "yes", "1", "y", "on"})

log = logging.getLogger("connector")


def is_ticked(value: Json) -> bool:
    """Whether an opt-out field says yes, however the CRM writes it."""
    return value is True or str(value).strip().casefold() in TICKED


def heard(
    tx: Tx,
    rt: Setup,
    crm: str,
    contact_id: str,
    before: Mapping[str, Json],
    facts: Mapping[str, Json],
    now: datetime,
) -> None:
    """A CRM told of a contact: take over an opt-out that was ticked there since.

    One that was un-ticked there lifts only what the CRM itself set; any other is ticked again,
    with a note that says why. A CRM that tells nothing of the field has not un-ticked it.
    """
    field = rt.opt_out_fields.get(crm, "")
    if not field or facts.get(field) is None:
        return
    was, is_now = is_ticked(before.get(field)), is_ticked(facts[field])
    if was == is_now:
        return
    phones = contacts.phones(contacts.identities(tx, contact_id))
    if is_now:
        if not all(_is_stopped(tx, phone) for phone in phones):  # else our own tick comes back
            for phone in phones:
                _tick(tx, rt, crm, field, phone, now)
        return
    kept = [phone for phone in phones if not _untick(tx, rt, crm, field, phone, now)]
    if kept:
        tick_again(tx, crm, contact_id, kept, now)


def ticked(tx: Tx, rt: Setup, crm: str, phones: Iterable[str], now: datetime) -> None:
    """A record that was just read has its box ticked for these numbers: it counts at once.

    It does not wait until the facts are asked for. The CRM recorded it, so that a replay, to
    which records are not told, hears of it.
    """
    field = rt.opt_out_fields.get(crm, "")
    for phone in phones:
        if not _is_stopped(tx, phone):
            _tick(tx, rt, crm, field, phone, now, who=crm)


def kept(tx: Tx, crm: str, contact_id: str, phone: str, now: datetime) -> None:
    """An event of the CRM said that its box was un-ticked: where a STOP stands, tick it again."""
    number = consents.number(tx, phone)
    if number is not None and number["blocked_scope"]:
        tick_again(tx, crm, contact_id, [phone], now)


def tick_again(tx: Tx, crm: str, contact_id: str, phones: list[str], now: datetime) -> None:
    """Owe the CRM its field ticked, and a note that says who opted out and how to come back."""
    number = consents.number(tx, phones[0])
    by = str(number["blocked_by"]) if number is not None else ""
    since = str(number["blocked_at"] or "")[:10] if number is not None else ""
    body = (
        f"The SMS opt-out of {', '.join(map(mask, phones))} stands: it came by {by or 'text'} on "
        f"{since}, and not from this field. Only START from the number, or a new double opt-in, "
        "lifts it. The field was ticked again."
    )
    for note in activities.for_note(f"{contact_id}:{clock.text(now)}", body, clock.text(now)):
        writebacks.owe(tx, crm, contact_id, note, now)
    owed.contact_changed(tx, crm, contact_id, now)
    log.info("act=optouts contact=%s crm=%s result=ticked_again", contact_id, crm)


def _is_stopped(tx: Tx, phone: str) -> bool:
    """Whether the number opted out, of everything or of marketing: the CRM's box says no more."""
    number = consents.number(tx, phone)
    return number is not None and bool(number["blocked_scope"])


def _tick(
    tx: Tx, rt: Setup, crm: str, field: str, phone: str, now: datetime, who: str = "connector"
) -> None:
    number = consents.number(tx, phone)
    if number is None or number["blocked_scope"] != EVERYTHING:
        words = f"{field} was ticked in {crm}"
        opt_out(tx, rt, phone, CRM_FIELD, words, who, "", now, source=crm)


def _untick(tx: Tx, rt: Setup, crm: str, field: str, phone: str, now: datetime) -> bool:
    """Whether nothing stands against the number now."""
    stands = standing(consents.history(tx, phone), None, NEVER)
    if stands.stopped and stands.by == {CRM_FIELD}:
        record_consent(
            tx,
            rt,
            phone=phone,
            purpose=EVERYTHING,
            granted=True,
            method=CRM_FIELD,
            wording=f"{field} was un-ticked in {crm}",
            source=crm,
            now=now,
        )
        stands = standing(consents.history(tx, phone), None, NEVER)
    return not stands.stopped
