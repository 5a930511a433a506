"""One signal: the contact learns it, plays that waited for it end, plays it starts are opened."""

from __future__ import annotations

from datetime import datetime

from connector.ledger import contacts, crm_facts, events, outcomes
from connector.ledger.outcomes import Heard
from connector.ledger.store import Tx
from connector.model import Event, Json, Signal, Trust
from connector.rules.stages import next_stage
from connector.steps import gather, owed
from connector.steps.consent import record_consent
from connector.steps.ends import end_for
from connector.steps.identify import identify
from connector.steps.setup import OpenSource, Setup
from connector.steps.starts import start


def take_signal(
    tx: Tx, rt: Setup, source: OpenSource, event: Event, signal: Signal, now: datetime
) -> str:
    """Act on one signal, in this order; the contact's id.

    1. Whom it speaks of (linking and merging as it proves).
    2. What is now known of them: traits, visit, stage, consents.
    3. The signal itself, and the outcome it is.
    4. Enrolments it ends, and goals it reaches.
    5. Plays it starts, each with a decision, also where it does not enrol.
    """
    trusted = source.trust is Trust.trusted
    contact_id = identify(tx, rt, signal, event, trusted=trusted)
    _learn(tx, rt, contact_id, signal, event, now, trusted=trusted)
    if trusted:
        _take_consents(tx, rt, contact_id, signal, event, now)
    signal_id = rt.new_id("sig")
    events.add_signal(tx, signal, event, contact_id, signal_id)
    contact = gather.person(tx, contact_id)
    if contact is None:  # made or found above, so this is a fault of ours
        raise RuntimeError(f"contact {contact_id} vanished")
    context = gather.context(rt, contact, crm_facts.of(tx, rt.crm, contact_id), _facts(signal), now)
    if signal.outcome:
        _outcome(tx, rt, contact_id, signal, event, now)
    end_for(tx, rt, contact, signal, event, context, now)
    for play in rt.starting.get(signal.name, ()):
        start(tx, rt, play, contact, signal, signal_id, event, context, now)
    return contact_id


def _take_consents(
    tx: Tx, rt: Setup, contact_id: str, signal: Signal, event: Event, now: datetime
) -> None:
    """Consent belongs to a number. Where the event names none, a grant is for the contact's
    number of now, and an end is for every number the contact bears."""
    for given in signal.consents:
        named = [given.phone or signal.subject.phone]
        if not named[0]:
            known = contacts.phones(contacts.identities(tx, contact_id))
            named = known[:1] if given.granted else known
        for phone in named:
            record_consent(
                tx,
                rt,
                phone=phone,
                purpose=given.purpose,
                granted=given.granted,
                method=given.method,
                wording=given.wording,
                source=event.source,
                evidence=given.evidence,
                event=event,
                now=now,
            )


def _facts(signal: Signal) -> dict[str, Json]:
    return {**signal.facts, "name": signal.name, "key": signal.key}


def _learn(
    tx: Tx,
    rt: Setup,
    contact_id: str,
    signal: Signal,
    event: Event,
    now: datetime,
    *,
    trusted: bool,
) -> None:
    row = contacts.row(tx, contact_id)
    if row is None:
        return
    before = str(row["stage"])
    after = next_stage(rt.stages, before, signal.stage) if signal.stage else before
    contacts.see(
        tx,
        row,
        traits=signal.traits,
        visit=signal.visit,
        stage=after,
        at=event.occurred_at,
        activity=signal.activity,
        trusted=trusted,
    )
    if after != before:
        contacts.stage_changed(
            tx,
            contact_id,
            before,
            after,
            event.occurred_at,
            now,
            event.id,
            change_id=rt.new_id("stg"),
        )
        owed.contact_changed(tx, rt.crm, contact_id, now)


def _outcome(
    tx: Tx, rt: Setup, contact_id: str, signal: Signal, event: Event, now: datetime
) -> None:
    heard = Heard(
        id=rt.new_id("out"),
        cause=f"{signal.outcome}:{contact_id}:{signal.key or event.id}",  # told twice, counted once
        contact_id=contact_id,
        kind=signal.outcome,
        occurred_at=event.occurred_at,
        thing=signal.key,
        value_micros=signal.value_micros,
        currency=signal.currency,
        event_id=event.id,
    )
    if outcomes.add(tx, heard, now):
        owed.outcome_heard(tx, rt.crm, outcomes.get(tx, heard.id), now)
