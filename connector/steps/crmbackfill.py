"""One record of a back-fill: taken over as what is long so, and what became of it in a word."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from connector.ledger import contacts
from connector.ledger.store import Tx, is_storage, savepoint
from connector.records import Record
from connector.rules.crmchange import Known
from connector.steps import crmhistory, crmtake, crmtell, optouts
from connector.steps.setup import Setup

log = logging.getLogger("connector")

WORDS: Final = (
    *("read", "skipped", "left", "changed", "same"),
    *("new", "linked", "merged", "apart", "unlinked", "opted_out", "failed"),
)
"""What may be counted of an object: read, of which skipped (too old for the span), left to the
polling, changed or the same as we had it; and of people: new here, linked to somebody known,
merging two who were known, kept apart from another, of nobody, opted out there, and at fault."""


def take(tx: Tx, rt: Setup, record: Record, *, careful: bool) -> tuple[list[str], str]:
    """Take over a record; what became of it (of ``WORDS``), and why it needs a look, if it does.

    ``careful``: where it cannot be taken over, it alone sinks.
    """
    if not careful:
        return _take(tx, rt, record)
    try:
        with savepoint(tx):
            return _take(tx, rt, record)
    except Exception as error:  # a door: one bad record must not hold up the rest
        if is_storage(error):
            raise
        log.exception("act=sync object=%s record=%s result=failed", record.object, record.id)
        return ["failed"], f"internal: {type(error).__name__}"


def _take(tx: Tx, rt: Setup, record: Record) -> tuple[list[str], str]:
    known = crmtell.known(tx, rt.crm, record.object, record.id)
    if _is_for_polling(crmtell.began(tx, rt.crm), record, known):
        return ["left"], ""
    is_person = record.object not in crmhistory.OBJECTS
    before = crmtell.bearer(tx, rt.crm, record.id) if is_person else ""
    drawn = Counter[str]()
    seen = copy.copy(rt)
    seen.new_id = _counting(rt.new_id, drawn)
    changed = crmtake.take(tx, seen, rt.crm, record, rt.clock(), back_fill=True)
    found = ["changed" if changed else "same"]
    if not is_person:
        return found, ""
    found += ["merged"] if drawn["mrg"] else []
    after = crmtell.bearer(tx, rt.crm, record.id)
    found += ["opted_out"] if after and _opts_out(rt, record, known) else []
    if before or not after:
        return ([*found, "unlinked"] if not after else found), ""
    why = _apart(tx, after) if drawn["con"] else ""
    return [*found, "new" if drawn["con"] else "linked", *(["apart"] if why else [])], why


def _is_for_polling(began: datetime | None, record: Record, known: Known | None) -> bool:
    """Whether it changed since the CRM is polled, and the polling has not come to it yet."""
    if began is None or record.modified_at < began:
        return False
    return known is None or known.modified_at < record.modified_at


def _opts_out(rt: Setup, record: Record, known: Known | None) -> bool:
    """Whether the record's opt-out field says stop, and did not when it was read last."""
    name = rt.opt_out_fields.get(rt.crm, "")
    before = known.fields.get(name) if known is not None else None
    return optouts.is_ticked(record.values.get(name)) and not optouts.is_ticked(before)


def _counting(new_id: Callable[[str], str], drawn: Counter[str]) -> Callable[[str], str]:
    """Ids are drawn where something is made: a contact, a merge."""

    def draw(kind: str) -> str:
        drawn[kind] += 1
        return new_id(kind)

    return draw


def _apart(tx: Tx, contact_id: str) -> str:
    """Why somebody new is no one that was known, where they might have been; "" otherwise."""
    for name in contacts.identities(tx, contact_id):
        kind = str(name["kind"])
        if kind in ("phone", "email") and len(contacts.bearers(tx, kind, str(name["value"]))) > 1:
            what = "number" if kind == "phone" else "e-mail address"
            return f"somebody else bears the same {what}"
    return ""
