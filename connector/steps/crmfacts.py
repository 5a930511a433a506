"""What a CRM tells of a person is kept, and plays that wait for a change of it begin."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from connector.ledger import contacts, crm_facts
from connector.ledger.store import Tx
from connector.model import Json
from connector.rules.crm import facts_of
from connector.rules.plays import Kind
from connector.rules.triggers import change
from connector.steps import dates, edges, optouts
from connector.steps.changes import changed
from connector.steps.setup import Setup

HEARING: Final = (Kind.change, Kind.date, Kind.segment)
"""Kinds of plays that what a CRM tells may begin, or move."""

log = logging.getLogger("connector")


def of_record(rt: Setup, crm: str, record: Mapping[str, Json] | None) -> dict[str, Json]:
    """What plays and policy may read of a person's record, as ``Crm.fetch`` gives it.

    By the names of the CRM's mapping file, with the field that opts out, whatever it is called;
    nothing of somebody whom the CRM does not know.
    """
    mapping = rt.crm_mappings.get(crm)
    if record is None or mapping is None:
        return dict(record or {})
    facts, faults = facts_of(mapping, record)
    for fault in faults:
        log.warning("act=facts crm=%s result=left_out why=%s", crm, fault)
    field = rt.opt_out_fields.get(crm, "")
    return {field: record[field], **facts} if field and field in record else facts


def learn(
    tx: Tx,
    rt: Setup,
    crm: str,
    contact_id: str,
    facts: Mapping[str, Json],
    now: datetime,
    *,
    asked: bool = False,
) -> None:
    """Take over a CRM's facts about a contact.

    What is told of somebody for the first time changed nothing: a first connection starts no play
    but those that wait for a date. ``asked``: a text waited for the answer, so that it is noted,
    and the facts are as young as it, also where it is the same as before: without that nobody could
    tell why the text then went. The same told to nobody's question leaves all as it is.
    """
    before = crm_facts.of(tx, crm, contact_id)
    optouts.heard(tx, rt, crm, contact_id, before, facts, now)
    if dict(facts) == before:
        is_first = not before and crm_facts.fetched_at(tx, crm, contact_id) is None
        if asked or is_first:  # whom the CRM knows, even by nothing, is asked about each day
            crm_facts.keep(tx, crm, contact_id, facts, now)
            crm_facts.note(tx, rt.new_id("crc"), crm, contact_id, facts, now)
        return
    change_id = rt.new_id("crc")
    crm_facts.keep(tx, crm, contact_id, facts, now)
    crm_facts.note(tx, change_id, crm, contact_id, facts, now)
    if not any(rt.by_kind.get(kind) for kind in HEARING):
        return
    told = list(change.differences("crm", before, facts))
    is_first = not before
    changed(tx, rt, contact_id, () if is_first else told, at=now, now=now, event_id=change_id)
    paths = [path for path, _, _ in told]
    dates.moved(tx, rt, contact_id, paths, now)
    segments = edges.touched(rt, "", paths) if rt.by_kind.get(Kind.segment) else []
    row = contacts.row(tx, contact_id) if segments else None
    if row is not None:
        names = contacts.identities(tx, str(row["id"]))
        contact, was = contacts.read(row, names), edges.Before(row, lambda: names, before)
        edges.ask(tx, rt, segments, contact, was, at=now, now=now, back_fill=is_first)
