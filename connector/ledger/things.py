"""Things: what is known of products and the like, the newest word on each fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from connector import clock
from connector.ledger.store import Tx
from connector.model import Json

GET = "SELECT facts, at FROM things WHERE kind = :kind AND key = :key"
ANY = "SELECT facts FROM things WHERE key = :key ORDER BY at DESC LIMIT 1"
PUT = """INSERT INTO things (kind, key, facts, at) VALUES (:kind, :key, :facts, :at)
    ON CONFLICT (kind, key) DO UPDATE SET facts = excluded.facts, at = excluded.at"""


def learn(
    tx: Tx, kind: str, key: str, facts: Mapping[str, Json], at: datetime
) -> tuple[dict[str, Json], bool]:
    """Take over what is told of a thing: (what was known before, whether this is news).

    What is told of an earlier instant than the newest known only fills in what is missing.
    """
    row = tx.one(GET, kind=kind, key=key)
    before: dict[str, Json] = orjson.loads(row["facts"]) if row else {}
    told = {name: value for name, value in facts.items() if value is not None}
    is_news = row is None or clock.text(at) >= str(row["at"])
    after = {**before, **told} if is_news else {**told, **before}
    newest = clock.text(at) if is_news or row is None else str(row["at"])
    tx.run(PUT, kind=kind, key=key, facts=orjson.dumps(after).decode(), at=newest)
    return before, is_news


def facts(tx: Tx, key: str) -> dict[str, Json]:
    """What is known of a thing by its key alone; empty where nothing is."""
    row = tx.one(ANY, key=key)
    return dict(orjson.loads(row["facts"])) if row else {}
