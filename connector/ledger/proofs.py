"""Proofs: everything the ledger knows of one number, for one page that may be shown to a court."""

from __future__ import annotations

from typing import Any, Final

import orjson

from connector.ledger import consents, listings
from connector.ledger.store import Row, Tx

MOST: Final = 5_000  #: replies, and texts: the newest of them
REPLIES: Final = """SELECT id, provider, provider_id, text, label, why, answer, occurred_at,
        heard_at FROM replies WHERE phone = :phone ORDER BY occurred_at DESC, id DESC LIMIT :most"""
ENTRIES: Final = "SELECT * FROM consents WHERE phone = :phone ORDER BY occurred_at, id"
TEXTS: Final = """SELECT id, cause, play, version, step, purpose, mode, template, language, text,
        state, provider, provider_id, sender, begun_at, accepted_at, settled_at, status, error_code
    FROM sends WHERE phone = :phone AND counts_at IS NOT NULL
    ORDER BY counts_at DESC, id DESC LIMIT :most"""
DECIDED: Final = """SELECT id, moment, verdict, reason, objections, policy_version, decided_at
    FROM decided WHERE send_id = :send ORDER BY decided_at, id LIMIT 20"""
HIDDEN: Final = frozenset({"phone", "salt", "sealed", "evidence"})
STANDING: Final = (
    *("type", "blocked_at", "blocked_by", "blocked_scope", "held_at", "held_why"),
    *("confirming_at", "suppressed_at", "suppressed_why", "reassigned_at", "reassigned_how"),
)

Proof = dict[str, Any]


def of(tx: Tx, phone: str) -> Proof:
    """Entries, replies and texts of a number, oldest first; texts with what was decided of them.

    Long lists are cut at their oldest end, and ``left_out`` says that they were.
    """
    number = consents.number(tx, phone)
    replies = tx.all(REPLIES, phone=phone, most=MOST + 1)
    texts = tx.all(TEXTS, phone=phone, most=MOST + 1)
    return {
        "number": phone,
        "known": {name: number[name] for name in STANDING} if number is not None else {},
        "contacts": listings.bearers(tx, "phone", phone),
        "entries": [_entry(row) for row in tx.all(ENTRIES, phone=phone)],
        "replies": [dict(row) for row in reversed(replies[:MOST])],
        "texts": [_text(tx, row) for row in reversed(texts[:MOST])],
        "left_out": len(replies) > MOST or len(texts) > MOST,
    }


def _entry(row: Row) -> Proof:
    told = {name: value for name, value in dict(row).items() if name not in HIDDEN}
    return {**told, "evidence": orjson.loads(row["evidence"] or "{}")}


def _text(tx: Tx, row: Row) -> Proof:
    decisions = [
        {**dict(each), "objections": orjson.loads(each["objections"] or "[]")}
        for each in tx.all(DECIDED, send=row["id"])
    ]
    return {**dict(row), "decisions": decisions}
