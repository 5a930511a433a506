"""Rulebooks: which policy and which hours decided what, and when; every version's content is kept.

A decision names both as ``policy+hours``; one about a start names the version of its play.
"""

from __future__ import annotations

from typing import Final

from connector.ledger.store import Row, Tx

VERSIONS: Final = """SELECT kind, version, content, seen_at FROM files
    WHERE kind = 'policy' OR kind = 'hours' ORDER BY seen_at, kind, version"""
DECIDED: Final = """SELECT policy_version AS version, count(*) AS decisions,
        min(decided_at) AS first_at, max(decided_at) AS last_at
    FROM decisions WHERE policy_version LIKE '%+%' AND decided_at >= :since
    GROUP BY policy_version ORDER BY 3, 1"""
TURNS: Final = """SELECT version, at FROM (
        SELECT policy_version AS version, decided_at AS at,
            lag(policy_version) OVER (ORDER BY decided_at, id) AS before
        FROM decisions WHERE policy_version LIKE '%+%' AND decided_at < :until) turned
    WHERE before IS NULL OR before <> version ORDER BY at"""
FORGOTTEN: Final = "SELECT count(*) AS count FROM forgotten"
RETAINED: Final = """SELECT min(received_at) AS at FROM events
    WHERE EXISTS (SELECT 1 FROM acts WHERE act = 'retention')"""


def versions(tx: Tx) -> list[Row]:
    """Each version of a policy or hours ever in use, with its content, as they came."""
    return tx.all(VERSIONS)


def decided(tx: Tx, since: str = "") -> list[Row]:
    """``policy+hours`` → how many decisions it made from an instant on, the first and the last."""
    return tx.all(DECIDED, since=since)


def turns(tx: Tx, until: str) -> list[tuple[str, str]]:
    """(instant, ``policy+hours``) for each time that another one began to decide."""
    return [(str(row["at"]), str(row["version"])) for row in tx.all(TURNS, until=until)]


def forgotten(tx: Tx) -> int:
    """How many names and numbers of people were forgotten."""
    row = tx.one(FORGOTTEN)
    return int(row["count"]) if row else 0


def oldest_event(tx: Tx) -> str:
    """When the oldest event was heard that ``[retention]`` left; "" where it removed nothing."""
    row = tx.one(RETAINED)
    return str(row["at"] or "") if row else ""
