"""A record of a CRM as it is now, taken over: which step does it, by the object it is of."""

from __future__ import annotations

from datetime import datetime

from connector.ledger.store import Tx
from connector.records import Record
from connector.rules.crm import PEOPLE
from connector.steps import crmcontact, crmfate, crmhistory, crmtell
from connector.steps.setup import Setup


def take(
    tx: Tx, rt: Setup, crm: str, record: Record, now: datetime, *, back_fill: bool = False
) -> bool:
    """Take over a record; whether anything mapped had changed.

    1. What is older than what was read last is ignored: the newest is always read.
    2. The mapped fields are compared with those; without a difference nothing is told, so that
       our own writing starts nothing.
    3. Each change of a field is kept, and an event heard for each person it is about.

    ``back_fill``: it is told as it stands, and enrols nobody.
    """
    known = crmtell.known(tx, crm, record.object, record.id)
    if record.fate is not None:
        if record.object in PEOPLE:
            return crmfate.gone(tx, rt, crm, record, known, now)
        return crmhistory.gone(tx, rt, crm, record, known, now)
    if known is not None and record.modified_at < known.modified_at:
        return False
    act = crmcontact.take if record.object in PEOPLE else crmhistory.take
    return act(tx, rt, crm, record, known, now, back_fill=back_fill)
