"""Listings: the newest texts, events, contacts and merges, each by an index, and bounded.

Ids are time-ordered, so "newest" is the primary key read backwards; where a filter would make
that a long walk, a partial index answers instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger import consents, contacts, local_crm
from connector.ledger.store import Row, Tx
from connector.model import Json, SendState

#: Each state's condition, in the words of the partial index that serves it.
SEND_STATES: Final = {
    SendState.planned: "state = 'planned'",
    SendState.sending: "state IN ('sending', 'uncertain') AND state = 'sending'",
    SendState.uncertain: "state IN ('sending', 'uncertain') AND state = 'uncertain'",
    SendState.accepted: "state = 'accepted'",
    SendState.delivered: "state = 'delivered'",
    **{
        state: "state IN ('undelivered', 'refused', 'cancelled', 'expired') "
        f"AND state = '{state.value}'"
        for state in (
            SendState.undelivered,
            SendState.refused,
            SendState.cancelled,
            SendState.expired,
        )
    },
}
SENDS = "SELECT * FROM sends WHERE {where} ORDER BY id DESC LIMIT :limit"
EVENTS = """SELECT id, source, source_event_id, type, name, occurred_at, received_at, state, reason,
    mapping, contact_id, back_fill, repeats, conflicts FROM events WHERE {where}
    ORDER BY {order} DESC LIMIT :limit"""
ASIDE = "SELECT id FROM events WHERE state <> 'done' AND {where} AND id > :after ORDER BY id"
UNREADABLE = """SELECT id, source, reason, url, bytes, received_at FROM unreadable
    WHERE CAST(:source AS TEXT) IS NULL OR source = :source ORDER BY received_at DESC LIMIT :limit"""
CONTACTS = """SELECT * FROM contacts WHERE merged_into IS NULL ORDER BY id DESC LIMIT :limit"""
BEARERS = """SELECT contact_id FROM identities WHERE kind = :kind AND value = :value
    AND detached_at IS NULL ORDER BY linked_at LIMIT :limit"""
MERGES = """SELECT * FROM merges WHERE CAST(:contact AS TEXT) IS NULL OR winner = :contact
    OR loser = :contact ORDER BY id DESC LIMIT :limit"""
STAGES = """SELECT from_stage, to_stage, occurred_at, event_id FROM stage_changes
    WHERE contact_id = :contact ORDER BY occurred_at DESC LIMIT 20"""


def sends(
    tx: Tx, *, state: str = "", play: str = "", since: datetime | None = None, limit: int = 50
) -> list[dict[str, Json]]:
    """The newest texts, newest first."""
    terms = [SEND_STATES[SendState(state)]] if state else []
    terms += ["play = :play"] if play else []
    sql = SENDS.format(where=" AND ".join(terms) or "1 = 1")
    found = tx.all(sql, play=play, limit=limit)
    return [dict(row) for row in _since(found, "planned_at", since)]
