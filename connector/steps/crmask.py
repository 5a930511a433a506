"""What a CRM knows of people of whom it told something new: asked for, and kept as facts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from connector.crms import Crm
from connector.ledger import crm_hints
from connector.ledger.crm_hints import Waiting
from connector.steps import crmfacts, crmpause, crmtell
from connector.steps.refresh import subject_of
from connector.steps.setup import Setup

SLICE: Final = 32  #: people in one transaction

log = logging.getLogger("connector")


def facts(rt: Setup, crm: Crm, batch: Sequence[Waiting]) -> bool:
    """Ask about the people whom a batch of hints names, in one call; whether others may be read.

    A hint names a person's record. One that is nobody's we know, or that the CRM does not know any
    more, is nothing.
    """
    with rt.store.read() as tx:
        about = {each.hint.record: crmtell.bearer(tx, rt.crm, each.hint.record) for each in batch}
        known = list(dict.fromkeys(filter(None, about.values())))
        subjects = [subject_of(tx, rt.crm, contact_id) for contact_id in known]
    try:
        told = crm.fetch(subjects) if subjects else []
        found = dict(zip(known, told, strict=True))
    except Exception as error:  # a door: whatever went wrong, it is asked again later
        return crmpause.failed(rt, crmtell.FACTS, error, batch)
    learned = {
        contact_id: crmfacts.of_record(rt, rt.crm, record)
        for contact_id, record in found.items()
        if record is not None
    }
    for start in range(0, len(batch), SLICE):
        part = batch[start : start + SLICE]
        with rt.store.write() as tx:
            now = rt.clock()
            for contact_id in dict.fromkeys(about[each.hint.record] for each in part):
                if contact_id in learned:
                    crmfacts.learn(tx, rt, rt.crm, contact_id, learned.pop(contact_id), now)
            crm_hints.done(tx, part)
            crmpause.answered(tx, rt, crmtell.FACTS, now)
    log.info("act=facts crm=%s contacts=%d result=told", rt.crm, len(known))
    return True
