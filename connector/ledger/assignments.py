"""Assignments: which arm of which experiment a person is in, with its probability."""

from __future__ import annotations

import secrets
from datetime import datetime

import orjson

from connector import clock
from connector.ledger import cursors
from connector.ledger.store import Tx

GET = "SELECT arm FROM assignments WHERE experiment = :experiment AND contact_id = :contact"
PUT = """INSERT INTO assignments (experiment, contact_id, arm, probability, candidates, assigned_at)
    VALUES (:experiment, :contact, :arm, :probability, :candidates, :at)
    ON CONFLICT DO NOTHING"""


def salt(tx: Tx) -> str:
    """The ledger's own salt, made once, so that two companies split their people differently."""
    value = cursors.get(tx, "salt")
    if not value:
        value = secrets.token_hex(16)
        cursors.set_(tx, "salt", value)
    return value


def arm(tx: Tx, experiment: str, contact_id: str) -> str:
    """The arm the person is in, or ""."""
    row = tx.one(GET, experiment=experiment, contact=contact_id)
    return str(row["arm"]) if row else ""


def assign(
    tx: Tx,
    experiment: str,
    contact_id: str,
    chosen: str,
    candidates: dict[str, float],
    at: datetime,
) -> None:
    """Keep an assignment; the first one stays."""
    tx.run(
        PUT,
        experiment=experiment,
        contact=contact_id,
        arm=chosen,
        probability=str(candidates[chosen]),
        candidates=orjson.dumps(candidates).decode(),
        at=clock.text(at),
    )
