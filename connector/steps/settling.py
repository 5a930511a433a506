"""Settling a doubt: it was found out whether a text went, by a look at its provider or a person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector import clock
from connector.ledger import acts, alarms, doubts, restores, sends
from connector.ledger.store import Row, Tx
from connector.messages import Accepted
from connector.steps import budget, dispatch, owed
from connector.steps.setup import Setup

ACT: Final = "settled"
KIND: Final = "text_in_doubt"  #: of the alarm that asks for a person


def took_it(
    tx: Tx,
    rt: Setup,
    send: Row,
    answer: Accepted,
    at: datetime,
    now: datetime,
    *,
    who: str,
    why: str,
) -> None:
    """A text in doubt was taken, as of an instant: its play goes on from there."""
    send_id = str(send["id"])
    doubts.close(tx, send_id, "sent", why, now, who=who)
    dispatch.accepted(tx, rt, send, answer, min(at, now))
    _keep(tx, rt, send, "sent", now, who=who, why=why)


def did_not_go(tx: Tx, rt: Setup, send: Row, now: datetime, *, who: str, why: str) -> None:
    """A text in doubt was not taken: it is planned, due now, and the gate decides afresh."""
    send_id = str(send["id"])
    doubts.close(tx, send_id, "not_sent", why, now, who=who)
    restores.clear(tx, send_id, now)
    _keep(tx, rt, send, "not sent", now, who=who, why=why)


def _keep(tx: Tx, rt: Setup, send: Row, what: str, now: datetime, *, who: str, why: str) -> None:
    send_id = str(send["id"])
    budget.correct(tx, rt, send_id)
    changed = sends.get(tx, send_id)
    if changed is not None:
        owed.send_changed(tx, rt.crm, changed, now)
    acts.add(tx, rt.new_id("act"), ACT, f"send:{send_id}", who=who, at=now, why=f"{what}: {why}")
    all_clear(tx, now)


def all_clear(tx: Tx, now: datetime) -> None:
    """A doubt is settled: where no other waits for a person, nobody need be told any more."""
    if not doubts.any_for_a_person(tx):
        alarms.clear(tx, KIND, "", now)


def may_repeat(tx: Tx, rt: Setup, send: Row, now: datetime, *, who: str, why: str) -> None:
    """The very same text may be handed over again: the gate is asked, and it goes on counting."""
    send_id = str(send["id"])
    doubts.repeat(tx, send_id, now)
    acts.add(tx, rt.new_id("act"), ACT, f"send:{send_id}", who=who, at=now, why=f"repeat: {why}")


def by_hand(
    tx: Tx,
    rt: Setup,
    send_id: str,
    *,
    went: bool,
    who: str,
    why: str,
    now: datetime,
    provider_id: str = "",
) -> None:
    """Take a doubtful text for gone, or plan it again; the gate then decides afresh.

    Raises ``LookupError`` where there is no such doubtful text (somebody may have settled it
    meanwhile), ``ValueError`` where the provider's id is another text's already.
    """
    row = sends.get(tx, send_id)
    if row is None or row["state"] != "uncertain":
        stands = f" (it is {row['state']})" if row is not None else ""
        raise LookupError(
            f"there is no doubtful text {send_id}{stands}; see `connector sends --doubtful`"
        )
    if provider_id and doubts.is_bound(tx, str(row["provider"]), provider_id, send_id):
        raise ValueError(f"{provider_id} is another text's already; see `connector sends`")
    if went:
        at = clock.instant(row["begun_at"] or row["due_at"])
        answer = Accepted(provider_id or str(row["provider_id"] or ""), None)
        took_it(tx, rt, row, answer, at, now, who=who, why=why)
    else:
        did_not_go(tx, rt, row, now, who=who, why=why)
