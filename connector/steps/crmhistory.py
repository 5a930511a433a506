"""Deals, meetings and cases of a CRM: what became of them, instant by instant, is kept and told.

A record tells its whole past at each reading. What was kept before is told to nobody again, so that
a webhook, the polling and a back-fill of the same history come to the same, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import crm_history, crm_people, crm_records
from connector.ledger.store import Tx
from connector.model import Fate
from connector.records import Record
from connector.rules import crmchange
from connector.rules import crmhistory as rules
from connector.rules.crmchange import Change, FieldChange, Known
from connector.rules.crmhistory import Turn
from connector.steps import crmtell
from connector.steps.setup import Setup

OBJECTS: Final = ("deal", "meeting", "case")  #: objects that people stand on
GONE: Final = "_deleted"  #: behind an object's name, what is heard where its record is gone


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
    """Take over what became of a record; whether anything of it was news.

    1. Each change of a field is kept, with when it happened and when it was heard.
    2. Each instant of which something was not kept before is heard as one event for each person
       on the record, in the order in which it happened. Who came onto a record that was known
       hears of what happened since it was read before.
    3. Who stands on it, and what it holds, is kept for the next reading.

    What happened before the CRM was first read, or in a field that was not read before, is told
    as a back-fill: it has its time and its outcomes, and starts nothing.
    """
    wanted, began = crmtell.wanted(rt, crm), crmtell.began(tx, crm)
    told = rules.read(record, wanted, known, began)
    _keep(tx, rt, crm, record, told.found, now)
    turns = [turn for turn in told.turns if not rules.is_past(turn.change, known, now)]
    fresh = [news for turn in turns if (news := _fresh(tx, rt, crm, record, turn, now))]
    stood = crm_people.standing_on(tx, crm, record.object, record.id)
    since = _read_at(tx, crm, record)
    for change in fresh:
        is_old = back_fill or began is None or change.at < began
        change = replace(change, back_fill=is_old or rules.is_first_look(change, known))
        people = rules.hearing(record.people, stood, since, change.at)
        crmtell.tell(tx, rt, crm, record, people, change, now)
    crm_people.stand(tx, crm, record.object, record.id, record.people, stood, now)
    fields = crmchange.mapped(record, wanted)
    about = (tx, crm, record.object, record.id, fields, record.modified_at, now)
    crm_records.keep(*about, people=record.people)
    return bool(fresh)


def gone(tx: Tx, rt: Setup, crm: str, record: Record, known: Known | None, now: datetime) -> bool:
    """A record is no longer there: merged into another, whose past its own becomes, or deleted.

    That it was deleted is heard by those who stood on it, since a text may wait that is about it.
    Whether that was news.
    """
    if known is not None and known.fate == record.fate:
        return False
    about = (tx, crm, record.object, record.id)
    stood = crm_people.standing_on(*about)
    crm_people.stand(*about, (), stood, now)
    if record.fate is Fate.merged and record.became:
        crm_history.merge(tx, crm, record.object, record.became, [record.id])
        winner = (tx, crm, record.object, record.became)
        there = crm_people.standing_on(*winner)
        crm_people.stand(*winner, stood | there, there, now)
    elif known is not None and record.fate is not None:
        told = replace(record, people=tuple(sorted(stood)))
        was = {name: value for name, value in known.fields.items() if crmchange.said(value)}
        change = Change(record.modified_at, dict.fromkeys(known.fields), was)
        crmtell.tell(tx, rt, crm, told, told.people, change, now, name=record.object + GONE)
    if record.fate is Fate.erased:
        crm_records.drop(*about)
    elif record.fate is not None:
        crm_records.gone(*about, record.fate, record.became, now)
    return known is not None


def _fresh(tx: Tx, rt: Setup, crm: str, record: Record, turn: Turn, now: datetime) -> Change | None:
    """Keep an instant; what of it was not kept before, None for nothing."""
    kept = _keep(tx, rt, crm, record, turn.fields, now)
    return rules.news(turn, kept) if kept else None


def _keep(
    tx: Tx, rt: Setup, crm: str, record: Record, fields: Iterable[FieldChange], now: datetime
) -> list[str]:
    """Keep changes of fields; the names of those that were not kept before.

    An instant stays as it was told, also where the CRM's clock is before ours: told again, it is
    the same.
    """
    about = (crm, record.object, record.id)
    found = []
    for each in fields:
        change = crm_history.Change(*about, each.field, each.before, each.after, each.at)
        if crm_history.keep(tx, change, now, change_id=rt.new_id("crh")):
            found.append(each.field)
    return found


def _read_at(tx: Tx, crm: str, record: Record) -> datetime | None:
    row = crm_records.get(tx, crm, record.object, record.id)
    return clock.instant(row["read_at"]) if row else None
