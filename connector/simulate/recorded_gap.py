"""What was found out about texts whose fate nobody knew: after a restore, and by a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connector.ledger.store import Row, Store
from connector.simulate.pages import rows

ACTS: Final = """SELECT * FROM acts WHERE id > :after
    AND act IN ('restored', 'restore_fetched', 'restore_confirmed')
    ORDER BY id LIMIT :limit"""
CARRIED: Final = """SELECT s.*,
        (SELECT min(a.at) FROM acts a WHERE a.act = 'restore_fetched' AND a.at >= s.counts_at)
            AS fetched_at,
        (SELECT min(r.heard_at) FROM receipts r WHERE r.provider_id = s.provider_id
            AND r.stamp = 'listed') AS listed_at
    FROM sends s WHERE s.id > :after AND (s.cause = 'lost' OR s.reason = 'found')
        AND s.phone <> '' AND s.provider_id IS NOT NULL
    ORDER BY s.id LIMIT :limit"""
SETTLED: Final = """SELECT a.id AS id, a.at, a.who, a.why, s.cause, s.cause_id, s.contact_id,
        s.play, s.key, s.step, s.phone
    FROM acts a JOIN sends s ON a.about = 'send:' || s.id
    WHERE a.id > :after AND a.act = 'settled' ORDER BY a.id LIMIT :limit"""
MADE_AT: Final = ", made at "  #: an act tells behind this when its backup was made

Line = dict[str, Any]


def restores(store: Store) -> Iterator[Line]:
    """That the ledger was a backup, and that somebody has looked into the gap."""
    for row in rows(store, ACTS):
        line = {"kind": row["act"], "at": row["at"], "who": row["who"], "why": row["why"]}
        if row["act"] == "restored":
            line["why"], _, line["backup_at"] = str(row["why"]).rpartition(MADE_AT)
        yield line


def carried(store: Store) -> Iterator[Line]:
    """Texts of the gap that the provider listed, each once, when that was heard."""
    found: dict[str, Row] = {}
    for row in rows(store, CARRIED):
        if row["listed_at"] or row["fetched_at"]:
            found.setdefault(f"{row['provider']} {row['provider_id']}", row)
    for row in sorted(found.values(), key=_heard):
        names = ("provider", "provider_id", "text", "segments", "cost_micros", "currency")
        yield {
            "kind": "carried",
            "at": _heard(row),
            "to": row["phone"],
            "taken_at": row["counts_at"],
            **{name: row[name] for name in names},
        }


def _heard(row: Row) -> str:
    return str(row["listed_at"] or row["fetched_at"])


def settled(store: Store) -> Iterator[Line]:
    """Doubtful texts of which a person found out whether they went."""
    for row in rows(store, SETTLED):
        names = ("at", "who", "cause", "cause_id", "contact_id", "play", "key", "step", "phone")
        what, _, why = str(row["why"]).partition(": ")
        told = {name: row[name] for name in names}
        yield {"kind": "settled", **told, "went": what == "sent", "why": why}
