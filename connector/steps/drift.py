"""Drift: once a day the CRM is asked about every contact, and its opt-out field is put right.

1. A page of contacts is read, and whom to ask about.
2. The CRM is asked outside any transaction.
3. What it told is taken over as ever; a field that then still differs is owed to it.

How far the day's round has come is kept with what it found, so that a death repeats a page at most.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from connector.ledger import cursors, drifts, summaries, writebacks
from connector.ledger.store import Tx
from connector.model import Json
from connector.steps import crmfacts, crmpause, crmtell, optouts, owed
from connector.steps.refresh import subject_of
from connector.steps.setup import Setup

PAGE: Final = 100  #: contacts in one call to a CRM
PAGES: Final = 5  #: in a round, of which there is one a minute
DONE: Final = "~"  #: after every id

log = logging.getLogger("connector")


def drift(rt: Setup, pages: int = PAGES) -> int:
    """Compare the next contacts of the day; how many fields were owed to be put right."""
    return sum(_crm(rt, crm, field, pages) for crm, field in rt.opt_out_fields.items() if field)


def _crm(rt: Setup, crm: str, field: str, pages: int) -> int:
    repaired = 0
    for _ in range(pages if crm in rt.crms else 0):
        day = rt.clock().date().isoformat()
        with rt.store.read() as tx:
            found = _page(tx, crm, day)
            is_away = writebacks.outage(tx, crm) or crmpause.until(tx, crm, rt.clock())
            if not found or is_away:
                break
            subjects = [subject_of(tx, crm, contact_id) for contact_id in found]
        try:
            records = rt.crms[crm].fetch(subjects)
        except Exception as error:  # a door: the page is asked about again in a minute
            crmpause.failed(rt, crmtell.FACTS, error)
            break
        told = [crmfacts.of_record(rt, crm, record) for record in records]
        repaired += _settle(rt, crm, field, day, found, told)
    return repaired


def _page(tx: Tx, crm: str, day: str) -> list[str]:
    on, _, after = cursors.get(tx, _cursor(crm)).partition(" ")
    return drifts.after(tx, crm, after if on == day else "", PAGE)


def _settle(
    rt: Setup,
    crm: str,
    field: str,
    day: str,
    found: Sequence[str],
    told: Sequence[Mapping[str, Json]],
) -> int:
    repaired = 0
    with rt.store.write() as tx:
        now = rt.clock()
        for contact_id, facts in zip(found, told, strict=True):
            if facts:
                crmfacts.learn(tx, rt, crm, contact_id, facts, now)
                repaired += _repair(tx, crm, field, contact_id, facts, now)
        after = found[-1] if len(found) == PAGE else DONE
        cursors.set_(tx, _cursor(crm), f"{day} {after}")
        crmpause.answered(tx, rt, crmtell.FACTS, now)
    if repaired:
        log.info("act=drift crm=%s repaired=%d", crm, repaired)
    return repaired


def _repair(
    tx: Tx, crm: str, field: str, contact_id: str, facts: Mapping[str, Json], now: datetime
) -> bool:
    """Owe the field where it says other than the ledger does."""
    known = summaries.of(tx, contact_id)
    if known is None or not known.contact.phone:
        return False  # without a number nobody here has said anything
    differs = bool(known.opted_out_at) != optouts.is_ticked(facts.get(field))
    if differs:
        owed.contact_changed(tx, crm, contact_id, now)
    return differs


def _cursor(crm: str) -> str:
    return f"drift:{crm}"
