"""One signal: the contact learns it, plays that waited for it end, plays it starts are opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from connector import clock
from connector.errors import ExpressionFailed
from connector.ledger import contacts, crm_facts, enrolments, events, outcomes, touches
from connector.ledger.contacts import Changed
from connector.ledger.outcomes import Heard
from connector.ledger.store import Row, Tx
from connector.model import ConsentGiven, Contact, Event, Json, Signal, Subject, Trust
from connector.rules import mapping
from connector.rules.consent import CRM_FIELD
from connector.rules.plays import Kind, Play
from connector.rules.stages import next_stage
from connector.steps import (
    contexts,
    dates,
    edges,
    ends,
    fanout,
    numberchange,
    optin,
    optouts,
    owed,
    proposed,
    silence,
    thresholds,
)
from connector.steps.changes import changed
from connector.steps.consent import record_consent
from connector.steps.edges import Before
from connector.steps.identify import Identified, identify
from connector.steps.merged import merged
from connector.steps.setup import OpenSource, Setup
from connector.steps.starts import Began, heard

LATER = 100  #: events that are looked at where one is heard late


@dataclass(frozen=True)
class Learned:
    """What a signal taught of a person: who they are now, which values became others, and who
    they were before.

    Their names are read when first asked for: most signals start and end nothing.
    """

    tx: Tx
    id: str
    row: Row  #: as they were
    seen: Row  #: as they are
    changes: tuple[Changed, ...]
    is_new: bool = False  #: nobody bore any of the names
    has_number: bool = False  #: one that they did not have

    @cached_property
    def names(self) -> list[Row]:
        """The identities they bear."""
        return contacts.identities(self.tx, self.id)

    @cached_property
    def contact(self) -> Contact:
        """Who they are now."""
        return contacts.read(self.seen, self.names)

    @property
    def before(self) -> Before:
        """Who they were before."""
        return Before(self.row, lambda: self.names, is_new=self.is_new)


def take_signal(
    tx: Tx, rt: Setup, source: OpenSource, event: Event, signal: Signal, now: datetime
) -> str:
    """Act on one signal, in this order; the contact's id.

    1. Whom it speaks of (linking and merging as it proves).
    2. What is now known of them: traits, visit, stage, consents.
    3. The signal itself, and the outcome it is.
    4. Enrolments it ends, and goals it reaches.
    5. Plays it starts, each with a decision, also where it does not enrol.

    One about a thing speaks of nobody, and is told to those who care for it.
    """
    if signal.thing:
        fanout.take_thing(tx, rt, event, signal, now)
        return ""
    trusted = source.trust is Trust.trusted
    who = identify(tx, rt, signal, event, trusted=trusted)
    contact_id = who.contact_id
    if who.profile and signal.subject.phone and not who.is_new:
        numberchange.leave(tx, rt, who, signal, event)
    learned = _learn(tx, rt, who, signal, event, now, trusted=trusted)
    if learned is None:  # made or found above, so this is a fault of ours
        raise RuntimeError(f"contact {contact_id} vanished")
    if trusted:
        _take_consents(tx, rt, contact_id, signal, event, now)
    elif source.trust is Trust.form and signal.consents:
        keep = partial(_take_consent, tx, rt, event=event, now=now)
        proposed.take(tx, rt, source, contact_id, signal, event, keep, now)
    signal_id = rt.new_id("sig")
    events.add_signal(tx, signal, event, contact_id, signal_id)
    if signal.contact_made and trusted:
        made = (signal.contact_made, signal.contact_purpose)
        touches.add(tx, rt.new_id("tch"), contact_id, *made, event.occurred_at, event.id)
    if signal.outcome:
        _outcome(tx, rt, contact_id, signal, event, now)
    for other in who.merged:
        merged(tx, rt, learned.contact, other, at=event.occurred_at, now=now)
    _act(tx, rt, learned, signal, signal_id, event, now)
    return contact_id


def own_signal(
    tx: Tx,
    rt: Setup,
    contact_id: str,
    name: str,
    facts: Mapping[str, Json],
    *,
    at: datetime,
    now: datetime,
    key: str = "",
    activity: bool = True,
    starts: bool = True,
) -> None:
    """A signal of our own making (a reply, a click): recorded, ends plays and starts them.

    ``starts`` false: it ends and branches, and starts nothing.
    """
    event = Event("", "", "", "own", name, at, now, {})
    made = Signal(name, Subject(), facts, {}, key=key, activity=activity)
    learned = _learn(tx, rt, Identified(contact_id), made, event, now, trusted=True)
    if learned is None:
        return
    signal_id = rt.new_id("sig")
    events.add_signal(tx, made, event, learned.id, signal_id)
    _act(tx, rt, learned, made, signal_id, event, now, starts=starts)


def _act(
    tx: Tx,
    rt: Setup,
    learned: Learned,
    signal: Signal,
    signal_id: str,
    event: Event,
    now: datetime,
    *,
    starts: bool = True,
) -> None:
    """End what the signal ends, then start what it starts: by its name, what it changed, the
    segments it moved the person in or out of, and the silence after it where it is heard late."""
    at, contact_id, back_fill = event.occurred_at, learned.id, event.back_fill
    going = enrolments.going(tx, contact_id, at)
    plays = rt.starting.get(signal.name, ()) if starts else ()
    if going or plays:
        contact, crm = learned.contact, crm_facts.of(tx, rt.crm, contact_id)
        context = contexts.of(tx, rt, contact, crm, _facts(signal), now, at)
        ends.end_for(tx, rt, going, contact, signal, event, context, now)
        told = (signal_id, signal.name, signal.key, at, context, event.id)
        _start(tx, rt, plays, contact, Began(*told, back_fill=back_fill), now)
    if not starts:
        return
    if learned.changes:
        news, about = learned.changes, event.id or signal_id
        changed(tx, rt, contact_id, news, at=at, now=now, event_id=about, back_fill=back_fill)
    paths = [path for path, _, _ in learned.changes]
    if learned.has_number:
        paths.append("contact.phone")
    if paths and rt.by_kind.get(Kind.date):
        dates.moved(tx, rt, contact_id, paths, now)
    segments = edges.touched(rt, signal.name, paths, is_new=learned.is_new)
    if segments:
        who, was = learned.contact, learned.before
        edges.ask(tx, rt, segments, who, was, at=at, now=now, back_fill=back_fill)
    if signal.activity and rt.by_kind.get(Kind.silence) and not back_fill:
        silence.heard_late(tx, rt, contact_id, at, now)


def _start(
    tx: Tx, rt: Setup, plays: Iterable[Play], contact: Contact, began: Began, now: datetime
) -> None:
    for play in plays:
        if play.start.kind is Kind.threshold:
            thresholds.reading(tx, rt, play, contact, began, now)
        elif play.start.kind is Kind.signal:
            heard(tx, rt, play, contact, began, now)


def _take_consents(
    tx: Tx, rt: Setup, contact_id: str, signal: Signal, event: Event, now: datetime
) -> None:
    """Consent belongs to a number. Where the event names none, a grant is for the contact's
    number of now, and an end is for every number the contact bears."""
    asked: dict[str, set[str]] = {}
    for given in signal.consents:
        if given.granted and event.back_fill and event.source == rt.crm:
            continue  # what a CRM has long held is no consent that anybody saw given
        named = [given.phone or signal.subject.phone]
        if not named[0]:
            known = contacts.phones(contacts.identities(tx, contact_id))
            named = known[:1] if given.granted else known
        for phone in filter(None, named):
            _take_consent(tx, rt, given, phone, event=event, now=now)
            if given.method == CRM_FIELD and given.granted:
                optouts.kept(tx, rt.crm, contact_id, phone, now)
            if given.pending:
                asked.setdefault(phone, set()).add(given.purpose)
    for phone, purposes in asked.items() if not event.back_fill else ():
        mode, expiries = rt.earnest.value, rt.book.policy.expiries
        optin.propose(tx, rt, phone, purposes, contact_id, mode, now, expiries)


def _take_consent(
    tx: Tx, rt: Setup, given: ConsentGiven, phone: str, *, event: Event, now: datetime
) -> None:
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
        occurred_at=given.occurred_at,
        now=now,
        capture=given.capture,
        pending=given.pending,
        renews=given.renews,
    )


def _facts(signal: Signal) -> dict[str, Json]:
    return {**signal.facts, "name": signal.name, "key": signal.key}


def _learn(
    tx: Tx,
    rt: Setup,
    who: Identified,
    signal: Signal,
    event: Event,
    now: datetime,
    *,
    trusted: bool,
) -> Learned | None:
    row = who.row or contacts.row(tx, who.contact_id)
    if row is None:
        return None
    contact_id = str(row["id"])
    was = str(row["stage"])
    after = next_stage(rt.stages, was, signal.stage) if signal.stage else was
    seen, changes = contacts.see(
        tx,
        row,
        traits=signal.traits,
        visit=signal.visit,
        stage=after,
        at=event.occurred_at,
        activity=signal.activity,
        trusted=trusted,
        newer=_told_later(tx, rt, row, signal, event),
    )
    if after != was:
        changes.append(("stage", was, after))
        contacts.stage_changed(
            tx,
            contact_id,
            was,
            after,
            event.occurred_at,
            now,
            event.id,
            change_id=rt.new_id("stg"),
        )
        if not (event.back_fill and event.source == rt.crm):
            owed.contact_changed(tx, rt.crm, contact_id, now)
    has_number = "phone" in who.linked
    return Learned(tx, contact_id, row, seen, tuple(changes), who.is_new, has_number)


def _told_later(tx: Tx, rt: Setup, row: Row, signal: Signal, event: Event) -> frozenset[str]:
    """Traits that something told which occurred later, though it was heard before."""
    if not signal.traits or clock.text(event.occurred_at) >= (row["last_seen_at"] or ""):
        return frozenset()
    found = set()
    for later in events.since(tx, str(row["id"]), event.occurred_at, LATER):
        source = rt.sources.get(later.source)
        if source is None or source.trust is not Trust.trusted:
            continue
        with suppress(ExpressionFailed):
            made = mapping.apply(source.mapping, later, source.trust, rt.says.country)
            traits = made.traits if isinstance(made, Signal) else {}
            found |= {name for name, value in traits.items() if value not in (None, "")}
    return frozenset(found)


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
    if outcomes.add(tx, heard, now) and event.source != rt.crm:  # which has told us of it
        owed.outcome_heard(tx, rt.crm, outcomes.get(tx, heard.id), now)
