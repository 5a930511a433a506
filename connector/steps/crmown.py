"""Our own writing, read back: a field that came to hold what we write there is no news."""

from __future__ import annotations

from connector.ledger import summaries
from connector.ledger.store import Tx
from connector.ledger.summaries import Summary
from connector.model import Json
from connector.rules import activities
from connector.rules import writeback as rules
from connector.rules.crm import CrmMapping
from connector.rules.crmchange import Change, same
from connector.steps import contexts, crmconsent
from connector.steps.setup import Setup


def is_ours(tx: Tx, rt: Setup, crm: str, contact_id: str, change: Change) -> bool:
    """Whether every field that changed came to hold what the connector would write there now."""
    fields = [field for field in rt.crm_fields.get(crm, ()) if field.name in change.was]
    mapping = rt.crm_mappings.get(crm)
    if not change.was or not contact_id or not (fields or _writes_stage(mapping, change)):
        return False
    known = summaries.of(tx, contact_id)
    if known is None:
        return False
    now_known = {**facts(known), **crmconsent.facts(tx, rt, known, fields)}
    owed, _ = rules.summary(known.contact.id, now_known, fields)
    ours = {name: value for group in owed.change.values() for name, value in group.items()}
    if mapping is not None and _writes_stage(mapping, change):
        ours[mapping.wanted.stage] = mapping.stage_there(known.contact.stage) or None
    return all(name in ours and same(ours[name], change.now.get(name)) for name in change.was)


def facts(known: Summary) -> dict[str, Json]:
    """A contact's facts by the names that a CRM mapping's expressions use, but for consent's."""
    contact, text, reply = known.contact, known.last_text, known.last_reply
    return {
        "last_text_at": text["counts_at"] if text else None,
        "last_text": text["text"] if text else None,
        "last_text_status": activities.status_words(text) if text else None,
        "last_reply_at": reply["occurred_at"] if reply else None,
        "last_reply": reply["text"] if reply else None,
        "texts_sent": known.texts_sent,
        "opted_out": known.opted_out_at is not None,
        "opted_out_at": known.opted_out_at,
        "stage": contact.stage,
        "contact": contexts.contact_facts(contact),
    }


def _writes_stage(mapping: CrmMapping | None, change: Change) -> bool:
    return mapping is not None and mapping.writes_stage and mapping.wanted.stage in change.was
