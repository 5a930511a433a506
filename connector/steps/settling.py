"""Settling a doubt: it was found out whether a text went, by a look at its provider or a person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector.ledger import acts, doubts, restores, sends
from connector.ledger.store import Row, Tx
from connector.messages import Accepted
from connector.steps import answered, budget, owed, person
from connector.steps.setup import Setup

ACT: Final = "settled"


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
    answered.accepted(tx, rt, send, answer, min(at, now))
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
    person.all_clear(tx, now)


def may_repeat(tx: Tx, rt: Setup, send: Row, now: datetime, *, who: str, why: str) -> None:
    """The very same text may be handed over again: the gate is asked, and it goes on counting."""
    send_id = str(send["id"])
    doubts.repeat(tx, send_id, now)
    acts.add(tx, rt.new_id("act"), ACT, f"send:{send_id}", who=who, at=now, why=f"repeat: {why}")
