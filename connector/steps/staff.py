"""Staff: the operator's own people, known again by the ids that came with their names.

A page says who somebody is once and then speaks of a user id or a device alone, so that those
are kept beside the entry of ``[traffic]`` that named the person. Where nobody is named there,
nothing is read or written.
"""

from __future__ import annotations

from datetime import datetime

from connector.ledger import contacts, staff
from connector.ledger.store import Tx
from connector.model import Contact, Event, Objection, Signal, Subject, Trust, Verdict
from connector.rules import traffic
from connector.steps.setup import Setup

NOT_STARTED = "The person is listed under [traffic] in config.toml as one of our own."


def learn(tx: Tx, rt: Setup, event: Event, subject: Subject, now: datetime) -> None:
    """Keep by which ids one of our own people is known.

    From a browser only the device: its word must not make a customer's user id one of ours.
    """
    entry = rt.traffic.staff(subject.user_id, subject.email, subject.phone)
    source = rt.sources.get(event.source)
    is_trusted = source is not None and source.trust is Trust.trusted
    for kind, value in contacts.named(subject) if entry else ():
        if kind == "anonymous_id" or (is_trusted and kind in ("user_id", "crm_id")):
            staff.note(tx, kind, value, entry, now)


def is_known(tx: Tx, rt: Setup, signal: Signal) -> bool:
    """Whether a signal is of somebody who was told to be one of ours, and is listed still.

    What must be heard whoever it is of is heard all the same.
    """
    if not rt.traffic.names_staff or traffic.is_due_to_all(signal):
        return False
    names = contacts.named(signal.subject)
    return any(
        rt.traffic.still(entry)
        for kind, value in names
        if kind in contacts.DECIDING
        for entry in staff.entries(tx, kind, value)
    )


def against(rt: Setup, contact: Contact) -> tuple[Objection, ...]:
    """Why nothing starts for a contact who turns out to be one of ours; () for a customer."""
    if not rt.traffic.names_staff:
        return ()
    if not rt.traffic.staff(contact.phone, contact.email, *contact.others):
        return ()
    return (Objection(traffic.STAFF, Verdict.stop, NOT_STARTED),)
