"""Doubts: texts of unknown fate, when they are looked up, what was found, how they were settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from connector import clock
from connector.ledger.store import Row, Tx

KEPT: Final = 16  #: looks that are kept of a text, the newest
FRESH = """SELECT s.id FROM sends s LEFT JOIN doubts d ON d.send_id = s.id
    WHERE (s.state = 'sending' OR s.state = 'uncertain') AND s.state = 'uncertain'
        AND s.reason <> 'restored' AND s.phone <> ''
        AND (d.send_id IS NULL OR d.settled_at IS NOT NULL OR d.verdict = 'repeat')
    ORDER BY s.id LIMIT :limit"""
OPEN = """INSERT INTO doubts (send_id, since_at, look_at) VALUES (:send, :at, :look)
    ON CONFLICT (send_id) DO UPDATE SET since_at = excluded.since_at, looks = 0,
        look_at = excluded.look_at, verdict = '', why = '', settled_at = NULL, who = ''
    WHERE doubts.settled_at IS NOT NULL OR doubts.verdict = 'repeat'"""
DUE = """SELECT send_id, look_at FROM doubts WHERE look_at IS NOT NULL AND look_at <= :now
    ORDER BY look_at LIMIT :limit"""
CLAIM = "UPDATE doubts SET look_at = :until WHERE send_id = :send AND look_at = :was"
GET = "SELECT * FROM doubts WHERE send_id = :send"
NOTE = """UPDATE doubts SET looks = :looks, look_at = :look, verdict = :verdict, why = :why,
    evidence = :evidence WHERE send_id = :send"""
CLOSE = """UPDATE doubts SET settled_at = :at, look_at = NULL, verdict = :verdict, why = :why,
    who = :who WHERE send_id = :send AND settled_at IS NULL"""
BOUND = """SELECT id FROM sends WHERE provider_id = :provider_id AND provider = :provider
    AND id <> :but LIMIT 1"""
FOR_A_PERSON = """SELECT 1 AS yes FROM sends s JOIN doubts d ON d.send_id = s.id
    WHERE (s.state = 'sending' OR s.state = 'uncertain') AND s.state = 'uncertain'
        AND d.verdict = 'person' AND d.settled_at IS NULL LIMIT 1"""
ATTEMPTS = "SELECT * FROM attempts WHERE send_id = :send ORDER BY attempt"
HEARD = """SELECT provider_id, status, raw_status, error_code, heard_at, repeats FROM receipts
    WHERE send_id = :send ORDER BY heard_at LIMIT 20"""
CODES = "SELECT code FROM links WHERE send_id = :send"
UNCLAIMED = """SELECT * FROM receipts WHERE provider_id = :provider_id AND provider = :provider
    AND send_id IS NULL ORDER BY heard_at LIMIT 20"""
CLAIM_HEARD = "UPDATE receipts SET send_id = :send WHERE id = :id AND send_id IS NULL"
REPEAT = """UPDATE sends SET state = 'planned', due_at = :at, reason = 'repeat'
    WHERE id = :id AND state = 'uncertain'"""
UNCOUNT = "UPDATE sends SET counts_at = NULL WHERE id = :id AND state = 'planned'"
BACK = """UPDATE sends SET state = 'uncertain', reason = :reason, counts_at = begun_at
    WHERE id = :id AND (state = 'planned' OR state = 'sending')"""


def fresh(tx: Tx, limit: int) -> list[str]:
    """Ids of uncertain texts of which no doubt is open yet.

    A restore's are settled elsewhere; of a person who was forgotten nothing can be asked.
    """
    return [str(row["id"]) for row in tx.all(FRESH, limit=limit)]


def open_(tx: Tx, send_id: str, since: datetime, look_at: datetime) -> None:
    """A text is in doubt since an instant, and is to be looked up; what was found before stays."""
    tx.run(OPEN, send=send_id, at=clock.text(since), look=clock.text(look_at))


def due(tx: Tx, now: datetime, limit: int) -> list[Row]:
    """(send_id, look_at) of doubts to be looked into by now, the oldest first."""
    return tx.all(DUE, now=clock.text(now), limit=limit)


def claim(tx: Tx, send_id: str, was: str, until: datetime) -> bool:
    """Take a look in hand until an instant, after which another may; False where one did."""
    return bool(tx.run(CLAIM, send=send_id, was=was, until=clock.text(until)))


def get(tx: Tx, send_id: str) -> Row | None:
    """One doubt."""
    return tx.one(GET, send=send_id)


def evidence(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the looks into a doubt have told, the oldest first."""
    found: list[dict[str, Any]] = orjson.loads(row["evidence"])
    return found


def note(
    tx: Tx,
    send_id: str,
    *,
    looks: int,
    look_at: datetime | None,
    verdict: str,
    why: str,
    found: list[dict[str, Any]],
) -> None:
    """Keep what the looks have told so far, and when the next one is."""
    tx.run(
        NOTE,
        send=send_id,
        looks=looks,
        look=clock.text(look_at) if look_at else None,
        verdict=verdict,
        why=why,
        evidence=orjson.dumps(found[-KEPT:]).decode(),
    )


def close(tx: Tx, send_id: str, verdict: str, why: str, now: datetime, *, who: str) -> bool:
    """A doubt is settled; False where there was none, or it was settled already."""
    told = {"verdict": verdict, "why": why[:300], "who": who[:200]}
    return bool(tx.run(CLOSE, send=send_id, at=clock.text(now), **told))


def is_bound(tx: Tx, provider: str, provider_id: str, but: str) -> bool:
    """Whether a provider's text is another send of ours already."""
    return tx.one(BOUND, provider=provider, provider_id=provider_id, but=but) is not None


def any_for_a_person(tx: Tx) -> bool:
    """Whether there is a doubt that only a person can settle."""
    return tx.one(FOR_A_PERSON) is not None


def attempts(tx: Tx, send_id: str) -> list[Row]:
    """Every time that a text was handed over, the first first."""
    return tx.all(ATTEMPTS, send=send_id)


def heard(tx: Tx, send_id: str) -> list[Row]:
    """Callbacks that named a text."""
    return tx.all(HEARD, send=send_id)


def codes(tx: Tx, send_id: str) -> Iterable[str]:
    """The codes of the short links that were made for a text."""
    return [str(row["code"]) for row in tx.all(CODES, send=send_id)]


def unclaimed(tx: Tx, provider: str, provider_id: str) -> list[Row]:
    """Callbacks about a provider's text that were heard before anybody knew whose it is."""
    return tx.all(UNCLAIMED, provider=provider, provider_id=provider_id)


def claim_heard(tx: Tx, receipt_id: str, send_id: str) -> None:
    """A callback that was kept turns out to be about a text of ours."""
    tx.run(CLAIM_HEARD, id=receipt_id, send=send_id)


def repeat(tx: Tx, send_id: str, now: datetime) -> None:
    """The very same text may be handed over again; planned, it goes on counting as sent."""
    tx.run(REPEAT, id=send_id, at=clock.text(now))


def uncount(tx: Tx, send_id: str) -> None:
    """A text that may be repeated does not count against itself while it is decided about."""
    tx.run(UNCOUNT, id=send_id)


def back(tx: Tx, send_id: str, reason: str) -> None:
    """A text that was not repeated after all is in doubt as before, and counts as sent."""
    tx.run(BACK, id=send_id, reason=reason)
