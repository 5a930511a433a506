"""A person's record of a CRM that is no longer there: merged, converted, deleted, or erased by law.

What became of it is kept with the event that proved it, so that an operator can undo a merge.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from connector.ledger import (
    contacts,
    crm_facts,
    crm_hints,
    crm_records,
    events,
    people,
    writebacks,
)
from connector.ledger.store import Tx
from connector.model import Event, Fate, Hint, Json
from connector.records import Record
from connector.rules.crmchange import Known
from connector.rules.mapping import DELETED, MERGED
from connector.steps import advance, crmfacts, crmtell
from connector.steps.forget import forget
from connector.steps.setup import Setup

WHY_ERASED: Final = "the CRM erased the person's record by law"

log = logging.getLogger("connector")


def gone(tx: Tx, rt: Setup, crm: str, record: Record, known: Known | None, now: datetime) -> bool:
    """Follow what became of a person's record; whether that is news."""
    lives_on = record.became not in ("", record.id)
    if record.fate is Fate.erased:
        return _erase(tx, rt, crm, record, known.contact_id if known else "", now)
    if known is not None and known.fate and (known.fate, known.became) == _said(record):
        return False
    if lives_on and record.fate in (Fate.merged, Fate.converted):
        _follow(tx, rt, crm, record, now)
    else:
        _let_go(tx, rt, crm, record, now)
    fate = record.fate or Fate.deleted
    crm_records.gone(tx, crm, record.object, record.id, fate, record.became, now)
    log.info("act=crm crm=%s object=%s result=%s", crm, record.object, fate)
    return True


def _said(record: Record) -> tuple[str, str]:
    return str(record.fate or ""), record.became


def _follow(tx: Tx, rt: Setup, crm: str, record: Record, now: datetime) -> None:
    """The record lives on in another: our two contacts are one, and that record is the one used."""
    source, loser = rt.sources.get(crm), crmtell.bearer(tx, crm, record.id)
    if loser and source is not None:
        event = _event(rt, crm, record, MERGED, now)
        advance.hear(tx, rt, event, advance.map_event(rt, source, event), now)
    object = "contact" if record.fate is Fate.converted else record.object
    lives = _living(tx, crm, object, record.became)
    if contact_id := crmtell.bearer(tx, crm, lives):
        contacts.confirm(tx, "crm_id", f"{crm}:{record.id}", contact_id, None)
        contacts.confirm(tx, "crm_id", f"{crm}:{lives}", contact_id, now)
    crm_hints.note(tx, Hint(crm, object, lives, now), now)


def _living(tx: Tx, crm: str, object: str, record: str) -> str:
    """The record at the end of a chain of merges, as far as they were heard of."""
    for _ in range(20):  # a chain is short, and this bounds a loop that a CRM might tell of
        found = crm_records.get(tx, crm, object, record)
        if found is None or not found["became"]:
            break
        record = str(found["became"])
    return record


def _let_go(tx: Tx, rt: Setup, crm: str, record: Record, now: datetime) -> None:
    """The record is gone: nothing more is written to it, and what it told is nothing now."""
    contact_id = crmtell.bearer(tx, crm, record.id)
    if not contact_id:
        return
    event = _event(rt, crm, record, DELETED, now)
    events.record(tx, event, "unmapped", "record_deleted", contact_id, at=now)
    value = f"{crm}:{record.id}"
    told = (tx, "crm_id", value, contact_id, event.id, now)
    contacts.detach(*told, link_id=rt.new_id("lnk"))
    contact = contacts.get(tx, contact_id)
    if contact is not None and crm not in contact.crm_links:
        writebacks.record_gone(tx, crm, contact_id, now)
        if crm_facts.fetched_at(tx, crm, contact_id) is not None:
            crmfacts.learn(tx, rt, crm, contact_id, {}, now)


def _erase(tx: Tx, rt: Setup, crm: str, record: Record, contact_id: str, now: datetime) -> bool:
    """By law our copy goes too. The number stays blocked, without saying whose it was."""
    contact_id = crmtell.bearer(tx, crm, record.id) or contact_id
    if contact_id and contacts.row(tx, contact_id) is not None:
        person = people.find(tx, contact_id)
        forget(tx, rt, person, who=crm, why=WHY_ERASED, now=now)
        log.warning("act=forget crm=%s result=erased", crm)
    crm_records.drop(tx, crm, record.object, record.id)
    return bool(contact_id)


def _event(rt: Setup, crm: str, record: Record, type: str, now: datetime) -> Event:
    """What proves it, as one event; told again it is the same one."""
    item: Mapping[str, Json] = {
        "object": record.object,
        "id": record.id,
        "fate": str(record.fate or Fate.deleted),
        "became": record.became,
    }
    key = f"{record.object}:{record.id}:{type}:{record.became}"
    if type == DELETED:  # one that was restored may be deleted again
        key += f":{record.modified_at.isoformat()}"
    at = min(record.modified_at, now)
    payload = {"name": record.object, "item": item, "headers": {}}
    return Event(rt.new_id("evt"), crm, key, type, record.object, at, now, payload)
