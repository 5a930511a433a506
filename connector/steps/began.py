"""Beginnings of our own making: a row in the place of a signal, and the play it may start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connector.errors import ExpressionFailed
from connector.ledger import crm_facts, events
from connector.ledger.store import Tx
from connector.model import Contact, Decision, Event, Json, Objection, Signal, Subject, Verdict
from connector.rules.plays import Play
from connector.steps import contexts, gather
from connector.steps.setup import Setup
from connector.steps.starts import Began, start


def begin(
    tx: Tx,
    rt: Setup,
    play: Play,
    contact_id: str,
    name: str,
    facts: Mapping[str, Json],
    *,
    occurrence: str,
    at: datetime,
    now: datetime,
    due_at: datetime | None = None,
    back_fill: bool = False,
    **more: Json,
) -> Decision | None:
    """Start a play of its own accord: a silence, a date, a change …; None where its condition
    does not hold or the person is gone.

    The facts stand in a signal's row of our own, which nothing else hears.
    """
    contact = gather.person(tx, contact_id)
    if contact is None:
        return None
    shown = {**facts, "name": name, "key": occurrence}
    crm = crm_facts.of(tx, rt.crm, contact.id)
    context = contexts.of(tx, rt, contact, crm, shown, now, at, **more)
    against = asked(play, context)
    if against is None:
        return None
    signal_id = keep(tx, rt, contact, name, facts, occurrence, at, now)
    began = Began(
        signal_id,
        name,
        occurrence,
        at,
        context,
        occurrence=occurrence,
        due_at=due_at,
        back_fill=back_fill,
        against=against,
    )
    return start(tx, rt, play, contact, began, now)


def asked(play: Play, context: Mapping[str, Json]) -> tuple[Objection, ...] | None:
    """What a start's condition has against it: nothing, that it cannot be told, or (None) that it
    does not hold."""
    try:
        return () if play.start.where is None or play.start.where(context) else None
    except ExpressionFailed as error:
        return (Objection("fact_missing", Verdict.stop, f"The condition failed: {error}"),)


def keep(
    tx: Tx,
    rt: Setup,
    contact: Contact | None,
    name: str,
    facts: Mapping[str, Json],
    key: str,
    at: datetime,
    now: datetime,
) -> str:
    """A signal's row of our own making; its id. Without a contact it is about nobody yet."""
    event = Event("", "", "", "own", name, at, now, {})
    made = Signal(name, Subject(), facts, {}, key=key, activity=False)
    signal_id = rt.new_id("sig")
    events.add_signal(tx, made, event, contact.id if contact else "", signal_id)
    return signal_id
