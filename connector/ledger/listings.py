"""Listings: the newest texts, events, contacts and merges, each bounded, each by an index.

Ids are time-ordered, so the newest rows are the primary key read backwards; where a filter
would make that a long walk, its words are those of the partial index that serves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson

from connector import clock
from connector.ledger import contacts, local_crm
from connector.ledger.store import Row, Tx
from connector.model import Json

Item = dict[str, Json]

OPEN: Final = ("sending", "uncertain")
PAST_ALL: Final = "~"  #: after every id
STOPPED: Final = ("undelivered", "refused", "cancelled", "expired")
SENDS = "SELECT * FROM sends WHERE {where} ORDER BY {order} LIMIT :limit"
EVENTS = """SELECT id, source, source_event_id, type, name, occurred_at, received_at, state, reason,
    mapping, contact_id, back_fill, repeats, conflicts FROM events
    WHERE {where} AND (CAST(:source AS TEXT) IS NULL OR source = :source)
    ORDER BY {order} DESC LIMIT :limit"""
ASIDE = """SELECT id FROM events WHERE state <> 'done' AND state = :state
    AND (CAST(:source AS TEXT) IS NULL OR source = :source) ORDER BY received_at, id"""
KEPT_ASIDE = "SELECT * FROM events WHERE id = :id AND state <> 'done'"
UNREADABLE = """SELECT id, source, reason, url, bytes, received_at FROM unreadable
    WHERE CAST(:source AS TEXT) IS NULL OR source = :source
    ORDER BY received_at DESC, id DESC LIMIT :limit"""
PIECE = "SELECT * FROM unreadable WHERE id = :id"
CONTACTS = "SELECT * FROM contacts WHERE merged_into IS NULL ORDER BY id DESC LIMIT :limit"
PAGE = """SELECT * FROM contacts WHERE merged_into IS NULL AND id < :before
    ORDER BY id DESC LIMIT :limit"""
BEARERS = """SELECT contact_id FROM identities WHERE kind = :kind AND value = :value
    AND detached_at IS NULL ORDER BY linked_at LIMIT :limit"""
MERGES = "SELECT * FROM merges ORDER BY id DESC LIMIT :limit"
MERGE = "SELECT * FROM merges WHERE id = :id"
STAGES = """SELECT from_stage, to_stage, occurred_at, event_id FROM stage_changes
    WHERE contact_id = :contact ORDER BY occurred_at DESC LIMIT 20"""


def sends(
    tx: Tx, *, state: str = "", play: str = "", since: datetime | None = None, limit: int = 50
) -> list[Item]:
    """The newest texts first; of the planned ones, those due next first."""
    terms = ["play = :play"] if play else []
    if state:
        terms.append("state = :state")
    for states in (OPEN, STOPPED):
        if state in states:  # the partial index's own words, without which it cannot serve
            terms.append(f"({' OR '.join(f'state = {name!r}' for name in states)})")
    order = "id DESC"
    if state == "planned":
        terms, order = [*terms, "state = 'planned'"], "due_at, id"
    sql = SENDS.format(where=" AND ".join(terms) or "1 = 1", order=order)
    found = tx.all(sql, play=play, state=state, limit=limit)
    return _since(found, "planned_at", since)


def events(
    tx: Tx, *, state: str = "", source: str = "", since: datetime | None = None, limit: int = 50
) -> list[Item]:
    """The newest events first, without what they carried."""
    where = f"state <> 'done' AND state = '{state}'" if state in ("failed", "unmapped") else "1 = 1"
    order = "received_at" if state else "id"
    found = tx.all(EVENTS.format(where=where, order=order), source=source or None, limit=limit)
    shown = _since(found, "received_at", since)
    return [{**item, "back_fill": bool(item["back_fill"])} for item in shown]


def unreadable(
    tx: Tx, *, source: str = "", since: datetime | None = None, limit: int = 50
) -> list[Item]:
    """What could not be read at all, newest first, without its bodies."""
    found = tx.all(UNREADABLE, source=source or None, limit=limit)
    return _since(found, "received_at", since)


def aside(tx: Tx, state: str, source: str = "") -> list[str]:
    """Ids of all events kept aside in a state, the first received first."""
    return [str(row["id"]) for row in tx.all(ASIDE, state=state, source=source or None)]


def kept_aside(tx: Tx, event_id: str) -> Row | None:
    """An event's row while nothing has come of it."""
    return tx.one(KEPT_ASIDE, id=event_id)


def piece(tx: Tx, unreadable_id: str) -> Row | None:
    """One piece that could not be read, with its body."""
    return tx.one(PIECE, id=unreadable_id)


def forget_piece(tx: Tx, unreadable_id: str) -> None:
    """Drop a piece that has been read after all."""
    tx.run("DELETE FROM unreadable WHERE id = :id", id=unreadable_id)


def people(tx: Tx, limit: int) -> list[Item]:
    """The newest contacts first."""
    return [_person(tx, row) for row in tx.all(CONTACTS, limit=limit)]


def page(tx: Tx, before: str, limit: int) -> list[Row]:
    """Rows of contacts, the newest first, older than one ("" for the newest of all)."""
    return tx.all(PAGE, before=before or PAST_ALL, limit=limit)


def how_many(tx: Tx) -> int:
    """How many contacts there are, those merged away among them."""
    row = tx.one("SELECT CAST(count(*) AS BIGINT) AS n FROM contacts")
    return int(row["n"]) if row else 0


def bearers(tx: Tx, kind: str, value: str, limit: int = 20) -> list[str]:
    """Ids of the contacts that bear an identity now, the first linked first."""
    found = tx.all(BEARERS, kind=kind, value=value, limit=limit)
    return [str(row["contact_id"]) for row in found]


def person(tx: Tx, contact_id: str) -> Item | None:
    """All that is known of a contact (of the winner, where it was merged away), or None."""
    row = contacts.row(tx, contact_id)
    if row is None:
        return None
    known = _person(tx, row)
    record = local_crm.record_of(tx, known["id"])
    return {
        **known,
        "traits": orjson.loads(row["traits"]),
        **{name: row[name] for name in ("timezone", "country", "region", "postal", "language")},
        "identities": [dict(name) for name in contacts.identities(tx, known["id"])],
        "stage_changes": [dict(item) for item in tx.all(STAGES, contact=known["id"])],
        "first_visit": orjson.loads(row["first_visit"]),
        "last_visit": orjson.loads(row["last_visit"]),
        "crm_record": {"id": record[0], "fields": record[1]} if record else None,
    }


def merges(tx: Tx, limit: int) -> list[Item]:
    """The newest merges first, with how many rows of each table moved."""
    return [_merge(row) for row in tx.all(MERGES, limit=limit)]


def merge(tx: Tx, merge_id: str) -> Item | None:
    """One merge, or None."""
    row = tx.one(MERGE, id=merge_id)
    return _merge(row) if row else None


def _person(tx: Tx, row: Row) -> Item:
    contact = contacts.read(row, contacts.identities(tx, row["id"]))
    return {
        "id": contact.id,
        "first_name": contact.traits.get("first_name"),
        "phone": contact.phone,
        "email": contact.email,
        "stage": contact.stage,
        **{name: row[name] for name in ("first_seen_at", "last_seen_at", "last_activity_at")},
        "created_at": row["created_at"],
    }


def _merge(row: Row) -> Item:
    moved = {name: len(ids) for name, ids in orjson.loads(row["moved"]).items() if ids}
    return {**dict(row), "moved": moved}


def _since(rows: Iterable[Row], name: str, since: datetime | None) -> list[Item]:
    """The rows that are not older; they are cut here, so that no old row is ever looked for."""
    first = clock.text(since) if since else ""
    return [dict(row) for row in rows if str(row[name]) >= first]
