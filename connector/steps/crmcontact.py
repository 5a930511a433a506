"""People of a CRM: a contact's or a lead's record, taken over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from connector.ledger import contacts, crm_facts, crm_records, writebacks
from connector.ledger.store import Tx
from connector.model import Fate, Json
from connector.records import Record
from connector.rules import crmchange
from connector.rules.crmchange import Change, FieldChange, Known
from connector.steps import crmown, crmtell, optouts
from connector.steps.setup import Setup


def take(
    tx: Tx,
    rt: Setup,
    crm: str,
    record: Record,
    known: Known | None,
    now: datetime,
    *,
    back_fill: bool = False,
) -> bool:
    """Take over a person's record; whether anything mapped had changed there.

    What only came to hold what we write ourselves is kept, and told to nobody.
    """
    fields = crmchange.mapped(record, crmtell.wanted(rt, crm))
    if known is not None and known.fate == Fate.deleted:
        _restore_link(tx, rt, crm, record, known, now)
    change = _change(tx, crm, record, known, fields, back_fill=back_fill)
    contact_id = crmtell.bearer(tx, crm, record.id)
    is_ticked = optouts.is_ticked(fields.get(rt.opt_out_fields.get(crm, "")))
    had = _numbers(tx, contact_id) if is_ticked else []
    if change is not None and crmown.is_ours(tx, rt, crm, contact_id, change):
        _ask_where_old(tx, crm, record, contact_id, change, now)
    elif change is not None:
        crmtell.tell(tx, rt, crm, record, (record.id,), change, now)
        contact_id = crmtell.bearer(tx, crm, record.id)
        if is_ticked and contact_id:
            _take_box(tx, rt, crm, contact_id, known, had, now)
    if contact_id and (known is None or known.contact_id != contact_id):
        writebacks.record_found(tx, contact_id, now)
    crmtell.keep_history(tx, rt, crm, record, _kept(record, known, change), now, contact_id)
    told = (tx, crm, record.object, record.id, fields, record.modified_at, now)
    crm_records.keep(*told, contact_id=contact_id)
    return change is not None


def _change(
    tx: Tx,
    crm: str,
    record: Record,
    known: Known | None,
    fields: Mapping[str, Json],
    *,
    back_fill: bool,
) -> Change | None:
    """What became of the record since it was read last; None for nothing that is mapped."""
    if known is not None:
        was = crmchange.differing(known.fields, fields)
        at = crmchange.last_step(record, was, known.modified_at)
        return Change(at, fields, was, back_fill) if was else None
    began = crmtell.began(tx, crm)
    if back_fill or began is None:
        return Change(record.modified_at, fields, back_fill=True)
    if record.created_at is not None and record.created_at >= began:
        return Change(record.created_at, fields)
    was = crmchange.since(record, fields, began)
    at = crmchange.last_step(record, was, began)
    return Change(at, fields, was, back_fill=not was)


def _kept(record: Record, known: Known | None, change: Change | None) -> Iterator[FieldChange]:
    """What goes into the history: what the CRM itself tells of a field, else what was seen."""
    yield from crmchange.steps(record, record.history)
    if known is not None and change is not None:
        for name, before in change.was.items():
            if not record.history.get(name):
                yield FieldChange(name, before, change.now.get(name), change.at)


def _ask_where_old(
    tx: Tx, crm: str, record: Record, contact_id: str, change: Change, now: datetime
) -> None:
    """What we wrote is known since it was written, unless we died just then."""
    facts = crm_facts.of(tx, crm, contact_id)
    if not all(crmchange.same(facts.get(name), change.now.get(name)) for name in change.was):
        crmtell.ask_facts(tx, crm, record.id, now)


def _take_box(
    tx: Tx,
    rt: Setup,
    crm: str,
    contact_id: str,
    known: Known | None,
    had: Collection[str],
    now: datetime,
) -> None:
    """The opt-out is ticked there: it counts for every number of the person; where it was ticked
    before, for those that they have been given since."""
    box = rt.opt_out_fields.get(crm, "")
    seen = (known.fields if known else {}, crm_facts.of(tx, crm, contact_id))
    was_ticked = any(optouts.is_ticked(each.get(box)) for each in seen)
    new = [each for each in _numbers(tx, contact_id) if not (was_ticked and each in had)]
    optouts.ticked(tx, rt, crm, new, now)


def _numbers(tx: Tx, contact_id: str) -> list[str]:
    return contacts.phones(contacts.identities(tx, contact_id)) if contact_id else []


def _restore_link(tx: Tx, rt: Setup, crm: str, record: Record, known: Known, now: datetime) -> None:
    """A record that had been deleted is there again, and is whose it was."""
    row = contacts.row(tx, known.contact_id) if known.contact_id else None
    if row is None or crmtell.bearer(tx, crm, record.id):
        return
    contacts.link(
        tx,
        "crm_id",
        f"{crm}:{record.id}",
        str(row["id"]),
        "",
        now,
        confirmed=True,
        link_id=rt.new_id("lnk"),
    )
    crmtell.ask_facts(tx, crm, record.id, now)
