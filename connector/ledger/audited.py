"""Audited: decisions read to be made again, each with what it saw and what it rested on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connector.ledger.store import Row, Store, Tx

PAGE: Final = 500
ONE = """SELECT d.*, f.body AS facts, r.last_at AS last_at, r.until_at AS last_until
    FROM decisions d LEFT JOIN facts f ON f.hash = d.facts_hash
    LEFT JOIN decision_repeats r ON r.decision_id = d.id WHERE d.id = :id"""
SPAN = "SELECT count(*) AS n, min(seq) AS first FROM decisions WHERE decided_at >= :since"
IDS = "SELECT id, seq FROM decisions WHERE seq > :after ORDER BY seq LIMIT :limit"
ERASED = "SELECT id FROM acts WHERE act = 'erase' AND about = :about ORDER BY seq DESC LIMIT 1"
LIBRARIES = """SELECT name, version FROM files WHERE kind = 'library' AND seen_at <= :at
    ORDER BY seen_at, name, version"""
WALK = "SELECT state, exit_reason FROM enrolments WHERE id = :id"


def one(tx: Tx, decision_id: str) -> Row | None:
    """A decision with what it saw, and how it was last repeated; None where there is none."""
    return tx.one(ONE, id=decision_id)


def span(tx: Tx, since: str) -> tuple[int, int]:
    """(how many decisions were made from an instant on, the seq of the first of them)."""
    row = tx.one(SPAN, since=since)
    return (int(row["n"]), int(row["first"] or 0)) if row else (0, 0)


def ids(store: Store, first: int, count: int) -> Iterator[str]:
    """The ids of ``count`` decisions from a seq on, in their order, read page by page."""
    after = first - 1
    while count > 0:
        with store.read() as tx:
            rows = tx.all(IDS, after=after, limit=min(PAGE, count))
        yield from (str(row["id"]) for row in rows)
        if not rows:
            return
        count, after = count - len(rows), int(rows[-1]["seq"])


def erased_by(tx: Tx, contact_id: str) -> str:
    """The act by which what decisions about a contact saw was erased; "" for none."""
    row = tx.one(ERASED, about=f"contact:{contact_id}")
    return str(row["id"]) if row else ""


def walk(tx: Tx, enrolment_id: str) -> Row | None:
    """How an enrolment stands."""
    return tx.one(WALK, id=enrolment_id)


def libraries(tx: Tx, at: str) -> dict[str, str]:
    """The libraries whose data decisions rested on at an instant, each by its version."""
    return {str(row["name"]): str(row["version"]) for row in tx.all(LIBRARIES, at=at)}
