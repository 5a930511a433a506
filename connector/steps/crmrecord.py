"""Which record of a CRM is a contact's: the one known, else the one found by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.ledger import contacts, crm_facts, writebacks
from connector.ledger.store import Tx
from connector.ledger.writebacks import NO_RECORD, Refusal
from connector.model import Json, Subject
from connector.steps import crmfacts
from connector.steps.setup import Setup

ASK_AGAIN: Final = timedelta(hours=1)
"""A CRM that knew nobody by a person's names is asked for them again after so long."""

BESIDE: Final[Mapping[str, str]] = {"deal": "deal_id", "company": "company_id", "case": "case_id"}
"""What else a change stands on → the fact of the contact that holds its id."""

OWNER: Final = "owner"  #: the fact that holds the id of the user whom a contact belongs to


def known(tx: Tx, crm: str, contact_id: str) -> str:
    """The id of the contact's record in a CRM, the one confirmed last; "" where none is known."""
    for name in contacts.identities(tx, contact_id):
        system, _, record = str(name["value"]).partition(":")
        if name["kind"] == "crm_id" and system == crm:
            return record
    return ""


def beside(tx: Tx, crm: str, contact_id: str) -> tuple[dict[str, str], str]:
    """What else a contact's change stands on (object → id), and the contact's owner there."""
    facts = crm_facts.of(tx, crm, contact_id)
    related = {thing: str(facts[name]) for thing, name in BESIDE.items() if facts.get(name)}
    return related, str(facts.get(OWNER) or "")


def subjects(rt: Setup, crm: str, contact_ids: Sequence[str]) -> dict[str, Subject]:
    """Whom to ask the CRM for, by contact: not whom it did not know within the last hour."""
    since = rt.clock() - ASK_AGAIN
    with rt.store.read() as tx:
        again = [one for one in contact_ids if not writebacks.is_unknown(tx, crm, one, since)]
        return {one: subject for one in again if (subject := _names(tx, one)) != Subject()}


def found(
    rt: Setup,
    crm: str,
    contact_ids: Sequence[str],
    records: Mapping[str, Mapping[str, Json] | None],
) -> dict[str, Refusal]:
    """Link the records that the CRM knows contacts by; why those without one have none.

    A record is linked, as a trusted event would, unless it stands for another contact already.
    """
    missing = {one: _nobody(crm) for one in contact_ids}
    with rt.store.write() as tx:
        now = rt.clock()
        for contact_id, facts in records.items():
            refusal = _link(tx, rt, crm, contact_id, facts, now) if facts else None
            if refusal is not None:
                missing[contact_id] = refusal
            elif facts:
                del missing[contact_id]
    return missing


def link(tx: Tx, rt: Setup, crm: str, contact_id: str, record: str, now: datetime) -> str:
    """A record is the contact's from now on; the id of whose it is already, else ""."""
    value = f"{crm}:{record}"
    bearer = contacts.bearer(tx, "crm_id", value)
    if bearer is not None and bearer["id"] != contact_id:
        return str(bearer["id"])
    proof, link_id = f"lookup:{crm}", rt.new_id("lnk")
    contacts.link(tx, "crm_id", value, contact_id, proof, now, confirmed=True, link_id=link_id)
    writebacks.record_found(tx, contact_id, now)
    return ""


def _link(
    tx: Tx, rt: Setup, crm: str, contact_id: str, facts: Mapping[str, Json], now: datetime
) -> Refusal | None:
    record = str(facts["id"])
    if other := link(tx, rt, crm, contact_id, record, now):
        return Refusal(
            f"record {record} of {crm} stands for {other}, another contact here",
            NO_RECORD,
            f"If they are one person, merge them in {crm}, or send an alias of the two.",
        )
    crmfacts.learn(tx, rt, crm, contact_id, crmfacts.of_record(rt, crm, facts), now)
    return None


def _nobody(crm: str) -> Refusal:
    return Refusal(
        f"{crm} has no one record with this person's number or e-mail address",
        NO_RECORD,
        "Make the record there, or leave one of several; then `connector writebacks retry --code "
        "no_record`. As soon as an event names the record, all of it is written by itself.",
    )


def _names(tx: Tx, contact_id: str) -> Subject:
    """What a CRM may know a contact by, beside an id of its own."""
    contact = contacts.get(tx, contact_id)
    return Subject(phone=contact.phone, email=contact.email) if contact else Subject()
