"""A change of a CRM's record is kept, and heard as an event of each person it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson

from connector import clock
from connector.ledger import contacts, crm_hints, crm_history, crm_records, cursors
from connector.ledger.store import Tx
from connector.model import Event, Hint
from connector.records import NOTHING_WANTED, Record, Wanted
from connector.rules.crmchange import Change, FieldChange, Known
from connector.steps import advance
from connector.steps.setup import Setup

FACTS: Final = "facts"  #: in the place of an object, a hint: what the CRM knows of a person is old
BEGAN: Final = "crm_began:"  #: when a CRM was first read


def wanted(rt: Setup, crm: str) -> Wanted:
    """What the CRM's mapping file reads there."""
    mapping = rt.crm_mappings.get(crm)
    return mapping.wanted if mapping else NOTHING_WANTED


def known(tx: Tx, crm: str, object: str, record: str) -> Known | None:
    """A record as it was read last; None where it never was."""
    row = crm_records.get(tx, crm, object, record)
    if row is None:
        return None
    return Known(
        crm_records.fields(row),
        clock.instant(row["modified_at"]),
        str(row["contact_id"] or ""),
        crm_records.people(row),
        str(row["fate"]),
        str(row["became"]),
    )


def began(tx: Tx, crm: str) -> datetime | None:
    """When the CRM was first read: what it held by then is no news. None where it never was."""
    stamp = cursors.get(tx, f"{BEGAN}{crm}")
    return clock.instant(stamp) if stamp else None


def began_now(tx: Tx, crm: str, now: datetime) -> None:
    """The CRM is read for the first time."""
    if not cursors.get(tx, f"{BEGAN}{crm}"):
        cursors.set_(tx, f"{BEGAN}{crm}", clock.text(now))


def tell(
    tx: Tx,
    rt: Setup,
    crm: str,
    record: Record,
    people: Iterable[str],
    change: Change,
    now: datetime,
    *,
    name: str = "",
) -> None:
    """Hear a change as an event of each of these people, by the CRM's ids of them.

    It is called as the record's object, where no other ``name`` is said. Heard again it has no
    second effect. What the CRM knows of them is asked for anew.
    """
    source = rt.sources.get(crm)
    for person in people:
        if source is not None:
            event = _event(rt, crm, record, person, change, name or record.object, now)
            advance.hear(tx, rt, event, advance.map_event(rt, source, event), now)
        if not change.back_fill:
            ask_facts(tx, crm, person, now)


def bearer(tx: Tx, crm: str, person: str) -> str:
    """The id of the contact that a CRM's record is of; "" for nobody."""
    return next(iter(contacts.bearers(tx, "crm_id", f"{crm}:{person}")), "")


def ask_facts(tx: Tx, crm: str, person: str, now: datetime) -> None:
    """What the CRM knows of a person whom we know has changed: it is asked for soon."""
    if bearer(tx, crm, person):
        crm_hints.note(tx, Hint(crm, FACTS, person, now), now)


def keep_history(
    tx: Tx,
    rt: Setup,
    crm: str,
    record: Record,
    changes: Iterable[FieldChange],
    now: datetime,
    contact_id: str = "",
) -> None:
    """Keep each change of a field with when it happened and when it was heard; once.

    An instant stays as it was told, so that told again it is the same.
    """
    for each in changes:
        kept = crm_history.Change(
            crm,
            record.object,
            record.id,
            each.field,
            each.before,
            each.after,
            each.at,
            contact_id,
        )
        crm_history.keep(tx, kept, now, change_id=rt.new_id("crh"))


def _event(
    rt: Setup, crm: str, record: Record, person: str, change: Change, name: str, now: datetime
) -> Event:
    item = {
        "object": record.object,
        "id": record.id,
        "person": person,
        "now": dict(change.now),
        "was": {**change.now, **change.was} if change.was else {},
        "changed": list(change.changed),
        "related": dict(record.related),
        "people": list(record.people),
    }
    key = f"{name}:{record.id}:{person}:{clock.text(change.at)}:{_digest(item)}"
    return Event(
        id=rt.new_id("evt"),
        source=crm,
        source_event_id=key,
        type="webhook",
        name=name,
        occurred_at=min(change.at, now),
        received_at=now,
        payload={"name": name, "item": item, "headers": {}},
        back_fill=change.back_fill,
    )


def _digest(item: object) -> str:
    """Tells two changes of the same instant apart: a CRM's clock has but so many digits."""
    return hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
