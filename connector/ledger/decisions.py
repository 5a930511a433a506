"""Decisions: every verdict with all its reasons and the facts it saw, sent or not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from connector import clock
from connector.ledger import chain
from connector.ledger.store import Row, Tx
from connector.model import Decision, Json, light

FACTS = "INSERT INTO facts (hash, body) VALUES (:hash, :body) ON CONFLICT DO NOTHING"
LAST = """SELECT id, verdict, reason, facts_hash, policy_version FROM decisions
    WHERE send_id = :send ORDER BY decided_at DESC, id DESC LIMIT 1"""
SAME = """WITH RECURSIVE same (id) AS (SELECT CAST(:contact AS TEXT)
    UNION SELECT c.id FROM contacts c JOIN same s ON c.merged_into = s.id)"""
"""Before a query: ``same`` holds a contact and all that were merged into it, whose decisions stay
under the name they were made for."""
AGAIN = """INSERT INTO decision_repeats (decision_id, repeats, last_at, until_at)
    VALUES (:id, 1, :at, :until) ON CONFLICT (decision_id) DO UPDATE SET
        repeats = decision_repeats.repeats + 1, last_at = excluded.last_at,
        until_at = excluded.until_at"""


@light
@dataclass(frozen=True, slots=True)
class About:
    """What a decision was about."""

    moment: str  #: trigger | plan | send
    contact_id: str
    play: str = ""
    version: str = ""
    key: str = ""
    step: str = ""
    enrolment_id: str = ""
    send_id: str = ""
    event_id: str = ""


def add(
    tx: Tx,
    about: About,
    decision: Decision,
    facts: Mapping[str, Json],
    now: datetime,
    *,
    decision_id: str,
) -> None:
    """Keep a decision; facts are stored once by their content.

    The same waiting again, with the same reasons and facts, is one decision and a counter, which
    stands beside: the row itself is chained and never changes.
    """
    body = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS, default=str)
    digest = hashlib.sha256(body).hexdigest()[:32]
    until = clock.text(decision.until) if decision.until else None
    if about.moment == "send" and decision.verdict == "wait":
        last = tx.one(LAST, send=about.send_id)
        same = ("wait", decision.reason, digest, decision.policy_version)
        if last and tuple(last)[1:] == same:
            tx.run(AGAIN, id=last["id"], at=clock.text(now), until=until)
            return
    tx.run(FACTS, hash=digest, body=body.decode())
    row = {
        "id": decision_id,
        "moment": about.moment,
        "contact_id": about.contact_id,
        "play": about.play,
        "version": about.version,
        "key": about.key,
        "step": about.step,
        "enrolment_id": about.enrolment_id or None,
        "send_id": about.send_id or None,
        "event_id": about.event_id or None,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "objections": _objections(decision),
        "until_at": until,
        "policy_version": decision.policy_version,
        "facts_hash": digest,
        "decided_at": clock.text(now),
    }
    chain.add(tx, chain.DECISIONS, row)


def _objections(decision: Decision) -> str:
    return orjson.dumps(
        [
            {
                "reason": item.reason,
                "verdict": item.verdict.value,
                "says": item.says,
                "until": clock.text(item.until) if item.until else None,
            }
            for item in decision.objections
        ]
    ).decode()


def of(tx: Tx, *, send_id: str = "", event_id: str = "", enrolment_id: str = "") -> list[Row]:
    """Decisions about a send or an enrolment, or that an event led to, oldest first."""
    if send_id:
        where, value = "send_id = :value", send_id
    elif event_id:
        where, value = "event_id = :value", event_id
    else:
        where, value = "enrolment_id = :value", enrolment_id
    sql = f"SELECT * FROM decided WHERE {where} ORDER BY decided_at, id LIMIT 500"  # noqa: S608
    return tx.all(sql, value=value)
