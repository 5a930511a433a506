"""What was told of numbers beside events and replies: by hand, by look-ups, by a restore."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from connector import clock
from connector.ledger.store import Row, Store
from connector.simulate.pages import rows

ACTS: Final = """SELECT * FROM acts WHERE id > :after AND about LIKE 'number:+%'
    AND act IN ('suppress', 'unsuppress', 'reassign', 'reassign_undone')
    ORDER BY id LIMIT :limit"""
LOOKUPS: Final = """SELECT * FROM lookups WHERE id > :after AND error = ''
    ORDER BY id LIMIT :limit"""

Line = dict[str, Any]


def by_hand(store: Store) -> Iterator[Line]:
    """Numbers that a hand suppressed, let go again, or said to have a new owner."""
    for row in rows(store, ACTS):
        yield {
            "kind": row["act"],
            "at": row["at"],
            "phone": str(row["about"]).removeprefix("number:"),
            "who": row["who"],
            **_more(row),
        }


def _more(row: Row) -> Line:
    """What an act says before its reason: the scope, or since when."""
    why = str(row["why"])
    if row["act"] == "suppress":
        scope, _, rest = why.partition(": ")
        return {"scope": scope, "why": rest}
    if row["act"] == "reassign":
        told, _, rest = why.removeprefix("since ").partition(": ")
        since, _, how = told.partition(" ")
        at = datetime.fromisoformat(since)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return {"since": clock.text(at), "why": rest, "how": how}
    return {"why": why}


def lookups(store: Store) -> Iterator[Line]:
    """What look-ups told; one that failed told nothing."""
    for row in rows(store, LOOKUPS):
        names = ("at", "phone", "provider", "type", "reassigned")
        yield {"kind": "lookup", **{name: row[name] for name in names}}
