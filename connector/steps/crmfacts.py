"""What a CRM tells of a person is kept, and plays that wait for a change of it begin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connector.ledger import crm_facts
from connector.ledger.store import Tx
from connector.model import Json
from connector.rules.plays import Kind
from connector.rules.triggers import change
from connector.steps import edges, gather
from connector.steps.changes import changed
from connector.steps.setup import Setup


def learn(
    tx: Tx, rt: Setup, crm: str, contact_id: str, facts: Mapping[str, Json], now: datetime
) -> None:
    """Take over a CRM's facts about a contact.

    What is told of somebody for the first time changed nothing: a first connection starts no play.
    """
    before = crm_facts.of(tx, crm, contact_id)
    if dict(facts) == before:
        crm_facts.keep(tx, crm, contact_id, facts, now)
        return
    change_id = rt.new_id("crc")
    crm_facts.keep(tx, crm, contact_id, facts, now)
    crm_facts.note(tx, change_id, crm, contact_id, facts, now)
    if not before:
        return
    told = list(change.differences("crm", before, facts))
    changed(tx, rt, contact_id, told, at=now, now=now, event_id=change_id)
    contact = gather.person(tx, contact_id) if rt.by_kind.get(Kind.segment) else None
    if contact is not None:
        edges.touched(
            tx,
            rt,
            contact,
            "",
            has_changed=True,
            is_new=False,
            at=now,
            now=now,
            before=contact,
        )
